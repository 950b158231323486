//! What the service really takes and answers, against docs/openapi.yaml: every operation is called once at least with the document's own
//! example, and every answer has to be what the document says, with no member more and none less.

use crate::spec::Spec;
use serde_json::{Value, json};
use shared::config::SystemClock;
use shared::pages::assets::{script, style};
use shared::ports::Clock;
use std::collections::{BTreeMap, BTreeSet};
use tests::hosted;
use tests::http_client::Call;
use tests::local::Local;
use tests::values::text;

/// A client that knows nothing but the document.
struct Client {
    spec: Spec,
    local: Local,
    /// What stands for the ids of the document's examples.
    real: BTreeMap<&'static str, String>,
    called: BTreeSet<String>,
    /// The last one that was set.
    cookie: String,
}

/// The ids of the document's examples.
const TENANT: &str = "ten_c9G6jkWw6EU2";
const APPLICATION: &str = "app_c9G6jkWw6EU2SBRKrKwSm1";
const SOURCE: &str = "src_v5bq0PmEbTB9c1Jz6hLkXo";
const KEY: &str = "key_ldvYBOdtWHeT";
const USER: &str = "usr_UnbUzVv0gEEfyMKr6TZnr6";
const DEVICE: &str = "dev_4vJ9sNc0Wq2RtYxB7mKfLd";
const DEVICE_TOKEN: &str =
    "mfa_device_4vJ9sNc0Wq2RtYxB7mKfLd_pS8hZ3uGqE1wXn5aTjC6oVyRk0iMbQ9fDl2eHzJsWtP7gNcU4xA";
const QR: &str = "qr_c9G6jkWw6EU27dN2xQv0mTfR4sKjB9wLhE";
const QR_SECRET: &str =
    "mfa_qr_c9G6jkWw6EU27dN2xQv0mTfR4sKjB9wLhE_Zp5nXc8Yt2RvQ7mKfLd1wHsJ4gBaE6uTi9OyWx3NqCrD0lMk";
const LOGIN: &str = "log_INWADiZTFnLS1Ip81uAVJ3";
const CONSOLE_VERSION: &str = "0a1b2c3d4e5f6071";
const AUTHORIZATION_CODE: &str = "AQhzLTE3OTU1Mjg4MDB";
const CALLBACK: &str = "https://shop.example.com/callback";
const ASSET: &str = "app.js";
const CODE: &str = "493021";

impl Client {
    async fn start() -> Self {
        Self {
            spec: Spec::read(),
            local: Local::start().await,
            real: BTreeMap::new(),
            called: BTreeSet::new(),
            cookie: String::new(),
        }
    }

    fn put(&self, text: &str) -> String {
        self.real.iter().fold(text.to_owned(), |text, (example, real)| text.replace(example, real))
    }

    /// Takes a member of an answer for one of the examples' ids.
    fn takes(&mut self, example: &'static str, answer: &Value, pointer: &str) {
        self.real.insert(example, text(answer, pointer));
    }

    /// Calls an operation with one of its examples (`""`: without a body), and checks the answer's status, type and members.
    async fn call(&mut self, operation: &str, example: &str, credential: &str, status: u16) -> Value {
        let operations = self.spec.operations();
        let described = operations.get(operation).unwrap_or_else(|| panic!("no operation {operation}"));
        let path = described.path;
        let mut target = path.to_owned();
        for (name, parameter) in self.spec.0["components"]["parameters"].as_object().expect("parameters") {
            if let Some(id) = parameter["example"].as_str() {
                target = target.replace(&format!("{{{name}}}"), id);
            }
        }
        let mut call = Call::new(&described.method, &self.put(&target));
        if path.starts_with("/v1/console/") {
            call = call.header("x-console", "1").header("sec-fetch-site", "same-origin");
        }
        if described.value["security"][0].get("consoleSession").is_some() {
            call = call.header("cookie", credential);
        } else if !credential.is_empty() {
            call = call.bearer(credential);
        }
        if !example.is_empty() {
            let content = described.value["requestBody"]["content"].as_object().unwrap();
            let (media, described) = content.iter().next().unwrap();
            let body = &described["examples"][example]["value"];
            assert!(body.is_object(), "{operation} has no example {example}");
            let body: Value = serde_json::from_str(&self.put(&body.to_string())).unwrap();
            call = if media == "application/json" { call.json(&body) } else { form(&call.target, &body) };
        }
        let answer = self.local.send(call).await;
        let at = format!("{operation} {example}");
        assert_eq!(answer.status, status, "{at}: {}", answer.text());
        let response = &described.value["responses"][status.to_string()];
        assert!(response.is_object(), "{at}: {status} is not described");
        let response = self.spec.resolve(response);
        for (header, described) in response["headers"].as_object().into_iter().flatten() {
            let required = self.spec.resolve(described)["required"] == true;
            assert!(!required || answer.header(&header.to_lowercase()).is_some(), "{at}: no {header}");
        }
        match answer.header("content-type") {
            Some(media) => self.spec.check(&response["content"][media]["schema"], &answer.json, &at),
            None => assert!(answer.body.is_empty() && response["content"].is_null(), "{at}"),
        }
        if let Some(cookie) = answer.header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        }
        self.called.insert(operation.to_owned());
        answer.json
    }
}

/// A QR login that is approved, and one that is not.
async fn qr_logins(client: &mut Client, access: &str) {
    for decision in ["reject_qr_login", "approve_qr_login"] {
        let asked = client.call("ask_qr_login", "browser", "", 201).await;
        // The secret has the id in it.
        client.takes(QR_SECRET, &asked, "/secret");
        client.takes(QR, &asked, "/qr/id");
        let secret = text(&asked, "/secret");
        client.call("get_qr_login", "", &secret, 200).await;
        client.call("get_qr_login", "", access, 401).await;
        client.call("start_login", "qr", "", 409).await;
        client.call(decision, "", access, 409).await;
        client.call("scan_qr_login", "", access, 200).await;
        client.call(decision, "", access, 200).await;
    }
    client.call("start_login", "qr", "", 200).await;
    client.call("start_login", "qr", "", 410).await;
}

fn form(target: &str, fields: &Value) -> Call {
    let fields = fields.as_object().unwrap().iter();
    let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    hosted::form(target, &fields)
}

/// What an application does that has a hosted login's code.
async fn hosted_login(client: &mut Client, admin: &str) {
    let (application, user) = (client.real[APPLICATION].clone(), client.real[USER].clone());
    let path = format!("/v1/tenants/{}/applications/{application}", client.real[TENANT]);
    let change = json!({ "redirect_uris": [CALLBACK] });
    client.local.send(Call::new("PATCH", &path).bearer(admin).json(&change)).await.expect(200);
    client.call("get_openid_configuration", "", "", 200).await;
    client.call("authorize", "", "", 400).await;
    client.call("authorize_by_form", "login", "", 303).await;
    let code = hosted::code(&application, &user, CALLBACK, SystemClock.now());
    client.call("exchange_code", "code", "", 400).await;
    client.real.insert(AUTHORIZATION_CODE, client.local.seals().code(&code));
    let tokens = client.call("exchange_code", "code", "", 200).await;
    let access = text(&tokens, "/access_token");
    client.call("get_userinfo", "", &access, 200).await;
    client.call("get_userinfo_by_form", "", &access, 200).await;
    client.call("exchange_code", "code", "", 400).await;
    client.call("get_userinfo", "", &access, 401).await;
    client.call("get_userinfo_by_form", "", "", 401).await;
}

/// What a browser without a login of its own is answered.
async fn hosted_pages(client: &mut Client) {
    client.call("get_login_page", "", "", 400).await;
    client.call("send_login_code", "", "", 400).await;
    for operation in [
        "submit_login_password",
        "submit_login_phone",
        "submit_login_qr",
        "resend_login_code",
        "submit_login_code",
        "leave_login",
        "continue_login",
    ] {
        client.call(operation, "", "", 303).await;
        client.call(operation, "form", "", 303).await;
    }
    client.call("look_at_login_qr", "", "", 200).await;
    client.call("get_scan_page", "", "", 400).await;
    client.call("sign_in_to_scan", "", "", 400).await;
    client.call("arrive_at_scan", "", "", 400).await;
    client.call("approve_scan", "form", "", 303).await;
    client.call("reject_scan", "form", "", 303).await;
    client.call("experience_login", "", "", 303).await;
    client.call("get_experience_result", "", "", 400).await;
    client.call("get_asset", "", "", 404).await;
    for asset in [style(), script()] {
        let name = asset.path.strip_prefix("/assets/").expect("a path").to_owned();
        client.real.insert(ASSET, name);
        client.call("get_asset", "", "", 200).await;
    }
    client.real.remove(ASSET);
}

/// What users do with an access token.
async fn own_account(client: &mut Client, access: &str) {
    client.call("get_own_phone", "", access, 200).await;
    client.call("get_own_phone", "", "", 401).await;
    client.call("renew_recovery_codes", "", access, 201).await;
    client.call("list_own_trusted_devices", "", access, 200).await;
    client.call("get_own_trusted_device", "", access, 200).await;
    client.call("revoke_own_trusted_device", "", access, 204).await;
    client.call("get_own_trusted_device", "", access, 404).await;
    client.call("revoke_own_trusted_devices", "", access, 204).await;
    client.call("replace_own_phone", "number", access, 409).await;
    client.real.insert("+1 202 555 0123", "+1 202 555 0124".to_owned());
    client.call("replace_own_phone", "number", access, 202).await;
    client.real.remove("+1 202 555 0123");
    client.call("delete_own_phone", "", access, 204).await;
    client.call("get_own_phone", "", access, 404).await;
}

#[tokio::test]
async fn every_operation_answers_as_described() {
    let mut client = Client::start().await;
    let operator = client.local.operator_key().to_owned();

    let tenant = client.call("create_tenant", "tenant", &operator, 201).await;
    client.takes(TENANT, &tenant, "/id");
    let admin = text(&tenant, "/admin_key/secret");
    client.call("get_tenant", "", &operator, 200).await;
    client.call("update_tenant", "both", &admin, 200).await;
    client.call("update_tenant", "branding", &admin, 200).await;
    client.call("update_tenant", "no_logo", &admin, 200).await;
    let source = client.call("create_identity_source", "oidc", &admin, 201).await;
    client.takes(SOURCE, &source, "/id");
    client.call("list_identity_sources", "", &admin, 200).await;
    client.call("get_identity_source", "", &admin, 200).await;
    client.call("update_tenant_security", "everything", &admin, 200).await;
    client.call("update_tenant_security", "source_back_to_unset", &admin, 200).await;
    client.call("update_tenant_security", "sms_on", &admin, 200).await;
    client.call("update_tenant", "production", &admin, 409).await;
    client.call("update_tenant_security", "no_test_numbers", &admin, 200).await;
    client.call("update_tenant", "production", &admin, 200).await;
    client.call("update_tenant_security", "test_numbers", &admin, 409).await;
    client.call("update_tenant", "not_production", &admin, 200).await;
    client.call("update_tenant_security", "test_numbers", &admin, 200).await;
    client.call("update_tenant_security", "test_number_off", &admin, 200).await;
    client.call("get_tenant_security", "", &admin, 200).await;

    let application = client.call("create_application", "page", &admin, 201).await;
    client.takes(APPLICATION, &application, "/id");
    client.takes(KEY, &application, "/secret/id");
    client.call("list_applications", "", &admin, 200).await;
    client.call("get_application", "", &admin, 200).await;
    client.call("get_application_security", "", &admin, 409).await;
    client.call("update_application", "details", &admin, 200).await;
    client.call("update_application", "customize", &admin, 200).await;
    client.call("update_application_security", "everything", &admin, 200).await;
    client.call("get_application_security", "", &admin, 200).await;
    client.call("update_application_security", "code_back_to_default", &admin, 200).await;
    let new = client.call("create_application_secret", "nothing", &admin, 201).await;
    client.call("create_application_secret", "nothing", &admin, 409).await;
    client.call("delete_application_secret", "", &admin, 204).await;
    let secret = text(&new, "/secret");

    let user = client.call("create_user", "named", &admin, 201).await;
    client.takes(USER, &user, "/id");
    client.call("create_user", "everything", &admin, 201).await;
    client.call("create_user", "everything", &admin, 409).await;
    client.call("list_users", "", &admin, 200).await;
    client.call("get_message_template", "", &admin, 404).await;
    client.call("lint_message_template", "text", &admin, 200).await;
    client.call("put_message_template", "german", &admin, 200).await;
    client.call("put_message_template", "linked", &admin, 422).await;
    client.call("get_message_template", "", &admin, 200).await;
    client.call("list_message_templates", "", &admin, 200).await;
    client.call("delete_message_template", "", &admin, 204).await;
    client.call("explain_policy", "local", &admin, 200).await;
    client.call("explain_policy", "source", &admin, 200).await;
    client.call("explain_policy", "source", "", 401).await;

    // Back to the tenant's rules, which let a user bind a number.
    client.call("update_application", "details", &admin, 200).await;
    let path = format!("/v1/tenants/{}/applications/{}", client.real[TENANT], client.real[APPLICATION]);
    let off = Call::new("PATCH", &path).bearer(&admin).json(&json!({ "customize_security": false }));
    client.local.send(off).await.expect(200);

    let path = format!("/v1/tenants/{}/security", client.real[TENANT]);
    let trust = json!({ "trusted_devices": { "enabled": true } });
    client.local.send(Call::new("PATCH", &path).bearer(&admin).json(&trust)).await.expect(200);

    client.call("start_login", "id_token", "", 401).await;
    client.call("start_login", "assertion", &secret, 200).await;
    let begun = client.call("start_login", "password", "", 200).await;
    client.takes(LOGIN, &begun, "/login/id");
    let token = text(&begun, "/login_token");
    client.call("get_login", "", &token, 200).await;
    client.call("send_code", "", &token, 409).await;
    client.call("set_login_phone", "number", &token, 200).await;
    client.call("send_code", "nothing", &token, 200).await;
    client.call("send_code", "nothing", &token, 429).await;
    let code = client.local.code_sent_to("+12025550123").await;
    let other = if code == CODE { "493022" } else { CODE };
    client.real.insert(CODE, other.to_owned());
    client.call("verify_code", "code", &token, 401).await;
    client.call("verify_code", "recovery", &token, 401).await;
    client.real.insert(CODE, code);
    let done = client.call("verify_code", "trust", &token, 200).await;
    assert_eq!(done["recovery_codes"].as_array().map(Vec::len), Some(10));
    client.call("verify_code", "code", &token, 409).await;
    client.takes(DEVICE, &done, "/trusted_device/id");
    client.takes(DEVICE_TOKEN, &done, "/trusted_device/token");
    client.call("start_login", "trusted_device", "", 200).await;
    client.call("list_trusted_devices", "", &admin, 200).await;
    client.call("get_trusted_device", "", &admin, 200).await;
    qr_logins(&mut client, &text(&done, "/tokens/access_token")).await;
    own_account(&mut client, &text(&done, "/tokens/access_token")).await;
    client.call("get_login", "", &admin, 401).await;
    hosted_login(&mut client, &admin).await;
    hosted_pages(&mut client).await;
    client.call("get_jwks", "", "", 200).await;
    client.call("get_reference", "", "", 200).await;
    client.call("get_console", "", "", 200).await;
    client.call("get_console_file", "", "", 404).await;
    let page = client.local.send(Call::get("/console")).await.text();
    let version = page.split("/console/").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    client.real.insert(CONSOLE_VERSION, version);
    client.call("get_console_file", "", "", 200).await;

    client.call("list_user_challenges", "", &admin, 200).await;
    client.call("revoke_trusted_device", "", &admin, 404).await;
    client.call("revoke_trusted_devices", "", &admin, 204).await;
    client.call("update_user", "details", &admin, 200).await;
    client.call("update_user", "no_email", &admin, 200).await;
    client.call("bind_user_phone", "number", &admin, 200).await;
    client.call("unbind_user_phone", "", &admin, 204).await;
    client.call("get_user_identity", "", &admin, 404).await;
    client.call("link_user_identity", "subject", &admin, 200).await;
    client.call("get_user_identity", "", &admin, 200).await;
    client.call("list_user_identities", "", &admin, 200).await;
    client.call("unlink_user_identity", "", &admin, 204).await;
    client.call("get_user", "", &admin, 200).await;
    client.call("delete_user", "", &admin, 204).await;
    client.call("get_user", "", &admin, 404).await;

    let key = client.call("create_admin_key", "support", &admin, 201).await;
    client.takes(KEY, &key, "/id");
    client.call("list_admin_keys", "", &admin, 200).await;
    client.call("get_admin_key", "", &admin, 200).await;
    client.call("delete_admin_key", "", &text(&key, "/secret"), 403).await;
    client.call("delete_admin_key", "", &admin, 204).await;
    client.call("create_console_session", "", &operator, 403).await;
    client.call("create_console_session", "", &admin, 201).await;
    let session = client.cookie.clone();
    client.call("get_console_session", "", &session, 200).await;
    client.call("delete_console_session", "", &session, 204).await;
    client.call("get_console_session", "", &session, 401).await;
    client.call("list_audit_events", "", &admin, 200).await;
    client.call("delete_application", "", &admin, 204).await;
    client.call("delete_identity_source", "", &admin, 204).await;

    let all: BTreeSet<String> = client.spec.operations().keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(client.called, all);
}
