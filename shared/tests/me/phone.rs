//! `GET` and `DELETE /v1/me/phone`, and who is told.

use crate::world::World;
use serde_json::{Value, json};

const NUMBER: &str = "+12025550101";
const OTHER: &str = "+12025550102";

#[tokio::test]
async fn h8_users_see_their_own_number_masked() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    world.user("bob", None).await;
    let token = world.signed_in("ann").await;
    let body = world.me("GET", "/phone", &token, Value::Null).await.expect(200);
    assert_eq!((&body["phone_hint"], &body["country"]), (&json!("+1 ••• ••• ••01"), &json!("US")));
    assert_eq!(body["bound_at"], "2026-11-24T14:00:00.000Z");
    let unbound = world.signed_in_laxly("bob").await;
    assert_eq!(world.me("GET", "/phone", &unbound, Value::Null).await.outcome(), (404, "not_found"));
}

#[tokio::test]
async fn h8_removing_a_number_takes_two_factors_proven_just_now_and_the_number_is_told() {
    let world = World::new().await;
    let ann = world.user("ann", Some(NUMBER)).await;
    let weak = world.signed_in_laxly("ann").await;
    let remove = |token: String| {
        let world = &world;
        async move { world.me("DELETE", "/phone", &token, Value::Null).await }
    };
    assert_eq!(remove(weak).await.outcome(), (403, "step_up_required"));
    let token = world.signed_in("ann").await;
    world.clock.advance(301);
    assert_eq!(remove(token).await.outcome(), (403, "step_up_required"), "it is five minutes old");
    assert_eq!(world.number(&ann).await.as_deref(), Some(NUMBER));

    // Another login of hers has a code out at the old number.
    let token = world.signed_in("ann").await;
    world.pause();
    let other = world.login("ann").await;
    let code = world.sent_code(&other).await;
    remove(token.clone()).await.expect(204);
    assert_eq!(world.number(&ann).await, None);
    let dead = world.step(&other, "verification", json!({"code": code})).await;
    assert_eq!(dead.status, 409, "{}", dead.body);
    assert_eq!(world.notices().await, ["phone_removed"]);
    remove(token).await.expect(204);
    assert_eq!(world.notices().await.len(), 1, "told once");

    // The number is free, and carries nothing of hers.
    let bob = world.user("bob", None).await;
    world.admin("PUT", &format!("/users/{bob}/phone"), json!({"phone": NUMBER})).await.expect(200);
}

/// Somebody who holds the old number and the password, and is signed in, when an administrator puts the right one in its place.
#[tokio::test]
async fn h8_a_login_removes_no_number_that_was_bound_after_it() {
    let world = World::new().await;
    let ann = world.user("ann", Some(NUMBER)).await;
    let token = world.signed_in("ann").await;
    world.clock.advance(60);
    let right = "+12025550177";
    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": right})).await.expect(200);
    let refused = world.me("DELETE", "/phone", &token, Value::Null).await;
    assert_eq!(refused.outcome(), (403, "step_up_required"));
    assert_eq!(world.number(&ann).await.as_deref(), Some(right));
    // Who proves it removes it.
    let token = world.signed_in("ann").await;
    world.me("DELETE", "/phone", &token, Value::Null).await.expect(204);
}

#[tokio::test]
async fn d2_a_user_who_has_nothing_but_the_number_keeps_it() {
    let world = World::new().await;
    let body = json!({"phone": NUMBER, "password": crate::world::PASSWORD});
    world.admin("POST", "/users", body).await.expect(201);
    let token = world.signed_in(NUMBER).await;
    let refused = world.me("DELETE", "/phone", &token, Value::Null).await;
    assert_eq!(refused.outcome(), (409, "conflict"));
    assert!(world.notices().await.is_empty());
}

#[tokio::test]
async fn h8_the_old_number_is_told_when_an_administrator_changes_it() {
    let world = World::new().await;
    let ann = world.user("ann", None).await;
    let path = format!("/users/{ann}/phone");
    world.admin("PUT", &path, json!({"phone": NUMBER})).await.expect(200);
    world.admin("PUT", &path, json!({"phone": NUMBER})).await.expect(200);
    assert!(world.notices().await.is_empty(), "nobody was there to be told");
    world.clock.advance(1);
    world.admin("PUT", &path, json!({"phone": OTHER})).await.expect(200);
    world.clock.advance(1);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(world.notices().await, ["phone_replaced", "phone_removed"]);
    for item in world.logins("notice#").await {
        let text = format!("{item:?}");
        assert!(!text.contains("202555"), "no number in clear: {text}");
    }
}
