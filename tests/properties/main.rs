//! Random sequences of everything that touches a login, against a small reference model: at most `max_attempts` guesses are judged and at
//! most one succeeds, none after expiry and none for an older number, failures are never forgotten, and messages stay within every limit.
//!
//! A sequence that fails is made as short as it can be, shown, and kept in `regressions.txt`: its seed is tried first from then on. The
//! sequences are the same in every run; `PROPERTIES_CASES` tries more of them, and `PROPERTIES_SEED` others.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod limits;
mod model;
mod ops;
mod play;
mod witness;
mod world;

use play::{Tally, play};
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};
use std::cell::RefCell;
use tests::engine::Engine;
use world::Bench;

/// What has to come up among the cases, or they prove too little.
const SEEN: [&str; 21] = [
    "code: ok",
    "code: factor_disabled",
    "code: login_complete",
    "code: login_expired",
    "code: phone_required",
    "code: rate_limited",
    "code: resend_too_soon",
    "code: too_many_attempts",
    "code: too_many_sends",
    "code: unauthenticated",
    "phone: ok",
    "phone: phone_taken",
    "phone: rate_limited",
    "replace: ok",
    "verification: ok",
    "verification: code_expired",
    "verification: login_complete",
    "verification: login_expired",
    "verification: no_code_sent",
    "verification: too_many_attempts",
    "verification: wrong_code",
];

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Plays `cases` sequences, or as many as the environment says.
fn try_sequences(cases: u32, engine: impl AsyncFnOnce() -> Engine) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(async { Bench::new(engine().await).await });
    let config = Config {
        cases: from_environment("PROPERTIES_CASES").map_or(cases, |cases| cases.try_into().unwrap()),
        rng_seed: RngSeed::Fixed(from_environment("PROPERTIES_SEED").unwrap_or(1)),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("properties/regressions.txt"))),
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let tally = RefCell::default();
    let outcome = TestRunner::new(config).run(&ops::cases(), |case| {
        let played = runtime.block_on(play(&bench, &case, &mut tally.borrow_mut()));
        played.map_err(TestCaseError::fail)
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
    tally.into_inner()
}

#[test]
fn t1_t2_h2_h4_f8_f9_every_sequence_goes_as_the_model_says() {
    let tally = try_sequences(64, Engine::dynoxide);
    if ["PROPERTIES_CASES", "PROPERTIES_SEED"].into_iter().any(|name| from_environment(name).is_some()) {
        return;
    }
    let missing: Vec<_> = SEEN.iter().filter(|seen| !tally.contains_key(**seen)).collect();
    assert!(missing.is_empty(), "never came up: {missing:?} among {tally:#?}");
}

#[test]
fn t1_t2_h2_h4_f8_f9_every_sequence_goes_so_on_dynamodb_local_too() {
    try_sequences(16, Engine::dynamodb_local);
}
