//! A table's stream, read as Lambda reads it: the records have the form in which a function gets them.

use crate::http_client::{Call, HttpClient};
use crate::sdk;
use aws_sdk_dynamodb::types::{StreamSpecification, StreamViewType};
use serde_json::{Value, json};
use std::time::Duration;

/// The stream of one table.
#[derive(Debug)]
pub struct TableStream {
    http: HttpClient,
    arn: String,
}

impl TableStream {
    /// Switches it on. What is written from now on is in it, with the images of before and after.
    pub async fn enable(endpoint: &str, table: &str) -> Self {
        let client = sdk::client(endpoint);
        let wanted = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .unwrap();
        client.update_table().table_name(table).stream_specification(wanted).send().await.unwrap();
        loop {
            let described = client.describe_table().table_name(table).send().await.unwrap();
            if let Some(arn) = described.table.unwrap().latest_stream_arn {
                return Self { http: HttpClient::new(endpoint), arn };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything in it, in the order of each item.
    pub async fn records(&self) -> Vec<Value> {
        let described = self.call("DescribeStream", json!({ "StreamArn": self.arn })).await;
        let mut records = Vec::new();
        for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
            let from = json!({
                "StreamArn": self.arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
            });
            let mut iterator = self.call("GetShardIterator", from).await["ShardIterator"].clone();
            while iterator.is_string() {
                let page = self.call("GetRecords", json!({ "ShardIterator": iterator })).await;
                let found = page["Records"].as_array().unwrap();
                if found.is_empty() {
                    break;
                }
                records.extend(found.iter().cloned());
                iterator = page["NextShardIterator"].clone();
            }
        }
        records
    }

    async fn call(&self, operation: &str, body: Value) -> Value {
        // Engines on this machine want a signature's form and check none.
        let signature = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                         SignedHeaders=host;x-amz-date;x-amz-target, Signature=0";
        let call = Call::new("POST", "/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", &format!("DynamoDBStreams_20120810.{operation}"))
            .header("authorization", signature)
            .raw(body.to_string());
        self.http.send(call).await.expect(200)
    }
}

/// Whether a record passes an event source mapping's pattern, as far as ours use Lambda's language.
///
/// # Panics
/// If the pattern says something else.
pub fn passes(pattern: &Value, record: &Value) -> bool {
    match pattern {
        Value::Object(members) => members.iter().all(|(name, inner)| passes(inner, &record[name])),
        Value::Array(choices) => choices.iter().any(|choice| match choice {
            Value::String(text) => record == text,
            Value::Object(rule) if rule.contains_key("prefix") => {
                record.as_str().is_some_and(|text| text.starts_with(rule["prefix"].as_str().unwrap()))
            }
            // It is about leaves only.
            Value::Object(rule) if rule.get("exists") == Some(&Value::Bool(true)) => {
                !record.is_null() && !record.is_object()
            }
            other => panic!("what is {other}?"),
        }),
        other => panic!("what is {other}?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_met_in_all_its_members_by_one_of_their_choices() {
        let record = json!({ "name": "INSERT", "of": { "pk": { "S": "notice#1" }, "map": { "M": {} } } });
        for (pattern, met) in [
            (
                json!({ "name": ["MODIFY", "INSERT"], "of": { "pk": { "S": [{ "prefix": "notice#" }] } } }),
                true,
            ),
            (json!({ "name": ["MODIFY"] }), false),
            (json!({ "of": { "pk": { "S": [{ "prefix": "login#" }] } } }), false),
            (json!({ "of": { "pk": { "S": [{ "exists": true }] }, "map": { "M": {} } } }), true),
            (json!({ "of": { "map": [{ "exists": true }] } }), false),
            (json!({ "of": { "sk": { "S": [{ "exists": true }] } } }), false),
        ] {
            assert_eq!(passes(&pattern, &record), met, "{pattern}");
        }
    }
}
