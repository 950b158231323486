//! Processes of the whole service before one engine, each with its own values of the secrets.

use async_trait::async_trait;
use http::{Method, header};
use local::{DataFolder, Keys, Parts, compose};
use serde_json::{Value, json};
use shared::config::{OsEntropy, SecretName, dynamodb_client_for};
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, tables};
use shared::http::Edge;
use shared::ports::{Clock, OutgoingMessage, SendOutcome, SmsSender};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tests::engine::Engine;
use tests::repository::TemporaryFolder;
use tests::values::text;

/// A clock that only the test moves.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug, Default)]
struct Messages(Mutex<Vec<String>>);

#[async_trait]
impl SmsSender for Messages {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        self.0.lock().unwrap().push(message.body.expose().clone());
        SendOutcome::Accepted { message_id: "m".into() }
    }
}

pub struct World {
    folder: TemporaryFolder,
    store: DynamoStore,
    messages: Arc<Messages>,
    users: AtomicU32,
    tenant: String,
    admin: String,
    application: String,
    secret: String,
    pub clock: Arc<TestClock>,
    _engine: Engine,
}

pub struct Login {
    path: String,
    token: String,
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
    }
}

impl World {
    pub async fn new() -> Self {
        let engine = Engine::dynoxide().await;
        let client = dynamodb_client_for(engine.url());
        tables::create_missing(&client, "directory", "logins").await.unwrap();
        let mut world = Self {
            folder: TemporaryFolder::new(),
            store: DynamoStore::new(client, "directory", "logins"),
            messages: Arc::default(),
            users: AtomicU32::new(0),
            tenant: String::new(),
            admin: String::new(),
            application: String::new(),
            secret: String::new(),
            // In 2100: DynamoDB Local deletes within seconds what has expired by the real clock.
            clock: Arc::new(TestClock(AtomicI64::new(4_102_495_200_000))),
            _engine: engine,
        };
        let process = world.edge(&world.keys());
        let operator = world.keys().operator_key().to_owned();
        let body = json!({ "name": "Acme", "home_country": "US" });
        let made = world.call(&process, "POST", "/v1/tenants", &operator, Some(body)).await.expect(201);
        world.tenant = format!("/v1/tenants/{}", text(&made, "/id"));
        world.admin = text(&made, "/admin_key/secret");
        let path = format!("{}/security", world.tenant);
        let limits = json!({ "per_range_hour": 1000 });
        let on = json!({
            "mfa": { "sms": { "enabled": true } }, "limits": limits, "recovery_codes": { "enabled": true },
        });
        world.call(&process, "PATCH", &path, &world.admin, Some(on)).await.expect(200);
        let path = format!("{}/applications", world.tenant);
        let body = json!({ "name": "Shop" });
        let made = world.call(&process, "POST", &path, &world.admin, Some(body)).await.expect(201);
        world.application = text(&made, "/id");
        world.secret = text(&made, "/secret/secret");
        world
    }

    /// The values that the first processes have.
    fn keys(&self) -> Keys {
        Keys::load_or_make(&DataFolder::open(self.folder.path()).unwrap(), &OsEntropy).unwrap()
    }

    pub fn operator_key(&self) -> &'static str {
        Box::leak(self.keys().operator_key().to_owned().into_boxed_str())
    }

    pub fn value(&self, name: SecretName) -> Value {
        slot(&mut self.keys(), name).clone()
    }

    /// From now on every process has this value.
    pub fn adopt(&mut self, name: SecretName, value: Value) {
        let mut keys = self.keys();
        *slot(&mut keys, name) = value;
        DataFolder::open(self.folder.path()).unwrap().save("keys.json", &keys).unwrap();
    }

    /// A process that has another value of one secret.
    pub fn process(&self, name: SecretName, value: &Value) -> Edge {
        let mut keys = self.keys();
        *slot(&mut keys, name) = value.clone();
        self.edge(&keys)
    }

    fn edge(&self, keys: &Keys) -> Edge {
        let parts = Parts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(OsEntropy),
            sms: self.messages.clone(),
            base_url: "http://127.0.0.1:9000".into(),
        };
        compose(parts, keys).unwrap()
    }

    pub async fn call(
        &self,
        process: &Edge,
        method: &str,
        path: &str,
        bearer: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = http::Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = process.handle(request.body(body.into()).unwrap(), None, None).await;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Answer { status: answer.status().as_u16(), body }
    }

    /// A user with a number of its own.
    pub async fn user(&self, process: &Edge) -> (String, String) {
        let number = format!("+1202555{:04}", 100 + self.users.fetch_add(1, Ordering::SeqCst));
        let path = format!("{}/users", self.tenant);
        let made = self.call(process, "POST", &path, &self.admin, Some(json!({ "phone": number }))).await;
        (text(&made.expect(201), "/id"), number)
    }

    pub async fn start(&self, process: &Edge, user: &str) -> Login {
        let body = json!({ "application": self.application, "assertion": { "user": user } });
        let begun = self.call(process, "POST", "/v1/logins", &self.secret, Some(body)).await.expect(200);
        Login {
            path: format!("/v1/logins/{}", text(&begun, "/login/id")),
            token: text(&begun, "/login_token"),
        }
    }

    pub async fn step(&self, process: &Edge, login: &Login, step: &str, body: Value) -> Answer {
        self.call(process, "POST", &format!("{}/{step}", login.path), &login.token, Some(body)).await
    }

    /// A whole login of a new user; answers its access token.
    pub async fn log_in(&self, process: &Edge) -> String {
        let (user, _) = self.user(process).await;
        let login = self.start(process, &user).await;
        self.step(process, &login, "code", json!({})).await.expect(200);
        let done = self.step(process, &login, "verification", json!({ "code": self.code() })).await;
        text(&done.expect(200), "/tokens/access_token")
    }

    /// A whole login with a recovery code.
    pub async fn recover(&self, process: &Edge, user: &str, code: &str) -> Answer {
        let login = self.start(process, user).await;
        self.step(process, &login, "verification", json!({ "recovery_code": code })).await
    }

    pub async fn own_phone(&self, process: &Edge, access: &str) -> Answer {
        self.call(process, "GET", "/v1/me/phone", access, None).await
    }

    /// The code in the last message.
    pub fn code(&self) -> String {
        tests::local::code_in(self.messages.0.lock().unwrap().last().unwrap())
    }
}

fn slot(keys: &mut Keys, name: SecretName) -> &mut Value {
    match name {
        SecretName::Signing => &mut keys.signing,
        SecretName::CodePepper => &mut keys.code_pepper,
        SecretName::RecoveryPepper => &mut keys.recovery_pepper,
        SecretName::Sealing => &mut keys.sealing,
        SecretName::PersonalData => &mut keys.personal_data,
        SecretName::Operator => &mut keys.operator,
        other => panic!("{other:?} is made from another"),
    }
}
