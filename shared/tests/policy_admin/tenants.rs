//! A: roles and preparation.

use crate::world::{World, text};
use serde_json::json;

#[tokio::test]
async fn a2_the_operator_creates_a_tenant_with_its_first_owner_key() {
    let world = World::new().await;
    let made =
        world.post("/v1/tenants", &world.operator, json!({"name": " Acme ", "home_country": "DE"})).await;
    let made = made.expect(201);
    assert_eq!(made["name"], "Acme");
    assert_eq!(made["home_country"], "DE");
    assert_eq!(made["created_at"], "2026-11-24T14:00:00.000Z");
    let path = format!("/v1/tenants/{}", text(&made["id"]));
    let read = world.get(&path, &text(&made["admin_key"]["secret"])).await.expect(200);
    assert_eq!(read["id"], made["id"]);
    assert!(read.get("admin_key").is_none(), "shown once");
    // The operator reads the whole.
    assert_eq!(world.get(&path, &world.operator).await.expect(200), read);
    world.get("/v1/tenants/ten_zzzzzzzzzzzz", &world.operator).await.refused(404, "not_found");
    world.get("/v1/tenants/nonsense", &world.operator).await.refused(404, "not_found");
}

#[tokio::test]
async fn a1_only_the_operator_creates_tenants() {
    let world = World::new().await;
    let owner = world.tenant().await.key;
    let body = json!({"name": "Acme", "home_country": "US"});
    world.post("/v1/tenants", &owner, body.clone()).await.refused(403, "forbidden");
    for nobody in ["", "nonsense", "mfa_operator_x"] {
        world.post("/v1/tenants", nobody, body.clone()).await.refused(401, "unauthenticated");
    }
    // Of the right form, but of no deployment.
    let other = World::new().await;
    let mut forged = other.operator.clone();
    assert_eq!(forged, world.operator, "the seed is the same");
    forged.replace_range(20..21, if &forged[20..21] == "a" { "b" } else { "a" });
    world.post("/v1/tenants", &forged, body).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a1_another_tenants_key_gets_403_and_none_gets_401_and_nothing_changes() {
    let world = World::new().await;
    let (ours, theirs) = (world.tenant().await, world.tenant().await);
    let application = ours.application(&world).await;
    let source = ours.source(&world).await;
    let calls = [
        ("GET", ours.path("")),
        ("PATCH", ours.path("")),
        ("GET", ours.path("/security")),
        ("PATCH", ours.path("/security")),
        ("POST", ours.path("/applications")),
        ("GET", ours.path("/applications")),
        ("GET", application.clone()),
        ("PATCH", application.clone()),
        ("DELETE", application.clone()),
        ("POST", format!("{application}/secrets")),
        ("DELETE", format!("{application}/secrets/key_aaaaaaaaaaaa")),
        ("GET", format!("{application}/security")),
        ("PATCH", format!("{application}/security")),
        ("POST", ours.path("/identity-sources")),
        ("GET", ours.path("/identity-sources")),
        ("GET", ours.path(&format!("/identity-sources/{source}"))),
        ("DELETE", ours.path(&format!("/identity-sources/{source}"))),
        ("POST", ours.path("/admin-keys")),
        ("GET", ours.path("/admin-keys")),
        ("GET", ours.path(&format!("/admin-keys/{}", ours.key_id))),
        ("DELETE", ours.path(&format!("/admin-keys/{}", ours.key_id))),
        ("POST", ours.path("/policy/explain")),
    ];
    let before = world.get(&ours.path("/security"), &ours.key).await.expect(200);
    for (method, path) in &calls {
        let body = if *method == "GET" { "" } else { "{}" };
        world.raw(method, path, "", body).await.refused(401, "unauthenticated");
        world.raw(method, path, &theirs.key, body).await.refused(403, "forbidden");
        if *method != "GET" && !path.ends_with("/explain") {
            world.raw(method, path, &world.operator, body).await.refused(403, "forbidden");
        }
    }
    assert_eq!(world.get(&ours.path("/security"), &ours.key).await.expect(200), before);
    world.get(&application, &ours.key).await.expect(200);
    world.get(&ours.path(&format!("/identity-sources/{source}")), &ours.key).await.expect(200);
}

#[tokio::test]
async fn a1_each_role_may_do_its_own_work() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let patch = json!({"sending": {"enabled": true}});
    let key = json!({"role": "auditor", "name": "n"});
    // Role, reads policy, writes policy, reads keys, writes keys.
    for (role, expected) in [
        ("owner", [200, 200, 200, 201]),
        ("policy", [200, 200, 403, 403]),
        ("support", [403, 403, 403, 403]),
        ("auditor", [200, 403, 200, 403]),
    ] {
        let bearer = tenant.key(&world, role).await;
        let got = [
            world.get(&tenant.path("/security"), &bearer).await.status,
            world.patch(&tenant.path("/security"), &bearer, patch.clone()).await.status,
            world.get(&tenant.path("/admin-keys"), &bearer).await.status,
            world.post(&tenant.path("/admin-keys"), &bearer, key.clone()).await.status,
        ];
        assert_eq!(got, expected, "{role}");
    }
}

#[tokio::test]
async fn a3_a_fresh_tenant_has_every_default_and_sms_off() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let defaults = json!({
        "mfa": {"sms": {"enabled": false}},
        "identity_sources": {},
        "code": {"length": 6, "lifetime_seconds": 300, "max_attempts": 5, "resend_cooldown_seconds": 30, "max_sends": 5},
        "phone_binding": {"self_service": true},
        "countries": {"allow": ["US"]},
        "limits": {
            "per_phone_hour": 5, "per_phone_day": 10, "per_user_hour": 10, "per_ip_hour": 20, "per_range_hour": 100,
            "per_country_day": 10000, "per_application_day": 10000, "per_tenant_day": 10000, "budget_usd_day": 50
        },
        "trusted_devices": {"enabled": false, "days": 30},
        "recovery_codes": {"enabled": false},
        "sending": {"enabled": true},
        "test_numbers": {}
    });
    assert_eq!(world.get(&tenant.path("/security"), &tenant.key).await.expect(200), defaults);

    // Everything answered can be sent back, and null restores it.
    let mut changed = defaults.clone();
    changed["code"]["length"] = json!(8);
    changed["limits"]["per_range_hour"] = json!(7);
    changed["countries"]["allow"] = json!(["CA", "US"]);
    changed["recovery_codes"]["enabled"] = json!(true);
    assert_eq!(tenant.set(&world, changed.clone()).await, changed);
    assert_eq!(world.get(&tenant.path("/security"), &tenant.key).await.expect(200), changed);
    let nulls = json!({"code": null, "limits": {"per_range_hour": null}, "countries": {"allow": null}, "recovery_codes": null});
    assert_eq!(tenant.set(&world, nulls).await, defaults);
}

#[tokio::test]
async fn a_tenant_changes_its_name_and_country_and_nothing_else() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let before = world.get(&tenant.path("/security"), &tenant.key).await.expect(200);
    let patch = json!({"name": "Globex", "home_country": "DE"});
    let changed = world.patch(&tenant.path(""), &tenant.key, patch).await.expect(200);
    assert_eq!((&changed["name"], &changed["home_country"]), (&json!("Globex"), &json!("DE")));
    assert_eq!(world.get(&tenant.path("/security"), &tenant.key).await.expect(200), before);
    // The allow-list now restores to the new country.
    assert_eq!(tenant.set(&world, json!({"countries": null})).await["countries"]["allow"], json!(["DE"]));
    // The count of owners beside the settings is untouched: the last one still stays.
    let own_key = tenant.path(&format!("/admin-keys/{}", tenant.key_id));
    world.delete(&own_key, &tenant.key).await.refused(409, "conflict");
}
