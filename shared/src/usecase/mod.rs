//! The use cases: each applies the domain's rules to what its ports hold. A struct's fields are the ports that it may use.

pub mod access;
pub mod admin_binding;
pub mod admin_keys;
pub mod applications;
pub mod ask_replacement;
pub mod audit_trail;
pub mod authenticate;
pub mod authorize;
pub mod bind_phone;
pub mod change_number;
pub mod claims;
pub mod console_session;
mod count;
pub mod exchange_code;
pub mod explain;
pub mod identity_sources;
pub mod issue_code;
pub mod link_identity;
pub mod login_state;
pub mod login_token;
pub mod message_templates;
mod notices;
pub mod notify;
pub mod own_phone;
pub mod page_tokens;
pub mod qr_login;
pub mod recovery_codes;
pub mod replace_number;
pub mod security_settings;
pub mod sign_in;
mod subjects;
pub mod support;
pub mod tenants;
mod test_numbers;
pub mod trust_device;
pub mod trusted_devices;
pub mod use_recovery_code;
pub mod users;
pub mod verify_code;

use crate::domain::login::LoginState;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::ports::{Failure, Fault};

/// How often a change is read, decided and written again when somebody else wrote in between. After that it is a conflict.
const TRIES: usize = 4;

/// Why a step of a login did not happen, with the login as it stands once the caller has shown that it is its own.
#[derive(Debug)]
pub struct LoginFailure {
    pub failure: Failure,
    pub state: Option<Box<LoginState>>,
}

impl From<Refusal> for LoginFailure {
    fn from(refusal: Refusal) -> Self {
        Self { failure: refusal.into(), state: None }
    }
}

impl From<Fault> for LoginFailure {
    fn from(fault: Fault) -> Self {
        Self { failure: fault.into(), state: None }
    }
}

impl LoginFailure {
    fn new(refusal: Refusal, state: LoginState) -> Self {
        Self { failure: refusal.into(), state: Some(Box::new(state)) }
    }
}

/// Something new with a secret that is shown this once: only its hash is kept.
#[derive(Debug)]
pub struct Created<T> {
    pub value: T,
    pub secret: Secret<String>,
}
