//! The policy through real logins: acceptance B, C, G, H3.

use crate::world::World;
use serde_json::{Value, json};
use tests::http_client::Call;
use tests::values::text;

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";

/// A tenant with one bound user and one identity source.
struct Policy {
    world: World,
    user: String,
    source: String,
}

impl Policy {
    async fn new() -> Self {
        let world = World::fresh().await;
        let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
        let source = Self::source(&world, "Company").await;
        Self { world, user, source }
    }

    async fn source(world: &World, name: &str) -> String {
        let body =
            json!({ "kind": "oidc", "name": name, "issuer": "https://id.example.com", "audience": "mfa" });
        text(&world.admin("POST", "/identity-sources", Some(&body)).await.expect(201), "/id")
    }

    async fn tenant_sms(&self, on: bool) {
        self.world.security(json!({ "mfa": { "sms": { "enabled": on } } })).await;
    }

    async fn switch(&self, source: &str, state: Value) {
        self.world.security(json!({ "identity_sources": { source: state } })).await;
    }

    fn application(&self) -> String {
        format!("/applications/{}", self.world.application)
    }

    async fn customize(&self, on: bool) {
        let body = json!({ "customize_security": on });
        self.world.admin("PATCH", &self.application(), Some(&body)).await.expect(200);
    }

    async fn application_sms(&self, on: bool) {
        let body = json!({ "mfa": { "sms": { "enabled": on } } });
        let path = format!("{}/security", self.application());
        let answer = self.world.admin("PATCH", &path, Some(&body)).await.expect(200);
        assert_eq!(answer["mfa"]["sms"]["enabled"], on);
    }

    /// Whether a login asks for a code, by password or through a source; `explain` has to say the same.
    async fn asks(&self, source: Option<&str>) -> bool {
        self.asks_at(&self.world.application, &self.world.secret, source).await
    }

    async fn asks_at(&self, application: &str, secret: &str, source: Option<&str>) -> bool {
        let answer = match source {
            None => self.world.start_password(application, "ann", PASSWORD).await.expect(200),
            Some(source) => {
                let assertion = json!({ "user": self.user, "identity_source": source });
                let body = json!({ "application": application, "assertion": assertion });
                self.world.local.send(Call::post("/v1/logins", &body).bearer(secret)).await.expect(200)
            }
        };
        let asked = answer["tokens"].is_null();
        assert_eq!(answer["login"]["mfa"]["required"], asked);
        assert_eq!(answer["login_token"].is_null(), !asked);
        let mut question = json!({ "application": application, "user": self.user });
        if let Some(source) = source {
            question["identity_source"] = source.into();
        }
        let told = self.world.admin("POST", "/policy/explain", Some(&question)).await.expect(200);
        assert_eq!(told["mfa_required"], asked, "h3: {told}");
        assert_eq!(told["factor"], if asked { json!("sms") } else { Value::Null });
        asked
    }

    async fn decided_by(&self, source: Option<&str>) -> String {
        let mut question = json!({ "application": self.world.application });
        if let Some(source) = source {
            question["identity_source"] = source.into();
        }
        let told = self.world.admin("POST", "/policy/explain", Some(&question)).await.expect(200);
        text(&told, "/decided_by")
    }
}

#[tokio::test]
async fn c_every_row_of_the_decision_table_is_what_a_login_does() {
    let policy = Policy::new().await;
    let source = policy.source.clone();
    // customise, application SMS, tenant SMS → local, source on, source off, source unset
    let rows = [
        (false, None, false, [false, false, false, false]),
        (false, None, true, [true, true, false, true]),
        (true, Some(true), false, [true, true, false, false]),
        (true, Some(true), true, [true, true, false, true]),
        (true, Some(false), true, [false, true, false, true]),
        (true, Some(false), false, [false, false, false, false]),
    ];
    for (customize, application, tenant, expected) in rows {
        policy.tenant_sms(tenant).await;
        policy.customize(customize).await;
        if let Some(on) = application {
            policy.application_sms(on).await;
        }
        let row = format!("customise {customize}, application {application:?}, tenant {tenant}");
        assert_eq!(policy.asks(None).await, expected[0], "{row}: local login (C6)");
        for (state, expected) in
            [(json!(true), expected[1]), (json!(false), expected[2]), (Value::Null, expected[3])]
        {
            policy.switch(&source, state.clone()).await;
            assert_eq!(policy.asks(Some(&source)).await, expected, "{row}: source {state}");
        }
    }
}

#[tokio::test]
async fn h3_explain_names_the_rule_that_decided() {
    let policy = Policy::new().await;
    let source = policy.source.clone();
    assert_eq!(policy.decided_by(None).await, "tenant");
    assert_eq!(policy.decided_by(Some(&source)).await, "source_off");
    policy.switch(&source, json!(true)).await;
    assert_eq!(policy.decided_by(Some(&source)).await, "no_factor");
    policy.tenant_sms(true).await;
    policy.customize(true).await;
    policy.application_sms(false).await;
    assert_eq!(policy.decided_by(None).await, "application");
    assert_eq!(policy.decided_by(Some(&source)).await, "source_on_tenant_factor");
}

#[tokio::test]
async fn b2_b3_settings_of_its_own_come_and_go_with_the_switch() {
    let policy = Policy::new().await;
    let path = format!("{}/security", policy.application());
    for method in ["GET", "PATCH"] {
        let body = json!({ "mfa": { "sms": { "enabled": true } } });
        let body = (method == "PATCH").then_some(&body);
        policy.world.admin(method, &path, body).await.refused(409, "security_not_customized");
    }
    policy.customize(true).await;
    policy.application_sms(true).await;
    assert!(policy.asks(None).await, "b6");
    policy.customize(false).await;
    assert!(!policy.asks(None).await, "b8: the tenant's rules hold again at once");
    policy.world.admin("GET", &path, None).await.refused(409, "security_not_customized");
}

#[tokio::test]
async fn b4_b5_the_switch_takes_a_fresh_copy_and_from_then_on_they_are_apart() {
    let policy = Policy::new().await;
    let path = format!("{}/security", policy.application());
    policy.world.security(json!({ "mfa": { "sms": { "enabled": true } }, "code": { "length": 8 } })).await;
    policy.customize(true).await;
    let copy = policy.world.admin("GET", &path, None).await.expect(200);
    assert_eq!((&copy["mfa"]["sms"]["enabled"], &copy["code"]["length"]), (&json!(true), &json!(8)));
    policy.world.security(json!({ "code": { "length": 10 }, "mfa": { "sms": { "enabled": false } } })).await;
    let own = policy.world.admin("GET", &path, None).await.expect(200);
    assert_eq!(own, copy, "b5: the tenant's change leaves it alone");
    assert!(policy.asks(None).await, "g3");
    policy.application_sms(false).await;
    let tenant = policy.world.admin("GET", "/security", None).await.expect(200);
    assert_eq!(tenant["code"]["length"], 10, "b5: and the other way round");
    policy.customize(false).await;
    policy.customize(true).await;
    let fresh = policy.world.admin("GET", &path, None).await.expect(200);
    assert_eq!((&fresh["mfa"]["sms"]["enabled"], &fresh["code"]["length"]), (&json!(false), &json!(10)));
}

#[tokio::test]
async fn b7_another_application_keeps_the_tenants_rules() {
    let policy = Policy::new().await;
    policy.customize(true).await;
    policy.application_sms(true).await;
    let other = policy.world.application(json!({ "name": "Other" })).await;
    let (id, secret) = (text(&other, "/id"), text(&other, "/secret/secret"));
    assert!(policy.asks(None).await);
    assert!(!policy.asks_at(&id, &secret, None).await);
    policy.tenant_sms(true).await;
    policy.application_sms(false).await;
    assert!(!policy.asks(None).await, "g1");
    assert!(policy.asks_at(&id, &secret, None).await, "c1");
}

#[tokio::test]
async fn c2_c3_c7_sources_have_a_switch_each_with_three_states() {
    let policy = Policy::new().await;
    let (one, other) = (policy.source.clone(), Policy::source(&policy.world, "Partner").await);
    let listed = policy.world.admin("GET", "/security", None).await.expect(200);
    assert_eq!(listed["identity_sources"], json!({ &one: null, &other: null }), "c2: every source, unset");
    policy.tenant_sms(true).await;
    policy.switch(&one, json!(false)).await;
    assert!(!policy.asks(Some(&one)).await);
    assert!(policy.asks(Some(&other)).await, "c7");
    policy.tenant_sms(false).await;
    policy.tenant_sms(true).await;
    assert!(!policy.asks(Some(&one)).await, "c3: what was set survives the tenant's switch");
    policy.switch(&one, Value::Null).await;
    assert!(policy.asks(Some(&one)).await, "c3: unset again follows it");
    let unknown = json!({ "identity_sources": { "src_0000000000000000000000": true } });
    policy.world.admin("PATCH", "/security", Some(&unknown)).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn g4_g5_a_login_in_flight_keeps_its_policy_and_users_keep_their_numbers() {
    let policy = Policy::new().await;
    policy.tenant_sms(true).await;
    let login = policy.world.login("ann", PASSWORD).await;
    policy.tenant_sms(false).await;
    assert!(!policy.asks(None).await, "g2");
    assert_eq!(policy.world.look(&login).await["login"]["status"], "enter_code", "g5: never by itself");
    policy.world.send_code(&login).await;
    let code = policy.world.local.code_sent_to(NUMBER).await;
    policy.world.guess(&login, &code).await.expect(200);
    policy.tenant_sms(true).await;
    let again = policy.world.login("ann", PASSWORD).await;
    assert_eq!(again.answer["login"]["status"], "enter_code", "g4: straight to the code");
}
