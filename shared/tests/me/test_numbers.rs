//! Test numbers (acceptance H6): each plays its scenario, nothing is sent or counted, and production has none.

use crate::world::{Login, World, text};
use serde_json::{Value, json};

const APPROVED: &str = "+12025550171";
const ZEROS: &str = "000000";

/// A tenant that lists one number of each scenario.
async fn world() -> World {
    let world = World::new().await;
    let numbers = json!({
        APPROVED: "approved", "+12025550172": "wrong", "+12025550173": "expired",
        "+12025550174": "undeliverable", "+12025550175": "blocked", "+1 (202) 555-0176": "throttled",
    });
    world.security(json!({"test_numbers": numbers})).await;
    world
}

async fn bound(world: &World, name: &str, number: &str) -> Login {
    world.user(name, Some(number)).await;
    world.login(name).await
}

async fn send(world: &World, login: &Login) -> (u16, Value) {
    let answer = world.step(login, "code", json!({})).await;
    (answer.status, answer.body)
}

async fn guess(world: &World, login: &Login, code: &str) -> (u16, Value) {
    let answer = world.step(login, "verification", json!({"code": code})).await;
    (answer.status, answer.body)
}

impl World {
    /// Nothing was sent, and nothing was counted against any limit.
    async fn assert_nothing_left(&self) {
        assert!(self.messages().is_empty());
        let counted = self.logins("limit#").await;
        assert!(counted.iter().all(|item| item["pk"].as_s().unwrap().starts_with("limit#first-factor")));
    }
}

#[tokio::test]
async fn h6_an_approved_number_takes_zeros_and_no_other_code() {
    let world = world().await;
    let login = bound(&world, "ann", APPROVED).await;
    let (status, body) = send(&world, &login).await;
    assert_eq!((status, &body["login"]["challenge"]["delivery"]), (200, &json!("accepted")));
    let (status, body) = guess(&world, &login, "000001").await;
    assert_eq!((status, &body["code"], &body["attempts_left"]), (401, &json!("wrong_code"), &json!(4)));
    world.clock.advance(60);
    assert_eq!(send(&world, &login).await.0, 200, "a resend keeps the code");
    let (status, body) = guess(&world, &login, ZEROS).await;
    assert_eq!((status, &body["login"]["status"]), (200, &json!("complete")));
    assert!(body["tokens"]["access_token"].is_string());
    assert_eq!(guess(&world, &login, ZEROS).await.0, 409, "once");
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn h6_an_unbound_user_binds_a_test_number_and_signs_in_with_it() {
    let world = world().await;
    world.security(json!({"code": {"length": 8}})).await;
    let ann = world.user("ann", None).await;
    for _ in 0..2 {
        let login = world.login("ann").await;
        if world.number(&ann).await.is_none() {
            world.step(&login, "phone", json!({"phone": APPROVED})).await.expect(200);
        }
        assert_eq!(send(&world, &login).await.0, 200);
        assert_eq!(guess(&world, &login, ZEROS).await.0, 400, "the code has the policy's length");
        assert_eq!(guess(&world, &login, "00000000").await.0, 200);
        assert_eq!(world.number(&ann).await.as_deref(), Some(APPROVED));
    }
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn h6_a_test_number_that_is_bound_while_a_login_is_under_way_is_one_in_it() {
    let world = world().await;
    let other = "+12025550109";
    let ann = world.user("ann", Some(other)).await;
    let login = world.login("ann").await;
    let path = format!("/users/{ann}/phone");
    world.admin("PUT", &path, json!({"phone": APPROVED})).await.expect(200);
    assert_eq!(send(&world, &login).await.0, 200);
    world.assert_nothing_left().await;
    assert_eq!(guess(&world, &login, ZEROS).await.0, 200);
    // And one that is named after the number was taken away.
    let login = world.login("ann").await;
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    world.step(&login, "phone", json!({"phone": APPROVED})).await.expect(200);
    assert_eq!((send(&world, &login).await.0, guess(&world, &login, ZEROS).await.0), (200, 200));
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn h6_every_other_scenario_is_played_and_is_told_by_its_own_code() {
    let world = world().await;
    let login = bound(&world, "wrong", "+12025550172").await;
    assert_eq!(send(&world, &login).await.0, 200);
    for left in [4, 3] {
        let (status, body) = guess(&world, &login, ZEROS).await;
        assert_eq!(
            (status, &body["code"], &body["attempts_left"]),
            (401, &json!("wrong_code"), &json!(left))
        );
        world.clock.advance(60);
        assert_eq!(send(&world, &login).await.0, 200);
    }

    let login = bound(&world, "expired", "+12025550173").await;
    assert_eq!(send(&world, &login).await.0, 200);
    let (status, body) = guess(&world, &login, ZEROS).await;
    assert_eq!((status, &body["code"], &body["attempts_left"]), (410, &json!("code_expired"), &json!(5)));

    let login = bound(&world, "undeliverable", "+12025550174").await;
    let (status, body) = send(&world, &login).await;
    assert_eq!((status, &body["code"]), (502, &json!("delivery_failed")));

    let login = bound(&world, "blocked", "+12025550175").await;
    for _ in 0..2 {
        let (status, body) = send(&world, &login).await;
        assert_eq!(
            (status, &body["code"], &body["login"]["status"]),
            (429, &json!("too_many_attempts"), &json!("blocked"))
        );
    }
    let (status, body) = guess(&world, &login, ZEROS).await;
    assert_eq!((status, &body["code"]), (429, &json!("too_many_attempts")));

    let login = bound(&world, "throttled", "+12025550176").await;
    let (status, body) = send(&world, &login).await;
    assert_eq!(
        (status, &body["code"], &body["rule"]),
        (429, &json!("rate_limited"), &json!("per_phone_hour"))
    );
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn h6_a_number_that_nobody_lists_gets_a_code_of_its_own() {
    let world = world().await;
    let login = bound(&world, "bob", "+12025550180").await;
    let code = world.sent_code(&login).await;
    if code != ZEROS {
        assert_eq!(guess(&world, &login, ZEROS).await.0, 401);
    }
    assert_eq!(guess(&world, &login, &code).await.0, 200);
    assert_eq!(world.messages().len(), 1);
}

#[tokio::test]
async fn h6_production_has_no_test_numbers_and_sends_to_what_was_one() {
    let world = world().await;
    world.user("ann", Some(APPROVED)).await;
    let production = |on: Value| {
        let world = &world;
        async move { world.admin("PATCH", "", json!({"production": on})).await }
    };
    assert_eq!(production(json!(true)).await.outcome(), (409, "conflict"));
    world.security(json!({"test_numbers": null})).await;
    assert_eq!(production(json!(true)).await.expect(200)["production"], true);
    let list = json!({"test_numbers": {APPROVED: "approved"}});
    assert_eq!(world.admin("PATCH", "/security", list.clone()).await.outcome(), (409, "conflict"));
    world.security(json!({"limits": {"per_user_hour": 9}})).await;

    let login = world.login("ann").await;
    let code = world.sent_code(&login).await;
    assert_eq!(world.last_to(), APPROVED, "it is a number like any other");
    if code != ZEROS {
        assert_eq!(guess(&world, &login, ZEROS).await.0, 401);
    }
    assert_eq!(guess(&world, &login, &code).await.0, 200);
    assert_eq!(production(Value::Null).await.expect(200)["production"], false);
    world.security(list).await;
}

#[tokio::test]
async fn h6_of_production_and_a_list_at_once_one_wins() {
    let world = World::new().await;
    for round in 0..8 {
        let list = world.admin("PATCH", "/security", json!({"test_numbers": {APPROVED: "approved"}}));
        let production = world.admin("PATCH", "", json!({"production": true}));
        let (list, production) = futures::join!(list, production);
        let mut outcomes = [list.status, production.status];
        outcomes.sort_unstable();
        assert_eq!(outcomes, [200, 409], "round {round}");
        world.security(json!({"test_numbers": null})).await;
        world.admin("PATCH", "", json!({"production": false})).await.expect(200);
    }
}

#[tokio::test]
async fn h6_the_list_is_a_merge_patch_of_numbers_that_could_be_bound() {
    let world = world().await;
    let body = world.admin("GET", "/security", Value::Null).await.expect(200);
    let listed = body["test_numbers"].as_object().unwrap();
    assert_eq!((listed.len(), &listed["+12025550176"]), (6, &json!("throttled")));
    let patch = json!({"test_numbers": {APPROVED: null, "+12025550172": "approved"}});
    let body = world.admin("PATCH", "/security", patch).await.expect(200);
    assert_eq!(
        (body["test_numbers"].get(APPROVED), &body["test_numbers"]["+12025550172"]),
        (None, &json!("approved"))
    );
    for (number, scenario, code) in [
        ("12025550101", "approved", "invalid_phone"),
        ("+18005550123", "approved", "number_type_not_allowed"),
        (APPROVED, "lost", "invalid_request"),
    ] {
        let answer = world.admin("PATCH", "/security", json!({"test_numbers": {number: scenario}})).await;
        assert_eq!(answer.outcome().1, code, "{number}");
    }
    let many: serde_json::Map<_, _> =
        (0..21).map(|n| (format!("+120255501{n:02}"), json!("wrong"))).collect();
    let answer = world.admin("PATCH", "/security", json!({"test_numbers": many})).await;
    assert_eq!(answer.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn h6_support_sees_that_a_challenge_is_a_test_and_the_audit_sees_the_list_masked() {
    let world = world().await;
    let ann = world.user("ann", Some(APPROVED)).await;
    let login = world.login("ann").await;
    send(&world, &login).await;
    let list = world.admin("GET", &format!("/users/{ann}/challenges"), Value::Null).await.expect(200);
    assert_eq!((&list["items"][0]["test"], &list["items"][0]["state"]), (&json!(true), &json!("sent")));

    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": "+12025550180"})).await.expect(200);
    world.clock.advance(60);
    let login = world.login("ann").await;
    send(&world, &login).await;
    let list = world.admin("GET", &format!("/users/{ann}/challenges"), Value::Null).await.expect(200);
    assert_eq!(list["items"][0]["test"], false);

    // Same hint, another number.
    world.security(json!({"test_numbers": {APPROVED: null, "+12024550171": "approved"}})).await;
    let body = world.admin("GET", "/security", Value::Null).await.expect(200);
    assert_eq!(body["test_numbers"]["+12024550171"], "approved", "it was kept, though it looks alike");
    let events = world.admin("GET", "/audit-events?limit=100", Value::Null).await.expect(200);
    let shown: Vec<_> = events["items"].as_array().unwrap().iter().collect();
    let lists: Vec<_> = shown.iter().filter(|it| !it["after"]["test_numbers"].is_null()).collect();
    assert_eq!(lists.len(), 2, "{events}");
    let masked = json!({"phone_hint": "+1 ••• ••• ••71", "scenario": "approved"});
    assert!(lists.iter().any(|it| it["after"]["test_numbers"][0] == masked));
    let told = events.to_string();
    assert!(!told.contains("202555") && !told.contains("202455"), "no number stands in the audit");
}

#[tokio::test]
async fn h6_a_test_number_gets_no_notice_either() {
    let world = world().await;
    let ann = world.user("ann", Some(APPROVED)).await;
    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": "+12025550172"})).await.expect(200);
    world.admin("DELETE", &format!("/users/{ann}/phone"), Value::Null).await.expect(204);
    world.user("bob", Some(APPROVED)).await;
    let login = world.login("bob").await;
    send(&world, &login).await;
    let (_, body) = guess(&world, &login, ZEROS).await;
    let token = text(&body["tokens"]["access_token"]);
    let body = world.me("PUT", "/phone", &token, json!({"phone": "+12025550180"})).await.expect(202);
    let login = Login::of(&body);
    send(&world, &login).await;
    assert_eq!(guess(&world, &login, ZEROS).await.0, 200, "the old number's");
    let code = world.sent_code(&login).await;
    assert_eq!(guess(&world, &login, &code).await.0, 200, "the new number is none");

    world.security(json!({"recovery_codes": {"enabled": true}})).await;
    world.user("carol", None).await;
    let login = world.login("carol").await;
    world.step(&login, "phone", json!({"phone": APPROVED})).await.expect(200);
    send(&world, &login).await;
    let (_, body) = guess(&world, &login, ZEROS).await;
    let login = world.login("carol").await;
    let body = json!({"recovery_code": body["recovery_codes"][0]});
    world.step(&login, "verification", body).await.expect(200);

    world.notifications.sweep().await.unwrap();
    assert!(world.messages().iter().all(|(to, _)| to == "+12025550180"), "{:?}", world.messages());
    assert!(world.notices().await.is_empty());
}
