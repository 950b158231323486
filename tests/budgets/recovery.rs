//! Recovery codes: what making and using them costs, lost answers, and two uses that meet.

use crate::NUMBER;
use crate::world::{Login, World, cost};
use serde_json::{Value, json};
use tests::proxy::{Fault, Gate, operations};
use tests::values::text;

const UNKNOWN: &str = "0000-0000-0000-0000-0000-0000";

impl World {
    /// A bound user's access token and recovery codes.
    async fn recoverable(&self, name: &str) -> (String, Vec<String>) {
        self.admin("PATCH", "/security", json!({ "recovery_codes": { "enabled": true } })).await;
        self.user(name, Some(NUMBER)).await;
        let login = self.login(name).await;
        self.step("send", &login, "code", json!({})).await;
        let path = format!("/v1/logins/{}/verification", login.id);
        let body = json!({ "code": self.code() });
        let (_, done) = self.call("POST", &path, Some(&login.token), &[], Some(body)).await;
        let access = text(&done, "/tokens/access_token");
        let (_, made) = self.call("POST", "/v1/me/recovery-codes", Some(&access), &[], None).await;
        let codes: Vec<_> = made["recovery_codes"].as_array().unwrap().iter().map(|c| text(c, "")).collect();
        (access, codes)
    }

    async fn recover(&self, what: &str, login: &Login, code: &str) -> crate::world::Cost {
        self.step(what, login, "verification", json!({ "recovery_code": code })).await
    }
}

#[tokio::test]
async fn h7_a_recovery_code_is_one_write_one_read_and_one_transaction() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    let login = world.login("ann").await;
    assert_eq!(world.recover("recovery code, malformed", &login, "x").await, cost("invalid_request", 0, 1));
    assert_eq!(world.recover("recovery code, wrong", &login, UNKNOWN).await, cost("wrong_code", 1, 3));
    assert_eq!(world.recover("recovery code", &login, &codes[0]).await, cost("200", 1, 2));
    assert_eq!(
        world.recover("recovery code, complete", &login, &codes[1]).await,
        cost("login_complete", 0, 1)
    );
    let login = world.login("ann").await;
    for _ in 0..5 {
        world.recover("recovery code, wrong", &login, UNKNOWN).await;
    }
    assert_eq!(
        world.recover("recovery code, blocked", &login, &codes[1]).await,
        cost("too_many_attempts", 0, 1)
    );
    world.advance(600);
    assert_eq!(
        world.recover("recovery code, login expired", &login, &codes[1]).await,
        cost("login_expired", 0, 1)
    );
    world.admin("PATCH", "/security", json!({ "recovery_codes": { "enabled": false } })).await;
    let login = world.login("ann").await;
    assert_eq!(
        world.recover("recovery code, switched off", &login, &codes[1]).await,
        cost("forbidden", 0, 1)
    );
}

#[tokio::test]
async fn h7_new_codes_are_one_read_and_one_transaction_and_a_binds_cost_nothing_more() {
    let world = World::new().await;
    let (access, _) = world.recoverable("ann").await;
    let renew = |what: &'static str, token: &str| {
        let (world, token) = (&world, token.to_owned());
        async move { world.measure_as(what, ("POST", "/v1/me/recovery-codes"), Some(&token), &[], None).await.0 }
    };
    assert_eq!(renew("new recovery codes", &access).await, cost("201", 1, 1));
    assert_eq!(renew("new recovery codes, no token", "none").await, cost("unauthenticated", 0, 0));
    world.user("bob", None).await;
    let login = world.login("bob").await;
    world.step("number", &login, "phone", json!({ "phone": "+12025550102" })).await;
    world.step("send", &login, "code", json!({})).await;
    let path = format!("/v1/logins/{}/verification", login.id);
    let body = Some(json!({ "code": world.code() }));
    let (bind, done) = world.measure("bind with recovery codes", &path, Some(&login.token), &[], body).await;
    assert_eq!(bind, cost("200", 0, 2));
    assert_eq!(done["recovery_codes"].as_array().map(Vec::len), Some(10), "they are shown once, here");
    world.admin("PATCH", "/security", json!({ "recovery_codes": { "enabled": false } })).await;
    assert_eq!(renew("new recovery codes, switched off", &access).await, cost("forbidden", 1, 0));
    world.advance(301);
    assert_eq!(renew("new recovery codes, old token", &access).await, cost("step_up_required", 0, 0));
}

#[tokio::test]
async fn h7_lost_answers_cost_neither_a_second_attempt_nor_a_second_code() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    let login = world.login("ann").await;
    world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
    assert_eq!(world.recover("wrong, charge's answer lost", &login, UNKNOWN).await, cost("wrong_code", 1, 4));
    world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
    world.proxy.fail_next("TransactWriteItems", Fault::LostAnswer);
    let path = format!("/v1/logins/{}/verification", login.id);
    let body = json!({ "recovery_code": codes[0] });
    world.proxy.take();
    let (status, answer) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
    assert_eq!((status, text(&answer, "/login/status")), (200, "complete".to_owned()), "{answer}");
    let asked = world.proxy.take();
    let twice = ["UpdateItem", "UpdateItem", "Query", "TransactWriteItems", "TransactWriteItems"];
    assert_eq!(operations(&asked), twice);
    let (_, seen) =
        world.call("GET", &format!("/v1/logins/{}", login.id), Some(&login.token), &[], None).await;
    assert_eq!(seen["login"]["status"], "complete");
    // The other nine are there, and the one is not.
    let login = world.login("ann").await;
    assert_eq!(world.recover("used", &login, &codes[0]).await.outcome, "wrong_code");
    assert_eq!(world.recover("another", &login, &codes[1]).await.outcome, "200");
}

/// The race that a loaded machine seldom shows: both requests have read and are about to take the code.
#[tokio::test]
async fn h7_two_uses_of_one_code_that_meet_complete_one_login() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    let (one, other) = (world.login("ann").await, world.login("ann").await);
    let outcomes = both_held(&world, [(&one, &codes[0]), (&other, &codes[0])]).await;
    assert_eq!(outcomes, ["200", "wrong_code"]);
    assert_eq!(uses(&world).await, 1);
}

#[tokio::test]
async fn h7_two_codes_that_meet_in_one_login_complete_it_once_and_one_stays_good() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    let login = world.login("ann").await;
    let outcomes = both_held(&world, [(&login, &codes[0]), (&login, &codes[1])]).await;
    assert_eq!(outcomes, ["200", "login_complete"]);
    let login = world.login("ann").await;
    let left = [world.recover("one", &login, &codes[0]).await, world.recover("two", &login, &codes[1]).await];
    assert_eq!(left.iter().filter(|cost| cost.outcome == "200").count(), 1, "{left:?}");
    assert_eq!(uses(&world).await, 2);
}

/// A message's code is given while a recovery code is about to be taken.
#[tokio::test]
async fn h7_a_messages_code_that_comes_first_saves_the_recovery_code() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    world.advance(100);
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let gate = Gate::new();
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    let sms = async {
        gate.arrival().await;
        let answer = world.step("code", &login, "verification", json!({ "code": world.code() })).await;
        gate.open();
        answer.outcome
    };
    let (recovered, given) = futures::future::join(world.recover("late", &login, &codes[0]), sms).await;
    assert_eq!((recovered.outcome, given), ("login_complete".to_owned(), "200".to_owned()));
    assert_eq!(uses(&world).await, 0);
    let login = world.login("ann").await;
    assert_eq!(world.recover("again", &login, &codes[0]).await.outcome, "200");
}

#[tokio::test]
async fn h7_a_code_that_meets_another_transaction_is_tried_again() {
    let world = World::new().await;
    let (_, codes) = world.recoverable("ann").await;
    let login = world.login("ann").await;
    world.proxy.fail_next("TransactWriteItems", Fault::TransactionConflict);
    assert_eq!(world.recover("in the way", &login, &codes[0]).await, cost("200", 1, 3));
    assert_eq!(uses(&world).await, 1);
}

/// Two uses whose transactions are let go together; what came out, in order.
async fn both_held(world: &World, uses: [(&Login, &String); 2]) -> [String; 2] {
    let gate = Gate::new();
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    let [(one, first), (other, second)] = uses;
    let both = futures::future::join(
        world.recover("recovery code", one, first),
        world.recover("recovery code at once", other, second),
    );
    let open = async {
        gate.arrival().await;
        gate.arrival().await;
        gate.open();
    };
    let ((a, b), ()) = futures::future::join(both, open).await;
    let mut outcomes = [a.outcome, b.outcome];
    outcomes.sort();
    outcomes
}

/// How many uses the audit knows: each is written in the transaction of its use, as the notice is.
async fn uses(world: &World) -> usize {
    let events = world.admin("GET", "/audit-events?type=recovery_code.used", Value::Null).await;
    events["items"].as_array().unwrap().len()
}
