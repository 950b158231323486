//! A running `local` with a tenant of the test's own.

use serde_json::{Value, json};
use tests::http_client::{Answer, Call};
use tests::local::Local;
use tests::values::text;

/// One tenant on a `local` of its own, so that a test may move the clock.
pub struct World {
    pub local: Local,
    pub tenant: String,
    pub admin: String,
    pub application: String,
    pub secret: String,
}

/// A login that has begun.
pub struct Login {
    pub id: String,
    pub token: String,
    pub answer: Value,
}

impl World {
    /// A fresh tenant with one application: SMS off, nothing customised.
    pub async fn fresh() -> Self {
        Self::on(Local::start().await).await
    }

    /// The same on a given `local`.
    pub async fn on(local: Local) -> Self {
        let body = json!({ "name": "Acme", "home_country": "US" });
        let made =
            local.send(Call::post("/v1/tenants", &body).bearer(local.operator_key())).await.expect(201);
        let mut world = Self {
            tenant: text(&made, "/id"),
            admin: text(&made, "/admin_key/secret"),
            application: String::new(),
            secret: String::new(),
            local,
        };
        let application = world.application(json!({ "name": "Shop" })).await;
        world.application = text(&application, "/id");
        world.secret = text(&application, "/secret/secret");
        world
    }

    /// The same with the tenant's SMS switch on.
    pub async fn with_sms() -> Self {
        let world = Self::fresh().await;
        world.security(json!({ "mfa": { "sms": { "enabled": true } } })).await;
        world
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.tenant)
    }

    /// One call as the tenant's owner.
    pub async fn admin(&self, method: &str, rest: &str, body: Option<&Value>) -> Answer {
        let mut call = Call::new(method, &self.path(rest)).bearer(&self.admin);
        if let Some(body) = body {
            call = call.json(body);
        }
        self.local.send(call).await
    }

    pub async fn security(&self, patch: Value) -> Value {
        self.admin("PATCH", "/security", Some(&patch)).await.expect(200)
    }

    pub async fn application(&self, body: Value) -> Value {
        self.admin("POST", "/applications", Some(&body)).await.expect(201)
    }

    /// Creates a user; answers its id.
    pub async fn user(&self, body: Value) -> String {
        text(&self.admin("POST", "/users", Some(&body)).await.expect(201), "/id")
    }

    pub async fn start_password(&self, application: &str, account: &str, password: &str) -> Answer {
        let body = json!({
            "application": application,
            "password": { "account": account, "password": password },
        });
        self.local.send(Call::post("/v1/logins", &body)).await
    }

    /// A login that asks for a code.
    pub async fn login(&self, account: &str, password: &str) -> Login {
        let answer = self.start_password(&self.application, account, password).await.expect(200);
        assert!(answer["tokens"].is_null(), "f3: no token before the code: {answer}");
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token"), answer }
    }

    pub async fn step(&self, login: &Login, step: &str, body: Value) -> Answer {
        let path = format!("/v1/logins/{}/{step}", login.id);
        let answer = self.local.send(Call::post(&path, &body).bearer(&login.token)).await;
        if answer.status >= 400 && answer.json["code"] != "unauthenticated" {
            h1_a_refusal_has_the_logins_state(&answer.json);
        }
        answer
    }

    pub async fn send_code(&self, login: &Login) -> Value {
        self.step(login, "code", json!({})).await.expect(200)
    }

    pub async fn guess(&self, login: &Login, code: &str) -> Answer {
        self.step(login, "verification", json!({ "code": code })).await
    }

    pub async fn look(&self, login: &Login) -> Value {
        let call = Call::get(&format!("/v1/logins/{}", login.id)).bearer(&login.token);
        self.local.send(call).await.expect(200)
    }

    pub async fn messages_to(&self, number: &str) -> usize {
        self.local.outbox().await.iter().filter(|message| message["to"] == number).count()
    }
}

/// At the top level, where a page counts down from without looking further.
fn h1_a_refusal_has_the_logins_state(problem: &Value) {
    for member in ["server_time", "expires_at"] {
        assert!(problem[member].is_string(), "h1: no {member} in {problem}");
    }
    for member in ["attempts_left", "sends_left"] {
        assert!(problem[member].is_u64(), "h1: no {member} in {problem}");
    }
    assert!(problem.get("resend_at").is_some_and(|at| at.is_string() || at.is_null()), "h1: {problem}");
    assert_eq!(problem["login"]["server_time"], problem["server_time"], "h1: {problem}");
}
