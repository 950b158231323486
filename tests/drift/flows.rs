//! What the suites ask for beside a plain login: a bind, another number, recovery codes, trusted devices, authorization codes, QR logins,
//! sessions of the console and identity sources.

use crate::code;
use crate::world::{Login, World};
use serde_json::{Value, json};
use shared::ports::Clock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::hosted;
use tests::http_client::{Answer, Call};
use tests::values::text;

const CALLBACK: &str = "https://shop.example/callback";

/// A number that nobody else has, in one of eighty ranges.
pub fn new_number() -> String {
    static NUMBERS: AtomicUsize = AtomicUsize::new(0);
    let index = NUMBERS.fetch_add(1, Ordering::Relaxed);
    format!("+1202{}{:04}", 220 + index % 80, index / 80)
}

/// A QR login, as the browser knows it that asked.
pub struct Asked {
    pub id: String,
    pub secret: String,
}

impl World {
    /// A user without a password: hashing one takes its time.
    pub async fn person(&self, phone: Option<&str>) -> String {
        let name = format!("person-{}", new_number().trim_start_matches('+'));
        let mut body = json!({ "username": name });
        if let Some(phone) = phone {
            body["phone"] = phone.into();
        }
        text(&self.admin("POST", "/users", body).await, "/id")
    }

    pub async fn number_of(&self, user: &str) -> Value {
        let path = format!("/v1/tenants{}/users/{user}", self.tenant);
        self.call("GET", &path, Some(&self.admin), &[], None).await.1["phone"].clone()
    }

    pub async fn get(&self, path: &str, bearer: &str) -> (u16, Value) {
        self.call("GET", path, Some(bearer), &[], None).await
    }

    /// A first factor by assertion, with what else is said.
    pub async fn asserts(&self, user: &str, more: Value) -> (u16, Value) {
        let mut body = json!({ "application": self.application, "assertion": { "user": user } });
        for (name, value) in more.as_object().unwrap() {
            match name.as_str() {
                "identity_source" => body["assertion"][name] = value.clone(),
                _ => body[name] = value.clone(),
            }
        }
        self.call("POST", "/v1/logins", Some(&self.secret), &[], Some(body)).await
    }

    /// A whole login; what its end answers.
    pub async fn signs_in(&self, user: &str, more: Value) -> Value {
        let (status, begun) = self.asserts(user, json!({})).await;
        assert_eq!(status, 200, "{begun}");
        if begun["tokens"].is_object() {
            return begun;
        }
        let login = Login { id: text(&begun, "/login/id"), token: text(&begun, "/login_token") };
        self.sends(&login).await;
        let mut body = json!({ "code": self.code() });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, done) = self.does(&login, "verification", body).await;
        assert_eq!(status, 200, "{done}");
        done
    }

    pub async fn access_of(&self, user: &str) -> String {
        text(&self.signs_in(user, json!({})).await, "/tokens/access_token")
    }

    /// Another number is asked for.
    pub async fn asks_for(&self, access: &str, number: &str) -> Login {
        let body = Some(json!({ "phone": number }));
        let (status, answer) = self.call("PUT", "/v1/me/phone", Some(access), &[], body).await;
        assert_eq!(status, 202, "{answer}");
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token") }
    }

    pub async fn allows(&self, what: &str) {
        self.admin("PATCH", "/security", json!({ what: { "enabled": true } })).await;
    }

    pub async fn renews_codes(&self, access: &str) -> (u16, Value) {
        self.call("POST", "/v1/me/recovery-codes", Some(access), &[], None).await
    }

    pub async fn recovers(&self, login: &Login, recovery_code: &Value) -> (u16, Value) {
        self.does(login, "verification", json!({ "recovery_code": recovery_code })).await
    }

    pub async fn shows(&self, user: &str, device: &str) -> (u16, Value) {
        self.asserts(user, json!({ "trusted_device": device })).await
    }

    /// The application takes a login's end at an address of its own.
    pub async fn has_redirect(&self) {
        let path = format!("/applications/{}", self.application);
        self.admin("PATCH", &path, json!({ "redirect_uris": [CALLBACK] })).await;
    }

    /// An authorization code of this moment, as the end of a login by password and code gives it.
    pub fn authorization_code(&self, user: &str) -> String {
        self.seals.code(&hosted::code(&self.application, user, CALLBACK, self.clock.now()))
    }

    pub async fn exchanges(&self, authorization_code: &str) -> Answer {
        let tenant = self.tenant.trim_start_matches('/');
        let call = hosted::exchange(tenant, &self.application, CALLBACK, authorization_code);
        self.measure_call("code", call).await.1
    }

    pub async fn claims(&self, access: &str) -> (u16, Value) {
        self.get(&format!("/t{}/userinfo", self.tenant), access).await
    }

    pub async fn asks_qr(&self) -> Asked {
        let body = json!({ "application": self.application });
        let (status, answer) = self.call("POST", "/v1/qr-logins", None, &[], Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        Asked { id: text(&answer, "/qr/id"), secret: text(&answer, "/secret") }
    }

    /// `scan`, `approval` or `rejection`.
    pub async fn steps_qr(&self, qr: &Asked, step: &str, access: &str) -> (u16, Value) {
        let path = format!("/v1/qr-logins/{}/{step}", qr.id);
        self.call("POST", &path, Some(access), &[], Some(json!({}))).await
    }

    pub async fn uses_qr(&self, qr: &Asked) -> (u16, Value) {
        let body = json!({ "application": self.application, "qr": { "id": qr.id, "secret": qr.secret } });
        self.call("POST", "/v1/logins", None, &[], Some(body)).await
    }

    pub async fn looks_at_qr(&self, qr: &Asked) -> (u16, Value) {
        self.get(&format!("/v1/qr-logins/{}", qr.id), &qr.secret).await
    }

    /// Signs in to the console; answers the cookie.
    pub async fn opens_console(&self) -> String {
        let call = of_own_page("POST", "/v1/console/session").bearer(&self.admin);
        let answer = self.measure_call("console", call).await.1;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn by_console(&self, method: &str, path: &str, cookie: &str) -> (u16, Value) {
        let answer = self.measure_call("console", of_own_page(method, path).header("cookie", cookie)).await.1;
        (answer.status, answer.json)
    }

    pub async fn new_source(&self) -> String {
        let body = json!({ "kind": "oidc", "name": "Company", "issuer": "https://id.example.com", "audience": "mfa" });
        text(&self.admin("POST", "/identity-sources", body).await, "/id")
    }

    pub async fn sms(&self, on: bool) {
        self.admin("PATCH", "/security", json!({ "mfa": { "sms": { "enabled": on } } })).await;
    }
}

fn of_own_page(method: &str, path: &str) -> Call {
    Call::new(method, path).header("x-console", "1").header("sec-fetch-site", "same-origin")
}

/// Whether an answer is one that the contract knows: a success, a refusal with its code, or a fault that says so.
pub fn is_defined(answer: &(u16, Value)) -> bool {
    let (status, code) = code(answer);
    let named = !code.is_empty() || answer.1["error"].is_string();
    status < 400 || (status < 500 && named) || (status == 503 && code == "unavailable")
}
