//! Where a source's keys are: where the administrator says, else where the issuer's discovery document says.

use super::fetch::Fetcher;
use super::keys::KeySet;
use crate::domain::identity_source::IdentitySource;
use crate::domain::web;
use crate::ports::Fault;
use serde::Deserialize;

/// What is read of a discovery document (OpenID Connect Discovery 1.0 §3).
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

/// The keys as they are published now. One request, or two where the address has to be discovered.
pub(super) async fn keys(fetcher: &Fetcher, source: &IdentitySource) -> Result<KeySet, Fault> {
    let document = match &source.jwks_uri {
        Some(uri) => fetcher.get_json(uri).await?,
        None => fetcher.get_json(&discovered(fetcher, &source.issuer).await?).await?,
    };
    KeySet::parse(&document).ok_or_else(|| Fault::new("what an identity source publishes is no key set"))
}

async fn discovered(fetcher: &Fetcher, issuer: &str) -> Result<String, Fault> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let document = fetcher.get_json(&address).await?;
    let found: Configuration = serde_json::from_slice(&document)
        .map_err(|_| Fault::new("an identity source's discovery document names no issuer and keys"))?;
    // Discovery 1.0 §4.3: or one provider could speak for another.
    if found.issuer != issuer {
        return Err(Fault::new("an identity source's discovery document is another issuer's"));
    }
    web::jwks_uri(&found.jwks_uri).map_err(|_| {
        Fault::new("an identity source's discovery document names no https address for its keys")
    })
}
