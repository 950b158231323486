//! Functions behind the logins table's DynamoDB stream.
//!
//! A batch's records are handled one after another, each on its own: those that failed are reported, and Lambda hands them, and whatever
//! follows the first of them, out again. So a consumer is asked for the same record more than once, and has to know.

use crate::ports::Fault;
use async_trait::async_trait;
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Change {
    Insert,
    Modify,
    Remove,
}

/// An item or a key as streams have it: `{"pk": {"S": "…"}}`.
pub type Image = BTreeMap<String, Value>;

/// One change of one item.
#[derive(Clone, Deserialize)]
pub struct Record {
    #[serde(rename = "eventName")]
    pub change: Change,
    #[serde(rename = "dynamodb")]
    pub of: Changed,
}

/// What the table says of a change. The images hold sealed data, hashes and ids; they are never logged all the same.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Changed {
    pub sequence_number: String,
    pub keys: Image,
    pub new_image: Option<Image>,
    pub old_image: Option<Image>,
}

impl Record {
    /// The partition and the sort key.
    pub fn key(&self) -> Option<(&str, &str)> {
        Some((text(&self.of.keys, "pk")?, text(&self.of.keys, "sk")?))
    }
}

/// A string attribute.
pub fn text<'a>(image: &'a Image, name: &str) -> Option<&'a str> {
    image.get(name)?.get("S")?.as_str()
}

/// A number attribute.
pub fn number<N: std::str::FromStr>(image: &Image, name: &str) -> Option<N> {
    image.get(name)?.get("N")?.as_str()?.parse().ok()
}

/// What a function does about a change.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// # Errors
    /// The record is handed out again, as often as the event source mapping says.
    async fn take(&self, record: &Record) -> Result<(), Fault>;
}

/// Hands the stream's events to the consumer, one after another, until the environment ends.
pub async fn run(consumer: Arc<dyn Consumer>) -> Result<(), lambda_http::Error> {
    let consumer = &*consumer;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let request_id = event.context.request_id.clone();
        answer(consumer, event.payload, &request_id).await.map_err(lambda_http::Error::from)
    }))
    .await
}

/// An event that isn't one of a stream fails this invocation, in words that repeat nothing of it.
async fn answer(consumer: &dyn Consumer, event: Value, request_id: &str) -> Result<Outcome, &'static str> {
    let event: Event = serde_json::from_value(event).map_err(|_| "not an event of a DynamoDB stream")?;
    let mut outcome = Outcome::default();
    for record in &event.records {
        if let Err(fault) = consumer.take(record).await {
            tracing::error!(request_id, %fault, "a record was not handled");
            let item_identifier = record.of.sequence_number.clone();
            outcome.batch_item_failures.push(Failed { item_identifier });
        }
    }
    let failed = outcome.batch_item_failures.len();
    tracing::info!(request_id, records = event.records.len(), failed, "batch");
    Ok(outcome)
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

/// The answer of a function whose mapping has `ReportBatchItemFailures`. None at all: everything was handled.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    batch_item_failures: Vec<Failed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    item_identifier: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Mutex;

    /// Fails where the sort key says so.
    #[derive(Default)]
    struct Picky(Mutex<Vec<String>>);

    #[async_trait]
    impl Consumer for Picky {
        async fn take(&self, record: &Record) -> Result<(), Fault> {
            let (_, sk) = record.key().unwrap();
            self.0.lock().unwrap().push(sk.to_owned());
            if sk.starts_with("bad") { Err(Fault::new("no")) } else { Ok(()) }
        }
    }

    fn record(name: &str, sk: &str, number: &str) -> Value {
        json!({
            "eventID": "1", "eventName": name, "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "dynamodb": {
                "Keys": { "pk": { "S": "notice#1" }, "sk": { "S": sk } },
                "NewImage": { "pk": { "S": "notice#1" }, "sk": { "S": sk }, "v": { "N": "1" } },
                "SequenceNumber": number, "SizeBytes": 10, "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    }

    #[tokio::test]
    async fn one_record_that_fails_is_reported_and_keeps_no_other_from_being_handled() {
        let consumer = Picky::default();
        let event = json!({ "Records": [
            record("INSERT", "a", "100"), record("INSERT", "bad", "200"), record("MODIFY", "c", "300"),
        ] });
        let outcome = answer(&consumer, event, "r").await.unwrap();
        let text = serde_json::to_value(outcome).unwrap();
        assert_eq!(text, json!({ "batchItemFailures": [{ "itemIdentifier": "200" }] }));
        assert_eq!(*consumer.0.lock().unwrap(), ["a", "bad", "c"]);
    }

    #[tokio::test]
    async fn what_is_no_stream_event_fails_and_is_not_repeated() {
        for event in [json!(null), json!({ "rawPath": "/secret" }), json!({ "Records": [{ "secret": 1 }] })] {
            let why = answer(&Picky::default(), event, "r").await.unwrap_err();
            assert_eq!(why, "not an event of a DynamoDB stream");
        }
        let outcome = answer(&Picky::default(), json!({ "Records": [] }), "r").await.unwrap();
        assert_eq!(serde_json::to_value(outcome).unwrap(), json!({ "batchItemFailures": [] }));
    }

    #[test]
    fn attributes_are_read_by_their_types() {
        let record: Record = serde_json::from_value(record("INSERT", "a", "1")).unwrap();
        let image = record.of.new_image.as_ref().unwrap();
        assert_eq!((text(image, "pk"), number::<u32>(image, "v")), (Some("notice#1"), Some(1)));
        assert_eq!((text(image, "v"), number::<u32>(image, "pk")), (None, None));
        assert_eq!(record.change, Change::Insert);
        assert!(record.of.old_image.is_none());
    }
}
