//! Administrator keys.

use crate::world::{World, text};
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_is_shown_once_and_ends_when_it_is_deleted() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let body = json!({"role": "auditor", "name": "Audit 2026"});
    let made = world.post(&tenant.path("/admin-keys"), &tenant.key, body).await.expect(201);
    assert_eq!((&made["role"], &made["expires_at"]), (&json!("auditor"), &Value::Null));
    let secret = text(&made["secret"]);
    world.get(&tenant.path("/security"), &secret).await.expect(200);

    let path = tenant.path(&format!("/admin-keys/{}", text(&made["id"])));
    let mut shown = made;
    shown.as_object_mut().expect("an object").remove("secret");
    assert_eq!(world.get(&path, &tenant.key).await.expect(200), shown);
    let list = world.get(&tenant.path("/admin-keys"), &tenant.key).await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert!(!list.to_string().contains("mfa_admin_"));

    assert_eq!(world.delete(&path, &tenant.key).await.status, 204);
    world.get(&tenant.path("/security"), &secret).await.refused(401, "unauthenticated");
    world.delete(&path, &tenant.key).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_key_ends_at_its_expiry() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let keys = tenant.path("/admin-keys");
    let body = json!({"role": "policy", "name": "Week", "expires_at": "2026-11-24T15:01:00+01:00"});
    let made = world.post(&keys, &tenant.key, body).await.expect(201);
    assert_eq!(made["expires_at"], "2026-11-24T14:01:00.000Z");
    let secret = text(&made["secret"]);
    world.clock.advance(59);
    world.get(&tenant.path("/security"), &secret).await.expect(200);
    world.clock.advance(1);
    world.get(&tenant.path("/security"), &secret).await.refused(401, "unauthenticated");
    for bad in ["2026-11-24T14:00:30Z", "tomorrow", "2027-01-01"] {
        let body = json!({"role": "policy", "name": "Past", "expires_at": bad});
        world.post(&keys, &tenant.key, body).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn the_last_owner_without_an_expiry_stays() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let keys = tenant.path("/admin-keys");
    let first = format!("{keys}/{}", tenant.key_id);
    world.delete(&first, &tenant.key).await.refused(409, "conflict");

    // One that will expire is no replacement, and goes freely.
    let body = json!({"role": "owner", "name": "Guest", "expires_at": "2027-01-01T00:00:00Z"});
    let guest = world.post(&keys, &tenant.key, body).await.expect(201);
    world.delete(&first, &text(&guest["secret"])).await.refused(409, "conflict");
    assert_eq!(world.delete(&format!("{keys}/{}", text(&guest["id"])), &tenant.key).await.status, 204);

    let second = world.post(&keys, &tenant.key, json!({"role": "owner", "name": "Second"})).await.expect(201);
    let secret = text(&second["secret"]);
    assert_eq!(world.delete(&first, &secret).await.status, 204);
    world.get(&keys, &tenant.key).await.refused(401, "unauthenticated");
    world.delete(&format!("{keys}/{}", text(&second["id"])), &secret).await.refused(409, "conflict");
    world.get(&keys, &secret).await.expect(200);
}

#[tokio::test]
async fn an_applications_secret_is_no_administrators() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let made =
        world.post(&tenant.path("/applications"), &tenant.key, json!({"name": "Shop"})).await.expect(201);
    let secret = text(&made["secret"]["secret"]);
    world.get(&tenant.path("/security"), &secret).await.refused(401, "unauthenticated");
}
