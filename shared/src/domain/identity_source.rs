//! External identity sources: OpenID Connect providers whose users sign in to a tenant's applications.

use super::ids::SourceId;
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentitySource {
    pub id: SourceId,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    pub jwks_uri: Option<String>,
    pub created_at: Timestamp,
}
