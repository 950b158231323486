//! What was counted, read from the tables themselves: never less than has left.

use crate::fleet::Fleet;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use tests::sdk;

type Item = HashMap<String, AttributeValue>;

fn number(item: &Item, name: &str) -> usize {
    item.get(name).map_or(0, |value| value.as_n().unwrap().parse().unwrap())
}

/// Each message that has left was reserved in its login and counted against its tenant's day before; and none was reserved that is not
/// counted there or still owed by a process that was killed in between.
pub async fn assert_counted(fleet: &Fleet) {
    let client = sdk::client(fleet.engine.url());
    let pages = client.scan().table_name(&fleet.tables.logins).consistent_read(true).into_paginator();
    let items = pages.items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sum = |which: &dyn Fn(&str, &str) -> bool, name: &str| -> usize {
        let text = |item: &Item, key: &str| item[key].as_s().unwrap().clone();
        let of_kind = items.iter().filter(|item| which(&text(item, "pk"), &text(item, "sk")));
        of_kind.map(|item| number(item, name)).sum()
    };
    let reserved = sum(&|_, sk| sk.starts_with("challenge#"), "sends");
    let counted = sum(&|pk, _| pk.starts_with("limit#tenant#"), "messages");
    let left = fleet.messages();
    println!("{reserved} sends reserved, {counted} counted, {left} left");
    assert!(left > 0 && left <= counted && counted <= reserved, "{left} <= {counted} <= {reserved}");
    for item in items.iter().filter(|item| item["sk"].as_s().unwrap().starts_with("challenge#")) {
        let (attempts, most) = (number(item, "attempts"), number(item, "max_attempts"));
        assert!(attempts <= most, "{attempts} guesses judged of {most}: {item:?}");
    }
}
