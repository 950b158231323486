//! What a JSON merge patch (RFC 7396) says about one member.

use serde::de::{Deserialize, Deserializer};

/// One member of a merge patch: absent, `null` or a value. Needs `#[serde(default)]` where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: stays as it is.
    #[default]
    Keep,
    /// `null`: back to its default.
    Restore,
    Set(T),
}

impl<T> Change<T> {
    /// The member after the patch, with `check` on what was sent.
    pub fn resolve<U, E>(
        self,
        current: U,
        default: impl FnOnce() -> U,
        check: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<U, E> {
        match self {
            Self::Keep => Ok(current),
            Self::Restore => Ok(default()),
            Self::Set(value) => check(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Restore, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Patch {
        #[serde(default)]
        number: Change<u8>,
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let number = |text| serde_json::from_str::<Patch>(text).expect(text).number;
        assert_eq!(number("{}"), Change::Keep);
        assert_eq!(number(r#"{"number":null}"#), Change::Restore);
        assert_eq!(number(r#"{"number":7}"#), Change::Set(7));
        assert!(serde_json::from_str::<Patch>(r#"{"number":300}"#).is_err());
    }
}
