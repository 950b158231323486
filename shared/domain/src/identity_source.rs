//! External identity sources: OpenID Connect providers whose users sign in to a tenant's applications.

use super::ids::SourceId;
use super::refusal::Refusal;
use super::time::Timestamp;
use super::{name, web};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySource {
    pub id: SourceId,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    pub jwks_uri: Option<String>,
    pub provisioning: Provisioning,
    pub created_at: Timestamp,
}

/// What becomes of a subject that is no user's yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provisioning {
    /// It is refused: an administrator links subjects to users.
    #[default]
    LinkedOnly,
    /// Its first login makes a user for it.
    JustInTime,
}

impl Provisioning {
    pub const fn as_str(self) -> &'static str {
        match self {
            Provisioning::LinkedOnly => "linked_only",
            Provisioning::JustInTime => "just_in_time",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Provisioning::LinkedOnly, Provisioning::JustInTime].into_iter().find(|p| p.as_str() == text)
    }
}

/// Whom an id token is about: its `sub`, which names a person only together with the source that says so. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalSubject {
    source: SourceId,
    sub: String,
}

impl ExternalSubject {
    /// OpenID Connect Core 1.0 §2: at most 255 ASCII characters, compared as they are.
    const MAX_LENGTH: usize = 255;

    /// `None` for what can't be a subject.
    pub fn parse(source: &SourceId, sub: &str) -> Option<Self> {
        let printable = sub.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let fits = (1..=Self::MAX_LENGTH).contains(&sub.len());
        (printable && fits).then(|| Self { source: source.clone(), sub: sub.to_owned() })
    }

    pub fn source(&self) -> &SourceId {
        &self.source
    }

    /// The claim itself.
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// The text that stands for it in keyed hashes. A source's id has no `|`, so no two subjects share one.
    pub fn canonical(&self) -> String {
        format!("{}|{}", self.source, self.sub)
    }
}

impl fmt::Debug for ExternalSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalSubject(of {})", self.source)
    }
}

/// The only kind of source so far, as the contract spells it.
pub const KIND_OIDC: &str = "oidc";

/// Longest audience. A client id is a client's choice; 255 is what OpenID Connect allows for a subject.
const MAX_AUDIENCE: usize = 255;

/// What an administrator says of a new source.
#[derive(Clone, Debug)]
pub struct SourceDetails {
    pub kind: String,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    /// Without it, the issuer's discovery document says where its keys are.
    pub jwks_uri: Option<String>,
    /// [`Provisioning`] as text; `linked_only` where it is left out.
    pub provisioning: Option<String>,
}

impl SourceDetails {
    pub fn into_source(self, id: SourceId, now: Timestamp) -> Result<IdentitySource, Refusal> {
        if self.kind != KIND_OIDC {
            return Err(Refusal::InvalidRequest(format!("kind must be {KIND_OIDC}")));
        }
        let visible = self.audience.bytes().all(|b| b.is_ascii_graphic());
        if !visible || !(1..=MAX_AUDIENCE).contains(&self.audience.len()) {
            return Err(Refusal::InvalidRequest(format!(
                "audience must have from 1 to {MAX_AUDIENCE} visible ASCII characters"
            )));
        }
        let provisioning = match self.provisioning.as_deref().map(Provisioning::parse) {
            None => Provisioning::default(),
            Some(Some(provisioning)) => provisioning,
            Some(None) => {
                let text = "provisioning must be linked_only or just_in_time";
                return Err(Refusal::InvalidRequest(text.to_owned()));
            }
        };
        Ok(IdentitySource {
            id,
            name: name::parse(&self.name)?,
            issuer: web::issuer(&self.issuer)?,
            audience: self.audience,
            jwks_uri: self.jwks_uri.as_deref().map(web::jwks_uri).transpose()?,
            provisioning,
            created_at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details() -> SourceDetails {
        SourceDetails {
            kind: "oidc".to_owned(),
            name: "Corporate".to_owned(),
            issuer: "https://login.example.com".to_owned(),
            audience: "shop".to_owned(),
            jwks_uri: None,
            provisioning: None,
        }
    }

    fn id() -> SourceId {
        SourceId::parse("src_aaaaaaaaaaaaaaaaaaaaaa").expect("an id")
    }

    fn made(details: SourceDetails) -> Result<IdentitySource, Refusal> {
        details.into_source(id(), Timestamp::from_secs(0))
    }

    #[test]
    fn a_source_is_checked_as_a_whole() {
        assert!(made(details()).is_ok());
        for bad in [
            SourceDetails { kind: "saml".to_owned(), ..details() },
            SourceDetails { name: " ".to_owned(), ..details() },
            SourceDetails { issuer: "http://login.example.com".to_owned(), ..details() },
            SourceDetails { audience: String::new(), ..details() },
            SourceDetails { audience: "a b".to_owned(), ..details() },
            SourceDetails { audience: "a".repeat(256), ..details() },
            SourceDetails { jwks_uri: Some("keys".to_owned()), ..details() },
            SourceDetails { provisioning: Some("always".to_owned()), ..details() },
        ] {
            assert!(matches!(made(bad.clone()), Err(Refusal::InvalidRequest(_))), "{bad:?}");
        }
    }

    #[test]
    fn subjects_become_users_by_link_unless_the_source_says_otherwise() {
        let provisioning = |text: Option<&str>| {
            let details = SourceDetails { provisioning: text.map(str::to_owned), ..details() };
            made(details).map(|source| source.provisioning)
        };
        assert_eq!(provisioning(None), Ok(Provisioning::LinkedOnly));
        assert_eq!(provisioning(Some("linked_only")), Ok(Provisioning::LinkedOnly));
        assert_eq!(provisioning(Some("just_in_time")), Ok(Provisioning::JustInTime));
    }

    #[test]
    fn h14_a_subject_is_a_source_and_a_short_ascii_text_and_does_not_print() {
        let subject = ExternalSubject::parse(&id(), "auth0|4 2").expect("a subject");
        assert_eq!(subject.canonical(), "src_aaaaaaaaaaaaaaaaaaaaaa|auth0|4 2");
        assert_eq!(format!("{subject:?}"), "ExternalSubject(of src_aaaaaaaaaaaaaaaaaaaaaa)");
        assert!(ExternalSubject::parse(&id(), &"a".repeat(255)).is_some());
        for bad in ["", "b\u{fc}cher", "a\nb", "a\0", &"a".repeat(256)] {
            assert_eq!(ExternalSubject::parse(&id(), bad), None);
        }
    }
}
