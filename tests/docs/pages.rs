//! What the pages say of refusals, against the refusals that there are.

use crate::errors::every_refusal;
use crate::tables::{code, rows};
use shared::pages::Language;
use tests::repository;

/// What no form of a page can meet: administrators' and programs' own.
const NEVER_SHOWN: &[&str] = &[
    "duplicate",
    "idempotency_mismatch",
    "invalid_template",
    "method_not_allowed",
    "rate_limited.phone_replacements",
    "security_not_customized",
    "too_large",
    "unsupported_media_type",
];

#[test]
fn f7_every_refusal_that_a_page_can_meet_has_its_sentence() {
    let rules = rows(&repository::read("docs/ERRORS.md"), "## Rules of `rate_limited`");
    let rules: Vec<String> = rules.iter().filter_map(|row| code(&row[0])).collect();
    assert!(rules.len() > 12, "{rules:?}");
    for language in Language::all() {
        for refusal in every_refusal() {
            let code = refusal.code();
            if code == "rate_limited" {
                for rule in &rules {
                    is_said(&language, &format!("{code}.{rule}"));
                }
            } else {
                is_said(&language, code);
            }
        }
        assert!(language.refusal("unavailable").is_some());
    }
}

fn is_said(language: &Language, code: &str) {
    assert_eq!(language.refusal(code).is_some(), !NEVER_SHOWN.contains(&code), "{} {code}", language.tag());
}
