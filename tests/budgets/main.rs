//! How many requests to DynamoDB each use case makes in each outcome, counted between the real SDK and the engine. A transaction is one
//! request. docs/PERFORMANCE.md has the table.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod console;
mod devices;
mod hosted;
mod own_phone;
mod qr;
mod recovery;
mod world;

use serde_json::json;
use shared::domain::challenge::Undelivered;
use shared::ports::SendOutcome;
use tests::proxy::{Fault, operations};
use tests::values::{another_code, text};
use world::{PASSWORD, World, cost};

const NUMBER: &str = "+12025550101";

#[tokio::test]
async fn sign_in_reads_twice_and_writes_only_on_failure() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    assert_eq!(world.sign_in("password, code asked", "ann", PASSWORD).await.0, cost("200", 2, 0));
    assert_eq!(world.sign_in("wrong password", "ann", "not it").await.0, cost("first_factor_failed", 2, 2));
    assert_eq!(
        world.sign_in("unknown account", "nobody", "not it").await.0,
        cost("first_factor_failed", 2, 2)
    );
    for _ in 0..4 {
        world.sign_in("wrong password", "ann", "not it").await;
    }
    assert_eq!(world.sign_in("throttled", "ann", PASSWORD).await.0, cost("rate_limited", 2, 0));
    // Where each try has a wait after it, it is counted before it is judged; what a right one was charged is put back.
    world.advance(1);
    assert_eq!(world.sign_in("password after a wait", "ann", PASSWORD).await.0, cost("200", 2, 2));
    assert_eq!(world.sign_in("and again", "ann", PASSWORD).await.0, cost("200", 2, 2));
    let wrong = world.sign_in("wrong password after a wait", "ann", "not it").await.0;
    assert_eq!(wrong, cost("first_factor_failed", 2, 2));
    assert_eq!(world.sign_in("throttled for longer", "ann", PASSWORD).await.0, cost("rate_limited", 2, 0));
    world.advance(1800);
    world.admin("PATCH", "/security", json!({ "mfa": { "sms": { "enabled": false } } })).await;
    assert_eq!(world.sign_in("password, no code asked", "ann", PASSWORD).await.0, cost("200", 2, 0));

    let body = json!({ "application": world.application, "assertion": { "user": user } });
    let secret = world.secret.clone();
    let (assertion, _) =
        world.measure("assertion", "/v1/logins", Some(&secret), &[], Some(body.clone())).await;
    assert_eq!(assertion, cost("200", 1, 0));
    let (refused, _) = world.measure("assertion without secret", "/v1/logins", None, &[], Some(body)).await;
    assert_eq!(refused, cost("unauthenticated", 1, 0));
}

#[tokio::test]
async fn a_look_reads_once() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    let path = format!("/v1/logins/{}", login.id);
    assert_eq!(world.measure("look", &path, Some(&login.token), &[], None).await.0, cost("200", 1, 0));
    assert_eq!(
        world.measure("look, no token", &path, None, &[], None).await.0,
        cost("unauthenticated", 0, 0)
    );
}

#[tokio::test]
async fn sending_reads_once_and_writes_one_transaction_and_each_limit() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    let code = |what| world.step(what, &login, "code", json!({}));
    // The transaction, and the limits of number, range, address and tenant.
    assert_eq!(code("first send").await, cost("200", 1, 5));
    assert_eq!(code("too soon").await, cost("resend_too_soon", 1, 0));
    world.advance(31);
    // One more: the number's own wait is a minute by now, so `resend_at` is corrected.
    assert_eq!(code("resend").await, cost("200", 1, 6));
    world.advance(45);
    assert_eq!(code("the number's wait").await, cost("resend_too_soon", 1, 0));
    world.advance(16);
    let keyed = |what| world.step_with(what, &login, "code", &[("idempotency-key", "k")], json!({}));
    assert_eq!(keyed("send with a key").await, cost("200", 1, 6));
    assert_eq!(keyed("the same key again").await, cost("200", 1, 0));
    let other = world.step_with(
        "the same key, other body",
        &login,
        "code",
        &[("idempotency-key", "k")],
        json!({ "a": 1 }),
    );
    assert_eq!(other.await, cost("idempotency_mismatch", 1, 0));
    assert_eq!(world.messages(), 3);
    world.advance(600);
    assert_eq!(code("login expired").await, cost("login_expired", 1, 0));
}

/// The race that a loaded machine seldom shows: both requests have read before either writes.
#[tokio::test]
async fn h2_two_sends_that_read_the_same_send_one_message() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    let gate = tests::proxy::Gate::new();
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    let both = futures::future::join(
        world.step("send", &login, "code", json!({})),
        world.step("send at once", &login, "code", json!({})),
    );
    let open = async {
        gate.arrival().await;
        gate.arrival().await;
        gate.open();
    };
    let ((first, second), ()) = futures::future::join(both, open).await;
    let mut outcomes = [first.outcome, second.outcome];
    outcomes.sort();
    assert_eq!(outcomes, ["200", "resend_too_soon"]);
    assert_eq!(world.messages(), 1);
}

#[tokio::test]
async fn a_send_that_fails_costs_one_write_more() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    world.provider(SendOutcome::Refused { reason: Undelivered::OptedOut });
    let code = |what| world.step(what, &login, "code", json!({}));
    assert_eq!(code("provider refuses").await, cost("delivery_failed", 1, 6));
    world.advance(30);
    world.provider(SendOutcome::Unknown);
    let keyed = |what| world.step_with(what, &login, "code", &[("idempotency-key", "k")], json!({}));
    assert_eq!(keyed("provider unknown").await, cost("200", 1, 6));
    assert_eq!(keyed("provider unknown, the same key again").await, cost("200", 1, 0), "it may have left");
    let second = world.login("ann").await;
    world.provider(SendOutcome::Accepted { message_id: "m".into() });
    let limited = world.step("a limit refuses", &second, "code", json!({})).await;
    assert_eq!(limited, cost("rate_limited", 1, 6));
    assert_eq!(world.messages(), 2);
}

#[tokio::test]
async fn a_send_that_a_rule_of_the_user_refuses_is_counted() {
    let world = World::new().await;
    world.admin("PATCH", "/security", json!({ "limits": { "per_user_hour": 1 } })).await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    for expected in [cost("200", 1, 5), cost("rate_limited", 1, 1)] {
        assert_eq!(world.step("send, one in an hour", &login, "code", json!({})).await, expected);
        world.advance(31);
    }
}

/// Only a day that is spread over several items has another one to ask.
#[tokio::test]
async fn h4_a_full_day_on_one_item_is_asked_once() {
    let world = World::new().await;
    world.admin("PATCH", "/security", json!({ "limits": { "per_tenant_day": 1 } })).await;
    world.user("ann", Some(NUMBER)).await;
    world.user("bob", Some("+12025550102")).await;
    for (name, expected) in [("ann", cost("200", 1, 5)), ("bob", cost("rate_limited", 1, 6))] {
        let login = world.login(name).await;
        assert_eq!(world.step("send on a day of one message", &login, "code", json!({})).await, expected);
    }
}

/// What could not be counted does not leave, and whoever asks again under the same key must not hear that it has: the key sends once it may.
#[tokio::test]
async fn h2_a_send_whose_limit_was_not_counted_leaves_its_key_free() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    world.proxy.fail_when(|record| {
        let key = record.body["Key"]["pk"]["S"].as_str().unwrap_or_default();
        key.starts_with("limit#tenant#").then_some(Fault::InternalError)
    });
    let path = format!("/v1/logins/{}/code", login.id);
    let once = [("idempotency-key", "one")];
    let send = || world.call("POST", &path, Some(&login.token), &once, Some(json!({})));
    let (status, answer) = send().await;
    assert_eq!((status, answer["code"].as_str()), (503, Some("unavailable")));
    world.proxy.heal();
    // The number's wait was counted, since the four limits are counted side by side.
    let (status, answer) = send().await;
    assert_eq!((status, answer["code"].as_str()), (429, Some("rate_limited")));
    assert_eq!(text(&answer, "/login/challenge/delivery"), "failed");
    assert_eq!(world.messages(), 0);
    world.advance(31);
    for _ in 0..2 {
        let (status, answer) = send().await;
        assert_eq!((status, text(&answer, "/login/challenge/delivery").as_str()), (200, "accepted"));
    }
    assert_eq!(world.messages(), 1);
}

#[tokio::test]
async fn a_test_number_counts_against_nothing() {
    let world = World::new().await;
    let numbers = json!({ NUMBER: "approved", "+12025550199": "undeliverable" });
    world.admin("PATCH", "/security", json!({ "test_numbers": numbers })).await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    assert_eq!(world.step("send", &login, "code", json!({})).await, cost("200", 1, 1));
    let zeros = json!({ "code": "000000" });
    assert_eq!(world.step("right", &login, "verification", zeros).await, cost("200", 0, 1));
    world.user("bob", Some("+12025550199")).await;
    let login = world.login("bob").await;
    assert_eq!(world.step("send", &login, "code", json!({})).await, cost("delivery_failed", 1, 2));
    assert_eq!(world.messages(), 0);
}

#[tokio::test]
async fn verifying_is_one_write_whatever_comes_out() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    let guess = |what, login, code: String| world.step(what, login, "verification", json!({ "code": code }));
    assert_eq!(guess("nothing sent", &login, "123456".into()).await, cost("no_code_sent", 0, 1));
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    assert_eq!(guess("right", &login, code.clone()).await, cost("200", 0, 1));
    assert_eq!(guess("again", &login, code).await, cost("login_complete", 0, 1));

    world.advance(100);
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    assert_eq!(guess("wrong", &login, another_code(&code)).await, cost("wrong_code", 0, 2));
    assert_eq!(guess("right after a wrong one", &login, code.clone()).await, cost("200", 0, 2));

    world.advance(200);
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    world.advance(300);
    assert_eq!(guess("code expired", &login, code.clone()).await, cost("code_expired", 0, 1));
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    for _ in 0..5 {
        guess("wrong", &login, another_code(&code)).await;
    }
    assert_eq!(guess("blocked", &login, code.clone()).await, cost("too_many_attempts", 0, 1));
    world.advance(600);
    assert_eq!(guess("login expired", &login, code.clone()).await, cost("login_expired", 0, 1));
    assert_eq!(guess("malformed", &login, "12345".into()).await, cost("invalid_request", 0, 1));

    // The failures that the blocked login left are cleared by the next success, once.
    for (what, writes) in [("right after another login's wrong ones", 2), ("right", 1)] {
        let login = world.login("ann").await;
        assert_eq!(world.step("send", &login, "code", json!({})).await.outcome, "200");
        let code = json!({ "code": world.code() });
        assert_eq!(world.step(what, &login, "verification", code).await, cost("200", 0, writes));
        world.advance(2000);
    }
}

#[tokio::test]
async fn a_lost_answer_is_recognised_right_or_wrong() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
    let path = format!("/v1/logins/{}/verification", login.id);
    let body = json!({ "code": another_code(&code) });
    let (lost, answer) =
        world.measure("wrong, answer lost", &path, Some(&login.token), &[], Some(body)).await;
    assert_eq!(lost, cost("wrong_code", 0, 3));
    assert_eq!(answer["attempts_left"], 4, "one guess, though it was sent twice");
    world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
    let body = json!({ "code": code });
    let (lost, answer) =
        world.measure("right, answer lost", &path, Some(&login.token), &[], Some(body)).await;
    assert_eq!(lost, cost("200", 0, 3));
    assert!(answer["tokens"]["access_token"].is_string());
    assert_eq!(answer["login"]["challenge"]["attempts_left"], 3);
}

#[tokio::test]
async fn a_bind_is_one_read_one_write_and_one_transaction() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let bob = world.user("bob", None).await;
    let login = world.login("bob").await;
    let phone = |what, number: &str| world.step(what, &login, "phone", json!({ "phone": number }));
    assert_eq!(phone("not a number", "+1 202").await, cost("invalid_phone", 1, 0));
    assert_eq!(phone("taken", NUMBER).await, cost("phone_taken", 1, 0));
    assert_eq!(phone("number", "+12025550102").await, cost("200", 1, 1));
    assert_eq!(world.step("send", &login, "code", json!({})).await, cost("200", 1, 5));
    let body = json!({ "code": world.code() });
    assert_eq!(world.step("bind", &login, "verification", body).await, cost("200", 0, 2));
    assert_eq!(phone("complete", "+12025550103").await, cost("login_complete", 1, 0));

    let carol = world.user("carol", None).await;
    let login = world.login("carol").await;
    world.step("number", &login, "phone", json!({ "phone": "+12025550104" })).await;
    world.step("send", &login, "code", json!({})).await;
    world.admin("PUT", &format!("/users/{bob}/phone"), json!({ "phone": "+12025550104" })).await;
    let body = json!({ "code": world.code() });
    let taken = world.step("bind, taken meanwhile", &login, "verification", body).await;
    assert_eq!(taken, cost("phone_taken", 0, 3));
    let path = format!("/v1/tenants{}/users/{carol}", world.tenant);
    let (_, user) = world.call("GET", &path, Some(&world.admin), &[], None).await;
    assert!(user["phone"].is_null());
}

/// A login may change its mind about the number a few times; what the SDK sends again is no change of mind.
#[tokio::test]
async fn a_number_whose_answer_was_lost_is_one_change() {
    let world = World::new().await;
    world.user("bob", None).await;
    let login = world.login("bob").await;
    for last in 0..3 {
        world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
        let body = json!({ "phone": format!("+1202555011{last}") });
        assert_eq!(world.step("number, answer lost", &login, "phone", body).await, cost("200", 1, 2));
    }
    let body = json!({ "phone": "+12025550119" });
    assert_eq!(world.step("too many changes", &login, "phone", body).await, cost("rate_limited", 1, 0));
}

#[tokio::test]
async fn a_bind_that_meets_another_transaction_is_tried_again() {
    let world = World::new().await;
    world.user("bob", None).await;
    let login = world.login("bob").await;
    world.step("number", &login, "phone", json!({ "phone": NUMBER })).await;
    world.step("send", &login, "code", json!({})).await;
    world.proxy.take();
    world.proxy.fail_next("TransactWriteItems", Fault::TransactionConflict);
    let path = format!("/v1/logins/{}/verification", login.id);
    let body = json!({ "code": world.code() });
    let (status, answer) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(text(&answer, "/login/status"), "complete");
    let records = world.proxy.take();
    assert_eq!(operations(&records), ["UpdateItem", "TransactWriteItems", "TransactWriteItems"]);
}

/// Five tries of what was decided, and four decisions: then whoever changes hears of it, and nothing is changed.
#[tokio::test]
async fn a_change_that_meets_other_transactions_is_tried_again_and_then_refused() {
    let world = World::new().await;
    let path = format!("/v1/tenants{}/security", world.tenant);
    let change = async |to: u32| {
        world.proxy.take();
        let body = Some(json!({ "limits": { "per_user_hour": to } }));
        let (status, answer) = world.call("PATCH", &path, Some(&world.admin), &[], body).await;
        let records = world.proxy.take();
        let asked = operations(&records);
        let count = |operation: &str| asked.iter().filter(|it| **it == operation).count();
        (status, answer["code"].clone(), count("Query"), count("TransactWriteItems"))
    };
    for _ in 0..4 {
        world.proxy.fail_next("TransactWriteItems", Fault::TransactionConflict);
    }
    let (status, _, reads, tries) = change(11).await;
    assert_eq!((status, reads, tries), (200, 1, 5));
    world
        .proxy
        .fail_when(|record| (record.operation == "TransactWriteItems").then_some(Fault::TransactionConflict));
    assert_eq!(change(12).await, (409, json!("conflict"), 4, 20));
    world.proxy.heal();
    let (_, kept) = world.call("GET", &path, Some(&world.admin), &[], None).await;
    assert_eq!(kept["limits"]["per_user_hour"], 11);
}
