//! Everything with a key in it.

use super::Fault;
use crate::domain::access::VerifiedAccess;
use crate::domain::authorization::Scopes;
use crate::domain::ids::{ApplicationId, GrantId, LoginId, TenantId, UserId};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Password hashing (argon2id). It takes tens of milliseconds of CPU, so it runs beside the event loop.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// A PHC string.
    async fn hash(&self, password: Secret<String>) -> Result<String, Fault>;
    /// Whether the password is the one that `hash` was made of. With `None` (no such account, or no password) it does the same
    /// work and answers `false`, so that the time tells nothing.
    async fn verify(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, Fault>;
}

/// What a sealed text is. What was sealed as one thing opens as no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedAs {
    LoginToken,
    /// What an application asked a hosted login for.
    PageRequest,
    /// That a hosted login is complete. Only who may sign tokens makes and opens this and the next.
    PageDone,
    AuthorizationCode,
}

impl SealedAs {
    pub const ALL: [SealedAs; 4] =
        [Self::LoginToken, Self::PageRequest, Self::PageDone, Self::AuthorizationCode];
}

/// Seals what the client carries through a login: encrypted and authenticated, so that it can neither read nor change it.
pub trait LoginSealer: Send + Sync {
    /// Text safe for a header, a cookie and an address: base64url, with the key's id.
    fn seal(&self, what: SealedAs, plain: &[u8]) -> String;
    /// `None` for anything that this service did not seal as that, or sealed with a retired key.
    fn open(&self, what: SealedAs, text: &str) -> Option<Vec<u8>>;
}

/// Keeps what identifies a person unreadable at rest (acceptance H14).
pub trait PersonalData: Send + Sync {
    /// Keyed hash of a canonical identifier, base64url. `scope` separates uses (a tenant and a kind of identifier; a limit), so that equal
    /// values in two scopes can't be matched.
    fn hash(&self, scope: &str, value: &str) -> String;
    /// Encrypts `value`; `place` (whose it is and which field) is authenticated, so that a sealed value moved elsewhere doesn't open.
    fn seal(&self, place: &str, value: &str) -> String;
    /// A value that doesn't open is a fault: we wrote it.
    fn open(&self, place: &str, sealed: &str) -> Result<String, Fault>;
}

/// Which login a code belongs to. It goes into every MAC, so that a code of one login, user or tenant is no code of another.
#[derive(Clone, Copy, Debug)]
pub struct CodeScope<'a> {
    pub tenant: &'a TenantId,
    pub user: &'a UserId,
    pub login: &'a LoginId,
    /// [`crate::domain::login::Purpose`] as text.
    pub purpose: &'a str,
}

/// Codes are derived from a pepper that is not in the table and a nonce that is: a leaked table alone, or a leaked key alone,
/// reveals no code, and a resend finds the same code again.
pub trait Codes: Send + Sync {
    /// The id of the pepper that new codes are made with.
    fn current_pepper(&self) -> &str;
    /// MACs of a guess under every pepper that is in use: one, or two during a rotation.
    fn guess_macs(&self, scope: CodeScope<'_>, guess: &str) -> Vec<[u8; 32]>;
    /// `length` decimal digits, uniform. `None` when the pepper is gone.
    fn derive(
        &self,
        pepper: &str,
        scope: CodeScope<'_>,
        nonce: &[u8; 16],
        length: u8,
    ) -> Option<Secret<String>>;
    /// MAC of the code itself. `None` when the pepper is gone.
    fn mac(&self, pepper: &str, scope: CodeScope<'_>, code: &str) -> Option<[u8; 32]>;
}

/// What the tokens at the end of a login say.
#[derive(Clone, Debug)]
pub struct TokenClaims {
    pub tenant: TenantId,
    pub application: ApplicationId,
    pub user: UserId,
    pub login: LoginId,
    pub auth_time: Timestamp,
    pub issued_at: Timestamp,
    /// Authentication methods (RFC 8176).
    pub amr: &'static [&'static str],
    /// `aal1` or `aal2`.
    pub acr: &'static str,
    /// For tokens that an authorization code is exchanged for.
    pub code: Option<CodeClaims>,
}

/// What tokens say of the authorization code that they were got for.
#[derive(Clone, Debug)]
pub struct CodeClaims {
    /// Whether the tokens hold is told by the grant: a code that is used twice voids them.
    pub grant: GrantId,
    pub nonce: Option<String>,
    pub scopes: Scopes,
}

/// The tokens at the end of a login.
#[derive(Debug)]
pub struct Tokens {
    pub access_token: Secret<String>,
    pub id_token: Secret<String>,
    /// Seconds.
    pub expires_in: u32,
}

/// Checks access tokens. It takes public keys only: what checks can't sign.
pub trait AccessTokens: Send + Sync {
    /// `None` for anything but an access token that this service signed and that lives at `now`. Whether the user still exists is
    /// another question.
    fn verify(&self, token: &str, now: Timestamp) -> Option<VerifiedAccess>;
}

/// Signs tokens. Only the functions that may finish a login have one.
pub trait TokenSigner: Send + Sync {
    fn sign(&self, claims: &TokenClaims) -> Result<Tokens, Fault>;
    /// The public keys as a JSON Web Key Set (RFC 7517).
    fn jwks(&self) -> serde_json::Value;
}
