//! One tenant's administrators at the function `user-directory`, over a real engine in memory.

use crate::engine::store;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};
use shared::api::{policy_admin, user_directory};
use shared::auth::{Argon2Passwords, OperatorHashes, PersonalDataKeys, XChaChaPersonalData};
use shared::compose::{self, Base};
use shared::config::{OsEntropy, SystemClock};
use shared::dynamodb::{DynamoStore, Item};
use shared::http::Edge;
use std::collections::HashMap;
use std::sync::Arc;

/// The service with one tenant in it.
pub struct Service {
    edge: Edge,
    pub store: DynamoStore,
    pub passwords: Arc<Argon2Passwords>,
    pub operator: String,
    pub tenant: String,
    /// The tenant's first owner key.
    pub owner: String,
}

/// An answer: its status and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Status and code in one.
    pub fn outcome(&self) -> (u16, &str) {
        (self.status, self.code())
    }

    pub fn id(&self) -> String {
        assert_eq!(self.status, 201, "{:?}", self.body);
        self.body["id"].as_str().expect("an id").to_owned()
    }
}

impl Service {
    pub async fn start() -> Self {
        let store = store().await;
        let base = Base { store: store.clone(), clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) };
        let keys = PersonalDataKeys::generate(&OsEntropy).into_exposed();
        let keys = PersonalDataKeys::parse(&keys).expect("keys just made");
        let personal = Arc::new(XChaChaPersonalData::new(keys, base.entropy.clone()));
        let passwords = Arc::new(Argon2Passwords::new(base.entropy.clone()).expect("parameters"));
        let (operator, hashes) = OperatorHashes::generate(&OsEntropy);
        let hashes = OperatorHashes::parse(&hashes).expect("hashes just made").hashes().to_vec();
        let users = compose::user_directory(
            &base,
            hashes.clone(),
            "https://mfa.example.com".into(),
            passwords.clone(),
            personal,
        );
        let edge = Edge::new(base.clock.clone(), base.entropy.clone())
            .mount(
                Arc::new(compose::policy_admin(&base, hashes, "https://mfa.example.com".into())),
                policy_admin::ROUTES,
            )
            .mount(Arc::new(users), user_directory::ROUTES);
        let operator = operator.text.into_exposed();
        let mut service =
            Self { edge, store, passwords, operator, tenant: String::new(), owner: String::new() };
        (service.tenant, service.owner) = service.new_tenant().await;
        service
    }

    /// A tenant's id and its first owner key.
    pub async fn new_tenant(&self) -> (String, String) {
        let body = json!({"name": "Company", "home_country": "US"});
        let made = self.call(&self.operator, "POST", "/v1/tenants", Some(body)).await;
        (made.id(), made.body["admin_key"]["secret"].as_str().expect("a key").to_owned())
    }

    /// A key of this tenant with a role.
    pub async fn key(&self, role: &str) -> String {
        let path = format!("/v1/tenants/{}/admin-keys", self.tenant);
        let made = self.call(&self.owner, "POST", &path, Some(json!({"role": role, "name": role}))).await;
        made.body["secret"].as_str().expect("a key").to_owned()
    }

    pub async fn call(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let response = self.edge.handle(request.body(body).expect("a request"), None, None).await;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Answer { status: response.status().as_u16(), body }
    }

    /// A call of the owner below this tenant's users.
    pub async fn users(&self, method: &str, below: &str, body: Option<Value>) -> Answer {
        self.call(&self.owner, method, &format!("/v1/tenants/{}/users{below}", self.tenant), body).await
    }

    pub async fn create(&self, body: Value) -> Answer {
        self.users("POST", "", Some(body)).await
    }

    pub async fn bind(&self, user: &str, phone: &str) -> Answer {
        self.users("PUT", &format!("/{user}/phone"), Some(json!({"phone": phone}))).await
    }

    pub async fn unbind(&self, user: &str) -> Answer {
        self.users("DELETE", &format!("/{user}/phone"), None).await
    }

    pub async fn get(&self, user: &str) -> Answer {
        self.users("GET", &format!("/{user}"), None).await
    }

    pub async fn patch(&self, user: &str, body: Value) -> Answer {
        self.users("PATCH", &format!("/{user}"), Some(body)).await
    }

    pub async fn delete(&self, user: &str) -> Answer {
        self.users("DELETE", &format!("/{user}"), None).await
    }

    /// How many users an exact search finds, by id.
    pub async fn find(&self, query: &str) -> Vec<String> {
        let found = self.users("GET", &format!("?{query}"), None).await;
        assert_eq!(found.status, 200, "{:?}", found.body);
        let items = found.body["items"].as_array().expect("items").iter();
        items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Every item of a table.
    pub async fn scan(&self, table: &str) -> Vec<Item> {
        let pages = self.store.client().scan().table_name(table).consistent_read(true);
        let mut items = pages.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(item.expect("a scan"));
        }
        found
    }

    /// Both tables.
    pub async fn everything(&self) -> Vec<Item> {
        let mut items = self.scan(self.store.directory()).await;
        items.extend(self.scan(self.store.logins()).await);
        items
    }

    /// The items that users are made of: all but policy's and the audit, which outlives them.
    pub async fn items_of_users(&self) -> Vec<Item> {
        let mut items = self.everything().await;
        items.retain(|item| !["policy#", "audit#"].iter().any(|kind| text(item, "pk").starts_with(kind)));
        items
    }

    /// A user's factor item.
    pub async fn factor(&self, user: &str) -> Item {
        self.login_item(user, "factor").await.expect("a factor")
    }

    pub async fn login_item(&self, user: &str, sk: &str) -> Option<Item> {
        let request = self.store.client().get_item().table_name(self.store.logins());
        let request = request.set_key(Some(self.login_key(user, sk))).consistent_read(true);
        request.send().await.expect("a read").item
    }

    fn login_key(&self, user: &str, sk: &str) -> Item {
        let pk = AttributeValue::S(format!("login#{}#{user}", self.tenant));
        HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), AttributeValue::S(sk.to_owned()))])
    }

    /// Counts failures of a user, as wrong codes do.
    pub async fn set_failures(&self, user: &str, failures: u32) {
        let request = self.store.client().update_item().table_name(self.store.logins());
        request
            .set_key(Some(self.login_key(user, "factor")))
            .update_expression("SET failures = :failures")
            .expression_attribute_values(":failures", AttributeValue::N(failures.to_string()))
            .send()
            .await
            .expect("an update");
    }

    /// Puts a login with a code that is out, and answers its sort key. `more` are attributes beside the usual ones.
    pub async fn put_challenge(&self, user: &str, number: u64, started_at: i64, more: Item) -> String {
        let login = format!("log_{number:022}");
        let sk = format!("challenge#{started_at:013}#{login}");
        let n = |value: i64| AttributeValue::N(value.to_string());
        let s = |value: &str| AttributeValue::S(value.to_owned());
        let mut item = self.login_key(user, &sk);
        let usual = [
            ("v", n(1)),
            ("login", s(&login)),
            ("started_at", n(started_at)),
            ("max_attempts", n(5)),
            ("attempts", n(1)),
            ("sends", n(1)),
            ("code_mac", blob(&[7; 32])),
            ("nonce", blob(&[8; 16])),
            ("pepper", s("p1")),
            ("sent_hash", s("hash")),
            ("sent_hint", s("hint")),
            ("first_sent_at", n(started_at)),
            ("sent_at", n(started_at)),
            ("expires_at", n(started_at + 300_000)),
            ("resend_at", n(started_at + 30_000)),
            ("delivery", s("accepted")),
        ];
        item.extend(usual.map(|(name, value)| (name.to_owned(), value)));
        item.extend(more);
        let put = self.store.client().put_item().table_name(self.store.logins()).set_item(Some(item));
        put.send().await.expect("a put");
        sk
    }
}

pub fn blob(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(bytes.to_vec().into())
}

pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

pub fn number(item: &Item, name: &str) -> i64 {
    item[name].as_n().expect("a number").parse().expect("an integer")
}
