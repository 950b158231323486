//! Items of another shape: with an attribute that nobody knows, as a newer version may leave, and without one that there should be.

use crate::world::World;
use crate::{NUMBER, code};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use std::collections::HashMap;
use tests::values::another_code;

type Item = HashMap<String, AttributeValue>;

impl World {
    /// All items of both tables, each with its table. The audit's are never read by a login.
    async fn all_items(&self) -> Vec<(String, Item)> {
        let mut all = Vec::new();
        for table in [&self.tables.directory, &self.tables.logins] {
            let scan = self.engine_client().scan().table_name(table).send().await.unwrap();
            let items = scan.items.unwrap_or_default().into_iter();
            let items = items.filter(|item| !item["pk"].as_s().unwrap().starts_with("audit#"));
            all.extend(items.map(|item| (table.clone(), item)));
        }
        all
    }

    async fn put(&self, table: &str, item: Item) {
        self.engine_client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
}

#[tokio::test]
async fn g5_an_attribute_that_nobody_knows_changes_nothing_and_stays() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.sends(&login).await;
    for (table, mut item) in world.all_items().await {
        item.insert("of_a_newer_version".to_owned(), AttributeValue::S("kept".to_owned()));
        world.put(&table, item).await;
    }
    let guess = json!({ "code": another_code(&world.code()) });
    assert_eq!(code(&world.does(&login, "verification", guess).await), (401, "wrong_code"));
    world.advance(61);
    world.sends(&login).await;
    assert_eq!(code(&world.gives_code(&login).await), (200, ""));
    let next = world.asserted(&user).await;
    world.advance(240);
    world.sends(&next).await;
    assert_eq!(code(&world.gives_code(&next).await), (200, ""));
    for (_, item) in world.all_items().await {
        let sk = item["sk"].as_s().unwrap();
        let is_new = sk.starts_with("challenge#")
            && sk.contains(next.id.trim_start_matches("chl_").trim_start_matches("log_"));
        assert!(is_new || item.contains_key("of_a_newer_version"), "{sk} lost what it had");
    }
}

/// What a missing attribute may lead to: a refusal or a 503, never more than the whole item would have given.
#[tokio::test]
async fn h3_without_an_attribute_nobody_gets_more() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let blocked = world.asserted(&user).await;
    world.sends(&blocked).await;
    let right = world.code();
    for _ in 0..5 {
        let guess = json!({ "code": another_code(&right) });
        assert_eq!(code(&world.does(&blocked, "verification", guess).await), (401, "wrong_code"));
    }
    let items = world.all_items().await;
    let mut tried = 0;
    for (table, item) in &items {
        for name in item.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut without = item.clone();
            without.remove(name);
            world.put(table, without).await;
            let place = format!("{} without {name}", item["sk"].as_s().unwrap());
            let guess = json!({ "code": right });
            let answer = world.does(&blocked, "verification", guess).await;
            assert!(is_defined(&answer) && answer.0 != 200, "{place}: {answer:?}");
            let answer = world.does(&blocked, "code", json!({})).await;
            assert!(is_defined(&answer), "{place}: {answer:?}");
            let path = format!("/v1/logins/{}", blocked.id);
            let answer = world.call("GET", &path, Some(&blocked.token), &[], None).await;
            assert!(is_defined(&answer), "{place}: {answer:?}");
            let body = json!({ "application": world.application, "assertion": { "user": user } });
            let answer = world.call("POST", "/v1/logins", Some(&world.secret), &[], Some(body)).await;
            assert!(is_defined(&answer), "{place}: {answer:?}");
            // Without a number nothing else is asked for, and without the tenant's rules no code: that is their meaning.
            let may_skip = ["phone", "security"].contains(&name.as_str());
            assert!(may_skip || answer.1["tokens"].is_null(), "{place}: signed in without a code");
            // What is put back: the item itself, and what the calls may have changed.
            let changes = |other: &&(String, Item)| {
                let sk = other.1["sk"].as_s().unwrap();
                sk == "factor" || sk.starts_with("challenge#")
            };
            for (table, other) in items.iter().filter(changes) {
                world.put(table, other.clone()).await;
            }
            world.put(table, item.clone()).await;
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

fn is_defined(answer: &(u16, serde_json::Value)) -> bool {
    let (status, code) = code(answer);
    status < 400 || (status < 500 && !code.is_empty()) || (status == 503 && code == "unavailable")
}
