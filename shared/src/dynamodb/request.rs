//! What every request to the engine needs: items to and from our own structs, and errors told apart.

use crate::ports::Fault;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// An item as the engine has it.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Encodes one of our item structs.
pub fn to_item<T: Serialize>(value: &T) -> Result<Item, Fault> {
    serde_dynamo::to_item(value).map_err(Fault::new)
}

/// Decodes one of our item structs. An item that doesn't fit is a fault: it was written by us.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, Fault> {
    serde_dynamo::from_item(item).map_err(Fault::new)
}

/// Turns what the SDK says into an opaque fault: the service's own code and words, never our request.
pub fn fault<E, R>(error: SdkError<E, R>) -> Fault
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(context) => Fault::new(format!(
            "dynamodb {}: {}",
            context.err().code().unwrap_or("unknown"),
            context.err().message().unwrap_or("no message")
        )),
        _ => Fault::new(error),
    }
}

/// Errors of single writes that may carry a failed condition.
pub trait ConditionalWrite {
    /// `Some` when the write's condition did not hold, with the item as it was if that was asked for.
    fn old_item(self) -> Option<Option<Item>>;
}

macro_rules! conditional_write {
    ($($error:ident),*) => {$(
        impl ConditionalWrite for $error {
            fn old_item(self) -> Option<Option<Item>> {
                match self {
                    $error::ConditionalCheckFailedException(failed) => Some(failed.item),
                    _ => None,
                }
            }
        }
    )*};
}

conditional_write!(UpdateItemError, PutItemError, DeleteItemError);

/// Tells a condition that did not hold (`Ok`, with the old item if the request asked for it) from a fault.
pub fn condition_failed<E, R>(error: SdkError<E, R>) -> Result<Option<Item>, Fault>
where
    E: ConditionalWrite + std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let text = format!(
                "dynamodb {}: {}",
                context.err().code().unwrap_or("unknown"),
                context.err().message().unwrap_or("no message")
            );
            context.into_err().old_item().ok_or_else(|| Fault::new(text))
        }
        other => Err(Fault::new(other)),
    }
}

/// Why one action of a cancelled transaction failed.
#[derive(Debug)]
pub enum CancelledBy {
    /// This action was fine; another one wasn't.
    Nothing,
    /// Its condition did not hold; with the item as it was, if the action asked for it.
    Condition(Option<Item>),
    /// Another write was under way on the same item, or the engine was busy: the same transaction may succeed when tried again.
    Contention,
}

/// The reasons of a cancelled transaction, in the order of its actions; anything else is a fault.
pub fn cancelled<R>(error: SdkError<TransactWriteItemsError, R>) -> Result<Vec<CancelledBy>, Fault>
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => match context.into_err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled
                .cancellation_reasons
                .unwrap_or_default()
                .into_iter()
                .map(|reason| match reason.code.as_deref() {
                    None | Some("None") => Ok(CancelledBy::Nothing),
                    Some("ConditionalCheckFailed") => Ok(CancelledBy::Condition(reason.item)),
                    Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                        Ok(CancelledBy::Contention)
                    }
                    Some(code) => Err(Fault::new(format!("dynamodb transaction cancelled: {code}"))),
                })
                .collect(),
            other => Err(Fault::new(format!("dynamodb {}", other.code().unwrap_or("unknown")))),
        },
        other => Err(Fault::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::error::ErrorMetadata;

    #[test]
    fn a_fault_has_the_services_code_and_words() {
        let of = |metadata: ErrorMetadata| {
            fault(SdkError::service_error(PutItemError::generic(metadata), "what was asked")).to_string()
        };
        let metadata = || ErrorMetadata::builder().code("ThrottlingException");
        assert_eq!(of(metadata().message("slow down").build()), "dynamodb ThrottlingException: slow down");
        assert_eq!(of(metadata().build()), "dynamodb ThrottlingException: no message");
        assert_eq!(of(ErrorMetadata::builder().build()), "dynamodb unknown: no message");
        let error: SdkError<PutItemError, &str> = SdkError::timeout_error("no answer");
        assert!(!fault(error).to_string().contains("dynamodb"));
    }
}
