//! Clocks that differ by up to two minutes, in what a user does beside a plain login. Each time that something lives is measured from the clock
//! of the function that began it to that of the function that judges it: it never lasts longer than it should by more than what the two
//! differ, and to the second no less.

use crate::clocks::{SKEWS, at};
use crate::code;
use crate::flows::{is_defined, new_number};
use crate::world::World;
use serde_json::{Value, json};
use tests::values::text;

const HOURS: i64 = 3 * 3600;
/// How long each lives, in seconds.
const CODE: i64 = 300;
const OLD_PROOF: i64 = 300;
const FRESH: i64 = 300;
const LOGIN: i64 = 600;
const DEVICE: i64 = 30 * 86_400;
const AUTHORIZATION_CODE: i64 = 60;
const QR: i64 = 120;

/// Every pair of clocks.
fn pairs() -> impl Iterator<Item = (i64, i64)> {
    SKEWS.into_iter().flat_map(|one| SKEWS.into_iter().map(move |other| (one, other)))
}

#[tokio::test]
async fn h3_f4_a_bind_succeeds_and_its_code_ends_by_the_clock_of_who_judges_it() {
    let world = World::new().await;
    for name in SKEWS {
        for (send, verify) in pairs() {
            // At once, at its last moment, and at its end.
            let whole = CODE + send - verify;
            for (after, expected) in [(0, (200, "")), (whole - 1, (200, "")), (whole, (410, "code_expired"))]
            {
                world.advance(HOURS);
                let (user, number) = (world.person(None).await, new_number());
                let login = world.asserted(&user).await;
                let named = at(&world, name, world.does(&login, "phone", json!({ "phone": number }))).await;
                assert_eq!(code(&named), (200, ""), "name {name}: {named:?}");
                at(&world, send, world.sends(&login)).await;
                world.advance(after);
                let answer = at(&world, verify, world.gives_code(&login)).await;
                let place = format!("name {name}, send {send}, verify {verify}, after {after}");
                assert_eq!(code(&answer), expected, "{place}: {answer:?}");
                let bound = if expected.0 == 200 { Value::from(number) } else { Value::Null };
                assert_eq!(world.number_of(&user).await, bound, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn h3_h8_the_old_numbers_proof_ends_by_the_clock_of_who_judges_it() {
    let world = World::new().await;
    for (prove, judge) in pairs() {
        for is_send in [true, false] {
            for (after, expected) in [(-1, (200, "")), (0, (403, "step_up_required"))] {
                world.advance(HOURS);
                let (old, new) = (new_number(), new_number());
                let user = world.person(Some(&old)).await;
                let access = world.access_of(&user).await;
                world.advance(130);
                let login = world.asks_for(&access, &new).await;
                world.sends(&login).await;
                let proven = at(&world, prove, world.gives_code(&login)).await;
                assert_eq!(code(&proven), (200, ""), "prove {prove}: {proven:?}");
                let end = OLD_PROOF + prove - judge + after;
                let answer = if is_send {
                    world.advance(end);
                    at(&world, judge, world.does(&login, "code", json!({}))).await
                } else {
                    // Late enough that its code outlives the proof.
                    let sent = 130.min(end);
                    world.advance(sent);
                    world.sends(&login).await;
                    world.advance(end - sent);
                    at(&world, judge, world.gives_code(&login)).await
                };
                let place = format!("prove {prove}, judge {judge}, send {is_send}, after {after}");
                assert_eq!(code(&answer), expected, "{place}: {answer:?}");
                let replaced = !is_send && expected.0 == 200;
                assert_eq!(world.number_of(&user).await, if replaced { new } else { old }, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn h3_h7_recovery_codes_are_made_and_used_across_functions_two_minutes_apart() {
    let world = World::new().await;
    world.allows("recovery_codes").await;
    let user = world.person(Some(&new_number())).await;
    let mut used = Value::Null;
    for (one, other) in pairs() {
        let place = format!("{one}, then {other}");
        // A login is worth new codes for five minutes, its last second included.
        for (after, expected) in [(1, (403, "step_up_required")), (0, (201, ""))] {
            world.advance(HOURS);
            let access = at(&world, one, world.access_of(&user)).await;
            world.advance(FRESH + one - other + after);
            let made = at(&world, other, world.renews_codes(&access)).await;
            assert_eq!(code(&made), expected, "{place}: {made:?}");
            if expected.0 == 201 {
                used = made.1["recovery_codes"].clone();
            }
        }
        // A code has no end, its login has.
        for (after, expected) in [(0, (410, "login_expired")), (-1, (200, ""))] {
            let login = at(&world, one, world.asserted(&user)).await;
            world.advance(LOGIN + one - other + after);
            let answer = at(&world, other, world.recovers(&login, &used[0])).await;
            assert_eq!(code(&answer), expected, "{place}: {answer:?}");
        }
        // What was used stays used, whoever looks.
        let again = at(&world, one, world.asserted(&user)).await;
        let again = at(&world, other, world.recovers(&again, &used[0])).await;
        assert_eq!(code(&again), (401, "wrong_code"), "{place}: {again:?}");
    }
}

#[tokio::test]
async fn h3_h7_trust_in_a_device_ends_by_the_clock_of_who_judges_it() {
    let world = World::new().await;
    world.allows("trusted_devices").await;
    let user = world.person(Some(&new_number())).await;
    for (trust, show) in pairs() {
        for (after, spared) in [(-1, true), (0, false)] {
            world.advance(HOURS);
            let done = at(&world, trust, world.signs_in(&user, json!({ "trust_device": true }))).await;
            let device = text(&done, "/trusted_device/token");
            world.advance(DEVICE + trust - show + after);
            let answer = at(&world, show, world.shows(&user, &device)).await;
            let place = format!("trust {trust}, show {show}, after {after}");
            assert_eq!(code(&answer), (200, ""), "{place}: {answer:?}");
            assert_eq!(answer.1["tokens"].is_object(), spared, "{place}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn h3_h11_an_authorization_code_ends_by_the_clock_of_who_judges_it() {
    let world = World::new().await;
    world.has_redirect().await;
    let user = world.person(Some(&new_number())).await;
    for (issue, exchange) in pairs() {
        let whole = AUTHORIZATION_CODE + issue - exchange;
        // One of a clock that is far enough behind is over before it begins.
        for elapsed in [(whole - 1).max(0), whole.max(0)] {
            world.advance(HOURS);
            let sealed = at(&world, issue, async { world.authorization_code(&user) }).await;
            world.advance(elapsed);
            let first = at(&world, exchange, world.exchanges(&sealed)).await;
            let place = format!("issue {issue}, exchange {exchange}, after {elapsed}");
            let in_time = elapsed < whole;
            assert_eq!(first.status, if in_time { 200 } else { 400 }, "{place}: {}", first.text());
            // Nobody's clock is far enough behind to take it again, and what it gave is void from then on.
            for again in SKEWS {
                let again = at(&world, again, world.exchanges(&sealed)).await;
                if in_time {
                    assert_eq!(
                        (again.status, &again.json["error"]),
                        (400, &json!("invalid_grant")),
                        "{place}"
                    );
                }
                let given = first.json["access_token"].as_str().or(again.json["access_token"].as_str());
                if let Some(access) = given.filter(|_| in_time) {
                    let claims = at(&world, exchange, world.claims(access)).await;
                    assert_eq!(code(&claims), (401, "unauthenticated"), "{place}: {claims:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn h3_f2_a_qr_login_ends_by_the_clock_of_each_who_judges_it() {
    let world = World::new().await;
    world.sms(false).await;
    let user = world.person(Some(&new_number())).await;
    for ask in SKEWS {
        for (scan, approve) in pairs() {
            world.advance(HOURS);
            let access = world.access_of(&user).await;
            // Past every clock that is behind: an access token of the future would be refused.
            world.advance(130);
            for spend in SKEWS {
                let qr = at(&world, ask, world.asks_qr()).await;
                let mut whole = true;
                let place = format!("ask {ask}, scan {scan}, approve {approve}, use {spend}");
                for (step, clock) in [("scan", scan), ("approval", approve)] {
                    let answer = at(&world, clock, world.steps_qr(&qr, step, &access)).await;
                    assert!(is_defined(&answer), "{place}: {answer:?}");
                    whole &= clock < ask + QR;
                    assert_eq!(answer.0 == 200, whole, "{place}: {step}: {answer:?}");
                }
                let answer = at(&world, spend, world.uses_qr(&qr)).await;
                assert!(is_defined(&answer), "{place}: {answer:?}");
                whole &= spend < ask + QR;
                assert_eq!(answer.1["tokens"].is_object(), whole, "{place}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn h3_f2_a_qr_login_lasts_to_the_second() {
    let world = World::new().await;
    world.sms(false).await;
    let user = world.person(Some(&new_number())).await;
    for (ask, judge) in pairs() {
        for step in ["scan", "approval", "use"] {
            for (after, in_time) in [(-1, true), (0, false)] {
                world.advance(HOURS);
                let access = world.access_of(&user).await;
                world.advance(130);
                let qr = at(&world, ask, world.asks_qr()).await;
                for earlier in ["scan", "approval"].into_iter().take_while(|earlier| *earlier != step) {
                    let answer = at(&world, ask, world.steps_qr(&qr, earlier, &access)).await;
                    assert_eq!(answer.0, 200, "{earlier}: {answer:?}");
                }
                // One whose clock is far enough ahead finds it over at once.
                let elapsed = QR + ask - judge + after;
                if elapsed < 0 {
                    continue;
                }
                world.advance(elapsed);
                let answer = match step {
                    "use" => at(&world, judge, world.uses_qr(&qr)).await,
                    step => at(&world, judge, world.steps_qr(&qr, step, &access)).await,
                };
                let expected = if in_time { (200, "") } else { (410, "qr_login_expired") };
                assert_eq!(code(&answer), expected, "ask {ask}, {step} {judge}, after {after}: {answer:?}");
            }
        }
    }
}
