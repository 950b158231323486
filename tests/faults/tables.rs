//! What stands in the tables, read by a client of the test's own: nothing is half there.

use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tests::sdk;
use tests::tables::Tables;

type Item = HashMap<String, AttributeValue>;

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

async fn all(endpoint: &str, table: &str) -> Vec<Item> {
    let pages = sdk::client(endpoint).scan().table_name(table).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.unwrap()
}

/// Every number, username, address and subject has an owner who has it, and every user's are owned; who has a factor is a user, and the reverse.
pub async fn assert_consistent(endpoint: &str, tables: &Tables) {
    let directory = all(endpoint, &tables.directory).await;
    let logins = all(endpoint, &tables.logins).await;
    let mut users = BTreeMap::new();
    let mut owned = BTreeSet::new();
    for item in &directory {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        match pk.split('#').collect::<Vec<_>>()[..] {
            ["user", _] => {
                users.insert(sk.to_owned(), item);
            }
            ["owner", _, kind, hash] => {
                assert!(owned.insert((kind.to_owned(), hash.to_owned(), text(item, "user").to_owned())));
            }
            _ => {}
        }
    }
    let mut had = BTreeSet::new();
    let mut with_factor = BTreeSet::new();
    for item in logins.iter().filter(|item| text(item, "sk") == "factor") {
        let user = text(item, "pk").rsplit('#').next().unwrap().to_owned();
        for name in ["v", "failures", "revision"] {
            assert!(item.contains_key(name), "half a factor: {item:?}");
        }
        if let Some(AttributeValue::M(phone)) = item.get("phone") {
            had.insert(("phone".to_owned(), text(phone, "hash").to_owned(), user.clone()));
        }
        with_factor.insert(user);
    }
    for (user, item) in &users {
        if let Some(AttributeValue::M(identities)) = item.get("identities") {
            for subject in identities.values().filter_map(|subject| subject.as_m().ok()) {
                had.insert(("subject".to_owned(), text(subject, "hash").to_owned(), user.clone()));
            }
        }
        for kind in ["username", "email"] {
            if let Some(AttributeValue::M(value)) = item.get(kind) {
                had.insert((kind.to_owned(), text(value, "hash").to_owned(), user.clone()));
            }
        }
    }
    assert_eq!(users.keys().cloned().collect::<BTreeSet<_>>(), with_factor);
    assert_eq!(owned, had);
    for item in logins.iter().filter(|item| text(item, "sk").starts_with("challenge#")) {
        for name in ["v", "login", "started_at", "max_attempts", "ttl"] {
            assert!(item.contains_key(name), "half a challenge: {item:?}");
        }
    }
    assert!(!users.is_empty() && !owned.is_empty(), "nothing was looked at");
}
