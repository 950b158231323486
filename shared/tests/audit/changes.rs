//! Every change that an administrator makes is told once, by whom, from where, before and after; nothing else is.

use crate::world::{Answer, CLIENT, World, difference, text};
use serde_json::{Value, json};
use shared::domain::audit::EventKind;
use std::collections::BTreeSet;

/// Calls, and looks at what has been added to the audit since.
struct Witness {
    world: World,
    seen: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Witness {
    async fn new() -> Self {
        let world = World::new().await;
        let mut witness = Self { world, seen: BTreeSet::new(), kinds: BTreeSet::new() };
        witness.new_events().await;
        witness
    }

    async fn new_events(&mut self) -> Vec<Value> {
        let all = self.world.events("", 100).await;
        let fresh: Vec<_> = all.into_iter().filter(|event| self.seen.insert(text(&event["id"]))).collect();
        self.kinds.extend(fresh.iter().map(|event| text(&event["type"])));
        fresh
    }

    /// A call of the owner that is to be told as `kinds`; answers its body and the events in that order.
    async fn told(&mut self, method: &str, rest: &str, body: Value, kinds: &[&str]) -> (Value, Vec<Value>) {
        self.world.clock.advance(1);
        let Answer { status, body, request_id, text: shown, .. } = self.world.owner(method, rest, body).await;
        assert!((200..300).contains(&status), "{method} {rest}: {shown}");
        let mut events = self.new_events().await;
        let expected: BTreeSet<_> = kinds.iter().map(ToString::to_string).collect();
        let found: BTreeSet<_> = events.iter().map(|event| text(&event["type"])).collect();
        assert_eq!((found, events.len()), (expected, kinds.len()), "{method} {rest}");
        events.sort_by_key(|event| kinds.iter().position(|kind| event["type"] == *kind));
        for event in &events {
            let actor = json!({"type": "administrator", "key": self.world.owner_id, "role": "owner"});
            assert_eq!(event["actor"], actor);
            assert_eq!(event["client_ip"], CLIENT.to_string());
            assert_eq!(event["request_id"], request_id);
        }
        (body, events)
    }

    async fn silent(&mut self, method: &str, rest: &str, body: Value) -> Answer {
        let answer = self.world.owner(method, rest, body).await;
        assert_eq!(self.new_events().await, Vec::<Value>::new(), "{method} {rest}");
        answer
    }
}

fn one(events: Vec<Value>) -> Value {
    events.into_iter().next().expect("an event")
}

#[tokio::test]
async fn t21_every_kind_of_change_is_told_once_by_whom_and_from_where() {
    let mut w = Witness::new().await;
    w.told("PATCH", "", json!({"name": "Acme Inc"}), &["tenant.changed"]).await;
    w.told("PATCH", "/security", json!({"mfa": {"sms": {"enabled": true}}}), &["tenant.security.changed"])
        .await;

    let body = json!({"name": "Shop", "type": "confidential", "origins": ["https://shop.example"]});
    let (application, events) = w.told("POST", "/applications", body, &["application.created"]).await;
    let id = text(&application["id"]);
    let event = one(events);
    assert_eq!((&event["application"], &event["before"]), (&json!(id), &Value::Null));
    let secret = text(&application["secret"]["id"]);
    assert_eq!(event["after"]["secrets"], json!([secret]));
    let at = format!("/applications/{id}");
    let (_, events) = w.told("PATCH", &at, json!({"name": "Bank"}), &["application.changed"]).await;
    let event = one(events);
    assert_eq!((&event["before"], &event["after"]), (&json!({"name": "Shop"}), &json!({"name": "Bank"})));
    w.told("PATCH", &at, json!({"customize_security": true}), &["application.changed"]).await;
    let path = format!("{at}/security");
    w.told("PATCH", &path, json!({"code": {"length": 8}}), &["application.security.changed"]).await;
    let (second, events) =
        w.told("POST", &format!("{at}/secrets"), json!({}), &["application.secret.added"]).await;
    let second = text(&second["id"]);
    assert_eq!(one(events)["after"], json!({"secrets": [secret, second]}));
    let path = format!("{at}/secrets/{secret}");
    let (_, events) = w.told("DELETE", &path, Value::Null, &["application.secret.removed"]).await;
    let event = one(events);
    assert_eq!(event["before"], json!({"secrets": [secret, second]}));
    assert_eq!(event["after"], json!({"secrets": [second]}));
    let (_, events) = w.told("DELETE", &at, Value::Null, &["application.deleted"]).await;
    let event = one(events);
    assert_eq!((&event["before"]["name"], &event["after"]), (&json!("Bank"), &Value::Null));

    let body =
        json!({"kind": "oidc", "name": "Corporate", "issuer": "https://login.example", "audience": "shop"});
    let (source, events) = w.told("POST", "/identity-sources", body, &["identity_source.created"]).await;
    assert_eq!(one(events)["after"]["issuer"], "https://login.example");
    let path = format!("/identity-sources/{}", text(&source["id"]));
    let (_, events) = w.told("DELETE", &path, Value::Null, &["identity_source.deleted"]).await;
    assert_eq!(one(events)["before"]["id"], source["id"]);

    let body = json!({"role": "owner", "name": "Second"});
    let (key, events) = w.told("POST", "/admin-keys", body, &["admin_key.created"]).await;
    let expected = json!({"id": key["id"], "role": "owner", "name": "Second", "expires_at": null});
    assert_eq!(one(events)["after"], expected);
    let path = format!("/admin-keys/{}", text(&key["id"]));
    let (_, events) = w.told("DELETE", &path, Value::Null, &["admin_key.deleted"]).await;
    assert_eq!(one(events)["before"], expected);
    users_are_told(&mut w).await;

    // A new tenant's events are its own, and the operator's.
    let made = w.world.new_tenant().await;
    let path = format!("/v1/tenants/{}/audit-events", text(&made["id"]));
    let key = text(&made["admin_key"]["secret"]);
    let first = w.world.call(&key, "GET", &path, "", "").await.expect(200);
    for event in first["items"].as_array().expect("items") {
        assert_eq!(event["actor"], json!({"type": "operator"}));
        w.kinds.insert(text(&event["type"]));
    }
    assert_eq!(w.new_events().await, Vec::<Value>::new());
    let all = EventKind::ALL.iter().map(|kind| kind.as_str().to_owned());
    assert_eq!(w.kinds, all.filter(|kind| !OF_USERS.contains(&&**kind)).collect());
}

/// What users do and what comes of their logins: the other suites' (shared/tests/me, tests/trail). And sessions of the console
/// (shared/tests/policy_admin).
const OF_USERS: [&str; 13] = [
    "code.accepted",
    "code.rejected",
    "console_session.ended",
    "console_session.started",
    "factor.disabled",
    "login.blocked",
    "qr_login.approved",
    "qr_login.rejected",
    "recovery_code.used",
    "recovery_codes.made",
    "send.refused",
    "trusted_device.added",
    "trusted_device.revoked",
];

async fn users_are_told(w: &mut Witness) {
    let body = json!({"username": "ana", "phone": "+12025550142", "password": "correct horse"});
    let (user, events) = w.told("POST", "/users", body, &["user.created", "phone.bound"]).await;
    let id = text(&user["id"]);
    assert!(events.iter().all(|event| event["user"] == *id));
    assert_eq!((&events[0]["before"], &events[0]["after"]["password"]), (&Value::Null, &json!("set")));
    assert_eq!(events[1]["before"], json!({"phone": null}));
    assert_eq!(events[1]["after"]["phone"]["hint"], "+1 ••• ••• ••42");
    let (at, phone) = (format!("/users/{id}"), format!("/users/{id}/phone"));
    w.told("PATCH", &at, json!({"email": "ana@example.com"}), &["user.changed"]).await;
    let (_, events) = w.told("PATCH", &at, json!({"password": "battery staple"}), &["user.changed"]).await;
    let event = one(events);
    assert_eq!(event["before"], json!({"password": "set"}));
    assert_eq!(event["after"], json!({"password": "replaced"}));
    let number = |number: &str| json!({"phone": number});
    let (_, events) = w.told("PUT", &phone, number("+12025550177"), &["phone.replaced"]).await;
    let event = one(events);
    assert_eq!(event["before"]["phone"]["hint"], "+1 ••• ••• ••42");
    assert_eq!(event["after"]["phone"]["hint"], "+1 ••• ••• ••77");
    set_failures(&w.world, &id, 3).await;
    let (_, events) = w.told("PUT", &phone, number("+12025550177"), &["factor.reset"]).await;
    assert_eq!(one(events)["before"], json!({"failed_codes": 3}));
    let (_, events) = w.told("DELETE", &phone, Value::Null, &["phone.unbound"]).await;
    assert_eq!(one(events)["after"], json!({"phone": null}));
    w.told("PUT", &phone, number("+12025550142"), &["phone.bound"]).await;
    w.told("DELETE", &at, Value::Null, &["user.deleted", "phone.unbound"]).await;
    // What happened to the user outlives it.
    assert_eq!(w.world.events(&format!("&user={id}"), 100).await.len(), 10);
}

async fn set_failures(world: &World, user: &str, failures: u32) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let request = world.store.client().update_item().table_name(world.store.logins());
    request
        .key("pk", AttributeValue::S(format!("login#{}#{user}", world.tenant)))
        .key("sk", AttributeValue::S("factor".to_owned()))
        .update_expression("SET failures = :failures")
        .expression_attribute_values(":failures", AttributeValue::N(failures.to_string()))
        .send()
        .await
        .expect("an update");
}

#[tokio::test]
async fn before_and_after_are_what_the_answers_of_the_api_differ_in() {
    let mut w = Witness::new().await;
    let body =
        json!({"kind": "oidc", "name": "Corporate", "issuer": "https://login.example", "audience": "shop"});
    let source = text(&w.world.owner("POST", "/identity-sources", body).await.expect(201)["id"]);
    let application = w.world.application().await;
    let (application, security) =
        (format!("/applications/{application}"), format!("/applications/{application}/security"));
    w.new_events().await;
    let rules = json!({
        "mfa": {"sms": {"enabled": true}},
        "code": {
            "length": 7, "lifetime_seconds": 61, "max_attempts": 4, "resend_cooldown_seconds": 31, "max_sends": 6,
        },
        "phone_binding": {"self_service": false},
        "trusted_devices": {"enabled": true, "days": 5},
    });
    let mut all = rules.clone();
    all["identity_sources"] = json!({&source: false});
    all["countries"] = json!({"allow": ["CA", "US"]});
    all["limits"] = json!({
        "per_phone_hour": 1, "per_phone_day": 2, "per_user_hour": 3, "per_ip_hour": 4, "per_range_hour": 5,
        "per_country_day": 6, "per_application_day": 7, "per_tenant_day": 8, "budget_usd_day": 9,
    });
    all["recovery_codes"] = json!({"enabled": true});
    all["sending"] = json!({"enabled": false});
    let details = json!({
        "name": "Bank", "type": "confidential", "origins": ["https://a.example"],
        "redirect_uris": ["https://a.example/in"], "message_host": "b.example", "customize_security": true,
    });
    for (path, patch, kind) in [
        ("", json!({"name": "Bank", "home_country": "CA", "production": true}), "tenant.changed"),
        ("/security", all, "tenant.security.changed"),
        (&application, details, "application.changed"),
        (&security, rules_other_than(&rules), "application.security.changed"),
    ] {
        let mut before = w.world.owner("GET", path, Value::Null).await.body;
        let (mut after, events) = w.told("PATCH", path, patch.clone(), &[kind]).await;
        // Those follow from the settings.
        for answer in [&mut before, &mut after] {
            answer.as_object_mut().expect("an object").remove("notices");
        }
        let leaves = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<BTreeSet<_>>());
        let (was, is) = difference(&before, &after);
        assert_eq!(leaves(&is), leaves(&patch), "the patch changes every setting: {path}");
        let event = one(events);
        let (mut told_was, mut told_is) = (event["before"].clone(), event["after"].clone());
        if path == application {
            // The rules that were copied: not in the application's own answer, but in that of its settings.
            let copied = told_is.as_object_mut().expect("an object").remove("security");
            let mut answered = w.world.get(&security).await;
            answered.as_object_mut().expect("an object").remove("notices");
            assert_eq!(copied, Some(answered));
            assert_eq!(told_was.as_object_mut().expect("an object").remove("security"), Some(Value::Null));
        }
        assert_eq!((told_was, told_is), (was, is), "{path}");
    }
}

/// Every setting of an application, with other values.
fn rules_other_than(rules: &Value) -> Value {
    let mut other = rules.clone();
    other["mfa"]["sms"]["enabled"] = json!(false);
    other["code"] = json!({
        "length": 8, "lifetime_seconds": 62, "max_attempts": 3, "resend_cooldown_seconds": 32, "max_sends": 7,
    });
    other["phone_binding"]["self_service"] = json!(true);
    other["trusted_devices"] = json!({"enabled": false, "days": 6});
    other
}

#[tokio::test]
async fn a_change_that_changes_nothing_or_is_refused_is_not_told() {
    let mut w = Witness::new().await;
    let application = format!("/applications/{}", w.world.application().await);
    let body = json!({"username": "ana", "phone": "+12025550142", "email": "ana@example.com"});
    let user = format!("/users/{}", w.world.user(body).await);
    let phone = format!("{user}/phone");
    w.world.user(json!({"username": "bob", "phone": "+12025550177"})).await;
    w.new_events().await;
    for (path, same) in [
        ("", json!({"name": "Acme"})),
        ("", json!({})),
        ("/security", json!({"code": {"length": 6}, "limits": {"per_phone_hour": null}})),
        (&application, json!({"name": "Shop", "customize_security": false})),
        (&user, json!({"username": "ANA", "email": "Ana@Example.com", "locale": null})),
    ] {
        w.silent("PATCH", path, same).await.expect(200);
    }
    w.silent("PUT", &phone, json!({"phone": "+1 (202) 555-0142"})).await.expect(200);

    w.silent("PATCH", "/security", json!({"code": {"length": 5}})).await.refused(400, "invalid_request");
    let path = format!("{application}/security");
    w.silent("PATCH", &path, json!({"code": {"length": 7}})).await.refused(409, "security_not_customized");
    w.silent("PATCH", &user, json!({"username": "bob"})).await.refused(409, "duplicate");
    w.silent("POST", "/users", json!({"username": "bob"})).await.refused(409, "duplicate");
    w.silent("PUT", &phone, json!({"phone": "+12025550177"})).await.refused(409, "phone_taken");
    let nobody = format!("/users/usr_{}", "0".repeat(22));
    w.silent("DELETE", &nobody, Value::Null).await.refused(404, "not_found");
    let last = format!("/admin-keys/{}", w.world.owner_id);
    w.silent("DELETE", &last, Value::Null).await.refused(409, "conflict");
    let auditor = w.world.key("auditor").await;
    w.new_events().await;
    let path = w.world.path("");
    w.world.call(&auditor, "PATCH", &path, r#"{"name":"Mine"}"#, "").await.refused(403, "forbidden");
    assert_eq!(w.new_events().await, Vec::<Value>::new());
}
