//! A user of a tenant.

use super::ids::{SourceId, TenantId, UserId};
use super::refusal::Refusal;
use super::secret::Secret;
use super::time::Timestamp;
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use std::collections::BTreeMap;
use std::fmt;

/// A user without its number, which the factor holds: see [`super::factor::Factor`]. `Debug` shows no more than ids.
#[derive(Clone)]
pub struct User {
    pub id: UserId,
    pub tenant: TenantId,
    pub username: Option<SealedIdentifier>,
    pub email: Option<SealedIdentifier>,
    /// Whom the external identity sources know this user as, at most one subject of each.
    pub identities: BTreeMap<SourceId, SealedIdentifier>,
    /// Of the messages to this user; the tenant's own otherwise.
    pub locale: Option<Locale>,
    /// A PHC string. `None`: this user has no password and signs in some other way.
    pub password_hash: Option<String>,
    pub created_at: Timestamp,
    /// Grows by one with every write; a write names the version it was made from.
    pub version: u64,
}

impl User {
    /// The user as one write makes it, with this subject as the one that `source` knows it as, or with none.
    pub fn with_identity(&self, source: &SourceId, subject: Option<&SealedIdentifier>) -> Self {
        let mut after = Self { version: self.version + 1, ..self.clone() };
        match subject {
            Some(subject) => after.identities.insert(source.clone(), subject.clone()),
            None => after.identities.remove(source),
        };
        after
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({} of {}, version {})", self.id, self.tenant, self.version)
    }
}

/// A username, an address or a source's subject as it is kept: sealed, with the keyed hash that its owner item is found by.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedIdentifier {
    /// The canonical form, encrypted for this user (`ports::PersonalData::seal` at [`place`]).
    pub sealed: String,
    /// `ports::PersonalData::hash` in [`super::factor::owner_scope`].
    pub hash: String,
}

/// Whose and which field a sealed value is (`ports::PersonalData::seal`).
pub fn place(tenant: &TenantId, user: &UserId, field: &str) -> String {
    format!("{tenant}|{user}|{field}")
}

/// The field of [`place`] that holds a source's subject.
pub fn identity_field(source: &SourceId) -> String {
    format!("identity|{source}")
}

/// A language tag (RFC 5646), checked for its shape only: `de`, `pt-BR`, `zh-Hans-CN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

impl Locale {
    /// RFC 5646 §4.4.1 asks for room for 35 characters.
    const MAX_LENGTH: usize = 35;

    /// # Errors
    /// [`Refusal::InvalidRequest`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut parts = text.split('-');
        let language = parts
            .next()
            .is_some_and(|l| (2..=3).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_lowercase()));
        let subtags =
            parts.all(|tag| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()));
        if language && subtags && text.len() <= Self::MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::InvalidRequest("locale is not a language tag like en or pt-BR".into()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// NIST SP 800-63B-4 §3.1.1.2: eight characters where the password is one factor of two.
const MIN_PASSWORD: usize = 8;
/// Long enough for any passphrase, short enough that hashing one costs no more than another.
const MAX_PASSWORD: usize = 256;

/// A new password in the form of RFC 8265 §4.2 (OpaqueString), so that two keyboards' ways to write one character are one password. No rule about
/// its composition (NIST SP 800-63B-4 §3.1.1.2).
///
/// # Errors
/// [`Refusal::InvalidRequest`] when it is shorter than 8 or longer than 256 characters, or has control characters.
pub fn new_password(text: &Secret<String>) -> Result<Secret<String>, Refusal> {
    let password = presented_password(text)
        .ok_or_else(|| Refusal::InvalidRequest("password has characters that RFC 8265 refuses".into()))?;
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&password.expose().chars().count()) {
        Ok(password)
    } else {
        Err(Refusal::InvalidRequest("password must have 8 to 256 characters".into()))
    }
}

/// A password at sign-in, in the form that [`new_password`] gave it. `None` when it can't be anybody's.
pub fn presented_password(text: &Secret<String>) -> Option<Secret<String>> {
    // Normalising may shorten a text by a few times, never by more.
    if text.expose().len() > MAX_PASSWORD * 16 {
        return None;
    }
    OpaqueString::enforce(text.expose().as_str()).ok().map(|form| Secret::new(form.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Option<String> {
        new_password(&Secret::new(text.to_owned())).ok().map(Secret::into_exposed)
    }

    #[test]
    fn a_locale_has_the_shape_of_a_language_tag() {
        for good in ["en", "de-CH", "zh-Hans-CN", "yue"] {
            assert_eq!(Locale::parse(good).map(|l| l.0), Ok(good.to_owned()));
        }
        let long = format!("en{}", "-abcdefgh".repeat(4));
        for bad in
            ["", "e", "EN", "en_US", "en-", "-en", "english", "en-a", "en-abcdefghi", "en US", long.as_str()]
        {
            assert!(Locale::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_eight_to_256_characters_of_any_kind() {
        assert_eq!(password("correct horse battery"), Some("correct horse battery".into()));
        assert_eq!(password("12345678"), Some("12345678".into()));
        assert_eq!(password("pässwörd"), Some("pässwörd".into()));
        assert_eq!(password(&"ä".repeat(256)).map(|p| p.chars().count()), Some(256));
        for bad in ["", "1234567", "eight\u{0}eight", "eight\neight"] {
            assert_eq!(password(bad), None, "{bad:?}");
        }
        assert_eq!(password(&"a".repeat(257)), None);
    }

    #[test]
    fn a_password_is_the_same_from_every_keyboard() {
        assert_eq!(password("passwo\u{308}rt"), password("passw\u{f6}rt"));
        let typed = presented_password(&Secret::new("passwo\u{308}rt".to_owned()));
        assert_eq!(typed.map(Secret::into_exposed), password("passw\u{f6}rt"));
    }
}
