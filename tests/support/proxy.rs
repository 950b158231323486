//! A proxy between the SDK and an engine that counts every request and can make one go wrong.

mod errors;
mod record;

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

use errors::{cancelled, condition_failed, error};
use record::record;
pub use record::{Record, Tally, operations, tally};

/// How long nothing is heard: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(30);
/// Why a transaction is cancelled where another write is under way.
pub const CONFLICT: &str = "TransactionConflict";

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
    /// This action's condition does not hold, as if another write had just been there; a single write is its own only action. The client is
    /// shown the item as it stands, where it asked for that, or is told of none.
    ConditionFailed { action: usize, with_item: bool },
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
    /// How many answers out of date said something else than the engine.
    differing: usize,
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

    /// How many answers of [`Fault::Stale`] were another than the engine's, since the start: the others are no fault at all.
    pub fn stale_answers(&self) -> usize {
        self.state.lock().unwrap().differing
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
        Some(Fault::ConditionFailed { action, with_item }) => {
            let item = if *with_item { upstream.item(&request, &record, *action).await } else { Value::Null };
            return refuse(400, condition_failed(&body, *action, item));
        }
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
            if what_is_said(&first) != what_is_said(&answer) {
                state.lock().unwrap().differing += 1;
            }
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

impl Upstream {
    /// The item of an action as it stands, if the action asks to be shown it.
    async fn item(&self, request: &Request<Bytes>, record: &Record, action: usize) -> Value {
        let actions = record.actions();
        let Some(action) = actions.get(action) else { return Value::Null };
        if action["ReturnValuesOnConditionCheckFailure"] != "ALL_OLD" {
            return Value::Null;
        }
        let key = match &action["Key"] {
            Value::Null => json!({ "pk": action["Item"]["pk"], "sk": action["Item"]["sk"] }),
            key => key.clone(),
        };
        let body = json!({ "TableName": action["TableName"], "Key": key, "ConsistentRead": true });
        let mut read = Request::new(Bytes::from(body.to_string()));
        *read.method_mut() = request.method().clone();
        *read.uri_mut() = request.uri().clone();
        *read.headers_mut() = request.headers().clone();
        read.headers_mut().insert("x-amz-target", "DynamoDB_20120810.GetItem".parse().unwrap());
        let answer = self.send(read).await;
        let answer: Option<Value> = answer.and_then(|answer| serde_json::from_slice(answer.body()).ok());
        answer.map_or(Value::Null, |mut answer| answer["Item"].take())
    }
}

/// Without what it took, which may differ where nothing else does.
fn what_is_said(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("ConsumedCapacity");
    }
    answer
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

fn error_response(status: u16, error: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .body(Full::from(error.to_string()))
        .unwrap()
}
