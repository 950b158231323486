//! The whole service in this process, before a proxy that counts, with a clock and a sender that the test commands.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use http::{Method, header};
use local::{DataFolder, Keys, Parts, compose};
use serde_json::{Value, json};
use shared::config::{OsEntropy, dynamodb_client_for};
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, tables};
use shared::http::Edge;
use shared::ports::{Clock, Entropy, OutgoingMessage, SendOutcome, SmsSender};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tests::engine::Engine;
use tests::hosted::Seals;
use tests::http_client::{Answer, Call};
use tests::proxy::{Proxy, Record, tally};
use tests::repository::TemporaryFolder;
use tests::tables::Tables;
use tests::values::text;

pub const PASSWORD: &str = "correct horse battery";

/// A clock that only the test moves.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A sender that answers what the test says and remembers what it was given.
#[derive(Debug)]
pub struct Scripted {
    outcome: Mutex<SendOutcome>,
    bodies: Mutex<Vec<String>>,
}

#[async_trait]
impl SmsSender for Scripted {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        self.bodies.lock().unwrap().push(message.body.expose().clone());
        self.outcome.lock().unwrap().clone()
    }
}

/// What a call cost and answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    pub outcome: String,
    pub reads: usize,
    pub writes: usize,
}

pub struct World {
    edge: Edge,
    pub proxy: Proxy,
    pub clock: Arc<TestClock>,
    pub sender: Arc<Scripted>,
    pub tenant: String,
    pub admin: String,
    #[allow(dead_code, reason = "tests/faults, which stands on this file too, uses it")]
    operator: String,
    pub application: String,
    pub secret: String,
    /// Every measured call in order, for the table in docs/PERFORMANCE.md.
    pub costs: Mutex<Vec<(String, Cost)>>,
    /// Read and write units of the last measured call.
    pub units: Mutex<(f64, f64)>,
    #[allow(dead_code, reason = "tests/trail, which stands on this file too, looks at it")]
    pub seals: Seals,
    #[allow(dead_code, reason = "tests/trail, which stands on this file too, looks at it")]
    pub engine: Engine,
    #[allow(dead_code, reason = "as above")]
    pub tables: Tables,
    _folder: TemporaryFolder,
}

pub struct Login {
    pub id: String,
    pub token: String,
}

impl World {
    /// A tenant with SMS on and limits out of the way.
    pub async fn new() -> Self {
        let tables = Tables::of_local();
        Self::on(Engine::dynoxide().await, tables).await
    }

    /// The same on a given engine.
    pub async fn on(engine: Engine, tables: Tables) -> Self {
        Self::with_client(engine, tables, dynamodb_client_for).await
    }

    /// The same with another client than the service's own at an address.
    pub async fn with_client(engine: Engine, tables: Tables, client: fn(&str) -> Client) -> Self {
        Self::with_sender(engine, tables, client, None).await
    }

    /// The same with another sender than the scripted one.
    pub async fn with_sender(
        engine: Engine,
        tables: Tables,
        client: fn(&str) -> Client,
        other: Option<Arc<dyn SmsSender>>,
    ) -> Self {
        let proxy = Proxy::start(engine.url()).await;
        let folder = TemporaryFolder::new();
        let keys = Keys::load_or_make(&DataFolder::open(folder.path()).unwrap(), &OsEntropy).unwrap();
        let client = client(&proxy.url());
        tables::create_missing(&client, &tables.directory, &tables.logins).await.unwrap();
        // In 2100: DynamoDB Local deletes within seconds what has expired by the real clock.
        let clock = Arc::new(TestClock(AtomicI64::new(4_102_495_200_000)));
        let accepted = SendOutcome::Accepted { message_id: "m".into() };
        let sender = Arc::new(Scripted { outcome: Mutex::new(accepted), bodies: Mutex::default() });
        let parts = Parts {
            store: DynamoStore::new(client, &tables.directory, &tables.logins),
            clock: clock.clone(),
            entropy: Arc::new(OsEntropy) as Arc<dyn Entropy>,
            sms: other.unwrap_or_else(|| sender.clone()),
            base_url: "http://127.0.0.1:9000".into(),
        };
        let operator = keys.operator_key().to_owned();
        let mut world = Self {
            edge: compose(parts, &keys).unwrap(),
            proxy,
            clock,
            sender,
            tenant: String::new(),
            admin: operator.clone(),
            operator,
            application: String::new(),
            secret: String::new(),
            costs: Mutex::default(),
            units: Mutex::default(),
            seals: Seals::with(&keys.sealing, &keys.signing),
            engine,
            tables,
            _folder: folder,
        };
        let made = world.admin("POST", "", json!({ "name": "Budget", "home_country": "US" })).await;
        world.tenant = format!("/{}", text(&made, "/id"));
        world.admin = text(&made, "/admin_key/secret");
        let limits =
            json!({ "per_phone_hour": 100, "per_phone_day": 100, "per_user_hour": 100, "per_ip_hour": 1000 });
        world
            .admin("PATCH", "/security", json!({ "mfa": { "sms": { "enabled": true } }, "limits": limits }))
            .await;
        let made = world.admin("POST", "/applications", json!({ "name": "Shop" })).await;
        world.application = text(&made, "/id");
        world.secret = text(&made, "/secret/secret");
        world
    }

    /// An administrator's call that must succeed.
    pub async fn admin(&self, method: &str, rest: &str, body: Value) -> Value {
        let path = format!("/v1/tenants{}{rest}", self.tenant);
        let (status, answer) = self.call(method, &path, Some(&self.admin), &[], Some(body)).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    }

    pub async fn user(&self, username: &str, phone: Option<&str>) -> String {
        let mut body = json!({ "username": username, "password": PASSWORD });
        if let Some(phone) = phone {
            body["phone"] = phone.into();
        }
        text(&self.admin("POST", "/users", body).await, "/id")
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (u16, Value) {
        let answer = self.answer(method, path, bearer, headers, body).await;
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
    }

    /// The whole answer of a call.
    pub async fn answer(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> http::Response<bytes::Bytes> {
        let mut request = http::Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let client = Some("192.0.2.7".parse().unwrap());
        self.edge.handle(request.body(body.into()).unwrap(), client, None).await
    }

    /// One call with what it cost; `what` names it in the table.
    pub async fn measure(
        &self,
        what: &str,
        path: &str,
        bearer: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (Cost, Value) {
        let method = if body.is_some() { "POST" } else { "GET" };
        self.measure_as(what, (method, path), bearer, headers, body).await
    }

    pub async fn measure_as(
        &self,
        what: &str,
        (method, path): (&str, &str),
        bearer: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (Cost, Value) {
        self.proxy.take();
        let (status, answer) = self.call(method, path, bearer, headers, body).await;
        let records = self.proxy.take();
        let counted = tally(&records);
        let sum = |reads: bool| {
            records
                .iter()
                .filter(|r| r.is_read() == reads)
                .map(Record::units)
                .fold(0.0, |all, units| all + units)
        };
        *self.units.lock().unwrap() = (sum(true), sum(false));
        let outcome = answer["code"].as_str().map_or_else(|| status.to_string(), str::to_owned);
        let cost = Cost { outcome, reads: counted.reads, writes: counted.writes };
        self.costs.lock().unwrap().push((what.to_owned(), cost.clone()));
        (cost, answer)
    }

    /// Any call, with what it cost; a document of OAuth's names its error in `error`.
    #[allow(dead_code, reason = "as above")]
    pub async fn measure_call(&self, what: &str, call: Call) -> (Cost, Answer) {
        let mut request = http::Request::builder().method(call.method).uri(call.target);
        *request.headers_mut().unwrap() = call.headers;
        self.proxy.take();
        let client = Some("192.0.2.7".parse().unwrap());
        let answer = self.edge.handle(request.body(call.body).unwrap(), client, None).await;
        let counted = tally(&self.proxy.take());
        let (parts, body) = answer.into_parts();
        let answer = Answer::new(parts.status.as_u16(), parts.headers, body);
        let named = ["code", "error"].into_iter().find_map(|member| answer.json[member].as_str());
        let outcome = named.map_or_else(|| answer.status.to_string(), str::to_owned);
        let cost = Cost { outcome, reads: counted.reads, writes: counted.writes };
        self.costs.lock().unwrap().push((what.to_owned(), cost.clone()));
        (cost, answer)
    }

    pub async fn sign_in(&self, what: &str, account: &str, password: &str) -> (Cost, Value) {
        let body = json!({
            "application": self.application,
            "password": { "account": account, "password": password },
        });
        self.measure(what, "/v1/logins", None, &[], Some(body)).await
    }

    pub async fn login(&self, account: &str) -> Login {
        let (_, answer) = self.sign_in("sign-in", account, PASSWORD).await;
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token") }
    }

    pub async fn step(&self, what: &str, login: &Login, step: &str, body: Value) -> Cost {
        self.step_with(what, login, step, &[], body).await
    }

    pub async fn step_with(
        &self,
        what: &str,
        login: &Login,
        step: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Cost {
        let path = format!("/v1/logins/{}/{step}", login.id);
        self.measure(what, &path, Some(&login.token), headers, Some(body)).await.0
    }

    /// What all calls go to.
    #[allow(dead_code, reason = "tests/fuzz, which stands on this file too, uses it")]
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The operator's key.
    #[allow(dead_code, reason = "as above")]
    pub fn operator(&self) -> String {
        self.operator.clone()
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn provider(&self, outcome: SendOutcome) {
        *self.sender.outcome.lock().unwrap() = outcome;
    }

    /// The code in the last message.
    pub fn code(&self) -> String {
        let bodies = self.sender.bodies.lock().unwrap();
        tests::local::code_in(bodies.last().unwrap())
    }

    pub fn messages(&self) -> usize {
        self.sender.bodies.lock().unwrap().len()
    }
}

pub fn cost(outcome: &str, reads: usize, writes: usize) -> Cost {
    Cost { outcome: outcome.to_owned(), reads, writes }
}
