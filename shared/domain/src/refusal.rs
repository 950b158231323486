//! Every way in which the service says no. A refusal is a fact of the domain, has a stable code and is the caller's to act
//! on; a fault (storage or network down) is not in here.

use super::message_template::Finding;
use super::time::Timestamp;

/// A refusal. Its [`code`](Refusal::code) is a contract: docs/ERRORS.md lists them all, and a test compares the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unauthenticated,
    Forbidden(&'static str),
    NotFound,
    MethodNotAllowed {
        allow: String,
    },
    TooLarge {
        limit_bytes: usize,
    },
    UnsupportedMediaType,
    /// What is wrong, in words for the developer who sent it. Never echoes what was sent.
    InvalidRequest(String),
    SecurityNotCustomized,
    /// An identifier is taken within the tenant; `field` names which.
    Duplicate {
        field: &'static str,
    },
    /// Somebody else wrote the same thing at the same time, several times in a row.
    Conflict,
    /// What is asked would leave something that must not be, such as a tenant without an owner key; says what.
    NotPossible(&'static str),
    PhoneTaken,
    InvalidPhone(&'static str),
    /// A text that can't be a message, with everything that is wrong with it.
    InvalidTemplate(Vec<Finding>),
    FirstFactorFailed,
    /// The same for an id token, which tells its holder nothing that it does not know: with the check that it did not pass.
    IdTokenRefused(&'static str),
    WrongCode,
    CodeExpired,
    CodeAlreadyUsed,
    NoCodeSent,
    PhoneRequired,
    TooManyAttempts {
        retry_at: Timestamp,
    },
    ResendTooSoon {
        retry_at: Timestamp,
    },
    TooManySends {
        retry_at: Timestamp,
    },
    RateLimited {
        rule: &'static str,
        retry_at: Timestamp,
    },
    CountryNotAllowed,
    NumberTypeNotAllowed,
    SendingDisabled {
        retry_at: Timestamp,
    },
    SelfBindingDisabled,
    FactorDisabled,
    LoginExpired,
    LoginComplete,
    QrLoginExpired,
    QrLoginNotApproved,
    DeliveryFailed,
    StepUpRequired,
    IdempotencyMismatch,
}

impl Refusal {
    /// The stable code in the problem document.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::TooLarge { .. } => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidRequest(_) => "invalid_request",
            Self::SecurityNotCustomized => "security_not_customized",
            Self::Duplicate { .. } => "duplicate",
            Self::Conflict | Self::NotPossible(_) => "conflict",
            Self::PhoneTaken => "phone_taken",
            Self::InvalidPhone(_) => "invalid_phone",
            Self::InvalidTemplate(_) => "invalid_template",
            Self::FirstFactorFailed | Self::IdTokenRefused(_) => "first_factor_failed",
            Self::WrongCode => "wrong_code",
            Self::CodeExpired => "code_expired",
            Self::CodeAlreadyUsed => "code_already_used",
            Self::NoCodeSent => "no_code_sent",
            Self::PhoneRequired => "phone_required",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::ResendTooSoon { .. } => "resend_too_soon",
            Self::TooManySends { .. } => "too_many_sends",
            Self::RateLimited { .. } => "rate_limited",
            Self::CountryNotAllowed => "country_not_allowed",
            Self::NumberTypeNotAllowed => "number_type_not_allowed",
            Self::SendingDisabled { .. } => "sending_disabled",
            Self::SelfBindingDisabled => "self_binding_disabled",
            Self::FactorDisabled => "factor_disabled",
            Self::LoginExpired => "login_expired",
            Self::LoginComplete => "login_complete",
            Self::QrLoginExpired => "qr_login_expired",
            Self::QrLoginNotApproved => "qr_login_not_approved",
            Self::DeliveryFailed => "delivery_failed",
            Self::StepUpRequired => "step_up_required",
            Self::IdempotencyMismatch => "idempotency_mismatch",
        }
    }

    /// When trying again can help, for `Retry-After`.
    pub const fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::TooManyAttempts { retry_at }
            | Self::ResendTooSoon { retry_at }
            | Self::TooManySends { retry_at }
            | Self::RateLimited { retry_at, .. }
            | Self::SendingDisabled { retry_at } => Some(*retry_at),
            _ => None,
        }
    }
}
