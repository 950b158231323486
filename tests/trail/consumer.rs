//! The function's part, fed from the stream.

use crate::world::World;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use shared::api::audit_trail::AuditTrailApp;
use shared::compose::{self, Base};
use shared::config::{OsEntropy, dynamodb_client_for};
use shared::dynamodb::{DynamoStore, Item};
use shared::stream::{Consumer, Record};
use std::sync::Arc;
use tests::proxy::Proxy;
use tests::sdk;
use tests::streams::{TableStream, passes};
use tests::template::Template;

pub struct Trail {
    pub world: World,
    stream: TableStream,
    app: AuditTrailApp,
    /// Before what the consumer writes.
    pub proxy: Proxy,
}

impl Trail {
    pub async fn new() -> Self {
        Self::in_world(World::new().await).await
    }

    pub async fn in_world(world: World) -> Self {
        let stream = TableStream::enable(world.engine.url(), &world.tables.logins).await;
        let proxy = Proxy::start(world.engine.url()).await;
        let store = dynamodb_client_for(&proxy.url());
        let store = DynamoStore::new(store, &world.tables.directory, &world.tables.logins);
        let base = Base { store, clock: world.clock.clone(), entropy: Arc::new(OsEntropy) };
        Self { world, stream, app: compose::audit_trail(&base), proxy }
    }

    /// What the mapping would hand on, of all that has happened.
    pub async fn records(&self) -> Vec<Record> {
        let filters = Template::load().streams.remove("audit-trail").unwrap().filters;
        let mut records = self.stream.records().await;
        let all = records.len();
        records.retain(|record| filters.iter().any(|filter| passes(filter, record)));
        assert!(records.len() < all, "the filters let everything through");
        records.into_iter().map(|record| serde_json::from_value(record).unwrap()).collect()
    }

    /// Whether the record is done with.
    pub async fn take(&self, record: &Record) -> bool {
        self.app.take(record).await.is_ok()
    }

    pub async fn tell_all(&self) {
        for record in self.records().await {
            assert!(self.take(&record).await);
        }
    }

    /// The events of these kinds that the API finds, oldest first; of all kinds where none is named.
    pub async fn events(&self, filters: &str) -> Vec<Value> {
        let path = format!("/v1/tenants{}/audit-events?limit=100{filters}", self.world.tenant);
        let (status, page) = self.world.call("GET", &path, Some(&self.world.admin), &[], None).await;
        assert_eq!((status, &page["next"]), (200, &Value::Null), "{page}");
        page["items"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// Every item of the audit, sorted by key.
    pub async fn items(&self) -> Vec<Item> {
        let client = sdk::client(self.world.engine.url());
        let pages =
            client.scan().table_name(&self.world.tables.directory).consistent_read(true).into_paginator();
        let mut items = pages.items().send().collect::<Result<Vec<Item>, _>>().await.unwrap();
        items.retain(|item| key(item).0.starts_with("audit#"));
        items.sort_by_key(key);
        items
    }

    /// Sets one attribute of an item, as only a test may.
    pub async fn tamper(&self, table: &str, (pk, sk): (String, String), name: &str, value: AttributeValue) {
        let update = sdk::client(self.world.engine.url()).update_item().table_name(table);
        let update = update.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk));
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}

pub fn key(item: &Item) -> (String, String) {
    (item["pk"].as_s().unwrap().clone(), item["sk"].as_s().unwrap().clone())
}

pub fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}
