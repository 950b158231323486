//! What the last step of a hosted login refused, from the answer to a form to the page that follows it.

use crate::http::{Problem, ProblemKind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Longest text that is looked at.
const MAX_LENGTH: usize = 512;

/// A refusal by its code. It comes from a cookie that anybody with the browser can write, so it is no proof of anything: a page shows its own
/// sentence for a code that it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// Epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_at: Option<i64>,
}

impl Said {
    pub fn of(problem: &Problem) -> Self {
        let retry_at = match &problem.kind {
            ProblemKind::Refused(refusal) => refusal.retry_at().map(|at| at.millis()),
            ProblemKind::Fault(_) => None,
        };
        let rule = problem.extensions.get("rule").and_then(|rule| rule.as_str()).map(str::to_owned);
        Self { code: problem.code().to_owned(), rule, retry_at }
    }

    pub(super) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = (text.len() <= MAX_LENGTH).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
        let said: Self = serde_json::from_slice(&bytes).ok()?;
        let is_name =
            |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        (is_name(&said.code) && said.rule.as_deref().is_none_or(is_name)).then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::refusal::Refusal;
    use crate::domain::time::Timestamp;
    use crate::ports::Fault;

    #[test]
    fn a_refusal_is_said_by_its_code() {
        let retry_at = Timestamp::from_millis(1_234);
        let said = Said::of(&Refusal::RateLimited { rule: "per_ip_hour", retry_at }.into());
        assert_eq!(
            (said.code.as_str(), said.rule.as_deref(), said.retry_at),
            ("rate_limited", Some("per_ip_hour"), Some(1_234))
        );
        assert_eq!(Said::decode(&said.encode()), Some(said));
        assert_eq!(
            Said::of(&Fault::new("canary").into()).encode(),
            URL_SAFE_NO_PAD.encode(r#"{"code":"unavailable"}"#)
        );
    }

    #[test]
    fn what_is_no_refusal_of_ours_says_nothing() {
        for json in
            [r#"{}"#, r#"{"code":"<b>"}"#, r#"{"code":"a","rule":"\"x"}"#, r#"{"code":"a","x":1}"#, "x", ""]
        {
            assert_eq!(Said::decode(&URL_SAFE_NO_PAD.encode(json)), None, "{json}");
        }
        assert_eq!(Said::decode("%"), None);
        let long = format!(r#"{{"code":"{}"}}"#, "a".repeat(MAX_LENGTH));
        assert_eq!(Said::decode(&URL_SAFE_NO_PAD.encode(long)), None);
    }
}
