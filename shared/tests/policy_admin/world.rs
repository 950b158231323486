//! One deployment of `policy-admin`, and shorthand for calls to it.

use crate::support::{OWN_ORIGIN, SeededEntropy, TestClock, store};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use shared::api::policy_admin::{PolicyAdmin, ROUTES};
use shared::auth::credential::{Credential, Holder};
use shared::domain::audit::{Actor, AuditEvent, AuditedChange, Provenance};
use shared::domain::ids::{EventId, TenantId};
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, Item};
use shared::http::Edge;
use shared::ports::Entropy;
use std::sync::Arc;

pub struct World {
    pub store: DynamoStore,
    pub clock: Arc<TestClock>,
    pub operator: String,
    edge: Edge,
}

/// A tenant and its first owner key.
pub struct TestTenant {
    pub id: String,
    pub key_id: String,
    pub key: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl World {
    pub async fn new() -> Self {
        let store = store().await;
        let clock = Arc::new(TestClock::start());
        let entropy = Arc::new(SeededEntropy::new(7));
        let operator = Credential::generate(Holder::Operator, |buffer| entropy.fill(buffer));
        let app = PolicyAdmin::new(
            Arc::new(store.clone()),
            clock.clone(),
            entropy.clone(),
            vec![operator.hash()],
            OWN_ORIGIN.into(),
            None,
        );
        let edge = Edge::new(clock.clone(), entropy).mount(Arc::new(app), ROUTES);
        Self { store, clock, operator: operator.text.into_exposed(), edge }
    }

    /// `body` as text, so that a test can send what no JSON library would write.
    pub async fn raw(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request");
        self.send(request).await.0
    }

    /// The answer, and its cookie.
    pub async fn send(&self, request: Request<Bytes>) -> (Answer, Option<String>) {
        let response = self.edge.handle(request, None, None).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        let cookie =
            response.headers().get("set-cookie").map(|value| value.to_str().expect("ASCII").to_owned());
        (Answer { status: response.status().as_u16(), body }, cookie)
    }

    /// Every item of the directory.
    pub async fn everything_kept(&self) -> Vec<Item> {
        let pages = self.store.client().scan().table_name(self.store.directory()).consistent_read(true);
        pages.send().await.expect("a page").items.unwrap_or_default()
    }

    pub async fn get(&self, path: &str, key: &str) -> Answer {
        self.raw("GET", path, key, "").await
    }

    pub async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.raw("POST", path, key, &body.to_string()).await
    }

    pub async fn patch(&self, path: &str, key: &str, body: Value) -> Answer {
        self.raw("PATCH", path, key, &body.to_string()).await
    }

    pub async fn delete(&self, path: &str, key: &str) -> Answer {
        self.raw("DELETE", path, key, "").await
    }

    pub async fn tenant(&self) -> TestTenant {
        let body = json!({"name": "Acme", "home_country": "US"});
        let made = self.post("/v1/tenants", &self.operator, body).await.expect(201);
        let key = &made["admin_key"];
        TestTenant { id: text(&made["id"]), key_id: text(&key["id"]), key: text(&key["secret"]) }
    }
}

impl TestTenant {
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.id)
    }

    /// A new application's path.
    pub async fn application(&self, world: &World) -> String {
        let made =
            world.post(&self.path("/applications"), &self.key, json!({"name": "Shop"})).await.expect(201);
        self.path(&format!("/applications/{}", text(&made["id"])))
    }

    /// A new identity source's id.
    pub async fn source(&self, world: &World) -> String {
        let body = json!({"kind": "oidc", "name": "Corporate", "issuer": "https://login.example", "audience": "shop"});
        text(&world.post(&self.path("/identity-sources"), &self.key, body).await.expect(201)["id"])
    }

    /// A new key with this role.
    pub async fn key(&self, world: &World, role: &str) -> String {
        let body = json!({"role": role, "name": role});
        text(&world.post(&self.path("/admin-keys"), &self.key, body).await.expect(201)["secret"])
    }

    pub async fn set(&self, world: &World, patch: Value) -> Value {
        world.patch(&self.path("/security"), &self.key, patch).await.expect(200)
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
    }
}

/// The event of a change that a test writes past the front door.
pub fn event(tenant: &TenantId, change: AuditedChange) -> AuditEvent {
    let id = EventId::generate(|buffer| buffer.fill(7));
    change.by(Actor::System, Provenance::default(), tenant.clone(), Timestamp::from_secs(0), id)
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
