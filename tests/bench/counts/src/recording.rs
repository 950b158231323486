//! One login, call by call, with what went to the engine and came back.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Calls by their names.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Recording(pub BTreeMap<String, Recorded>);

/// One call of the gateway's.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recorded {
    /// As the function gets it.
    pub event: Value,
    /// What the function answers.
    pub status: u16,
    pub exchanges: Vec<Exchange>,
}

/// One request to the engine.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Exchange {
    pub operation: String,
    pub request: Value,
    pub status: u16,
    pub answer: Value,
}

impl Recording {
    /// The one that is kept.
    pub fn kept() -> Self {
        serde_json::from_str(include_str!("../recording.json")).expect("the recording is one")
    }

    pub fn call(&self, name: &str) -> &Recorded {
        self.0.get(name).unwrap_or_else(|| panic!("{name} was not recorded"))
    }
}

/// A request as it is compared: the SDK draws a token of its own for each transaction.
pub(crate) fn request(body: &[u8]) -> Value {
    let mut request: Value = serde_json::from_slice(body).expect("requests to the engine are JSON");
    if let Some(members) = request.as_object_mut() {
        members.remove("ClientRequestToken");
    }
    request
}
