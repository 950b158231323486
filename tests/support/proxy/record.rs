//! What came through the proxy.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

/// One request that came through, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Record {
    /// As `UpdateItem`.
    pub operation: String,
    /// The how many-th attempt of the client's it is, as the SDK says.
    pub attempt: usize,
    /// The tables that it names, each once.
    pub tables: Vec<String>,
    pub body: Value,
    /// What the client got to see; `None` if it was no answer.
    pub status: Option<u16>,
    /// The engine's answer, null if it was not asked.
    pub answer: Value,
}

impl Record {
    pub fn is_read(&self) -> bool {
        matches!(self.operation.as_str(), "GetItem" | "BatchGetItem" | "Query" | "Scan" | "TransactGetItems")
    }

    /// What it takes of the tables, in read units for a read and in write units for a write: as the engine says, and where AWS bills what
    /// DynamoDB Local leaves out, with that added. A transaction counts twice; a key that nothing stands under counts one; a write that
    /// a condition refused costs what it would have cost, and ours are of a KB.
    pub fn units(&self) -> f64 {
        let consumed = &self.answer["ConsumedCapacity"];
        let each = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
        let said = each
            .iter()
            .filter_map(|table| table["CapacityUnits"].as_f64())
            .fold(0.0, |sum, units| sum + units);
        let refused = self.status == Some(400) && self.is_write();
        match self.body["TransactItems"].as_array().map(Vec::len) {
            Some(actions) if refused => 2.0 * count(actions),
            Some(_) => 2.0 * said,
            None if refused => 1.0,
            None => said + count(self.missing()),
        }
    }

    /// How many keys of a `BatchGetItem` or `GetItem` have no item.
    fn missing(&self) -> usize {
        let per_table = |value: &Value, inner: &str| -> usize {
            let tables = value.as_object().into_iter().flatten();
            tables
                .map(|(_, table)| if inner.is_empty() { table } else { &table[inner] })
                .filter_map(Value::as_array)
                .map(Vec::len)
                .sum()
        };
        match self.operation.as_str() {
            "BatchGetItem" => {
                per_table(&self.body["RequestItems"], "Keys") - per_table(&self.answer["Responses"], "")
            }
            "GetItem" => usize::from(self.answer["Item"].is_null()),
            _ => 0,
        }
    }

    /// What it does to items: the actions of a transaction, or a single write.
    pub fn actions(&self) -> Vec<&Value> {
        match self.body["TransactItems"].as_array() {
            Some(actions) => {
                actions.iter().filter_map(|action| action.as_object()?.values().next()).collect()
            }
            None if self.is_write() => vec![&self.body],
            None => Vec::new(),
        }
    }

    /// Everything else counts as a write, so that a budget never misses an operation that nobody thought of.
    pub fn is_write(&self) -> bool {
        !self.is_read()
    }
}

/// How many requests of each kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub reads: usize,
    pub writes: usize,
}

/// Counts requests.
pub fn tally(records: &[Record]) -> Tally {
    let reads = records.iter().filter(|record| record.is_read()).count();
    Tally { reads, writes: records.len() - reads }
}

/// The operations of some requests, in their order.
pub fn operations(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.operation.as_str()).collect()
}

/// What a request says.
pub(super) fn record(request: &Request<Bytes>) -> Record {
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let tables = tables(&body);
    // As `attempt=2; max=3`.
    let said = request.headers().get("amz-sdk-request").and_then(|value| value.to_str().ok());
    let attempt = said.and_then(|said| said.split(';').find_map(|part| part.trim().strip_prefix("attempt=")));
    let attempt = attempt.and_then(|number| number.parse().ok()).unwrap_or(1);
    Record { operation, attempt, tables, body, status: None, answer: Value::Null }
}

#[allow(clippy::cast_precision_loss, reason = "no request names more than a hundred items")]
fn count(items: usize) -> f64 {
    items as f64
}

fn tables(body: &Value) -> Vec<String> {
    let mut tables = Vec::new();
    tables.extend(body["TableName"].as_str().map(str::to_owned));
    for (table, _) in body["RequestItems"].as_object().into_iter().flatten() {
        tables.push(table.clone());
    }
    for action in body["TransactItems"].as_array().into_iter().flatten() {
        let actions = action.as_object().into_iter().flatten();
        tables.extend(actions.filter_map(|(_, action)| action["TableName"].as_str()).map(str::to_owned));
    }
    tables.sort();
    tables.dedup();
    tables
}
