//! The items of the two tables, taken down and put back.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use shared::config::dynamodb_client_for;
use std::collections::HashMap;
use tests::tables::Tables;

type Item = HashMap<String, AttributeValue>;

/// All items of both tables, each with its table.
#[derive(Clone, Debug, Default)]
pub struct Items(Vec<(String, Item)>);

impl Items {
    pub async fn read(endpoint: &str, tables: &Tables) -> Self {
        let client = dynamodb_client_for(endpoint);
        let mut items = Vec::new();
        for table in [&tables.directory, &tables.logins] {
            let found = client.scan().table_name(table).consistent_read(true).send().await.unwrap();
            assert!(found.last_evaluated_key().is_none(), "a world of one page");
            items.extend(found.items.unwrap_or_default().into_iter().map(|item| (table.clone(), item)));
        }
        Self(items)
    }

    /// Makes the tables as they were when these were read.
    pub async fn put_back(&self, endpoint: &str, tables: &Tables) {
        let client = dynamodb_client_for(endpoint);
        let now = Self::read(endpoint, tables).await;
        for (table, item) in &now.0 {
            let key = key(item);
            if !self.0.iter().any(|(of, kept)| of == table && key == self::key(kept)) {
                client.delete_item().table_name(table).set_key(Some(key)).send().await.unwrap();
            }
        }
        for wanted in &self.0 {
            if !now.0.contains(wanted) {
                let (table, item) = wanted;
                client.put_item().table_name(table).set_item(Some(item.clone())).send().await.unwrap();
            }
        }
    }

    /// The same with another value for an attribute, wherever an item has it. It is a binary one.
    pub fn with_attribute(mut self, name: &str, value: &[u8]) -> Self {
        for (_, item) in &mut self.0 {
            if let Some(attribute) = item.get_mut(name) {
                *attribute = AttributeValue::B(value.into());
            }
        }
        self
    }
}

fn key(item: &Item) -> Item {
    ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone())).into()
}

/// A key and the code's MAC of the item that a guess is charged to.
pub struct Guessed {
    pub pk: String,
    pub sk: String,
    pub mac: Vec<u8>,
}

impl Guessed {
    /// From what the function asked for, and was told.
    pub fn of(asked: &Value, answer: &Value) -> Self {
        use base64::Engine as _;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mac = text(&answer["Attributes"]["code_mac"]["B"]);
        let mac = base64::engine::general_purpose::STANDARD.decode(mac).expect("base64");
        Self { pk: text(&asked["Key"]["pk"]["S"]), sk: text(&asked["Key"]["sk"]["S"]), mac }
    }
}
