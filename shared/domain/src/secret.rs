//! Values that must never be printed, logged, serialized or copied by accident.

use std::fmt;

/// A secret value. It has no `Display`, no `Serialize` and no `Clone`; `Debug` prints `[secret]`. What is inside is reached
/// only by [`Secret::expose`], so that every place that reads a secret can be found by that word.
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    pub const fn expose(&self) -> &T {
        &self.0
    }

    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("123456")), "[secret]");
    }
}
