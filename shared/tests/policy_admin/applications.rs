//! B: the application-level switch; applications and their secrets.

use crate::world::{World, text};
use serde_json::{Value, json};
use shared::ports::OriginDirectory;

#[tokio::test]
async fn a3_b1_a_fresh_application_follows_its_tenant() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let made =
        world.post(&tenant.path("/applications"), &tenant.key, json!({"name": "Shop"})).await.expect(201);
    assert_eq!(made["type"], "public");
    assert_eq!(made["customize_security"], false);
    assert_eq!(made["origins"], json!([]));
    assert_eq!(made["redirect_uris"], json!([]));
    assert_eq!(made["message_host"], Value::Null);
    assert!(text(&made["secret"]["secret"]).starts_with("mfa_app_"));
    assert_eq!(made["secrets"][0]["id"], made["secret"]["id"]);

    let path = tenant.path(&format!("/applications/{}", text(&made["id"])));
    let read = world.get(&path, &tenant.key).await.expect(200);
    assert!(read.get("secret").is_none(), "shown once");
    let mut made = made;
    made.as_object_mut().expect("an object").remove("secret");
    assert_eq!(read, made);
}

#[tokio::test]
async fn b2_b3_b4_b5_b8_the_switch_makes_the_settings_and_takes_them_away() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (one, two) = (tenant.application(&world).await, tenant.application(&world).await);
    let security = format!("{one}/security");
    let key = &tenant.key;
    let sms_on = json!({"mfa": {"sms": {"enabled": true}}});

    // B2
    world.get(&security, key).await.refused(409, "security_not_customized");
    world.patch(&security, key, sms_on.clone()).await.refused(409, "security_not_customized");

    // B3, B4: a copy of the tenant's rules at that instant, and no other step.
    tenant.set(&world, json!({"code": {"length": 7}})).await;
    let on = world.patch(&one, key, json!({"customize_security": true})).await.expect(200);
    assert_eq!(on["customize_security"], true);
    let copy = world.get(&security, key).await.expect(200);
    let expected = json!({
        "mfa": {"sms": {"enabled": false}},
        "code": {"length": 7, "lifetime_seconds": 300, "max_attempts": 5, "resend_cooldown_seconds": 30, "max_sends": 5},
        "phone_binding": {"self_service": true},
        "trusted_devices": {"enabled": false, "days": 30}
    });
    assert_eq!(copy, expected);

    // B5, B6: independent both ways, and of the other application.
    let changed = world.patch(&security, key, sms_on).await.expect(200);
    assert_eq!(changed["mfa"]["sms"]["enabled"], true);
    let of_tenant = tenant.set(&world, json!({"code": {"length": 9}})).await;
    assert_eq!(of_tenant["mfa"]["sms"]["enabled"], false);
    assert_eq!(world.get(&security, key).await.expect(200)["code"]["length"], 7);
    world.get(&format!("{two}/security"), key).await.refused(409, "security_not_customized");

    // "On" once more keeps the application's own; other details leave it alone.
    world.patch(&one, key, json!({"customize_security": true, "name": "Shop 2"})).await.expect(200);
    world.patch(&one, key, json!({"name": "Shop 3"})).await.expect(200);
    assert_eq!(world.get(&security, key).await.expect(200), changed);

    // B8, and B4's fresh copy.
    world.patch(&one, key, json!({"customize_security": null})).await.expect(200);
    world.get(&security, key).await.refused(409, "security_not_customized");
    world.patch(&one, key, json!({"customize_security": true})).await.expect(200);
    let fresh = world.get(&security, key).await.expect(200);
    assert_eq!((&fresh["code"]["length"], &fresh["mfa"]["sms"]["enabled"]), (&json!(9), &json!(false)));
}

#[tokio::test]
async fn b4_an_application_created_with_the_switch_on_starts_with_a_copy() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    tenant.set(&world, json!({"mfa": {"sms": {"enabled": true}}})).await;
    let body = json!({"name": "Shop", "customize_security": true});
    let made = world.post(&tenant.path("/applications"), &tenant.key, body).await.expect(201);
    let path = tenant.path(&format!("/applications/{}/security", text(&made["id"])));
    assert_eq!(world.get(&path, &tenant.key).await.expect(200)["mfa"]["sms"]["enabled"], true);
}

#[tokio::test]
async fn origins_are_known_exactly_while_an_application_has_them() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let key = &tenant.key;
    let body = json!({"name": "Shop", "origins": ["https://A.example", "https://b.example:8443"]});
    let made = world.post(&tenant.path("/applications"), key, body).await.expect(201);
    assert_eq!(made["origins"], json!(["https://a.example", "https://b.example:8443"]));
    let path = tenant.path(&format!("/applications/{}", text(&made["id"])));
    let other = tenant.application(&world).await;
    world.patch(&other, key, json!({"origins": ["https://a.example"]})).await.expect(200);
    let known = |origin: &'static str| world.store.origin_is_known(origin);

    assert!(
        known("https://a.example").await.expect("read")
            && known("https://b.example:8443").await.expect("read")
    );
    world
        .patch(&path, key, json!({"origins": ["https://b.example:8443", "https://c.example"]}))
        .await
        .expect(200);
    assert!(
        known("https://c.example").await.expect("read")
            && known("https://b.example:8443").await.expect("read")
    );
    assert!(known("https://a.example").await.expect("read"), "the other application still has it");
    world.patch(&other, key, json!({"origins": null})).await.expect(200);
    assert!(!known("https://a.example").await.expect("read"));
    assert_eq!(world.delete(&path, key).await.status, 204);
    for gone in ["https://b.example:8443", "https://c.example"] {
        assert!(!known(gone).await.expect("read"), "{gone}");
    }
    world.get(&path, key).await.refused(404, "not_found");
    world.delete(&path, key).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_secret_rotates_with_two_live_at_once() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let key = &tenant.key;
    let body = json!({"name": "Back end", "type": "confidential"});
    let made = world.post(&tenant.path("/applications"), key, body).await.expect(201);
    let path = tenant.path(&format!("/applications/{}", text(&made["id"])));
    let secrets = format!("{path}/secrets");
    let first = format!("{secrets}/{}", text(&made["secret"]["id"]));

    world.delete(&first, key).await.refused(409, "conflict");
    let second = world.raw("POST", &secrets, key, "").await.expect(201);
    assert_ne!(second["secret"], made["secret"]["secret"]);
    world.post(&secrets, key, json!({})).await.refused(409, "conflict");
    assert_eq!(world.delete(&first, key).await.status, 204);
    world.delete(&first, key).await.refused(404, "not_found");
    let left = world.get(&path, key).await.expect(200)["secrets"].clone();
    assert_eq!(left, json!([{"id": second["id"], "created_at": second["created_at"]}]));

    // A public one needs none; but to become confidential, it does.
    world.patch(&path, key, json!({"type": "public"})).await.expect(200);
    assert_eq!(world.delete(&format!("{secrets}/{}", text(&second["id"])), key).await.status, 204);
    world.patch(&path, key, json!({"type": "confidential"})).await.refused(409, "conflict");
    world.post(&secrets, key, json!({})).await.expect(201);
    world.patch(&path, key, json!({"type": "confidential"})).await.expect(200);
}

#[tokio::test]
async fn lists_come_in_pages_and_end() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let list = tenant.path("/applications");
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(tenant.application(&world).await.rsplit('/').next().expect("an id").to_owned());
    }
    made.sort();
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().expect("a list").iter().map(|item| text(&item["id"])).collect()
    };
    let first = world.get(&format!("{list}?limit=2"), &tenant.key).await.expect(200);
    let next = text(&first["next"]);
    let second = world.get(&format!("{list}?limit=2&cursor={next}"), &tenant.key).await.expect(200);
    assert_eq!([ids(&first), ids(&second)].concat(), made);
    assert_eq!(second["next"], Value::Null, "a full last page is the last one");
    assert_eq!(ids(&world.get(&list, &tenant.key).await.expect(200)), made);

    let other = world.tenant().await;
    let foreign = format!("{}?cursor={next}", other.path("/applications"));
    world.get(&foreign, &other.key).await.refused(400, "invalid_request");
    let other_list = format!("{}?cursor={next}", tenant.path("/identity-sources"));
    world.get(&other_list, &tenant.key).await.refused(400, "invalid_request");
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=", "cursor=!!", "page=2", "limit=1&limit=2"] {
        world.get(&format!("{list}?{bad}"), &tenant.key).await.refused(400, "invalid_request");
    }
}
