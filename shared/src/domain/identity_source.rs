//! External identity sources: OpenID Connect providers whose users sign in to a tenant's applications.

use super::ids::SourceId;
use super::refusal::Refusal;
use super::time::Timestamp;
use super::{name, web};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySource {
    pub id: SourceId,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    pub jwks_uri: Option<String>,
    pub created_at: Timestamp,
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
        Ok(IdentitySource {
            id,
            name: name::parse(&self.name)?,
            issuer: web::issuer(&self.issuer)?,
            audience: self.audience,
            jwks_uri: self.jwks_uri.as_deref().map(web::jwks_uri).transpose()?,
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
        }
    }

    fn made(details: SourceDetails) -> Result<IdentitySource, Refusal> {
        let id = SourceId::parse("src_aaaaaaaaaaaaaaaaaaaaaa").expect("an id");
        details.into_source(id, Timestamp::from_secs(0))
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
        ] {
            assert!(matches!(made(bad.clone()), Err(Refusal::InvalidRequest(_))), "{bad:?}");
        }
    }
}
