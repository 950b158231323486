//! Users and the administrator's binding: acceptance D.

use crate::world::World;
use serde_json::{Value, json};
use tests::values::{another_code, text};

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn d1_any_one_identifier_makes_a_user_and_a_taken_one_is_named() {
    let world = World::fresh().await;
    for (field, value, again) in [
        ("username", "casey", "CASEY"),
        ("email", "casey@example.com", "Casey@EXAMPLE.com"),
        ("phone", NUMBER, "+1 202-555-0123"),
    ] {
        world.user(json!({ field: value })).await;
        let body = json!({ "username": format!("other-{field}"), field: again });
        let body = if field == "username" { json!({ "username": again }) } else { body };
        let problem = world.admin("POST", "/users", Some(&body)).await.refused(409, "duplicate");
        assert_eq!(problem["field"], field);
    }
    world
        .admin("POST", "/users", Some(&json!({ "password": PASSWORD })))
        .await
        .refused(400, "invalid_request");
    let users = world.admin("GET", "/users", None).await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 3, "a refused one leaves nothing");
}

#[tokio::test]
async fn d3_a_user_made_by_number_is_bound_from_the_start() {
    let world = World::with_sms().await;
    world.user(json!({ "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login(NUMBER, PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "enter_code");
}

#[tokio::test]
async fn d2_the_administrator_binds_replaces_and_unbinds_and_no_old_code_works() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let path = format!("/users/{user}/phone");
    let bound = world.admin("PUT", &path, Some(&json!({ "phone": NUMBER }))).await.expect(200);
    assert_eq!(bound["phone"], NUMBER);
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let other = "+12025550124";
    world.admin("PUT", &path, Some(&json!({ "phone": other }))).await.expect(200);
    world.guess(&login, &code).await.refused(409, "no_code_sent");
    world.local.advance(31).await;
    world.send_code(&login).await;
    let fresh = world.local.code_sent_to(other).await;
    world.local.notice_to(NUMBER).await;
    assert_eq!(world.messages_to(NUMBER).await, 2, "nothing but its notice goes to the old number any more");
    let wrong = world.guess(&login, &another_code(&fresh)).await.refused(401, "wrong_code");
    assert_eq!(wrong["login"]["mfa"]["phone_hint"], "+1 ••• ••• ••24", "where this code went");
    let done = world.guess(&login, &fresh).await.expect(200);
    assert_eq!(done["login"]["mfa"]["phone_hint"], "+1 ••• ••• ••24");
    assert_eq!(world.admin("DELETE", &path, None).await.status, 204);
    let login = world.login("ann", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "bind_phone");
    world.user(json!({ "username": "eve", "phone": other })).await;
    let taken = world.admin("PUT", &path, Some(&json!({ "phone": other }))).await;
    taken.refused(409, "phone_taken");
}

#[tokio::test]
async fn d2_who_is_bound_while_a_login_waits_for_the_administrator_goes_on_with_it() {
    let world = World::with_sms().await;
    world.security(json!({ "phone_binding": { "self_service": false } })).await;
    let user = world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "contact_administrator");
    world.admin("PUT", &format!("/users/{user}/phone"), Some(&json!({ "phone": NUMBER }))).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let wrong = world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    assert_eq!(wrong["login"]["status"], "enter_code", "as GET says it");
    assert_eq!(wrong["login"]["mfa"], world.look(&login).await["login"]["mfa"]);
    world.guess(&login, &code).await.expect(200);
}

#[tokio::test]
async fn a_deleted_users_login_cannot_finish() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    assert_eq!(world.admin("DELETE", &format!("/users/{user}"), None).await.status, 204);
    let answer = world.guess(&login, &code).await;
    assert!((400..500).contains(&answer.status) && answer.json["tokens"].is_null(), "{}", answer.text());
    world.step(&login, "code", json!({})).await.refused(404, "not_found");
    world.start_password(&world.application, "ann", PASSWORD).await.refused(401, "first_factor_failed");
    world.admin("GET", &format!("/users/{user}"), None).await.refused(404, "not_found");
    world.user(json!({ "username": "ann", "phone": NUMBER })).await;
}

#[tokio::test]
async fn patch_moves_identifiers_and_never_answers_a_password() {
    let world = World::fresh().await;
    let user = world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let path = format!("/users/{user}");
    let body = json!({ "username": "anna", "email": "anna@example.com", "password": "another long one" });
    let changed = world.admin("PATCH", &path, Some(&body)).await.expect(200);
    assert!(!changed.to_string().contains("another long one") && changed["password"].is_null());
    world.start_password(&world.application, "ann", PASSWORD).await.refused(401, "first_factor_failed");
    world.start_password(&world.application, "anna@example.com", "another long one").await.expect(200);
    world.user(json!({ "username": "ann" })).await;
    let both = json!({ "username": null, "email": null });
    world.admin("PATCH", &path, Some(&both)).await.refused(409, "conflict");
    world.admin("PATCH", &path, Some(&json!({ "phone": NUMBER }))).await.refused(400, "invalid_request");
    world.admin("PATCH", &path, Some(&json!({ "username": "ann" }))).await.refused(409, "duplicate");
}

#[tokio::test]
async fn h10_support_sees_what_became_of_each_message_and_no_code() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    let view = world.admin("GET", &format!("/users/{user}/challenges"), None).await.expect(200);
    let shown = &view["items"][0];
    assert_eq!(
        (&shown["state"], &shown["attempts"], &shown["delivery"]),
        (&json!("sent"), &json!(1), &json!("accepted"))
    );
    assert!(text(shown, "/phone_hint").ends_with("23"));
    assert!(!view.to_string().contains(&code) && !view.to_string().contains("2025550123"));
    assert!(shown["delivery_reason"].is_null(), "{shown}");
}

#[tokio::test]
async fn h10_support_sees_why_a_message_did_not_leave() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let shown = async || {
        let view = world.admin("GET", &format!("/users/{user}/challenges"), None).await.expect(200);
        let newest = &view["items"][0];
        (newest["delivery"].clone(), newest["delivery_reason"].clone())
    };
    let (accepted, failed) = (json!("accepted"), json!("failed"));
    let login = world.login("ann", PASSWORD).await;
    world.security(json!({ "sending": { "enabled": false } })).await;
    world.step(&login, "code", json!({})).await.refused(503, "sending_disabled");
    assert_eq!(shown().await, (failed.clone(), json!("sending_disabled")));
    world.security(json!({ "sending": null })).await;
    world.local.advance(100).await;
    world.send_code(&login).await;
    assert_eq!(shown().await, (accepted, Value::Null), "the last message's, not an earlier one's");

    world.security(json!({ "limits": { "budget_usd_day": 0 } })).await;
    world.local.advance(100).await;
    let login = world.login("ann", PASSWORD).await;
    world.step(&login, "code", json!({})).await.refused(429, "rate_limited");
    assert_eq!(shown().await, (failed.clone(), json!("limit")));
    world.security(json!({ "limits": null, "test_numbers": { NUMBER: "undeliverable" } })).await;
    let login = world.login("ann", PASSWORD).await;
    world.step(&login, "code", json!({})).await.refused(502, "delivery_failed");
    assert_eq!(shown().await, (failed, json!("rejected")));
}

#[tokio::test]
async fn lists_come_in_pages_and_take_no_foreign_cursor() {
    let world = World::fresh().await;
    for i in 0..5 {
        world.user(json!({ "username": format!("user-{i}") })).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut next = String::new();
    for _ in 0..3 {
        let page = world.admin("GET", &format!("/users?limit=2{next}"), None).await.expect(200);
        for user in page["items"].as_array().unwrap() {
            assert!(seen.insert(text(user, "/id")));
        }
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "unknown=1", "limit=1&limit=2"] {
        world.admin("GET", &format!("/users?{query}"), None).await.refused(400, "invalid_request");
    }
}
