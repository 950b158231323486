//! docs/ERRORS.md and every refusal that there is.

use crate::tables::{code, rows};
use shared::domain::refusal::Refusal;
use shared::domain::time::Timestamp;
use shared::http::status;
use std::collections::{BTreeMap, BTreeSet};
use tests::repository;

const RETRY_AT: Timestamp = Timestamp::from_secs(0);

/// One refusal of each kind. The patterns make a `match` without a catch-all: a new kind doesn't compile until it stands here.
macro_rules! refusals {
    ($($pattern:pat => $refusal:expr,)*) => {
        pub fn every_refusal() -> Vec<Refusal> {
            use Refusal::*;
            let _exhaustive = |refusal: &Refusal| match refusal {
                $($pattern => {})*
            };
            vec![$($refusal),*]
        }
    };
}

refusals! {
    Unauthenticated => Unauthenticated,
    Forbidden(_) => Forbidden(""),
    NotFound => NotFound,
    MethodNotAllowed { .. } => MethodNotAllowed { allow: String::new() },
    TooLarge { .. } => TooLarge { limit_bytes: 0 },
    UnsupportedMediaType => UnsupportedMediaType,
    InvalidRequest(_) => InvalidRequest(String::new()),
    SecurityNotCustomized => SecurityNotCustomized,
    Duplicate { .. } => Duplicate { field: "" },
    Conflict => Conflict,
    NotPossible(_) => NotPossible(""),
    PhoneTaken => PhoneTaken,
    InvalidPhone(_) => InvalidPhone(""),
    InvalidTemplate(_) => InvalidTemplate(Vec::new()),
    FirstFactorFailed => FirstFactorFailed,
    IdTokenRefused(_) => IdTokenRefused(""),
    WrongCode => WrongCode,
    CodeExpired => CodeExpired,
    CodeAlreadyUsed => CodeAlreadyUsed,
    NoCodeSent => NoCodeSent,
    PhoneRequired => PhoneRequired,
    TooManyAttempts { .. } => TooManyAttempts { retry_at: RETRY_AT },
    ResendTooSoon { .. } => ResendTooSoon { retry_at: RETRY_AT },
    TooManySends { .. } => TooManySends { retry_at: RETRY_AT },
    RateLimited { .. } => RateLimited { rule: "", retry_at: RETRY_AT },
    CountryNotAllowed => CountryNotAllowed,
    NumberTypeNotAllowed => NumberTypeNotAllowed,
    SendingDisabled { .. } => SendingDisabled { retry_at: RETRY_AT },
    SelfBindingDisabled => SelfBindingDisabled,
    FactorDisabled => FactorDisabled,
    LoginExpired => LoginExpired,
    LoginComplete => LoginComplete,
    QrLoginExpired => QrLoginExpired,
    QrLoginNotApproved => QrLoginNotApproved,
    DeliveryFailed => DeliveryFailed,
    StepUpRequired => StepUpRequired,
    IdempotencyMismatch => IdempotencyMismatch,
}

/// Every code with its status: all refusals, and the one code of a fault.
pub fn every_code() -> BTreeMap<String, u16> {
    let mut codes = BTreeMap::from([("unavailable".to_owned(), 503)]);
    for refusal in every_refusal() {
        let status = status(&refusal).as_u16();
        let before = codes.insert(refusal.code().to_owned(), status);
        assert!(before.is_none_or(|before| before == status), "{} with two statuses", refusal.code());
    }
    codes
}

#[test]
fn every_code_is_documented_with_its_status_and_no_other() {
    let documented: BTreeMap<String, u16> = rows(&repository::read("docs/ERRORS.md"), "## Codes")
        .iter()
        .map(|row| (code(&row[0]).expect("a code"), row[1].parse().expect("a status")))
        .collect();
    assert_eq!(documented, every_code());
}

/// What a client waits for is either a `Retry-After` or nothing: 429 and 503 always have one, the others never.
#[test]
fn exactly_429_and_503_say_when_to_try_again() {
    for refusal in every_refusal() {
        let waits = matches!(status(&refusal).as_u16(), 429 | 503);
        assert_eq!(refusal.retry_at().is_some(), waits, "{}", refusal.code());
    }
}

/// A rule is named in the code as a string literal: beside `rule`, or in a list of limits by hour or day.
#[test]
fn every_rule_of_the_code_is_documented_and_no_other() {
    let files = ["shared/src", "shared/domain/src"].iter().flat_map(|root| repository::files(root, ".rs"));
    let sources: String = files.map(|file| repository::read(&file)).collect();
    let rules = rows(&repository::read("docs/ERRORS.md"), "## Rules of `rate_limited`");
    assert!(rules.len() > 10, "{rules:?}");
    let rules: BTreeSet<String> = rules.iter().map(|row| code(&row[0]).expect("a rule")).collect();
    for rule in &rules {
        assert!(sources.contains(&format!("\"{rule}\"")), "{rule}");
    }
    let beside = sources.split("rule: \"").skip(1);
    let listed = sources.split("(\"").skip(1).filter(|rest| rest.starts_with("per_"));
    for rest in beside.chain(listed) {
        let rule = rest.split('"').next().expect("a literal");
        assert!(rules.contains(rule), "{rule}");
    }
}
