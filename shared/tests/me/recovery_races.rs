//! Recovery codes that are given many times at once.

use crate::recovery::codes;
use crate::world::{Login, World};
use futures::future::join_all;
use serde_json::{Value, json};

const OLD: &str = "+12025550101";
const NEW: &str = "+12025550102";

fn count(answers: &[(u16, Value)], status: u16, code: &str) -> usize {
    let is = |(s, body): &&(u16, Value)| *s == status && body["code"].as_str().unwrap_or_default() == code;
    answers.iter().filter(is).count()
}

#[tokio::test]
async fn h7_one_code_in_many_logins_at_once_completes_one() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let mut logins = Vec::new();
    for _ in 0..12 {
        logins.push(world.login("ann").await);
    }
    let answers = join_all(logins.iter().map(|login| world.recover(login, &codes[0]))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{answers:?}");
    assert_eq!(count(&answers, 401, "wrong_code"), 11, "{answers:?}");
    assert_eq!(world.notices().await.len(), 1);
}

#[tokio::test]
async fn h7_many_codes_in_one_login_at_once_complete_it_once_and_cost_one_code() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let login = world.login("ann").await;
    let answers = join_all(codes.iter().map(|code| world.recover(&login, code))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{answers:?}");
    let other = count(&answers, 409, "login_complete") + count(&answers, 429, "too_many_attempts");
    assert_eq!(other, 9, "{answers:?}");
    let items = world.logins("login#").await;
    let kept = items.iter().find(|item| item["sk"].as_s().unwrap() == "recovery").unwrap();
    assert_eq!(kept["hashes"].as_bs().unwrap().len(), 9);
}

#[tokio::test]
async fn h7_a_messages_code_and_a_recovery_code_at_once_complete_the_login_once() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    for code in &codes[..4] {
        let login = world.login("ann").await;
        let sent = world.sent_code(&login).await;
        let given = async {
            let answer = world.step(&login, "verification", json!({"code": sent})).await;
            (answer.status, answer.body)
        };
        let (recovered, given) = futures::future::join(world.recover(&login, code), given).await;
        let answers = [recovered, given];
        assert_eq!(count(&answers, 200, ""), 1, "{answers:?}");
        assert_eq!(count(&answers, 409, "login_complete"), 1, "{answers:?}");
        // The wait between messages to one number grows.
        world.clock.advance(3600);
    }
}

#[tokio::test]
async fn h7_h8_two_codes_at_once_prove_one_old_number_and_one_is_left() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let token = world.signed_in_laxly("ann").await;
    let login = Login::of(&world.me("PUT", "/phone", &token, json!({"phone": NEW})).await.expect(202));
    let answers = join_all(codes[..2].iter().map(|code| world.recover(&login, code))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{answers:?}");
    assert_eq!(count(&answers, 409, "conflict"), 1, "{answers:?}");
    assert_eq!(world.notices().await.len(), 1);
}

#[tokio::test]
async fn h7_codes_made_anew_at_once_leave_one_set() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    let answers = join_all((0..4).map(|_| world.me("POST", "/recovery-codes", &token, Value::Null))).await;
    let sets: Vec<_> = answers.into_iter().map(|answer| codes(&answer.expect(201))).collect();
    let mut good = 0;
    for set in &sets {
        let login = world.login("ann").await;
        good += usize::from(world.recover(&login, &set[0]).await.0 == 200);
    }
    assert_eq!(good, 1);
    let items = world.logins("login#").await;
    let kept = items.iter().find(|item| item["sk"].as_s().unwrap() == "recovery").unwrap();
    assert_eq!(kept["hashes"].as_bs().unwrap().len(), 9, "of one set");
}
