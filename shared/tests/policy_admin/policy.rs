//! C, G and H3: the tenant's switch, identity sources, and what is decided.

use crate::world::{TestTenant, World, text};
use serde_json::{Value, json};

struct Scene {
    world: World,
    tenant: TestTenant,
    application: String,
    source: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant().await;
        let application = tenant.application(&world).await;
        let source = tenant.source(&world).await;
        Self { world, tenant, application, source }
    }

    async fn tenant_sms(&self, on: bool) {
        self.tenant.set(&self.world, json!({"mfa": {"sms": {"enabled": on}}})).await;
    }

    /// `None`: follows the tenant.
    async fn application_sms(&self, custom: Option<bool>) {
        let (world, key) = (&self.world, &self.tenant.key);
        let switch = json!({"customize_security": custom.is_some()});
        world.patch(&self.application, key, switch).await.expect(200);
        if let Some(on) = custom {
            let patch = json!({"mfa": {"sms": {"enabled": on}}});
            world.patch(&format!("{}/security", self.application), key, patch).await.expect(200);
        }
    }

    async fn source_switch(&self, value: Value) -> Value {
        self.tenant.set(&self.world, json!({"identity_sources": {&self.source: value}})).await
    }

    async fn explain(&self, source: Option<&str>) -> (bool, String) {
        let application = self.application.rsplit('/').next();
        let body = json!({"application": application, "identity_source": source});
        let path = self.tenant.path("/policy/explain");
        let answer = self.world.post(&path, &self.tenant.key, body).await.expect(200);
        let required = answer["mfa_required"].as_bool().expect("a boolean");
        assert_eq!(answer["factor"], if required { json!("sms") } else { Value::Null });
        assert!(!answer["chain"].as_array().expect("a list").is_empty());
        (required, text(&answer["decided_by"]))
    }
}

/// One row of the table: customised SMS, tenant's SMS, then what a local login, and one through a source that is on, unset and off,
/// are told.
type Row = (Option<bool>, bool, [(bool, &'static str); 4]);

const TABLE: [Row; 6] = [
    (None, false, [(false, "tenant"), (false, "no_factor"), (false, "source_off"), (false, "source_off")]),
    (None, true, [(true, "tenant"), (true, "tenant"), (true, "tenant"), (false, "source_off")]),
    (
        Some(true),
        false,
        [(true, "application"), (true, "application"), (false, "source_off"), (false, "source_off")],
    ),
    (
        Some(true),
        true,
        [(true, "application"), (true, "application"), (true, "application"), (false, "source_off")],
    ),
    (
        Some(false),
        true,
        [
            (false, "application"),
            (true, "source_on_tenant_factor"),
            (true, "source_on_tenant_factor"),
            (false, "source_off"),
        ],
    ),
    (
        Some(false),
        false,
        [(false, "application"), (false, "no_factor"), (false, "source_off"), (false, "source_off")],
    ),
];

#[tokio::test]
async fn h3_c_explain_answers_the_whole_table() {
    let scene = Scene::new().await;
    for (custom, tenant, expected) in TABLE {
        scene.tenant_sms(tenant).await;
        scene.application_sms(None).await;
        scene.application_sms(custom).await;
        let mut told = vec![scene.explain(None).await];
        for switch in [json!(true), Value::Null, json!(false)] {
            scene.source_switch(switch).await;
            told.push(scene.explain(Some(&scene.source)).await);
        }
        let told: Vec<_> = told.iter().map(|(required, by)| (*required, by.as_str())).collect();
        assert_eq!(told, expected, "customise {custom:?}, tenant {tenant}");
    }
}

#[tokio::test]
async fn c2_c3_c7_every_source_is_listed_and_keeps_what_was_set() {
    let scene = Scene::new().await;
    let other = scene.tenant.source(&scene.world).await;
    let listed = |security: &Value| security["identity_sources"].clone();
    let path = scene.tenant.path("/security");
    let fresh = scene.world.get(&path, &scene.tenant.key).await.expect(200);
    assert_eq!(listed(&fresh), json!({&scene.source: null, &other: null}));

    let set = scene.source_switch(json!(false)).await;
    let expected = json!({&scene.source: false, &other: null});
    assert_eq!(listed(&set), expected, "C7");
    scene.tenant_sms(true).await;
    scene.tenant_sms(false).await;
    assert_eq!(listed(&scene.world.get(&path, &scene.tenant.key).await.expect(200)), expected, "C3");
    assert_eq!(listed(&scene.source_switch(Value::Null).await), json!({&scene.source: null, &other: null}));
}

#[tokio::test]
async fn c2_a_foreign_source_has_no_switch_here() {
    let scene = Scene::new().await;
    let stranger = scene.world.tenant().await;
    let foreign = stranger.source(&scene.world).await;
    for id in [foreign.as_str(), "src_aaaaaaaaaaaaaaaaaaaaaa", "oops", ""] {
        let patch = json!({"identity_sources": {id: true}, "mfa": {"sms": {"enabled": true}}});
        let answer = scene.world.patch(&scene.tenant.path("/security"), &scene.tenant.key, patch).await;
        answer.refused(400, "invalid_request");
    }
    let security = scene.world.get(&scene.tenant.path("/security"), &scene.tenant.key).await.expect(200);
    assert_eq!(security["mfa"]["sms"]["enabled"], false, "a refused patch changes nothing");
}

#[tokio::test]
async fn a_source_goes_with_its_switch() {
    let scene = Scene::new().await;
    scene.source_switch(json!(true)).await;
    let path = scene.tenant.path(&format!("/identity-sources/{}", scene.source));
    let read = scene.world.get(&path, &scene.tenant.key).await.expect(200);
    assert_eq!((&read["kind"], &read["jwks_uri"]), (&json!("oidc"), &Value::Null));
    assert_eq!(scene.world.delete(&path, &scene.tenant.key).await.status, 204);
    scene.world.delete(&path, &scene.tenant.key).await.refused(404, "not_found");
    scene.world.get(&path, &scene.tenant.key).await.refused(404, "not_found");
    let security = scene.world.get(&scene.tenant.path("/security"), &scene.tenant.key).await.expect(200);
    assert_eq!(security["identity_sources"], json!({}));
    // One without a switch goes as well.
    let second = scene.tenant.source(&scene.world).await;
    let path = scene.tenant.path(&format!("/identity-sources/{second}"));
    assert_eq!(scene.world.delete(&path, &scene.tenant.key).await.status, 204);
    let list = scene.world.get(&scene.tenant.path("/identity-sources"), &scene.tenant.key).await.expect(200);
    assert_eq!(list, json!({"items": [], "next": null}));
}

#[tokio::test]
async fn h3_explain_knows_only_what_is_the_tenants_own() {
    let scene = Scene::new().await;
    let stranger = scene.world.tenant().await;
    let theirs = stranger.application(&scene.world).await;
    let their_source = stranger.source(&scene.world).await;
    let id = |path: &str| path.rsplit('/').next().expect("an id").to_owned();
    let own = id(&scene.application);
    let unknown = format!("{}zzzzzzzzzz", &own[..own.len() - 10]);
    let path = scene.tenant.path("/policy/explain");
    let ask = |body: Value| scene.world.post(&path, &scene.tenant.key, body);
    ask(json!({"application": id(&theirs)})).await.refused(404, "not_found");
    ask(json!({"application": unknown})).await.refused(404, "not_found");
    ask(json!({"application": own, "identity_source": their_source})).await.refused(404, "not_found");
    ask(json!({"application": "shop"})).await.refused(400, "invalid_request");
    ask(json!({"application": own, "user": "ana"})).await.refused(400, "invalid_request");
    ask(json!({"application": own, "user": "usr_aaaaaaaaaaaaaaaaaaaaaa"})).await.refused(404, "not_found");
    // The operator reads it too.
    scene.world.post(&path, &scene.world.operator, json!({"application": own})).await.expect(200);
}

#[tokio::test]
async fn the_risk_of_sms_is_told_while_it_is_on_and_an_answer_can_be_sent_back() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let path = tenant.path("/security");
    let off = world.get(&path, &tenant.key).await.expect(200);
    assert!(off["notices"].is_null());
    let on = tenant.set(&world, json!({"mfa": {"sms": {"enabled": true}}})).await;
    assert_eq!(on["notices"][0]["code"], "sms_is_restricted");
    assert!(on["notices"][0]["detail"].as_str().is_some_and(|text| text.contains("restricted")));
    let again = world.patch(&path, &tenant.key, on.clone()).await.expect(200);
    assert_eq!(again, on);
    assert_eq!(tenant.set(&world, off.clone()).await, off);
}
