//! Clocks that differ by up to two minutes. A request takes its time once, so a function whose clock is ahead is played by moving the one
//! clock for its request and back.

use crate::world::World;
use crate::{NUMBER, code};
use serde_json::json;

pub const SKEWS: [i64; 3] = [-120, 0, 120];
/// The contract's default.
const LIFETIME: i64 = 300;

pub async fn at<T>(world: &World, skew: i64, call: impl Future<Output = T>) -> T {
    world.advance(skew);
    let answer = call.await;
    world.advance(-skew);
    answer
}

#[tokio::test]
async fn h3_a_login_succeeds_across_functions_two_minutes_apart() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    for start in SKEWS {
        for send in SKEWS {
            for verify in SKEWS {
                world.advance(3 * 3600);
                let login = at(&world, start, world.asserted(&user)).await;
                at(&world, send, world.sends(&login)).await;
                let (status, done) = at(&world, verify, world.gives_code(&login)).await;
                assert_eq!(status, 200, "start {start}, send {send}, verify {verify}: {done}");
                let access = done["tokens"]["access_token"].as_str().unwrap();
                let used = world.call("GET", "/v1/me/phone", Some(access), &[], None).await;
                // Tokens of the future are refused until they begin; clocks in Lambda are synchronised to far less than that.
                let expected = if verify > 0 { (401, "unauthenticated") } else { (200, "") };
                assert_eq!(code(&used), expected, "verify {verify}: {used:?}");
            }
        }
    }
}

#[tokio::test]
async fn h3_a_code_ends_by_the_clock_of_who_judges_it() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    for send in SKEWS {
        for verify in SKEWS {
            for (after, expected) in [(-1, (200, "")), (0, (410, "code_expired"))] {
                world.advance(3 * 3600);
                let login = world.asserted(&user).await;
                at(&world, send, world.sends(&login)).await;
                // Never more than the difference of the two longer than it should be.
                world.advance(LIFETIME + send - verify + after);
                let answer = at(&world, verify, world.gives_code(&login)).await;
                assert_eq!(code(&answer), expected, "send {send}, verify {verify}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn h3_a_wait_holds_for_a_function_that_is_behind() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    at(&world, 120, world.sends(&login)).await;
    world.advance(31);
    let again = at(&world, -120, world.does(&login, "code", json!({}))).await;
    assert_eq!(code(&again), (429, "resend_too_soon"));
    assert_eq!(world.messages(), 1);
    // The number's own wait holds for another login too.
    let other = at(&world, -120, world.asserted(&user)).await;
    let again = at(&world, -120, world.does(&other, "code", json!({}))).await;
    assert_eq!(code(&again), (429, "rate_limited"));
    assert_eq!(world.messages(), 1);
    world.advance(240);
    let again = at(&world, -120, world.does(&login, "code", json!({}))).await;
    assert_eq!(code(&again), (200, ""), "{again:?}");
}
