//! A custom resource's side of CloudFormation: the request is an event, the answer goes to an address in it.

use crate::config::put_json;
use serde::Deserialize;
use serde_json::{Value, json};

/// What the resource is called in the stack's events. It never changes, so no update looks like a replacement.
const PHYSICAL_ID: &str = "first-values";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    request_type: String,
    /// Signed for one answer, so not to be logged.
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
}

impl Request {
    pub fn parse(event: Value) -> Result<Self, &'static str> {
        serde_json::from_value(event).map_err(|_| "not a request of CloudFormation for a custom resource")
    }

    pub fn is_deletion(&self) -> bool {
        self.request_type == "Delete"
    }

    /// Says how it went; nothing else about it. Without an answer CloudFormation would wait for an hour, so Lambda is let try again
    /// where it could not be given.
    pub async fn answer(&self, is_done: bool) -> Result<(), String> {
        let answer = json!({
            "Status": if is_done { "SUCCESS" } else { "FAILED" },
            "Reason": if is_done { "" } else { "see the function's log" },
            "PhysicalResourceId": PHYSICAL_ID,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
            "NoEcho": true,
        });
        put_json(&self.response_url, &answer.to_string()).await
    }
}
