//! A tenant that has one of everything, with every kind of credential, for what is tried on every route.

use crate::matrix::Route;
use serde_json::{Value, json};
use shared::domain::admin_key::Role;
use tests::http_client::Call;
use tests::local::Local;
use tests::values::text;

const PASSWORD: &str = "correct horse battery";

/// What a user has who has just signed in and started the next login.
#[derive(Default)]
pub struct Start {
    /// The login that is under way; no code was asked for yet.
    pub login: String,
    pub login_token: String,
    pub access: String,
    pub id_token: String,
    pub device: String,
    pub device_token: String,
    pub recovery_codes: Vec<String>,
    /// A QR login that a browser has asked for, and nobody has scanned.
    pub qr: String,
    pub qr_secret: String,
}

pub struct Side {
    pub tenant: String,
    pub created: String,
    pub owner: String,
    pub keys: Vec<(Role, String)>,
    pub ended_key: String,
    pub secret: String,
    pub ended_secret: String,
    pub now: Start,
    application: String,
    secret_id: String,
    key: String,
    source: String,
    user: String,
    number: String,
}

impl Side {
    /// The user of this tenant has signed in nowhere yet.
    pub async fn new(local: &Local, number: &str) -> Self {
        let body = json!({ "name": "Acme", "home_country": "US" });
        let made =
            local.send(Call::post("/v1/tenants", &body).bearer(local.operator_key())).await.expect(201);
        let mut side = Self {
            tenant: text(&made, "/id"),
            created: text(&made, "/created_at"),
            owner: text(&made, "/admin_key/secret"),
            keys: Vec::new(),
            ended_key: String::new(),
            secret: String::new(),
            ended_secret: String::new(),
            now: Start::default(),
            application: String::new(),
            secret_id: String::new(),
            key: String::new(),
            source: String::new(),
            user: String::new(),
            number: number.to_owned(),
        };
        let on = json!({ "enabled": true });
        let rules = json!({
            "mfa": { "sms": on }, "trusted_devices": { "enabled": true, "days": 7 }, "recovery_codes": on,
            "test_numbers": { "+12025550171": "approved" },
        });
        side.admin(local, "PATCH", "/security", Some(&rules)).await;
        let body = json!({ "name": "Shop", "customize_security": true });
        let application = side.admin(local, "POST", "/applications", Some(&body)).await;
        side.application = text(&application, "/id");
        side.secret = text(&application, "/secret/secret");
        side.secret_id = text(&application, "/secret/id");
        let secrets = format!("/applications/{}/secrets", side.application);
        let second = side.admin(local, "POST", &secrets, None).await;
        side.ended_secret = text(&second, "/secret");
        side.admin(local, "DELETE", &format!("{secrets}/{}", text(&second, "/id")), None).await;
        for role in Role::ALL {
            let made = side.make_key(local, role).await;
            side.keys.push((role, text(&made, "/secret")));
            side.key = text(&made, "/id");
        }
        let ended = side.make_key(local, Role::Owner).await;
        side.ended_key = text(&ended, "/secret");
        side.admin(local, "DELETE", &format!("/admin-keys/{}", text(&ended, "/id")), None).await;
        let body =
            json!({ "kind": "oidc", "name": "Company", "issuer": "https://id.example", "audience": "a" });
        side.source = text(&side.admin(local, "POST", "/identity-sources", Some(&body)).await, "/id");
        let body = json!({ "text": "Ihr Code: {code}" });
        side.admin(local, "PUT", "/message-templates/de", Some(&body)).await;
        let body = json!({ "username": "ann", "phone": number, "password": PASSWORD });
        side.user = text(&side.admin(local, "POST", "/users", Some(&body)).await, "/id");
        let link = format!("/users/{}/identities/{}", side.user, side.source);
        side.admin(local, "PUT", &link, Some(&json!({ "subject": "ann" }))).await;
        side
    }

    async fn make_key(&self, local: &Local, role: Role) -> Value {
        let body = json!({ "role": role.as_str(), "name": "Test" });
        self.admin(local, "POST", "/admin-keys", Some(&body)).await
    }

    /// One call as the owner, which succeeds.
    pub async fn admin(&self, local: &Local, method: &str, rest: &str, body: Option<&Value>) -> Value {
        let mut call = Call::new(method, &format!("/v1/tenants/{}{rest}", self.tenant)).bearer(&self.owner);
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = local.send(call).await;
        assert!((200..300).contains(&answer.status), "{method} {rest}: {}", answer.text());
        answer.json
    }

    /// Begins a login of the tenant's user.
    pub async fn begin(&self, local: &Local) -> Value {
        let body = json!({
            "application": self.application, "password": { "account": "ann", "password": PASSWORD },
        });
        local.send(Call::post("/v1/logins", &body)).await.expect(200)
    }

    /// Signs the user in with a code, and begins another login.
    pub async fn start(&self, local: &Local) -> Start {
        let login = self.begin(local).await;
        let step = async |step: &str, body: Value| {
            let path = format!("/v1/logins/{}/{step}", text(&login, "/login/id"));
            local.send(Call::post(&path, &body).bearer(&text(&login, "/login_token"))).await.expect(200)
        };
        step("code", json!({})).await;
        let code = local.code_sent_to(&self.number).await;
        let done = step("verification", json!({ "code": code, "trust_device": true })).await;
        let access = text(&done, "/tokens/access_token");
        let codes = local.send(Call::new("POST", "/v1/me/recovery-codes").bearer(&access)).await.expect(201);
        let codes = codes["recovery_codes"].as_array().unwrap();
        let next = self.begin(local).await;
        let body = json!({ "application": self.application });
        let qr = local.send(Call::post("/v1/qr-logins", &body)).await.expect(201);
        Start {
            login: text(&next, "/login/id"),
            login_token: text(&next, "/login_token"),
            access,
            id_token: text(&done, "/tokens/id_token"),
            device: text(&done, "/trusted_device/id"),
            device_token: text(&done, "/trusted_device/token"),
            qr: text(&qr, "/qr/id"),
            qr_secret: text(&qr, "/secret"),
            recovery_codes: codes.iter().map(|code| text(code, "")).collect(),
        }
    }

    pub fn enter_with(&mut self, start: Start) {
        self.now = start;
    }

    /// Signed in.
    pub async fn enter(mut self, local: &Local) -> Self {
        self.now = self.start(local).await;
        self
    }

    /// What stands in a parameter's place.
    ///
    /// # Panics
    /// For a parameter that nobody has said this of.
    pub fn id(&self, route: Route, parameter: &str) -> &str {
        match parameter {
            "tenant" => &self.tenant,
            "application" => &self.application,
            "user" => &self.user,
            "source" => &self.source,
            "locale" => "de",
            "key" if route.path.contains("/secrets/") => &self.secret_id,
            "key" => &self.key,
            "device" => &self.now.device,
            "login" => &self.now.login,
            "qr" => &self.now.qr,
            // No browser's.
            "txn" => "q8RsT2uVwX4y",
            "version" | "file" => "none",
            other => panic!("what is a {other}?"),
        }
    }

    /// A call with every id the tenant's own and a body that would do something.
    pub fn call(&self, route: Route) -> Call {
        self.call_with(route, "", "")
    }

    /// The same with one id replaced.
    pub fn call_with(&self, route: Route, replaced: &str, id: &str) -> Call {
        let mut path = route.path.to_owned();
        for parameter in route.parameters() {
            let id = if parameter == replaced { id } else { self.id(route, parameter) };
            path = path.replace(&format!("{{{parameter}}}"), id);
        }
        let mut call = Call::new(route.method, &path);
        if path.starts_with("/v1/console/") {
            call = call.header("x-console", "1").header("sec-fetch-site", "same-origin");
        }
        match self.body(route) {
            Some(body) => call.json(&body),
            None => call,
        }
    }

    /// A call for things that nobody has, with a body that nothing takes.
    pub fn hollow_call(&self, route: Route) -> Call {
        let mut path = route.path.to_owned();
        for parameter in route.parameters() {
            let kept = matches!(parameter, "tenant" | "login") || route.operation == "get_qr_login";
            let id = if kept { self.id(route, parameter) } else { "none" };
            path = path.replace(&format!("{{{parameter}}}"), id);
        }
        let call = Call::new(route.method, &path);
        if matches!(route.method, "GET" | "DELETE") { call } else { call.json(&json!({ "none": 1 })) }
    }

    /// A body that changes something where the caller is let in; `None` where the route takes none.
    ///
    /// # Panics
    /// For a route that nobody has said this of.
    fn body(&self, route: Route) -> Option<Value> {
        let rules = json!({
            "mfa": { "sms": { "enabled": false } }, "code": { "length": 7 },
            "phone_binding": { "self_service": false }, "trusted_devices": { "enabled": false },
        });
        Some(match route.operation {
            "create_tenant" | "update_tenant" => json!({ "name": "Changed", "home_country": "CA" }),
            "update_tenant_security" => {
                let mut body = rules;
                body["countries"] = json!({ "allow": ["US", "CA"] });
                body["recovery_codes"] = json!({ "enabled": false });
                body["test_numbers"] = json!({ self.number.as_str(): "approved" });
                body
            }
            "update_application_security" => rules,
            "create_application" | "update_application" => {
                json!({ "name": "Changed", "origins": ["https://evil.example"] })
            }
            "create_identity_source" => json!({
                "kind": "oidc", "name": "Changed", "issuer": "https://evil.example", "audience": "changed",
            }),
            "create_admin_key" => json!({ "role": "owner", "name": "Changed" }),
            "put_message_template" | "lint_message_template" => json!({ "text": "Changed {code}" }),
            "explain_policy" => json!({ "application": self.application, "user": self.user }),
            "create_user" => json!({ "username": "changed", "phone": "+12025550170", "password": PASSWORD }),
            "update_user" => json!({ "username": "changed2", "password": "another long one" }),
            "bind_user_phone" => json!({ "phone": "+12025550172" }),
            "link_user_identity" => json!({ "subject": "changed" }),
            "start_login" => {
                json!({ "application": self.application, "assertion": { "user": self.user } })
            }
            "ask_qr_login" => json!({ "application": self.application }),
            "set_login_phone" | "replace_own_phone" => json!({ "phone": "+12025550173" }),
            "verify_code" => json!({ "recovery_code": self.now.recovery_codes[0] }),
            "create_application_secret"
            | "create_console_session"
            | "send_code"
            | "renew_recovery_codes"
            | "scan_qr_login"
            | "approve_qr_login"
            | "reject_qr_login" => json!({}),
            // A form, or none.
            "authorize_by_form" | "exchange_code" | "get_userinfo_by_form" => return None,
            _ if route.path.starts_with("/t/{tenant}/login/{txn}") => return None,
            _ if route.path.starts_with("/t/{tenant}/scan") => return None,
            _ if matches!(route.method, "GET" | "DELETE") => return None,
            operation => panic!("which body does {operation} take?"),
        })
    }

    /// Everything that a call could have changed.
    pub async fn snapshot(&self, local: &Local) -> Vec<Value> {
        let (application, user) =
            (format!("/applications/{}", self.application), format!("/users/{}", self.user));
        let mut all = Vec::new();
        for path in [
            "",
            "/security",
            "/applications",
            &application,
            &format!("{application}/security"),
            "/identity-sources",
            "/message-templates",
            "/admin-keys",
            "/users",
            &user,
            &format!("{user}/challenges"),
            &format!("{user}/identities"),
            &format!("{user}/trusted-devices"),
            "/audit-events?limit=100",
        ] {
            all.push(self.admin(local, "GET", path, None).await);
        }
        let call = Call::get(&format!("/v1/logins/{}", self.now.login)).bearer(&self.now.login_token);
        let mut login = local.send(call).await.expect(200);
        login["server_time"].take();
        login["login"]["server_time"].take();
        all.push(login);
        let call = Call::get(&format!("/v1/qr-logins/{}", self.now.qr)).bearer(&self.now.qr_secret);
        let status = text(&local.send(call).await.expect(200), "/qr/status");
        all.push(json!(matches!(status.as_str(), "pending" | "expired")));
        let outbox = local.outbox().await;
        all.extend(outbox.into_iter().filter(|message| message["to"] == self.number.as_str()));
        all
    }

    /// The device is trusted, the login under way takes a recovery code, and the access token opens what is its user's.
    pub async fn still_works(&self, local: &Local) {
        let body = json!({
            "application": self.application, "trusted_device": self.now.device_token,
            "password": { "account": "ann", "password": PASSWORD },
        });
        let spared = local.send(Call::post("/v1/logins", &body)).await.expect(200);
        assert_eq!(spared["login"]["status"], "complete", "{spared}");
        let path = format!("/v1/logins/{}/verification", self.now.login);
        let body = json!({ "recovery_code": self.now.recovery_codes[0] });
        let done = local.send(Call::post(&path, &body).bearer(&self.now.login_token)).await.expect(200);
        let access = text(&done, "/tokens/access_token");
        for (method, path, status) in [
            ("GET", "/v1/me/phone", 200),
            ("DELETE", "/v1/me/trusted-devices", 204),
            ("DELETE", "/v1/me/phone", 204),
        ] {
            assert_eq!(local.send(Call::new(method, path).bearer(&access)).await.status, status, "{path}");
        }
    }
}
