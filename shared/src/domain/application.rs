//! An application of a tenant: what its users sign in to.

use super::ids::{ApplicationId, KeyId};
use super::settings::SecurityRules;
use super::time::Timestamp;

/// How many secrets may live at once: the old and the new one during a rotation.
pub const MAX_SECRETS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub name: String,
    pub kind: ApplicationType,
    /// Exact origins (`https://host[:port]`) that a browser may call from.
    pub origins: Vec<String>,
    pub redirect_uris: Vec<String>,
    /// The host of the message's origin-bound last line. `None`: the host of the first origin, if there is one.
    pub message_host: Option<String>,
    /// `Some` while *customize security rules for this application* is on (acceptance B1–B8).
    pub custom_security: Option<SecurityRules>,
    pub secrets: Vec<ApplicationSecret>,
    pub created_at: Timestamp,
    pub version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationType {
    /// Browsers and phones: no secret.
    Public,
    /// A back end: its secret on every new login.
    Confidential,
}

impl ApplicationType {
    pub const fn as_str(self) -> &'static str {
        match self {
            ApplicationType::Public => "public",
            ApplicationType::Confidential => "confidential",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Confidential].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A secret as it is kept: its hash only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSecret {
    pub id: KeyId,
    /// SHA-256 of the whole credential. A fast hash is right here: the secret has 256 bits of its own.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
}
