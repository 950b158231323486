//! `PUT /v1/me/phone`: the old number's code, then the new one's, and it changes at the last (acceptance H8).

use crate::world::{Login, World, text};
use serde_json::{Value, json};

const OLD: &str = "+12025550101";
const NEW: &str = "+12025550102";
const THIRD: &str = "+12025550103";

impl World {
    /// Asks for another number.
    async fn ask(&self, token: &str, number: &str) -> Login {
        Login::of(&self.me("PUT", "/phone", token, json!({"phone": number})).await.expect(202))
    }

    async fn give(&self, login: &Login, code: &str) -> (u16, Value) {
        let answer = self.step(login, "verification", json!({"code": code})).await;
        (answer.status, answer.body)
    }
}

#[tokio::test]
async fn h8_the_old_numbers_code_and_then_the_new_ones_replace_the_number() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let asked = world.me("PUT", "/phone", &token, json!({"phone": NEW})).await.expect(202);
    assert_eq!(asked["login"]["purpose"], "replace_phone");
    assert_eq!(asked["login"]["status"], "enter_code");
    assert_eq!(asked["login"]["mfa"]["phone_hint"], "+1 ••• ••• ••01");
    let login = Login::of(&asked);

    let old = world.sent_code(&login).await;
    assert_eq!(world.last_to(), OLD);
    let (status, proven) = world.give(&login, &old).await;
    assert_eq!((status, &proven["tokens"]), (200, &Value::Null), "{proven}");
    assert_eq!(proven["login"]["status"], "enter_code");
    assert_eq!(proven["login"]["mfa"]["phone_hint"], "+1 ••• ••• ••02");
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD), "nothing has changed yet");
    assert!(world.notices().await.is_empty());

    let new = world.sent_code(&login).await;
    assert_eq!(world.last_to(), NEW);
    let (status, done) = world.give(&login, &new).await;
    assert_eq!((status, &done["tokens"]), (200, &Value::Null), "{done}");
    assert_eq!(done["login"]["status"], "complete");
    assert_eq!(world.number(&ann).await.as_deref(), Some(NEW));
    assert_eq!(world.notices().await, ["phone_replaced"]);
    let (status, again) = world.give(&login, &new).await;
    assert_eq!((status, &again["code"]), (409, &json!("login_complete")));
    assert_eq!(world.notices().await.len(), 1, "the old number is told once");

    // From now on codes go to the new one, and the old one is anybody's.
    world.pause();
    let next = world.login("ann").await;
    world.sent_code(&next).await;
    assert_eq!(world.last_to(), NEW);
    world.user("bob", Some(OLD)).await;
}

#[tokio::test]
async fn h8_the_old_numbers_code_never_binds_the_new_number() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    world.give(&login, &old).await;
    // It is spent, and no code is out.
    let (status, refused) = world.give(&login, &old).await;
    assert_eq!((status, &refused["code"]), (409, &json!("no_code_sent")));
    let new = world.sent_code(&login).await;
    if old != new {
        let (status, refused) = world.give(&login, &old).await;
        assert_eq!((status, &refused["code"]), (401, &json!("wrong_code")));
    }
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD));
}

#[tokio::test]
async fn h8_an_abandoned_replacement_stores_nothing() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &old).await.0, 200);
    world.sent_code(&login).await;
    world.clock.advance(700);
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD));
    assert!(world.notices().await.is_empty());
    let late = world.step(&login, "code", json!({})).await;
    assert_eq!(late.outcome(), (410, "login_expired"));
    world.user("bob", Some(NEW)).await;
}

#[tokio::test]
async fn h8_the_proof_of_the_old_number_ends_after_five_minutes() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &old).await.0, 200);
    world.clock.advance(250);
    let new = world.sent_code(&login).await;
    world.clock.advance(50);
    let (status, refused) = world.give(&login, &new).await;
    assert_eq!((status, &refused["code"]), (403, &json!("step_up_required")));
    let refused = world.step(&login, "code", json!({})).await;
    assert_eq!(refused.outcome(), (403, "step_up_required"));
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD));
}

#[tokio::test]
async fn h8_a_number_that_changed_meanwhile_is_not_replaced() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &old).await.0, 200);
    let new = world.sent_code(&login).await;
    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": THIRD})).await.expect(200);
    let (status, _) = world.give(&login, &new).await;
    assert_eq!(status, 409, "its code was taken away");
    let refused = world.step(&login, "code", json!({})).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(world.number(&ann).await.as_deref(), Some(THIRD));
}

#[tokio::test]
async fn f9_a_number_of_somebody_else_is_refused_at_once_and_at_the_commit() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    world.user("bob", Some(THIRD)).await;
    let token = world.signed_in("ann").await;
    let put = |number: &'static str| {
        let (world, token) = (&world, token.clone());
        async move { world.me("PUT", "/phone", &token, json!({"phone": number})).await }
    };
    assert_eq!(put(THIRD).await.outcome(), (409, "phone_taken"));
    assert_eq!(put(OLD).await.outcome(), (409, "conflict"), "it is hers already");
    assert_eq!(put("+1 202").await.outcome(), (422, "invalid_phone"));
    assert_eq!(put("+4915112345678").await.outcome(), (422, "country_not_allowed"));
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &old).await.0, 200);
    let new = world.sent_code(&login).await;
    world.user("carol", Some(NEW)).await;
    let (status, refused) = world.give(&login, &new).await;
    assert_eq!((status, &refused["code"]), (409, &json!("phone_taken")));
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD));
    assert!(world.notices().await.is_empty());
}

#[tokio::test]
async fn h8_a_signed_in_user_without_a_number_binds_one() {
    let world = World::new().await;
    let bob = world.user("bob", None).await;
    let token = world.signed_in_laxly("bob").await;
    let login = world.ask(&token, NEW).await;
    let code = world.sent_code(&login).await;
    assert_eq!(world.last_to(), NEW);
    let (status, done) = world.give(&login, &code).await;
    assert_eq!((status, &done["login"]["status"]), (200, &json!("complete")), "{done}");
    assert_eq!(done["tokens"], Value::Null);
    assert_eq!(world.number(&bob).await.as_deref(), Some(NEW));
    assert!(world.notices().await.is_empty(), "there was nobody to be told");

    world.user("carol", None).await;
    let token = world.signed_in_laxly("carol").await;
    world.clock.advance(301);
    let late = world.me("PUT", "/phone", &token, json!({"phone": THIRD})).await;
    assert_eq!(late.outcome(), (403, "step_up_required"), "the login is not fresh");
}

#[tokio::test]
async fn f11_where_binding_is_the_administrators_nobody_asks_for_another_number() {
    let world = World::new().await;
    world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.security(json!({"phone_binding": {"self_service": false}})).await;
    let refused = world.me("PUT", "/phone", &token, json!({"phone": NEW})).await;
    assert_eq!(refused.outcome(), (403, "self_binding_disabled"));
}

#[tokio::test]
async fn h4_numbers_asked_for_are_bounded() {
    let world = World::new().await;
    world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    for _ in 0..5 {
        world.ask(&token, NEW).await;
    }
    let refused = world.me("PUT", "/phone", &token, json!({"phone": NEW})).await;
    assert_eq!(refused.outcome(), (429, "rate_limited"));
    assert_eq!(text(&refused.body["rule"]), "phone_replacements");
    assert_eq!(refused.headers["retry-after"], "600");
}

#[tokio::test]
async fn h8_a_code_that_went_to_the_old_number_completes_nothing_after_the_change() {
    let world = World::new().await;
    world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.pause();
    let other = world.login("ann").await;
    let elsewhere = world.sent_code(&other).await;
    world.pause();
    let login = world.ask(&token, NEW).await;
    let old = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &old).await.0, 200);
    let new = world.sent_code(&login).await;
    assert_eq!(world.give(&login, &new).await.0, 200);
    let (status, dead) = world.give(&other, &elsewhere).await;
    assert_eq!((status, &dead["code"]), (409, &json!("no_code_sent")));
}
