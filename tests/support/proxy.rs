//! A proxy between the SDK and an engine that counts every request and can make one go wrong.

use crate::server::{Answer, Server};
use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long nothing is heard: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(30);
/// Why a transaction is cancelled where another write is under way.
pub const CONFLICT: &str = "TransactionConflict";

/// One request that came through, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Record {
    /// As `UpdateItem`.
    pub operation: String,
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

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The engine does what is asked, and the client hears nothing: the connection closes.
    LostAnswer,
    /// The connection closes before the engine has seen the request.
    LostRequest,
    /// `ThrottlingException`; the engine has not seen the request.
    Throttled,
    /// 500 `InternalServerError`; the engine has not seen the request.
    InternalError,
    /// Another write was under way on the same item: a cancelled transaction whose first action says so, or for a single write the
    /// error of that name. No engine on this machine raises it by itself.
    TransactionConflict,
    /// The engine has not seen the request, and the client hears nothing until it gives up.
    Silence,
    /// The engine does what is asked, and the client hears nothing until it gives up.
    SilenceAfter,
    /// A cancelled transaction: this action is the reason, which is this one.
    Cancelled { action: usize, code: &'static str },
    /// A read is answered as the same one was when it first came, if it has come before: no engine does it to a consistent one.
    Stale,
    /// The request goes on only after a while.
    Delayed(Duration),
    /// The request goes on once the gate opens.
    Held(Gate),
}

/// Holds requests back until a test lets them go, so that it decides what happens in between.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until one more request stands at the gate.
    pub async fn arrival(&self) {
        let arrived = tokio::time::timeout(Duration::from_secs(30), self.arrived.acquire()).await;
        arrived.expect("no request came to the gate").expect("never closed").forget();
    }

    /// Lets everyone through, from now on.
    pub fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        let _ = self.open.acquire().await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

type Choice = Box<dyn Fn(&Record) -> Option<Fault> + Send + Sync>;

/// Which requests a fault hits.
enum Rule {
    /// The next one of this operation, once.
    Next(String, Fault),
    /// All for which the function names a fault.
    Every(Choice),
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    rules: VecDeque<Rule>,
    /// The first answer to each read, once [`Proxy::remember_reads`] was called.
    first_answers: Option<HashMap<String, Value>>,
    /// Where `records` starts, counted over the proxy's whole life: an answer may come after `take`.
    taken: usize,
}

/// A running proxy.
pub struct Proxy {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Puts a proxy before the engine at `endpoint`.
    pub async fn start(endpoint: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let upstream = Upstream {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            // It never sends a request twice. (What hyper calls a retry is a connection that closed before anything was sent.)
            client: Client::builder(TokioExecutor::new()).build(connector),
        };
        let shared = Arc::clone(&state);
        let server =
            Server::start(move |request| handle(Arc::clone(&shared), upstream.clone(), request).boxed())
                .await;
        Self { server, state }
    }

    /// The endpoint for the client.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The requests since the last call, and forgets them. A request is there before its client has the answer.
    pub fn take(&self) -> Vec<Record> {
        let mut state = self.state.lock().unwrap();
        let records = std::mem::take(&mut state.records);
        state.taken += records.len();
        records
    }

    /// Lets the next request of this operation go wrong; called twice, the next two.
    pub fn fail_next(&self, operation: &str, fault: Fault) {
        self.state.lock().unwrap().rules.push_back(Rule::Next(operation.to_owned(), fault));
    }

    /// Lets every request go wrong for which the function names a fault, until [`Proxy::heal`].
    pub fn fail_when(&self, choose: impl Fn(&Record) -> Option<Fault> + Send + Sync + 'static) {
        self.state.lock().unwrap().rules.push_back(Rule::Every(Box::new(choose)));
    }

    /// From now on the first answer to each read is kept, for [`Fault::Stale`]; those of before are forgotten.
    pub fn remember_reads(&self) {
        self.state.lock().unwrap().first_answers = Some(HashMap::new());
    }

    /// Lets nothing go wrong any more.
    pub fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }
}

impl State {
    /// Notes a request; answers its number and what goes wrong with it.
    fn arrive(&mut self, record: Record) -> (usize, Option<Fault>) {
        let mut fault = None;
        let mut spent = None;
        for (index, rule) in self.rules.iter().enumerate() {
            fault = match rule {
                Rule::Next(operation, fault) if *operation == record.operation => {
                    spent = Some(index);
                    Some(fault.clone())
                }
                Rule::Next(..) => None,
                Rule::Every(choose) => choose(&record),
            };
            if fault.is_some() {
                break;
            }
        }
        if let Some(index) = spent {
            self.rules.remove(index);
        }
        self.records.push(record);
        (self.taken + self.records.len() - 1, fault)
    }

    /// The first answer that a read had, which is this one if there was none.
    fn first_answer(&mut self, record: &Record, answer: &Value) -> Value {
        let Some(known) = self.first_answers.as_mut().filter(|_| record.is_read()) else {
            return answer.clone();
        };
        let request = format!("{} {}", record.operation, record.body);
        known.entry(request).or_insert_with(|| answer.clone()).clone()
    }

    fn settle(&mut self, number: usize, status: Option<u16>, answer: Value) {
        let record = number.checked_sub(self.taken).and_then(|index| self.records.get_mut(index));
        if let Some(record) = record {
            record.status = status;
            record.answer = answer;
        }
    }
}

async fn handle(state: Arc<Mutex<State>>, upstream: Upstream, request: Request<Bytes>) -> Answer {
    let record = record(&request);
    let body = record.body.clone();
    let (number, fault) = state.lock().unwrap().arrive(record.clone());
    let settle = |status, answer| state.lock().unwrap().settle(number, status, answer);
    let refuse = |status: u16, error: Value| {
        settle(Some(status), Value::Null);
        Some(error_response(status, &error))
    };
    match &fault {
        Some(Fault::LostRequest) => return None,
        Some(Fault::Throttled) => return refuse(400, error("ThrottlingException", "Rate exceeded")),
        Some(Fault::InternalError) => {
            return refuse(500, error("InternalServerError", "Internal server error"));
        }
        Some(Fault::TransactionConflict) => return refuse(400, cancelled(&body, 0, CONFLICT)),
        Some(Fault::Cancelled { action, code }) => return refuse(400, cancelled(&body, *action, code)),
        Some(Fault::Silence) => {
            tokio::time::sleep(SILENCE).await;
            return None;
        }
        Some(Fault::Delayed(time)) => tokio::time::sleep(*time).await,
        Some(Fault::Held(gate)) => gate.pass().await,
        Some(Fault::LostAnswer | Fault::SilenceAfter | Fault::Stale) | None => {}
    }
    let response = upstream.send(request).await?;
    let answer = serde_json::from_slice(response.body()).unwrap_or_default();
    let first = state.lock().unwrap().first_answer(&record, &answer);
    match fault {
        Some(Fault::LostAnswer) => {
            settle(None, answer);
            return None;
        }
        Some(Fault::SilenceAfter) => {
            settle(None, answer);
            tokio::time::sleep(SILENCE).await;
            return None;
        }
        Some(Fault::Stale) if record.is_read() => {
            settle(Some(response.status().as_u16()), first.clone());
            // Its checksum was of another body.
            return Some(error_response(response.status().as_u16(), &first));
        }
        _ => {}
    }
    settle(Some(response.status().as_u16()), answer);
    Some(response.map(Full::from))
}

#[derive(Clone)]
struct Upstream {
    endpoint: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Upstream {
    /// `None` when the engine gives no answer.
    async fn send(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let (mut parts, body) = asking_for_capacity(request).into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{}{path}", self.endpoint).parse().ok()?;
        drop_connection_headers(&mut parts.headers);
        let response = self.client.request(Request::from_parts(parts, Full::from(body))).await.ok()?;
        let (mut parts, body) = response.into_parts();
        drop_connection_headers(&mut parts.headers);
        Some(Response::from_parts(parts, body.collect().await.ok()?.to_bytes()))
    }
}

/// Lets the engine say what a request takes. Neither engine checks signatures.
fn asking_for_capacity(request: Request<Bytes>) -> Request<Bytes> {
    let operation = record(&request).operation;
    let known =
        ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
    if !known.contains(&operation.as_str()) {
        return request;
    }
    let (parts, body) = request.into_parts();
    let asked = serde_json::from_slice::<Value>(&body).ok().map(|mut body| {
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        Bytes::from(body.to_string())
    });
    Request::from_parts(parts, asked.unwrap_or(body))
}

/// Headers about one connection are not the other's. The length is set anew.
fn drop_connection_headers(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
}

fn record(request: &Request<Bytes>) -> Record {
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let tables = tables(&body);
    Record { operation, tables, body, status: None, answer: Value::Null }
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

fn error(name: &str, message: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message})
}

/// A single write has no reasons: it hears of the conflict by an error of that name, and is throttled otherwise.
fn cancelled(body: &Value, action: usize, code: &str) -> Value {
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

fn error_response(status: u16, error: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .body(Full::from(error.to_string()))
        .unwrap()
}
