//! What a use case needs from the world, one verb each. Adapters stand behind these; a use case's fields name the ports that it
//! may use, so its signature says which I/O it can do.

mod audit;
pub mod authorization;
mod crypto;
mod identity;
pub mod limits;
pub mod login;
pub mod notices;
mod origins;
mod policy;
pub mod qr_login;
pub mod recovery;
pub mod replacement;
pub mod sms;
pub mod trusted_devices;
mod users;

use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
pub use audit::{AuditQuery, AuditReader, ItemImage, LoginTrail};
pub use crypto::{
    AccessTokens, CodeClaims, CodeScope, Codes, LoginSealer, Passwords, PersonalData, SealedAs, TokenClaims,
    TokenSigner, Tokens,
};
pub use identity::{IdTokenRefused, IdTokens, IdentityLinks, ProvisionStore, Provisioned};
pub use origins::{ApplicationOrigins, OriginDirectory};
pub use policy::{
    AdminKeyLookup, AdminKeys, Applications, ConsoleSessionStore, CopiedFrom, IdentitySources, KeyDeletion,
    PolicyFacts, PolicyReader, Saved, Tenants,
};
pub use recovery::RecoveryMacs;
pub use sms::{OutgoingMessage, SendOutcome, SmsSender};
use std::fmt;
pub use users::{Binding, BindingReader, BindingStore, BindingWrite, NumberChange, UserStore, UserWrite};

/// The time. Only adapters read a real clock.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Cryptographically secure random bytes (NIST SP 800-90A, by way of the operating system).
pub trait Entropy: Send + Sync {
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// A fixed-size array of random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buffer = [0; N];
        self.fill(&mut buffer);
        buffer
    }
}

/// Something below the service failed: storage, network, configuration. Opaque on purpose. It becomes a constant 503, and
/// its cause is logged once, at the edge.
pub struct Fault(Box<dyn std::error::Error + Send + Sync>);

impl Fault {
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.0)
    }
}

impl fmt::Display for Fault {
    /// The cause and its own causes, in one line. They come from libraries and from our own decoding, which name fields and
    /// never values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// Why a use case did not do what was asked. The two never mix: a refusal has a stable public code, a fault has none.
#[derive(Debug)]
pub enum Failure {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last one. Opaque to everybody but the store.
    pub next: Option<String>,
}

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub limit: u16,
    pub cursor: Option<String>,
}

impl PageRequest {
    pub const DEFAULT_LIMIT: u16 = 50;
    pub const MAX_LIMIT: u16 = 100;
}
