//! The functions' builds behind a gateway that routes as template.yaml says, with the rest of the world played: SNS, Secrets Manager, and
//! before DynamoDB Local one proxy for each function, which sees what that function asks for.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::config::SecretName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tests::aws::{SecretsManager, Sns};
use tests::canaries::Canaries;
use tests::engine::Engine;
use tests::events;
use tests::gateway::Gateway;
use tests::hosted::Seals;
use tests::http_client::Answer;
use tests::proxy::{Proxy, Record};
use tests::rights::{Access, accesses};
use tests::runtime::Bootstrap;
use tests::sdk;
use tests::secrets::{arn, first_values};
use tests::streams::{TableStream, passes};
use tests::tables::Tables;
use tests::template::Template;

/// What the template's parameters are set to.
pub const BASE_URL: &str = "https://api.example.com";
pub const SENDER_ID: &str = "ACME";
pub const MAX_PRICE_USD: &str = "0.50";
pub const METRICS_NAMESPACE: &str = "mfa/test";

pub struct Deployment {
    pub engine: Engine,
    pub tables: Tables,
    pub gateway: Gateway,
    pub sns: Sns,
    pub operator_key: String,
    pub canaries: Canaries,
    pub proxies: BTreeMap<String, Proxy>,
    secrets: SecretsManager,
    stream: TableStream,
}

impl Deployment {
    pub async fn start() -> Self {
        let engine = Engine::dynamodb_local().await;
        let tables = Tables::create(&engine).await;
        let stream = TableStream::enable(engine.url(), &tables.logins).await;
        let mut canaries = Canaries::new();
        let (operator_key, secrets) = new_secrets(&mut canaries);
        let (secrets, sns) = (SecretsManager::start(secrets).await, Sns::start().await);
        let mut proxies = BTreeMap::new();
        for function in Template::load().functions.into_keys() {
            proxies.insert(function, Proxy::start(engine.url()).await);
        }
        let gateway = Gateway::start(|function, names| {
            environment(&tables, &sns, &secrets, &proxies[function].url(), names)
        })
        .await;
        Self { engine, tables, gateway, sns, operator_key, canaries, proxies, secrets, stream }
    }

    /// One more process of a function, which asks the engine itself.
    pub async fn another(&self, function: &str) -> Bootstrap {
        let names = &Template::load().functions[function].environment;
        let variables = environment(&self.tables, &self.sns, &self.secrets, self.engine.url(), names);
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Bootstrap::spawn(function, &variables).await
    }

    /// Hands one of the kept events to the function of its route.
    pub async fn handle(&self, event: &str, values: &[(&str, &str)]) -> Answer {
        let event = events::load(event, values);
        events::answer(
            &self.gateway.handle(&event).await.unwrap_or_else(|error| panic!("{event}: {error:?}")),
        )
    }

    /// The keys of the items of the logins table whose partitions start so.
    pub async fn logins(&self, kind: &str) -> Vec<(String, String)> {
        let client = sdk::client(self.engine.url());
        let pages = client.scan().table_name(&self.tables.logins).consistent_read(true).into_paginator();
        let items = pages.items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let text = |item: &HashMap<String, AttributeValue>, name: &str| item[name].as_s().unwrap().clone();
        let keys = items.iter().map(|item| (text(item, "pk"), text(item, "sk")));
        keys.filter(|(pk, _)| pk.starts_with(kind)).collect()
    }

    /// The event with all that the logins table's stream has for a function so far, by its mapping's filters.
    pub async fn streamed(&self, function: &str) -> Value {
        let filters = Template::load().streams.remove(function).unwrap().filters;
        let mut records = self.stream.records().await;
        records.retain(|record| filters.iter().any(|filter| passes(filter, record)));
        json!({ "Records": records })
    }

    /// What a function has asked of the tables so far, by their logical names; it forgets them.
    pub fn asked(&self, function: &str) -> BTreeSet<Access> {
        let records = self.proxies[function].take();
        records
            .iter()
            .filter(|record| !is_warm_up(record))
            .flat_map(accesses)
            .map(|access| self.logical(access))
            .collect()
    }

    fn logical(&self, access: Access) -> Access {
        let table = match &access.table {
            table if *table == self.tables.directory => "DirectoryTable",
            table if *table == self.tables.logins => "LoginsTable",
            table => panic!("a table of somebody else's: {table}"),
        };
        Access { table: table.to_owned(), ..access }
    }

    /// What only the deployment's own keys can make.
    pub fn seals(&self) -> Seals {
        let values = self.secrets.values();
        let value = |name| serde_json::from_str(&values[&arn(name)]).unwrap();
        Seals::with(&value(SecretName::Sealing), &value(SecretName::Signing))
    }

    /// No function has logged a secret, at the level at which it logs all it ever does.
    pub fn assert_quiet(&self) {
        let streams = Template::load().streams;
        for function in self.proxies.keys() {
            let log = self.gateway.function(function).log().text_when(|log| {
                // Not every test calls those that no route leads to.
                log.contains("request_id") || streams.contains_key(function)
            });
            assert!(log.contains("request_id") || streams.contains_key(function), "{function} logs nothing");
            self.canaries.assert_absent(function, &log);
        }
    }
}

/// The first read of every function is there for its connection, and may be refused.
fn is_warm_up(record: &Record) -> bool {
    record.operation == "GetItem" && record.body["Key"]["pk"]["S"] == "limit#warm#none"
}

/// New secrets, as an operator puts them into Secrets Manager; with the operator's key.
pub fn new_secrets(canaries: &mut Canaries) -> (String, BTreeMap<String, String>) {
    let (operator_key, values) = first_values();
    canaries.add("operator key", &operator_key);
    let mut secrets = BTreeMap::new();
    for (name, value) in values {
        if !matches!(name, SecretName::Operator | SecretName::PublicKeys) {
            note_keys(&value, canaries);
        }
        secrets.insert(arn(name), value.to_string());
    }
    (operator_key, secrets)
}

/// Every long text of a secret is a key.
fn note_keys(secret: &Value, canaries: &mut Canaries) {
    match secret {
        Value::String(text) if text.len() >= 40 => canaries.add("key of the service", text),
        Value::Object(members) => members.values().for_each(|value| note_keys(value, canaries)),
        _ => {}
    }
}

/// The variables that the template sets, with the values that a deployment would give them; and where AWS is.
pub fn environment(
    tables: &Tables,
    sns: &Sns,
    secrets: &SecretsManager,
    dynamodb: &str,
    names: &[String],
) -> Vec<(String, String)> {
    let secret = |variable: &str| {
        let name = SecretName::ALL.into_iter().find(|name| name.variable() + "_ARN" == variable);
        arn(name.unwrap_or_else(|| panic!("what is {variable} set to?")))
    };
    let value = |name: &str| match name {
        "DIRECTORY_TABLE" => tables.directory.clone(),
        "LOGINS_TABLE" => tables.logins.clone(),
        "KEYS_VERSION" => "1".to_owned(),
        "LOG_LEVEL" => "trace".to_owned(),
        "METRICS_NAMESPACE" => METRICS_NAMESPACE.to_owned(),
        "BASE_URL" => BASE_URL.to_owned(),
        "SMS_SENDER_ID" => SENDER_ID.to_owned(),
        "SMS_MAX_PRICE_USD" => MAX_PRICE_USD.to_owned(),
        // The test's identity provider is on this machine.
        "ALLOW_PRIVATE_ISSUERS" => "true".to_owned(),
        // As a template leaves out what is not wanted.
        "SMS_ORIGINATION_NUMBER" => String::new(),
        other => secret(other),
    };
    let endpoints =
        [("DYNAMODB", dynamodb.to_owned()), ("SNS", sns.url()), ("SECRETS_MANAGER", secrets.url())];
    let endpoints = endpoints.map(|(service, url)| (format!("AWS_ENDPOINT_URL_{service}"), url));
    names.iter().map(|name| (name.clone(), value(name))).chain(endpoints).collect()
}
