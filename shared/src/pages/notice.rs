//! What the last step refused, in words.

use super::render::duration;
use super::text::{Language, fill};
use super::view::Step;
use crate::domain::time::Timestamp;
use serde::Serialize;

/// Not a refusal: the page says that a message is on its way again.
pub const CODE_SENT: &str = "code_sent";

/// What the last step of a login had to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said<'a> {
    /// A refusal's code, or one of the pages' own.
    pub code: &'a str,
    /// Of a limit.
    pub rule: Option<&'a str>,
    pub retry_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Notice {
    pub says: String,
    pub next: String,
    /// Whether something was refused.
    pub refused: bool,
    /// The field that has to be looked at: `account`, `phone`, `code` or `recovery`.
    pub field: Option<&'static str>,
}

impl Notice {
    pub(super) fn new(language: Language, said: &Said<'_>, step: &Step, now: Timestamp) -> Self {
        if said.code == CODE_SENT {
            let says = language.text("code.resent").unwrap_or_default().to_owned();
            return Self { says, next: String::new(), refused: false, field: None };
        }
        let length = match step {
            Step::EnterCode(step) => step.length.to_string(),
            _ => String::new(),
        };
        let seconds = said.retry_at.map_or(1, |at| at.retry_after(now));
        let values = [("time", duration(language, seconds)), ("length", length)];
        let (says, next) = sentences(language, said);
        Self {
            says: fill(language, says, &values),
            next: fill(language, next, &values),
            refused: true,
            field: field(said.code),
        }
    }
}

/// A code that has no sentence is somebody's mistake, and to the reader like any other fault.
fn sentences(language: Language, said: &Said<'_>) -> (&'static str, &'static str) {
    let ruled = said.rule.and_then(|rule| language.refusal(&format!("{}.{rule}", said.code)));
    ruled
        .or_else(|| language.refusal(said.code))
        .or_else(|| language.refusal("unavailable"))
        .unwrap_or_default()
}

fn field(code: &str) -> Option<&'static str> {
    match code {
        "first_factor_failed" => Some("account"),
        "invalid_phone" | "country_not_allowed" | "number_type_not_allowed" | "phone_taken" => Some("phone"),
        "wrong_code" | "code_malformed" | "code_expired" => Some("code"),
        "wrong_recovery_code" | "recovery_code_malformed" => Some("recovery"),
        _ => None,
    }
}
