//! The whole service before one engine, twice: two processes with neighbouring values of the secrets.

use crate::ops::{PROCESSES, Policy, Provider};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::{Method, header};
use local::{DataFolder, Keys, Parts, compose};
use serde_json::{Value, json};
use shared::config::{OsEntropy, SecretName};
use shared::domain::ids::{TenantId, UserId};
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, keys as layout};
use shared::http::Edge;
use shared::ports::{Clock, OutgoingMessage, SendOutcome, SmsSender};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tests::engine::Engine;
use tests::repository::TemporaryFolder;
use tests::sdk;
use tests::tables::Tables;
use tests::values::text;

/// When every sequence begins, in seconds since 1970: within an hour and a day of UTC.
pub const BEGIN: i64 = 4_102_496_400;

/// The secrets that are rotated, in the model's order.
const ROTATED: [SecretName; 3] = [SecretName::Signing, SecretName::CodePepper, SecretName::Sealing];

/// What the cases of a test share. Each has a tenant of its own and keys of its own, so that none meets what another left.
pub struct Bench {
    client: Client,
    tables: Tables,
    _engine: Engine,
}

impl Bench {
    pub async fn new(engine: Engine) -> Self {
        let tables = Tables::create(&engine).await;
        Self { client: sdk::client(engine.url()), tables, _engine: engine }
    }
}

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A message that was handed to the provider.
pub struct Message {
    pub to: String,
    pub code: String,
}

struct Sender {
    says: Mutex<Provider>,
    messages: Mutex<Vec<Message>>,
}

#[async_trait]
impl SmsSender for Sender {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        let code = tests::local::code_in(message.body.expose());
        self.messages.lock().unwrap().push(Message { to: message.to.expose().clone(), code });
        match *self.says.lock().unwrap() {
            Provider::Accepts => SendOutcome::Accepted { message_id: "m".into() },
            Provider::Unknown => SendOutcome::Unknown,
            Provider::Refuses => SendOutcome::NotSent,
        }
    }
}

/// One secret's rotation, step by step.
struct Rotation {
    name: SecretName,
    turn: usize,
    /// The key that is used now, and the one that comes next.
    current: String,
    next: String,
}

pub struct World<'a> {
    bench: &'a Bench,
    parts: Parts,
    clock: Arc<TestClock>,
    sender: Arc<Sender>,
    edges: [Edge; PROCESSES],
    /// The values of each process.
    values: [Keys; PROCESSES],
    rotations: [Rotation; 3],
    tenant: String,
    admin: String,
    application: String,
    secret: String,
    pub users: Vec<String>,
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// `ok`, or the code of the refusal.
    pub fn outcome(&self) -> &str {
        match self.body["code"].as_str() {
            _ if self.status < 300 => "ok",
            Some(code) => code,
            None => "no code",
        }
    }

    fn made(self) -> Value {
        assert!(self.status < 300, "{}", self.body);
        self.body
    }
}

pub fn number(index: u8) -> String {
    format!("+120255501{index:02}")
}

impl<'a> World<'a> {
    pub async fn new(bench: &'a Bench, policy: Policy, failures: u32) -> Self {
        let folder = TemporaryFolder::new();
        let data = DataFolder::open(folder.path()).unwrap();
        let load = || Keys::load_or_make(&data, &OsEntropy).unwrap();
        let mut values = [load(), load()];
        let clock = Arc::new(TestClock(AtomicI64::new(BEGIN)));
        let sender =
            Arc::new(Sender { says: Mutex::new(Provider::Accepts), messages: Mutex::new(Vec::new()) });
        let parts = Parts {
            store: DynamoStore::new(bench.client.clone(), &bench.tables.directory, &bench.tables.logins),
            clock: clock.clone(),
            entropy: Arc::new(OsEntropy),
            sms: sender.clone(),
            base_url: "http://127.0.0.1:9000".into(),
        };
        let edges = [0, 1].map(|at| compose(parts.clone(), &values[at]).unwrap());
        let rotations = ROTATED.map(|name| {
            let current = keys::ids(name, slot(&mut values[0], name)).unwrap().remove(0);
            Rotation { name, turn: 0, current, next: String::new() }
        });
        let mut world = Self {
            bench,
            parts,
            clock,
            sender,
            edges,
            values,
            rotations,
            tenant: String::new(),
            admin: String::new(),
            application: String::new(),
            secret: String::new(),
            users: Vec::new(),
        };
        world.prepare(policy, failures).await;
        world
    }

    async fn prepare(&mut self, policy: Policy, failures: u32) {
        let operator = self.values[0].operator_key().to_owned();
        let body = json!({ "name": "Acme", "home_country": "US" });
        let made = self.call(0, "POST", "/v1/tenants", &operator, Some(body)).await.made();
        (self.tenant, self.admin) = (text(&made, "/id"), text(&made, "/admin_key/secret"));
        let security = json!({
            "mfa": { "sms": { "enabled": true } },
            "code": {
                "max_attempts": policy.max_attempts, "max_sends": policy.max_sends,
                "lifetime_seconds": policy.lifetime, "resend_cooldown_seconds": policy.cooldown,
            },
            "limits": {
                "per_phone_hour": policy.per_phone_hour, "per_phone_day": policy.per_phone_day,
                "per_user_hour": policy.per_user_hour, "per_range_hour": policy.per_range_hour,
                "per_tenant_day": policy.per_tenant_day,
            },
        });
        self.administer("PATCH", "/security", Some(security)).await.made();
        let made = self.administer("POST", "/applications", Some(json!({ "name": "Shop" }))).await.made();
        (self.application, self.secret) = (text(&made, "/id"), text(&made, "/secret/secret"));
        for (name, phone) in [("ada", Some(0)), ("bob", None), ("eve", Some(1))] {
            let mut body = json!({ "username": name });
            if let Some(phone) = phone {
                body["phone"] = number(phone).into();
            }
            let made = self.administer("POST", "/users", Some(body)).await.made();
            self.users.push(text(&made, "/id"));
        }
        let update = self
            .bench
            .client
            .update_item()
            .table_name(&self.bench.tables.logins)
            .set_key(Some(self.factor(2).attributes()))
            .update_expression("SET failures = :failures")
            .expression_attribute_values(":failures", AttributeValue::N(failures.to_string()));
        update.send().await.unwrap();
    }

    fn factor(&self, user: usize) -> layout::Key {
        let (tenant, user) = (TenantId::parse(&self.tenant), UserId::parse(&self.users[user]));
        layout::factor(&tenant.unwrap(), &user.unwrap())
    }

    async fn call(&self, by: usize, method: &str, path: &str, bearer: &str, body: Option<Value>) -> Answer {
        self.call_with(by, method, path, bearer, body, None).await
    }

    async fn call_with(
        &self,
        by: usize,
        method: &str,
        path: &str,
        bearer: &str,
        body: Option<Value>,
        key: Option<String>,
    ) -> Answer {
        let mut request = http::Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self.edges[by].handle(request.body(body.into()).unwrap(), None, None).await;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Answer { status: answer.status().as_u16(), body }
    }

    async fn administer(&self, method: &str, rest: &str, body: Option<Value>) -> Answer {
        let path = format!("/v1/tenants/{}{rest}", self.tenant);
        self.call(0, method, &path, &self.admin, body).await
    }

    pub async fn start(&self, by: usize, user: usize) -> Answer {
        let body = json!({ "application": self.application, "assertion": { "user": self.users[user] } });
        self.call(by, "POST", "/v1/logins", &self.secret, Some(body)).await
    }

    pub async fn look(&self, by: usize, (id, token): &(String, String)) -> Answer {
        self.call(by, "GET", &format!("/v1/logins/{id}"), token, None).await
    }

    pub async fn step(
        &self,
        by: usize,
        (id, token): &(String, String),
        step: &str,
        body: Value,
        key: Option<u8>,
    ) -> Answer {
        let key = key.map(|key| format!("key-{key}"));
        self.call_with(by, "POST", &format!("/v1/logins/{id}/{step}"), token, Some(body), key).await
    }

    pub async fn bind(&self, user: usize, phone: Option<u8>) -> Answer {
        let path = format!("/users/{}/phone", self.users[user]);
        match phone {
            Some(phone) => self.administer("PUT", &path, Some(json!({ "phone": number(phone) }))).await,
            None => self.administer("DELETE", &path, None).await,
        }
    }

    pub async fn replace(&self, by: usize, access: &str, phone: u8) -> Answer {
        self.call(by, "PUT", "/v1/me/phone", access, Some(json!({ "phone": number(phone) }))).await
    }

    /// The user's number, as an administrator sees it.
    pub async fn bound(&self, user: usize) -> Option<String> {
        let shown = self.administer("GET", &format!("/users/{}", self.users[user]), None).await.made();
        shown["phone"].as_str().map(str::to_owned)
    }

    /// The user's failures, as they are kept.
    pub async fn failures(&self, user: usize) -> u32 {
        let get = self.bench.client.get_item().table_name(&self.bench.tables.logins).consistent_read(true);
        let found = get.set_key(Some(self.factor(user).attributes())).send().await.unwrap();
        let item = found.item.expect("the factor is never tidied away");
        item.get("failures").map_or(0, |failures| failures.as_n().unwrap().parse().unwrap())
    }

    pub fn provider(&self, says: Provider) {
        *self.sender.says.lock().unwrap() = says;
    }

    pub fn take_messages(&self) -> Vec<Message> {
        std::mem::take(&mut self.sender.messages.lock().unwrap())
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Deletes what DynamoDB may delete by now.
    pub async fn sweep(&self) {
        let (client, now) = (&self.bench.client, self.clock.now().secs());
        for table in [&self.bench.tables.directory, &self.bench.tables.logins] {
            let past = client
                .scan()
                .table_name(table)
                .filter_expression("#ttl < :now")
                .expression_attribute_names("#ttl", layout::TTL)
                .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
                .unwrap();
            for item in past {
                let key = layout::Key::of(&item).unwrap().attributes();
                client.delete_item().table_name(table).set_key(Some(key)).send().await.unwrap();
            }
        }
    }

    /// The newer process takes up the next value of a rotation, the older one what was the newest until now.
    pub fn rotate(&mut self, secret: usize) {
        let rotation = &mut self.rotations[secret];
        let name = rotation.name;
        let [old, new] = &mut self.values;
        let value = slot(new, name);
        *slot(old, name) = value.clone();
        *value = match rotation.turn % 3 {
            0 => {
                let made = keys::add(name, value, &OsEntropy).unwrap();
                rotation.next = made.id;
                made.value
            }
            1 => keys::make_current(name, value, &rotation.next).unwrap(),
            _ => {
                let gone = std::mem::replace(&mut rotation.current, rotation.next.clone());
                keys::remove(name, value, &gone).unwrap()
            }
        };
        rotation.turn += 1;
        self.edges = [0, 1].map(|at| compose(self.parts.clone(), &self.values[at]).unwrap());
    }
}

fn slot(keys: &mut Keys, name: SecretName) -> &mut Value {
    match name {
        SecretName::Signing => &mut keys.signing,
        SecretName::CodePepper => &mut keys.code_pepper,
        _ => &mut keys.sealing,
    }
}
