//! A tenant with some of everything, and its users.

use crate::program::Program;
use serde_json::{Value, json};
use tests::http_client::{Answer, Call};
use tests::values::text;

pub const PASSWORD: &str = "correct horse battery";

/// Of the tenant's own text for users who read German.
pub const WORDS: &str = "ist Ihr Code";

/// What administrators and applications keep of it.
#[derive(Debug)]
pub struct World {
    pub tenant: String,
    pub admin: String,
    pub application: String,
    pub secret: String,
    /// Another application, with settings of its own.
    pub customized: String,
    pub source: String,
}

impl World {
    pub async fn make(program: &Program) -> Self {
        let body = json!({ "name": "Acme", "home_country": "US" });
        let call = Call::post("/v1/tenants", &body).bearer(program.operator_key());
        let made = program.send(call).await.expect(201);
        let mut world = Self {
            tenant: text(&made, "/id"),
            admin: text(&made, "/admin_key/secret"),
            application: String::new(),
            secret: String::new(),
            customized: String::new(),
            source: String::new(),
        };
        let security = json!({
            "mfa": { "sms": { "enabled": true } },
            "code": { "lifetime_seconds": 600 },
            "recovery_codes": { "enabled": true },
            "trusted_devices": { "enabled": true, "days": 7 },
            "countries": { "allow": ["US", "CA"] },
            "limits": { "per_range_hour": 10_000, "per_tenant_day": 10_000, "per_application_day": 10_000 },
        });
        world.admin(program, "PATCH", "/security", Some(security)).await.expect(200);
        let bank =
            json!({ "name": "Bank", "origins": ["https://bank.example.com"], "customize_security": true });
        let made = world.admin(program, "POST", "/applications", Some(bank)).await.expect(201);
        world.customized = text(&made, "/id");
        let shop = json!({ "name": "Shop" });
        let made = world.admin(program, "POST", "/applications", Some(shop)).await.expect(201);
        world.application = text(&made, "/id");
        world.secret = text(&made, "/secret/secret");
        let source = json!({
            "kind": "oidc", "name": "Staff", "issuer": "https://login.example.com", "audience": "shop",
        });
        let made = world.admin(program, "POST", "/identity-sources", Some(source)).await.expect(201);
        world.source = text(&made, "/id");
        let key = json!({ "role": "support", "name": "Help desk" });
        world.admin(program, "POST", "/admin-keys", Some(key)).await.expect(201);
        let words = json!({ "text": format!("{{code}} {WORDS} für {{name}}.") });
        world.admin(program, "PUT", "/message-templates/de", Some(words)).await.expect(200);
        world
    }

    /// One call as the tenant's owner.
    pub async fn admin(&self, program: &Program, method: &str, rest: &str, body: Option<Value>) -> Answer {
        let mut call = Call::new(method, &format!("/v1/tenants/{}{rest}", self.tenant)).bearer(&self.admin);
        if let Some(body) = body {
            call = call.json(&body);
        }
        program.send(call).await
    }

    /// A user who reads German, with or without a number; answers its id.
    pub async fn user(&self, program: &Program, name: &str, phone: Option<&str>) -> String {
        let mut body = json!({
            "username": name, "email": format!("{name}@example.com"), "password": PASSWORD, "locale": "de",
        });
        if let Some(phone) = phone {
            body["phone"] = json!(phone);
        }
        text(&self.admin(program, "POST", "/users", Some(body)).await.expect(201), "/id")
    }

    /// A login that the application's back end starts, with anything beside.
    pub async fn start(&self, program: &Program, user: &str, beside: Value) -> Value {
        let mut body = json!({ "application": self.application, "assertion": { "user": user } });
        body.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        program.send(Call::post("/v1/logins", &body).bearer(&self.secret)).await.expect(200)
    }
}
