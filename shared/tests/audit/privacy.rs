//! H14: the audit is kept for good, so nothing in it names a person or opens anything.

use crate::world::{World, attribute, text};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

#[tokio::test]
async fn h14_nothing_that_identifies_or_authenticates_is_in_the_audit() {
    let world = World::new().await;
    let application = format!("/applications/{}", world.application().await);
    let made = world.owner("POST", &format!("{application}/secrets"), json!({})).await.expect(201);
    let keys =
        [world.owner.clone(), world.operator.clone(), text(&made["secret"]), world.key("auditor").await];
    let body = json!({
        "username": "zaphod", "phone": "+12025550142", "email": "beeblebrox@example.com",
        "password": "correct horse", "locale": "en",
    });
    let user = format!("/users/{}", world.user(body).await);
    let patch =
        json!({"username": "trillian", "email": "mcmillan@example.com", "password": "battery staple"});
    world.owner("PATCH", &user, patch).await.expect(200);
    world.owner("PUT", &format!("{user}/phone"), json!({"phone": "+12025550177"})).await.expect(200);
    world.owner("DELETE", &user, Value::Null).await;

    let mut canaries = BTreeSet::new();
    let clear = [
        "zaphod",
        "trillian",
        "beeblebrox",
        "mcmillan",
        "example.com",
        "2025550142",
        "5550177",
        "correct horse",
        "battery staple",
        "argon2",
    ];
    for text in clear.map(str::to_owned).into_iter().chain(keys.clone()) {
        canaries.extend([hex(text.as_bytes()), STANDARD.encode(&text).trim_end_matches('=').to_owned()]);
        canaries.extend([URL_SAFE_NO_PAD.encode(&text), text]);
    }
    for key in &keys {
        let hash = Sha256::digest(key.as_bytes());
        canaries.extend([hex(&hash), URL_SAFE_NO_PAD.encode(hash), STANDARD.encode(hash)]);
    }
    let items = world.audit_items().await;
    assert_eq!(items.len(), 2 + 3 + 2 * 6, "tenant and key; application, secret, key; of the user all twice");
    let exported = world.call(&world.owner, "GET", &world.path("/audit-events"), "", "").await;
    for shown in [format!("{items:?}"), exported.text] {
        let shown = shown.to_lowercase();
        for canary in &canaries {
            assert!(!shown.contains(&canary.to_lowercase()), "{canary}");
        }
    }
    // What seals or hashes them differently would show up as an attribute or a member that is not expected here.
    let sealed: Vec<_> = sealed_values(&world).await;
    assert!(sealed.len() >= 2);
    let shown = format!("{items:?}");
    assert!(sealed.iter().all(|value| !shown.contains(value.as_str())), "not even sealed");
}

/// What the tables hold of users in encrypted form.
async fn sealed_values(world: &World) -> Vec<String> {
    world.user(json!({"username": "ford", "phone": "+12025550199"})).await;
    let mut items = world.scan(world.store.directory()).await;
    items.extend(world.scan(world.store.logins()).await);
    let fields = ["username", "phone"];
    let maps = items.iter().flat_map(|item| fields.iter().filter_map(|field| item.get(*field)?.as_m().ok()));
    maps.filter_map(|map| map.get("sealed")?.as_s().ok().cloned()).collect()
}

#[tokio::test]
async fn events_have_no_end_and_stand_where_their_tenant_finds_them() {
    let world = World::new().await;
    let other = world.new_tenant().await;
    world.user(json!({"username": "ana", "phone": "+12025550142"})).await;
    let items = world.audit_items().await;
    for item in &items {
        assert!(!item.contains_key("ttl"), "{item:?}");
        let parts: Vec<_> = attribute(item, "pk").split('#').collect();
        assert_eq!((parts[0], parts[1]), ("audit", attribute(item, "tenant")));
        assert!(parts[2] == "2026-11" || parts[2] == attribute(item, "user"), "{parts:?}");
        let at = item["at"].as_n().unwrap();
        assert_eq!(attribute(item, "sk"), format!("{at:0>13}#{}", attribute(item, "id")));
        assert_eq!(item["v"].as_n().unwrap(), "1");
    }
    let theirs = items.iter().filter(|item| attribute(item, "tenant") == other["id"]).count();
    assert_eq!((theirs, items.len()), (2, 2 + 2 + 2 * 2));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
