//! Binding at login: acceptance F4, F8, F9, F11.

use crate::world::{Login, World};
use serde_json::{Value, json};
use tests::values::{another_code, text};

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";

async fn unbound() -> (World, String) {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "bob", "password": PASSWORD })).await;
    (world, user)
}

async fn phone_of(world: &World, user: &str) -> Value {
    world.admin("GET", &format!("/users/{user}"), None).await.expect(200)["phone"].clone()
}

async fn ask(world: &World, login: &Login, phone: &str) -> tests::http_client::Answer {
    world.step(login, "phone", json!({ "phone": phone })).await
}

#[tokio::test]
async fn d4_f4_f8_an_unbound_user_names_a_number_types_its_code_and_is_bound() {
    let (world, user) = unbound().await;
    let login = world.login("bob", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "bind_phone");
    world.step(&login, "code", json!({})).await.refused(409, "phone_required");
    world.guess(&login, "123456").await.refused(409, "phone_required");
    let asked = ask(&world, &login, "+1 (202) 555-0123").await.expect(200);
    assert_eq!(asked["login"]["status"], "enter_code");
    assert!(asked["login"]["challenge"].is_null(), "nothing is sent yet");
    assert!(world.local.outbox().await.is_empty());
    assert!(text(&asked, "/login/mfa/phone_hint").ends_with("23"));
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    assert!(phone_of(&world, &user).await.is_null(), "f8: nothing is stored before the right code");
    let done = world.guess(&login, &code).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    assert!(done["tokens"]["access_token"].is_string());
    assert_eq!(phone_of(&world, &user).await, NUMBER);
    world.local.advance(700).await;
    let next = world.login("bob", PASSWORD).await;
    assert_eq!(next.answer["login"]["status"], "enter_code", "f8: the next login is f5");
    ask(&world, &next, "+12025550124").await.refused(403, "step_up_required");
    world.start_password(&world.application, NUMBER, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn f8_an_abandoned_bind_stores_nothing_and_reserves_nothing() {
    let (world, user) = unbound().await;
    let eve = world.user(json!({ "username": "eve", "password": PASSWORD })).await;
    let login = world.login("bob", PASSWORD).await;
    ask(&world, &login, NUMBER).await.expect(200);
    world.send_code(&login).await;
    world.local.advance(700).await;
    assert!(phone_of(&world, &user).await.is_null());
    let other = world.login("eve", PASSWORD).await;
    ask(&world, &other, NUMBER).await.expect(200);
    world.send_code(&other).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&other, &code).await.expect(200);
    assert_eq!(phone_of(&world, &eve).await, NUMBER);
}

#[tokio::test]
async fn f9_a_number_of_somebody_else_is_refused_before_and_after_the_message() {
    let (world, user) = unbound().await;
    world.user(json!({ "username": "ann", "phone": NUMBER })).await;
    let login = world.login("bob", PASSWORD).await;
    ask(&world, &login, NUMBER).await.refused(409, "phone_taken");
    ask(&world, &login, "+1-202-555-0123").await.refused(409, "phone_taken");
    assert!(world.local.outbox().await.is_empty());
    let second = "+12025550124";
    ask(&world, &login, second).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(second).await;
    world.user(json!({ "username": "eve", "phone": second })).await;
    let problem = world.guess(&login, &code).await.refused(409, "phone_taken");
    assert_eq!(problem["login"]["status"], "bind_phone", "the login goes back to asking for a number");
    assert!(phone_of(&world, &user).await.is_null());
    let third = "+12025550125";
    ask(&world, &login, third).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(third).await;
    world.guess(&login, &code).await.expect(200);
    assert_eq!(phone_of(&world, &user).await, third);
}

#[tokio::test]
async fn f11_where_self_binding_is_forbidden_the_administrator_is_needed() {
    let (world, user) = unbound().await;
    world.security(json!({ "phone_binding": { "self_service": false } })).await;
    let login = world.login("bob", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "contact_administrator");
    ask(&world, &login, NUMBER).await.refused(403, "self_binding_disabled");
    world.step(&login, "code", json!({})).await.refused(403, "self_binding_disabled");
    let body = json!({ "phone": NUMBER });
    world.admin("PUT", &format!("/users/{user}/phone"), Some(&body)).await.expect(200);
    let login = world.login("bob", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "enter_code", "d2: bound at once");
}

#[tokio::test]
async fn another_number_takes_the_code_away_and_keeps_the_attempts_at_most_three_times() {
    let (world, _) = unbound().await;
    let login = world.login("bob", PASSWORD).await;
    ask(&world, &login, NUMBER).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    ask(&world, &login, "+12025550124").await.expect(200);
    world.guess(&login, &code).await.refused(409, "no_code_sent");
    world.send_code(&login).await;
    let second = world.local.code_sent_to("+12025550124").await;
    let problem = world.guess(&login, &another_code(&second)).await.refused(401, "wrong_code");
    assert_eq!((&problem["attempts_left"], &problem["sends_left"]), (&json!(3), &json!(3)));
    ask(&world, &login, NUMBER).await.expect(200);
    let problem = ask(&world, &login, "+12025550125").await.refused(429, "rate_limited");
    assert_eq!(problem["rule"], "phone_changes");
}

#[tokio::test]
async fn h4_numbers_that_are_none_dear_or_abroad_are_refused_each_with_its_code() {
    let (world, _) = unbound().await;
    let login = world.login("bob", PASSWORD).await;
    let cases = [
        ("", "invalid_phone"),
        ("2025550123", "invalid_phone"),
        ("+1202555012", "invalid_phone"),
        ("+120255501234", "invalid_phone"),
        ("+1202555O123", "invalid_phone"),
        ("+1 202 555 0123 ext. 5", "invalid_phone"),
        ("+１２０２５５５０１２３", "invalid_phone"),
        ("+١٢٠٢٥٥٥٠١٢٣", "invalid_phone"),
        ("+12025550123\u{202e}", "invalid_phone"),
        ("+19005550123", "number_type_not_allowed"),
        ("+18005550123", "number_type_not_allowed"),
        ("+4915123456789", "country_not_allowed"),
        ("+14165550123", "country_not_allowed"),
    ];
    for (number, code) in cases {
        let problem = ask(&world, &login, number).await;
        assert_eq!(problem.status, 422, "{number}: {}", problem.text());
        assert_eq!(problem.refused(422, code)["login"]["status"], "bind_phone", "{number}");
    }
    assert!(world.local.outbox().await.is_empty());
    ask(&world, &login, NUMBER).await.expect(200);
}
