//! External identity sources: their id tokens, and which users their subjects are.

use super::{Fault, UserWrite};
use crate::domain::audit::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::identity_source::{ExternalSubject, IdentitySource};
use crate::domain::ids::{SourceId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::{SealedIdentifier, User};
use async_trait::async_trait;

/// Which check an id token did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenRefused {
    TooLong,
    /// It isn't three base64url parts with a header and claims in JSON, or a required claim is missing or has another type.
    Malformed,
    /// It is another kind of token: its `typ` says so, or it reports an event.
    Type,
    /// The header asks for something that changes what is signed (`crit`).
    CriticalHeader,
    /// The header's algorithm is not the key's: RS256 for an RSA key, ES256 for one on P-256. `none` and HS* are no key's.
    Algorithm,
    /// No key of the source has this `kid`, or more than one has it, or it is missing where the source has several keys.
    Key,
    Signature,
    Issuer,
    Audience,
    AuthorizedParty,
    Expired,
    /// Issued or valid from later than now.
    NotYetValid,
    Nonce,
    Subject,
}

impl IdTokenRefused {
    /// For the developer; repeats nothing of the token.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "The id token is longer than 16384 bytes.",
            Self::Malformed => {
                "The id token is not a signed JWT in compact form with the claims iss, sub, aud, exp and iat."
            }
            Self::Type => "The token is no id token but another kind of JWT.",
            Self::CriticalHeader => "The id token's header has `crit`, and no extension is understood here.",
            Self::Algorithm => "The id token's `alg` is not the one of the source's key: RS256 or ES256.",
            Self::Key => {
                "The id token's `kid` does not name exactly one of the keys that the source publishes."
            }
            Self::Signature => "The id token's signature does not verify with the source's key.",
            Self::Issuer => "The id token's `iss` is not the source's issuer.",
            Self::Audience => "The id token's `aud` does not contain the source's audience.",
            Self::AuthorizedParty => {
                "The id token has several audiences, and its `azp` is not the source's audience."
            }
            Self::Expired => "The id token has expired.",
            Self::NotYetValid => "The id token's `iat` or `nbf` is in the future.",
            Self::Nonce => "The id token's `nonce` is not the one that was given.",
            Self::Subject => "The id token's `sub` is not 1 to 255 printable ASCII characters.",
        }
    }
}

/// Checks id tokens as OpenID Connect Core 1.0 §3.1.3.7 asks.
#[async_trait]
pub trait IdTokens: Send + Sync {
    /// Whom the token is about, or which check refused it. A `nonce` that is given must be the token's. Without one the token's own is not
    /// looked at: many clients' libraries send one and check it by themselves.
    ///
    /// A fault where the source's keys can't be had.
    async fn verify(
        &self,
        source: &IdentitySource,
        token: &Secret<String>,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<ExternalSubject, IdTokenRefused>, Fault>;
}

/// How making a user for a subject ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provisioned {
    Created,
    /// Another first login of the same subject was quicker: this is the user that it made.
    Known(UserId),
}

#[async_trait]
pub trait ProvisionStore: Send + Sync {
    /// Writes a user that is known by subjects only, its factor and the subjects' owners, all or nothing. Of several at once for one subject,
    /// one makes the user; to the others that costs one more read.
    async fn create_from_subject(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<Provisioned, Fault>;
}

/// An administrator's hand on which subjects are which user. The event is that of
/// [`User::with_identity`]'s change; where there is none, nothing is to be written.
#[async_trait]
pub trait IdentityLinks: Send + Sync {
    /// Makes `subject` the one that `source` knows `user` as, in the place of any other. `user` as it was read.
    /// [`UserWrite::Duplicate`] when another user has the subject; never [`UserWrite::LastIdentifier`].
    async fn link_subject(
        &self,
        user: &User,
        source: &SourceId,
        subject: &SealedIdentifier,
        event: &AuditEvent,
    ) -> Result<UserWrite, Fault>;

    /// Forgets the user's subject of `source`, also one that is not there.
    async fn unlink_subject(
        &self,
        user: &User,
        source: &SourceId,
        event: &AuditEvent,
    ) -> Result<UserWrite, Fault>;
}
