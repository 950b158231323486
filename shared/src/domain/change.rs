//! What a JSON merge patch (RFC 7396) says about one member.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

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
    fn from_option(value: Option<T>) -> Self {
        value.map_or(Self::Restore, Self::Set)
    }

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
        Option::deserialize(deserializer).map(Self::from_option)
    }
}

/// `deserialize_with` for a member that is an object itself.
pub fn object<'de, D, T>(deserializer: D) -> Result<Change<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Object<T>>::deserialize(deserializer).map(|value| Change::from_option(value.map(|Object(t)| t)))
}

/// A struct that is read from a JSON object only. serde's derived structs also take an array of their fields in order, which nobody
/// means to send.
#[derive(Debug, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// A map with free keys that refuses a key that stands twice: a plain map would keep the last one without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueMap<T>(pub BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for UniqueMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
            type Value = UniqueMap<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if entries.insert(key, value).is_some() {
                        return Err(serde::de::Error::custom("a key stands twice"));
                    }
                }
                Ok(UniqueMap(entries))
            }
        }

        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default)]
        number: Change<u8>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default, deserialize_with = "object")]
        inner: Change<Inner>,
        #[serde(default)]
        map: Change<UniqueMap<Change<bool>>>,
    }

    fn read(text: &str) -> Result<Outer, String> {
        serde_json::from_str::<Object<Outer>>(text).map(|Object(o)| o).map_err(|e| e.to_string())
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let number = |text| match read(text).expect(text).inner {
            Change::Set(inner) => inner.number,
            Change::Restore => Change::Restore,
            Change::Keep => Change::Keep,
        };
        assert_eq!(number("{}"), Change::Keep);
        assert_eq!(number(r#"{"inner":null}"#), Change::Restore);
        assert_eq!(number(r#"{"inner":{}}"#), Change::Keep);
        assert_eq!(number(r#"{"inner":{"number":null}}"#), Change::Restore);
        assert_eq!(number(r#"{"inner":{"number":7}}"#), Change::Set(7));
    }

    #[test]
    fn unknown_repeated_and_mistyped_members_are_refused_at_every_level() {
        for bad in [
            "[]",
            "null",
            r#"{"inner":[7]}"#,
            r#"{"inner":{},"inner":{}}"#,
            r#"{"inner":{"number":1,"number":2}}"#,
            r#"{"inner":{"numbre":1}}"#,
            r#"{"inner":{"number":"7"}}"#,
            r#"{"inner":{"number":300}}"#,
            r#"{"inner":{"number":1.5}}"#,
            r#"{"map":{"a":true,"a":false}}"#,
            r#"{"map":{"a":0}}"#,
            r#"{"map":[]}"#,
            r#"{"other":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
