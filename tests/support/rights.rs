//! IAM's part: whether template.yaml gives a function the right to what it asks of the tables, and whether it uses the rights it has.

use crate::proxy::Record;
use crate::template::{Function, Statement};
use serde_json::Value;
use std::collections::BTreeSet;

/// One action on the partitions of one table. A request may be several: each action of a transaction takes its own right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// As `dynamodb:PutItem`.
    pub action: String,
    pub table: String,
    pub partitions: Vec<String>,
}

/// What a request takes rights for.
///
/// # Panics
/// If it is one whose partitions can't be told.
pub fn accesses(record: &Record) -> Vec<Access> {
    let body = &record.body;
    let table = body["TableName"].as_str().unwrap_or_default();
    let access = |action: &str, table: &str, partitions: Vec<String>| Access {
        action: format!("dynamodb:{action}"),
        table: table.to_owned(),
        partitions,
    };
    match record.operation.as_str() {
        "GetItem" | "UpdateItem" | "DeleteItem" | "PutItem" => {
            vec![access(&record.operation, table, vec![partition(body)])]
        }
        "Query" => {
            let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
            assert!(condition.contains("pk = :pk"), "another way to name a partition: {condition}");
            vec![access("Query", table, vec![text(&body["ExpressionAttributeValues"][":pk"])])]
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let of_table = |(table, request): (&String, &Value)| {
                let keys = request["Keys"].as_array().into_iter().flatten();
                access("BatchGetItem", table, keys.map(|key| text(&key["pk"])).collect())
            };
            tables.map(of_table).collect()
        }
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().into_iter().flatten();
            let named = actions.filter_map(|action| action.as_object()?.iter().next());
            named
                .map(|(name, action)| {
                    let name = if name == "ConditionCheck" {
                        "ConditionCheckItem".to_owned()
                    } else {
                        format!("{name}Item")
                    };
                    access(&name, action["TableName"].as_str().unwrap_or_default(), vec![partition(action)])
                })
                .collect()
        }
        other => panic!("which rights does {other} take?"),
    }
}

/// The partition of a write or read of one item.
fn partition(request: &Value) -> String {
    text(request.get("Key").unwrap_or(&request["Item"]).get("pk").unwrap_or(&Value::Null))
}

fn text(attribute: &Value) -> String {
    attribute["S"].as_str().unwrap_or_else(|| panic!("no partition: {attribute}")).to_owned()
}

/// What a function has no right to, of what it did.
pub fn lacking<'a>(function: &Function, done: &'a BTreeSet<Access>) -> Vec<&'a Access> {
    done.iter().filter(|access| !function.statements.iter().any(|it| grants(it, access))).collect()
}

/// What a function has a right to and never did: `Sid: action`, `Sid: partitions`.
pub fn unused(function: &Function, done: &BTreeSet<Access>) -> Vec<String> {
    let mut unused = Vec::new();
    for statement in &function.statements {
        // Lambda reads the stream, not the function.
        if statement.actions.iter().any(|action| action == "dynamodb:GetRecords") {
            continue;
        }
        let by_it: Vec<_> = done.iter().filter(|access| grants(statement, access)).collect();
        for action in statement.actions.iter().filter(|action| action.starts_with("dynamodb:")) {
            if !by_it.iter().any(|access| access.action == *action) {
                unused.push(format!("{}: {action}", statement.sid));
            }
        }
        for pattern in statement.leading_keys.iter().flatten() {
            let start = pattern.trim_end_matches('*');
            if !by_it.iter().any(|access| access.partitions.iter().any(|it| it.starts_with(start))) {
                unused.push(format!("{}: {pattern}", statement.sid));
            }
        }
    }
    unused
}

fn grants(statement: &Statement, access: &Access) -> bool {
    let partitions: Vec<_> = access.partitions.iter().map(String::as_str).collect();
    statement.allows(&access.action, &access.table, &partitions)
}
