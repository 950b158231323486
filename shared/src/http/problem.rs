//! Errors as the caller sees them: RFC 9457 problem documents.

use crate::domain::message_template::Finding;
use crate::domain::refusal::Refusal;
use crate::ports::{Failure, Fault};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// What a handler answers when it does not do what was asked.
#[derive(Debug)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Members beside the standard ones: `field`, `rule`, the login and its state.
    pub extensions: Map<String, Value>,
    /// `WWW-Authenticate`, where it says more than that a credential is missing.
    pub challenge: Option<&'static str>,
}

#[derive(Debug)]
pub enum ProblemKind {
    Refused(Refusal),
    /// 503 `unavailable`; the cause goes to the log only.
    Fault(Fault),
}

impl Problem {
    /// The stable code: the refusal's, or that of every fault.
    pub const fn code(&self) -> &'static str {
        match &self.kind {
            ProblemKind::Refused(refusal) => refusal.code(),
            ProblemKind::Fault(_) => "unavailable",
        }
    }

    /// Says in `WWW-Authenticate` too what is wrong with the credential (RFC 6750 §3.1).
    #[must_use]
    pub fn challenged(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut extensions = Map::new();
        match &refusal {
            Refusal::Duplicate { field } => {
                extensions.insert("field".into(), (*field).into());
            }
            Refusal::RateLimited { rule, .. } => {
                extensions.insert("rule".into(), (*rule).into());
            }
            Refusal::InvalidTemplate(findings) => {
                extensions.insert("findings".into(), findings.iter().map(finding).collect());
            }
            _ => {}
        }
        Self { kind: ProblemKind::Refused(refusal), extensions, challenge: None }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self { kind: ProblemKind::Fault(fault), extensions: Map::new(), challenge: None }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Fault(fault) => fault.into(),
        }
    }
}

/// What was found in a text, as the API shows it.
pub fn finding(finding: &Finding) -> Value {
    json!({
        "severity": if finding.kind.is_error() { "error" } else { "warning" },
        "code": finding.kind.as_str(),
        "at": finding.at,
        "detail": finding.kind.detail(),
    })
}

/// The status of each refusal.
pub const fn status(refusal: &Refusal) -> StatusCode {
    use Refusal::*;
    match refusal {
        InvalidRequest(_) => StatusCode::BAD_REQUEST,
        Unauthenticated | FirstFactorFailed | IdTokenRefused(_) | WrongCode => StatusCode::UNAUTHORIZED,
        Forbidden(_) | SelfBindingDisabled | FactorDisabled | StepUpRequired => StatusCode::FORBIDDEN,
        NotFound => StatusCode::NOT_FOUND,
        MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        SecurityNotCustomized
        | Duplicate { .. }
        | Conflict
        | NotPossible(_)
        | PhoneTaken
        | CodeAlreadyUsed
        | NoCodeSent
        | PhoneRequired
        | LoginComplete
        | QrLoginNotApproved => StatusCode::CONFLICT,
        CodeExpired | LoginExpired | QrLoginExpired => StatusCode::GONE,
        TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        InvalidPhone(_) | InvalidTemplate(_) | CountryNotAllowed | NumberTypeNotAllowed
        | IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
        TooManyAttempts { .. } | ResendTooSoon { .. } | TooManySends { .. } | RateLimited { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        DeliveryFailed => StatusCode::BAD_GATEWAY,
        SendingDisabled { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Says what is wrong with a JSON body without repeating any of it: serde's own messages quote the value that was sent.
pub(super) fn describe(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let what = ["unknown field", "missing field", "duplicate field"]
                .into_iter()
                .find(|what| text.starts_with(what));
            match what {
                Some(what @ ("missing field" | "duplicate field")) => {
                    // A name in these two is one of ours; a map's key, which is the caller's, is not named.
                    match text.split('`').nth(1) {
                        Some(name) => format!("{what} {name} at {place}"),
                        None => format!("{what} at {place}"),
                    }
                }
                Some(what) => format!("{what} at {place}"),
                None => format!("a value has the wrong type or is out of range at {place}"),
            }
        }
        _ => format!("the body is not valid JSON at {place}"),
    }
}
