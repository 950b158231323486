//! The audit: who did what to whom, when and from where, with the values before and after.
//!
//! An event is written in the transaction of its change, so that one exists exactly when the other does. What a login does in a single write,
//! its item tells, and whoever follows the table's changes makes the event of it, with the same id however often it is told. No event is
//! ever changed or deleted. Hence nothing in it may name a person or open anything: a user's identifiers stand in it as keyed hashes, a
//! number with its hint, and no secret, hash of one, or code at all. The address that a call came from is there in clear: an audit that
//! can't say it is none.

mod changes;
mod describe;
mod logins;
#[cfg(test)]
mod tests;

use super::admin_key::Role;
use super::ids::{ApplicationId, EventId, KeyId, TenantId, UserId};
use super::time::Timestamp;
pub use changes::AuditedChange;
pub use logins::{CountedFailure, DecidedQrLogin, GuessedCode, JudgedGuess, LoginStep, RefusedSend};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// One event. What happened to a user or in an application is found by it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    pub id: EventId,
    pub tenant: TenantId,
    pub at: Timestamp,
    pub kind: EventKind,
    pub actor: Actor,
    pub provenance: Provenance,
    pub user: Option<UserId>,
    pub application: Option<ApplicationId>,
    /// What changed, as it was: nothing of what is new.
    pub before: Option<Details>,
    /// What changed, as it is now: nothing of what is gone.
    pub after: Option<Details>,
}

/// Values by the names that the API gives them.
pub type Details = Map<String, Value>;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Operator,
    Administrator {
        key: KeyId,
        /// At that moment.
        role: Role,
    },
    /// The user itself.
    User(UserId),
    /// The service by its own rules.
    System,
}

impl Actor {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Administrator { .. } => "administrator",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }
}

/// Where a call came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The address that the gateway saw.
    pub client_ip: Option<IpAddr>,
    /// The same as in the answer and in the log.
    pub request_id: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What happened. The names are a contract: they are stored and filtered by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)*
        }

        impl EventKind {
            pub const ALL: &'static [EventKind] = &[$(Self::$kind),*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    TenantCreated = "tenant.created",
    TenantChanged = "tenant.changed",
    TenantSecurityChanged = "tenant.security.changed",
    ApplicationCreated = "application.created",
    ApplicationChanged = "application.changed",
    ApplicationDeleted = "application.deleted",
    ApplicationSecurityChanged = "application.security.changed",
    ApplicationSecretAdded = "application.secret.added",
    ApplicationSecretRemoved = "application.secret.removed",
    IdentitySourceCreated = "identity_source.created",
    IdentitySourceDeleted = "identity_source.deleted",
    AdminKeyCreated = "admin_key.created",
    AdminKeyDeleted = "admin_key.deleted",
    ConsoleSessionStarted = "console_session.started",
    /// By its administrator. One that its time or its key ended has no event of its own.
    ConsoleSessionEnded = "console_session.ended",
    UserCreated = "user.created",
    UserChanged = "user.changed",
    UserDeleted = "user.deleted",
    /// A number where there was none, at the user's creation too.
    PhoneBound = "phone.bound",
    PhoneReplaced = "phone.replaced",
    /// Also by the user's deletion.
    PhoneUnbound = "phone.unbound",
    /// The count of wrong codes was set to zero, and the number stayed as it was.
    FactorReset = "factor.reset",
    /// So many wrong codes in a row that no code is sent any more until a number is bound anew.
    FactorDisabled = "factor.disabled",
    /// The right code, whatever it does.
    CodeAccepted = "code.accepted",
    /// A wrong code that was judged.
    CodeRejected = "code.rejected",
    /// No attempt is left in a login.
    LoginBlocked = "login.blocked",
    /// By the user who had scanned it; the application is the one that asked.
    QrLoginApproved = "qr_login.approved",
    QrLoginRejected = "qr_login.rejected",
    /// The first message to a user that a rule refused in an hour.
    SendRefused = "send.refused",
    /// By the user; those that are made with a bind are not told apart from it.
    RecoveryCodesMade = "recovery_codes.made",
    RecoveryCodeUsed = "recovery_code.used",
    TrustedDeviceAdded = "trusted_device.added",
    /// By its user or by an administrator. One that only became worth nothing, by its number or its time, has no event.
    TrustedDeviceRevoked = "trusted_device.revoked",
}

impl EventKind {
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}
