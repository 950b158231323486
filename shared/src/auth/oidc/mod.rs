//! Id tokens of external identity sources (OpenID Connect Core 1.0 §3.1.3.7).
//!
//! [`token`] reads a token and judges its claims, [`keys`] finds the key and checks the signature, [`cache`] keeps the keys of each source,
//! [`provider`] says where they are, and [`fetch`] gets them from there, from public addresses only ([`address`]).

mod address;
mod cache;
mod fetch;
#[cfg(test)]
mod fetch_tests;
#[cfg(test)]
#[path = "../../../tests/support/issuer.rs"]
mod issuer;
mod keys;
mod provider;
#[cfg(test)]
mod tests;
mod token;

use super::jwt_provider;
use crate::domain::identity_source::{ExternalSubject, IdentitySource};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::{Fault, IdTokenRefused, IdTokens};
use async_trait::async_trait;
use cache::KeyCache;
use fetch::Fetcher;
pub use fetch::IssuerAddresses;
use token::IdToken;

/// Checks id tokens with the keys that their sources publish.
pub struct OidcIdTokens {
    keys: KeyCache,
}

impl OidcIdTokens {
    pub fn new(addresses: IssuerAddresses) -> Self {
        Self::with(Fetcher::new(addresses))
    }

    fn with(fetcher: Fetcher) -> Self {
        jwt_provider::install();
        Self { keys: KeyCache::new(fetcher) }
    }
}

#[async_trait]
impl IdTokens for OidcIdTokens {
    async fn verify(
        &self,
        source: &IdentitySource,
        token: &Secret<String>,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<ExternalSubject, IdTokenRefused>, Fault> {
        let token = match IdToken::parse(token.expose()) {
            Ok(token) => token,
            Err(refused) => return Ok(Err(refused)),
        };
        let genuine = self.keys.check(source, now, |keys| keys.check(&token)).await?;
        Ok(genuine.and_then(|()| token.claims()?.judge(source, nonce, now)))
    }
}
