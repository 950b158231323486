//! What was counted, read from the tables themselves: what clients were told of, to the one, and beyond it what nobody was told of at most.

use crate::book::Book;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::{HashMap, HashSet};
use tests::sdk;
use tests::tables::Tables;

type Item = HashMap<String, AttributeValue>;

fn number(item: &Item, name: &str) -> u64 {
    item.get(name).map_or(0, |value| value.as_n().unwrap().parse().unwrap())
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// Each of the messages that have left was reserved in its login and counted against its tenant's day before; and none was reserved that is
/// not counted there or still owed by a process that was killed in between. Of those that a client heard of, each count is exact.
pub async fn assert_counted(endpoint: &str, tables: &Tables, left: u64, book: &Book) {
    let client = sdk::client(endpoint);
    let pages = client.scan().table_name(&tables.logins).consistent_read(true).into_paginator();
    let items = pages.items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sum = |which: &dyn Fn(&Item) -> bool, name: &str| -> u64 {
        items.iter().filter(|item| which(item)).map(|item| number(item, name)).sum()
    };
    let reserved = sum(&|item| text(item, "sk").starts_with("challenge#"), "sends");
    let counted = sum(&|item| text(item, "pk").starts_with("limit#tenant#"), "messages");
    println!("{reserved} sends reserved, {counted} counted, {left} left, {}", book.heard_of_sends());
    assert!(left > 0 && left <= counted && counted <= reserved, "{left} <= {counted} <= {reserved}");
    let (least, most) = book.sends();
    assert!(least <= counted && reserved <= most, "{least} <= {counted} <= {reserved} <= {most}");
    let completed: HashSet<&str> = book.completed.iter().map(|done| done.login.as_str()).collect();
    let mut sent = 0;
    for item in items.iter().filter(|item| text(item, "sk").starts_with("challenge#")) {
        let (attempts, most) = (number(item, "attempts"), number(item, "max_attempts"));
        assert!(attempts <= most, "{attempts} guesses judged of {most}: {item:?}");
        let login = text(item, "login");
        let Some(user) = book.sent.get(login) else {
            assert!(number(item, "sends") <= 1 && attempts == 0, "nobody guessed: {item:?}");
            continue;
        };
        sent += 1;
        assert_eq!(number(item, "sends"), 1, "asked for once: {item:?}");
        let heard = book.wrong.get(user).copied().unwrap_or(0);
        // The last guess may have had no answer, or lost its number to somebody else.
        let last = if completed.contains(login) { attempts - 1 } else { attempts.min(heard) };
        assert_eq!(last, heard, "{attempts} guesses judged: {item:?}");
        assert!(attempts <= heard + 1, "{attempts} guesses judged, and {heard} were wrong: {item:?}");
    }
    assert_eq!(sent, book.sent.len(), "a login that was sent a code is gone");
}
