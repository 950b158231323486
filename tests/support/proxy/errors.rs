//! What DynamoDB says where it does not do what is asked.

use super::CONFLICT;
use serde_json::{Value, json};

pub(super) fn error(name: &str, message: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message})
}

/// A single write has no reasons: it hears of the conflict by an error of that name, and is throttled otherwise.
pub(super) fn cancelled(body: &Value, action: usize, code: &str) -> Value {
    let message = "Transaction is ongoing for the item";
    let Some(actions) = body["TransactItems"].as_array() else {
        return error(
            if code == CONFLICT { "TransactionConflictException" } else { "ThrottlingException" },
            message,
        );
    };
    let mut reasons = vec![json!({"Code": "None"}); actions.len()];
    if let Some(reason) = reasons.get_mut(action) {
        *reason = json!({"Code": code, "Message": message});
    }
    let mut error = error("TransactionCanceledException", &format!("Transaction cancelled: [{code}]"));
    error["CancellationReasons"] = Value::Array(reasons);
    error
}

/// What a write hears whose condition does not hold.
pub(super) fn condition_failed(body: &Value, action: usize, item: Value) -> Value {
    let message = "The conditional request failed";
    if body["TransactItems"].is_array() {
        let mut error = cancelled(body, action, "ConditionalCheckFailed");
        let reason = &mut error["CancellationReasons"][action];
        reason["Message"] = message.into();
        if !item.is_null() {
            reason["Item"] = item;
        }
        return error;
    }
    let mut error = error("ConditionalCheckFailedException", message);
    if !item.is_null() {
        error["Item"] = item;
    }
    error
}
