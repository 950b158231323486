//! One deployment of `policy-admin` and `user-directory`, and shorthand for calls to it.

use crate::support::{OWN_ORIGIN, SeededEntropy, TestClock, store};
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use serde_json::{Value, json};
use shared::api::{policy_admin, user_directory};
use shared::auth::{Argon2Passwords, OperatorHashes, PersonalDataKeys, XChaChaPersonalData};
use shared::compose::{self, Base};
use shared::config::OsEntropy;
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, Item};
use shared::http::Edge;
use shared::ports::{Clock, Entropy};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Where every call comes from.
pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 23));

pub struct World {
    pub store: DynamoStore,
    pub clock: Arc<TestClock>,
    pub operator: String,
    pub tenant: String,
    /// The tenant's first owner key and its id.
    pub owner: String,
    pub owner_id: String,
    edge: Edge,
    calls: AtomicU64,
    requests: RequestCounter,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
    pub request_id: String,
}

/// Counts what goes to the engine.
#[derive(Clone, Debug, Default)]
struct RequestCounter(Arc<AtomicU64>);

impl Intercept for RequestCounter {
    fn name(&self) -> &'static str {
        "RequestCounter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Never says the same moment twice.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

impl World {
    /// Its clock stands still.
    pub async fn new() -> Self {
        let clock = Arc::new(TestClock::start());
        Self::with(clock.clone(), clock).await
    }

    /// Its clock goes on with every look at it, so that events have an order in time.
    pub async fn ticking() -> Self {
        let clock = TestClock::start();
        let ticking = Ticking(AtomicI64::new(clock.now().millis()));
        Self::with(Arc::new(clock), Arc::new(ticking)).await
    }

    async fn with(test_clock: Arc<TestClock>, clock: Arc<dyn Clock>) -> Self {
        let plain = store().await;
        let requests = RequestCounter::default();
        let counted = plain.client().config().to_builder().interceptor(requests.clone()).build();
        let client = aws_sdk_dynamodb::Client::from_conf(counted);
        let store = DynamoStore::new(client, plain.directory(), plain.logins());
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(11));
        let base = Base { store: store.clone(), clock: clock.clone(), entropy: entropy.clone() };
        let keys = PersonalDataKeys::generate(&OsEntropy).into_exposed();
        let personal = XChaChaPersonalData::new(PersonalDataKeys::parse(&keys).unwrap(), entropy.clone());
        let passwords = Arc::new(Argon2Passwords::new(entropy.clone()).unwrap());
        let (operator, hashes) = OperatorHashes::generate(&OsEntropy);
        let hashes = OperatorHashes::parse(&hashes).unwrap().hashes().to_vec();
        let users =
            compose::user_directory(&base, hashes.clone(), OWN_ORIGIN.into(), passwords, Arc::new(personal));
        let edge = Edge::new(clock.clone(), entropy)
            .mount(Arc::new(compose::policy_admin(&base, hashes, OWN_ORIGIN.into())), policy_admin::ROUTES)
            .mount(Arc::new(users), user_directory::ROUTES);
        let mut world = Self {
            store,
            clock: test_clock,
            operator: operator.text.into_exposed(),
            tenant: String::new(),
            owner: String::new(),
            owner_id: String::new(),
            edge,
            calls: AtomicU64::new(0),
            requests,
        };
        let made = world.new_tenant().await;
        world.tenant = text(&made["id"]);
        world.owner = text(&made["admin_key"]["secret"]);
        world.owner_id = text(&made["admin_key"]["id"]);
        world
    }

    pub async fn new_tenant(&self) -> Value {
        let body = json!({"name": "Acme", "home_country": "US"});
        self.call(&self.operator, "POST", "/v1/tenants", &body.to_string(), "").await.expect(201)
    }

    /// One call with a request id of its own.
    pub async fn call(&self, key: &str, method: &str, path: &str, body: &str, accept: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if !accept.is_empty() {
            request = request.header(header::ACCEPT, accept);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let request_id = format!("call-{}", self.calls.fetch_add(1, Ordering::SeqCst));
        let response = self.edge.handle(request, Some(CLIENT), Some(request_id.clone())).await;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text,
            body,
            request_id,
        }
    }

    /// A path of the tenant.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.tenant)
    }

    /// A call of the owner below its tenant.
    pub async fn owner(&self, method: &str, rest: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.call(&self.owner, method, &self.path(rest), &body, "").await
    }

    pub async fn get(&self, rest: &str) -> Value {
        self.owner("GET", rest, Value::Null).await.expect(200)
    }

    pub async fn user(&self, body: Value) -> String {
        text(&self.owner("POST", "/users", body).await.expect(201)["id"])
    }

    pub async fn application(&self) -> String {
        text(&self.owner("POST", "/applications", json!({"name": "Shop"})).await.expect(201)["id"])
    }

    pub async fn key(&self, role: &str) -> String {
        let body = json!({"role": role, "name": role});
        text(&self.owner("POST", "/admin-keys", body).await.expect(201)["secret"])
    }

    /// All events that a search finds, newest first, a page of `limit` after the other.
    pub async fn events(&self, filters: &str, limit: u16) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/audit-events?limit={limit}{filters}{cursor}");
            let page = self.get(&path).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= usize::from(limit));
            found.extend(items.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    /// Every item of the audit.
    pub async fn audit_items(&self) -> Vec<Item> {
        let mut items = self.scan(self.store.directory()).await;
        items.retain(|item| attribute(item, "pk").starts_with("audit#"));
        items
    }

    pub async fn scan(&self, table: &str) -> Vec<Item> {
        let pages = self.store.client().scan().table_name(table).consistent_read(true);
        let mut items = pages.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(item.unwrap());
        }
        found
    }

    /// How many requests went to the engine so far.
    pub fn requests(&self) -> u64 {
        self.requests.0.load(Ordering::SeqCst)
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
    }
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

pub fn attribute<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// What differs between two answers of the API, on either side.
pub fn difference(before: &Value, after: &Value) -> (Value, Value) {
    let (mut old, mut new) = (json!({}), json!({}));
    let empty = serde_json::Map::new();
    let (a, b) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
    for name in names {
        let (was, is) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
        if was == is {
            continue;
        }
        let (was, is) =
            if was.is_object() && is.is_object() { difference(was, is) } else { (was.clone(), is.clone()) };
        (old[name], new[name]) = (was, is);
    }
    (old, new)
}
