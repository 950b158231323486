//! Items of another shape: with an attribute that nobody knows, as a newer version may leave, and without one that there should be.

use crate::flows::is_defined;
use crate::world::World;
use crate::{NUMBER, code};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use std::collections::HashMap;
use tests::values::another_code;

type Item = HashMap<String, AttributeValue>;

/// Where an attribute is in its item: its name, or the names of those around it and its own.
type Path = Vec<String>;

impl World {
    /// All items of both tables, each with its table; without the audit's, which nothing reads that lets anybody in.
    async fn all_items(&self) -> Vec<(String, Item)> {
        let mut all = Vec::new();
        for table in [&self.tables.directory, &self.tables.logins] {
            let scan = self.engine_client().scan().table_name(table);
            let scan = scan.filter_expression("NOT begins_with(pk, :audit)");
            let scan = scan.expression_attribute_values(":audit", AttributeValue::S("audit#".to_owned()));
            let pages = scan.into_paginator().items().send();
            let items = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
            all.extend(items.into_iter().map(|item| (table.clone(), item)));
        }
        all
    }

    async fn put(&self, table: &str, item: Item) {
        self.engine_client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    /// Everything but the audit stands as it did.
    async fn restores(&self, before: &[(String, Item)]) {
        let now = self.all_items().await;
        let is_same = |(table, item): &(String, Item), (other_table, other): &(String, Item)| {
            table == other_table && item["pk"] == other["pk"] && item["sk"] == other["sk"]
        };
        for made in now.iter().filter(|made| !before.iter().any(|kept| is_same(made, kept))) {
            let (table, item) = made;
            let delete = self.engine_client().delete_item().table_name(table);
            delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        }
        for kept in before.iter().filter(|kept| !now.contains(kept)) {
            self.put(&kept.0, kept.1.clone()).await;
        }
    }

    /// Leaves out each attribute, also within others, of each item one of whose keys starts so; `answers` is told where, calls, and says what
    /// it heard, which has to be an answer of the contract. Everything is put back after each. Answers how many there were.
    pub async fn without_each(
        &self,
        kinds: &[&str],
        answers: impl AsyncFn(&str) -> Vec<(u16, serde_json::Value)>,
    ) -> usize {
        let before = self.all_items().await;
        let is_meant = |item: &Item| {
            let starts = |key: &str| kinds.iter().any(|kind| item[key].as_s().unwrap().starts_with(kind));
            starts("pk") || starts("sk")
        };
        let mut tried = 0;
        for (table, item) in before.iter().filter(|(_, item)| is_meant(item)) {
            for path in paths(item) {
                self.put(table, without(item, &path)).await;
                let place = format!("{} without {}", item["sk"].as_s().unwrap(), path.join("."));
                for answer in answers(&place).await {
                    assert!(is_defined(&answer), "{place}: {answer:?}");
                }
                self.restores(&before).await;
                tried += 1;
            }
        }
        assert!(tried > 0, "{kinds:?}: nothing was left out");
        tried
    }

    /// Gives each item an attribute that nobody knows, and each number and each tenant's rules within one.
    pub async fn gains_attributes(&self) {
        for (table, mut item) in self.all_items().await {
            item.insert(NEW.to_owned(), AttributeValue::S("kept".to_owned()));
            for name in ["phone", "pending", "security"] {
                if let Some(AttributeValue::M(inner)) = item.get_mut(name) {
                    inner.insert(NEW.to_owned(), AttributeValue::S("kept".to_owned()));
                }
            }
            self.put(&table, item).await;
        }
    }
}

/// What a newer version may leave.
const NEW: &str = "of_a_newer_version";

/// Every attribute but the key's, and every one within a map.
fn paths(item: &Item) -> Vec<Path> {
    fn within(value: &AttributeValue, path: &Path, found: &mut Vec<Path>) {
        let step = |name: String| [path.clone(), vec![name]].concat();
        match value {
            AttributeValue::M(map) => {
                for (name, value) in map {
                    found.push(step(name.clone()));
                    within(value, &step(name.clone()), found);
                }
            }
            AttributeValue::L(list) => {
                for (place, value) in list.iter().enumerate() {
                    within(value, &step(place.to_string()), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    within(&AttributeValue::M(item.clone()), &Path::new(), &mut found);
    found.retain(|path| !["pk", "sk"].contains(&path[0].as_str()));
    found
}

fn without(item: &Item, path: &[String]) -> Item {
    fn remove(value: &mut AttributeValue, path: &[String]) {
        match (value, path) {
            (AttributeValue::M(map), [name]) => drop(map.remove(name)),
            (AttributeValue::M(map), [name, rest @ ..]) => remove(map.get_mut(name).unwrap(), rest),
            (AttributeValue::L(list), [place, rest @ ..]) => {
                remove(&mut list[place.parse::<usize>().unwrap()], rest);
            }
            _ => {}
        }
    }
    let mut item = AttributeValue::M(item.clone());
    remove(&mut item, path);
    item.as_m().unwrap().clone()
}

#[tokio::test]
async fn g5_an_attribute_that_nobody_knows_changes_nothing_and_stays() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.sends(&login).await;
    world.gains_attributes().await;
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
        assert!(is_new || item.contains_key(NEW), "{sk} lost what it had");
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
    let tried = world
        .without_each(&[""], async |place| {
            let guess = json!({ "code": right });
            let judged = world.does(&blocked, "verification", guess).await;
            assert_ne!(judged.0, 200, "{place}: {judged:?}");
            let sent = world.does(&blocked, "code", json!({})).await;
            let path = format!("/v1/logins/{}", blocked.id);
            let seen = world.call("GET", &path, Some(&blocked.token), &[], None).await;
            let body = json!({ "application": world.application, "assertion": { "user": user } });
            let begun = world.call("POST", "/v1/logins", Some(&world.secret), &[], Some(body)).await;
            // Without a number nothing else is asked for, and without the tenant's rules no code: that is their meaning.
            let may_skip = place.ends_with(" without phone") || place.ends_with(" without security");
            assert!(may_skip || begun.1["tokens"].is_null(), "{place}: signed in without a code");
            vec![judged, sent, seen, begun]
        })
        .await;
    assert!(tried > 120, "{tried}");
}
