//! The login itself: acceptance F, H1, H2.

use crate::world::World;
use serde_json::json;
use tests::values::{another_code, text};

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";

async fn bound() -> World {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    world
}

#[tokio::test]
async fn f5_f6_a_bound_user_types_the_code_and_gets_tokens() {
    let world = bound().await;
    let login = world.login("ann", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "enter_code");
    let hint = text(&login.answer, "/login/mfa/phone_hint");
    assert!(hint.starts_with("+1") && hint.ends_with("23") && !hint.contains("5550"), "{hint}");
    let sent = world.send_code(&login).await;
    assert_eq!(sent["login"]["challenge"]["delivery"], "accepted");
    assert_eq!(world.messages_to(NUMBER).await, 1);
    let code = world.local.code_sent_to(NUMBER).await;
    let done = world.guess(&login, &code).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    assert_eq!(done["tokens"]["token_type"], "Bearer");
    assert_eq!(done["tokens"]["expires_in"], 900);
    for step in ["code", "verification", "phone"] {
        let body = match step {
            "verification" => json!({ "code": code }),
            "phone" => json!({ "phone": "+12025550124" }),
            _ => json!({}),
        };
        world.step(&login, step, body).await.refused(409, "login_complete");
    }
    assert_eq!(world.look(&login).await["login"]["status"], "complete");
}

#[tokio::test]
async fn f1_every_kind_of_account_signs_in() {
    let world = World::fresh().await;
    let body =
        json!({ "username": "Ann", "email": "Ann@Example.com", "phone": NUMBER, "password": PASSWORD });
    world.user(body).await;
    for account in ["ann", "ANN", "ann@example.com", "ANN@EXAMPLE.COM", NUMBER, "+1 (202) 555-0123"] {
        let answer = world.start_password(&world.application, account, PASSWORD).await.expect(200);
        assert_eq!(answer["login"]["status"], "complete", "{account}");
        assert_eq!(answer["login"]["mfa"]["required"], false);
        assert!(answer["tokens"]["access_token"].is_string() && answer["login_token"].is_null());
    }
}

#[tokio::test]
async fn f7_wrong_expired_and_unsent_codes_say_which() {
    let world = bound().await;
    let login = world.login("ann", PASSWORD).await;
    world.guess(&login, "123456").await.refused(409, "no_code_sent");
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let problem = world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    assert_eq!(problem["attempts_left"], 4);
    assert_eq!(problem["login"]["challenge"]["attempts_left"], 4);
    for malformed in ["12345", "1234567", "12345a", "１２３４５６", "٣٢١٤٥٦", " 12345", ""] {
        world.guess(&login, malformed).await.refused(400, "invalid_request");
    }
    world.local.advance(301).await;
    let problem = world.guess(&login, &code).await.refused(410, "code_expired");
    assert_eq!(problem["attempts_left"], 4, "what is not judged costs nothing");
    world.local.advance(300).await;
    world.guess(&login, &code).await.refused(410, "login_expired");
    assert_eq!(world.look(&login).await["login"]["status"], "expired");
}

#[tokio::test]
async fn f7_a_code_of_another_login_is_no_code() {
    let world = bound().await;
    world.user(json!({ "username": "eve", "phone": "+12025550150", "password": PASSWORD })).await;
    let mine = world.login("ann", PASSWORD).await;
    let hers = world.login("eve", PASSWORD).await;
    world.send_code(&mine).await;
    world.send_code(&hers).await;
    let foreign = world.local.code_sent_to("+12025550150").await;
    if foreign != world.local.code_sent_to(NUMBER).await {
        world.guess(&mine, &foreign).await.refused(401, "wrong_code");
    }
    let call = tests::http_client::Call::get(&format!("/v1/logins/{}", mine.id)).bearer(&hers.token);
    world.local.send(call).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_login_is_blocked_after_its_attempts_and_a_new_one_starts_afresh() {
    let world = bound().await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    for left in (0..5).rev() {
        let problem = world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
        assert_eq!(problem["attempts_left"], left);
    }
    world.guess(&login, &code).await.refused(429, "too_many_attempts");
    world.step(&login, "code", json!({})).await.refused(429, "too_many_attempts");
    assert_eq!(world.look(&login).await["login"]["status"], "blocked");
    world.local.advance(31).await;
    let again = world.login("ann", PASSWORD).await;
    world.send_code(&again).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&again, &code).await.expect(200);
}

#[tokio::test]
async fn h2_a_resend_repeats_the_code_and_keeps_the_attempts() {
    let world = bound().await;
    let login = world.login("ann", PASSWORD).await;
    let first = world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    let problem = world.step(&login, "code", json!({})).await.refused(429, "resend_too_soon");
    assert_eq!(problem["resend_at"], first["login"]["challenge"]["resend_at"]);
    world.local.advance(31).await;
    let second = world.send_code(&login).await;
    assert_eq!(world.local.code_sent_to(NUMBER).await, code);
    let challenge = &second["login"]["challenge"];
    assert_eq!((&challenge["attempts_left"], &challenge["sends_left"]), (&json!(4), &json!(3)));
    assert!(text(&second, "/login/challenge/expires_at") > text(&first, "/login/challenge/expires_at"));
    world.guess(&login, &code).await.expect(200);
}

#[tokio::test]
async fn h2_one_idempotency_key_sends_one_message() {
    let world = bound().await;
    let login = world.login("ann", PASSWORD).await;
    let path = format!("/v1/logins/{}/code", login.id);
    let call = |body| {
        tests::http_client::Call::post(&path, &body).bearer(&login.token).header("idempotency-key", "once")
    };
    let first = world.local.send(call(json!({}))).await.expect(200);
    let again = world.local.send(call(json!({}))).await.expect(200);
    assert_eq!(first["login"]["challenge"], again["login"]["challenge"]);
    assert_eq!(world.messages_to(NUMBER).await, 1);
    world.local.send(call(json!({ "other": 1 }))).await.refused(422, "idempotency_mismatch");
    world.local.advance(31).await;
    world.local.send(call(json!({}))).await.expect(200);
    assert_eq!(world.messages_to(NUMBER).await, 1, "the same key never sends twice");
}

/// Whoever does as `Retry-After` says, and repeats the request as it was, gets the message.
#[tokio::test]
async fn h2_a_key_whose_message_was_refused_is_free() {
    let world = bound().await;
    let first = world.login("ann", PASSWORD).await;
    world.send_code(&first).await;
    let second = world.login("ann", PASSWORD).await;
    let path = format!("/v1/logins/{}/code", second.id);
    let call = || {
        let call = tests::http_client::Call::post(&path, &json!({}));
        world.local.send(call.bearer(&second.token).header("idempotency-key", "once"))
    };
    // The number's wait refuses the first, and is the login's from then on.
    for code in ["rate_limited", "resend_too_soon"] {
        let refused = call().await;
        let wait: i64 = refused.header("retry-after").expect("a wait").parse().expect("seconds");
        assert!((1..=30).contains(&wait), "{wait}");
        refused.refused(429, code);
    }
    assert_eq!(world.messages_to(NUMBER).await, 1);
    world.local.advance(31).await;
    for _ in 0..2 {
        call().await.expect(200);
    }
    assert_eq!(world.messages_to(NUMBER).await, 2, "the key sends once");
}
