//! The embedded DynamoDB engine, in a thread of its own. The service talks to it through the real SDK, as to any other engine; only the last
//! step, from a request's bytes to an answer's, takes a channel instead of a socket: a login makes some ten requests, and each would go through
//! two HTTP stacks and the kernel.
//!
//! Every commit is synced before it is answered: the engine's files are SQLite's with a write-ahead log and `synchronous = FULL`, its default.

use crate::StartError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::config::dynamodb_client_for;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// What the SDK's header `x-amz-target` begins with.
const TARGET: &str = "DynamoDB_20120810.";

/// The SDK wants an address; nobody goes there.
const NOWHERE: &str = "http://127.0.0.1";

/// A running engine. Dropped, it ends.
pub struct Engine {
    requests: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread is told.
enum Message {
    Request { operation: String, body: SdkBody, answer: oneshot::Sender<Answer> },
    End,
}

struct Answer {
    status: u16,
    body: String,
}

impl Engine {
    /// Opens the engine's file, or makes it.
    pub fn start(file: &Path) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Engine(error.to_string());
        let file = file.to_str().ok_or_else(|| failed(&"the data folder's name is not Unicode"))?;
        let database = Database::new(file).map_err(|error| failed(&error))?;
        let (requests, received) = channel();
        let thread = thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            while let Ok(Message::Request { operation, body, answer }) = received.recv() {
                // Nobody waits any more where the SDK's patience is over; what was asked for is done all the same, as by any engine.
                let _ = answer.send(answer_to(&database, &operation, body.bytes().unwrap_or_default()));
            }
        });
        Ok(Self { requests, thread: Some(thread.map_err(|error| failed(&error))?) })
    }

    /// The service's own client for an engine on this machine, which sends through the channel. It signs nothing: nobody else can write
    /// into the channel, and nobody reads signatures at its other end. An attempt may take as long as the call: what the engine was asked, it
    /// does, and a second attempt would only ask it twice.
    pub fn client(&self) -> Client {
        let client = dynamodb_client_for(NOWHERE);
        let patience =
            client.config().timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let config = client.config().to_builder();
        let config = config.timeout_config(patience.disable_operation_attempt_timeout().build());
        let config = config.http_client(Channel(self.requests.clone()));
        let config = config.allow_no_auth().auth_scheme_preference([AuthSchemeId::new("noAuth")]);
        Client::from_conf(config.build())
    }

    /// Ends it after what was asked before, and waits until its files are closed.
    pub async fn stop(mut self) {
        let _ = self.requests.send(Message::End);
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.requests.send(Message::End);
    }
}

fn answer_to(database: &Database, operation: &str, body: &[u8]) -> Answer {
    let done = match operation {
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
        "CreateTable" => call(body, |request| database.create_table(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "DescribeTable" => call(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => call(body, |request| database.describe_time_to_live(request)),
        "GetItem" => call(body, |request| database.get_item(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "TransactWriteItems" => call(body, |request| database.transact_write_items(without_token(request))),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::ValidationException(format!("{other} is not called here"))),
    };
    match done {
        Ok(body) => Answer { status: 200, body },
        Err(error) => Answer { status: error.status_code(), body: error.to_json() },
    }
}

/// The engine keeps each transaction's token and answer for ten minutes, as DynamoDB does for who asks again, and walks through all of them at
/// the next: a kilobyte for each login of the time. Nobody asks again here what was done: the channel loses no answer, and the client waits
/// for its only one.
fn without_token(request: TransactWriteItemsRequest) -> TransactWriteItemsRequest {
    TransactWriteItemsRequest { client_request_token: None, ..request }
}

/// Reads a request, makes the call, and writes its answer.
fn call<Request: DeserializeOwned, Reply: Serialize>(
    body: &[u8],
    make: impl FnOnce(Request) -> dynoxide::Result<Reply>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body);
    let request = request.map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let reply = make(request)?;
    serde_json::to_string(&reply).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// In the place of connections.
#[derive(Clone)]
struct Channel(Sender<Message>);

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel")
    }
}

impl HttpClient for Channel {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Channel {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.strip_prefix(TARGET));
        let operation = operation.unwrap_or_default().to_owned();
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Message::Request { operation, body: request.take_body(), answer });
        HttpConnectorFuture::new(async move {
            sent.map_err(|_| ended())?;
            let Answer { status, body } = answered.await.map_err(|_| ended())?;
            let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

fn ended() -> ConnectorError {
    ConnectorError::io("the engine has ended".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::TestFolder;
    use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
    use shared::dynamodb::tables;
    use std::path::PathBuf;

    fn key(name: &str) -> AttributeValue {
        AttributeValue::S(name.to_owned())
    }

    fn engine_file(folder: &TestFolder) -> PathBuf {
        std::fs::create_dir_all(&folder.0).unwrap();
        folder.0.join("engine.sqlite")
    }

    #[tokio::test]
    async fn h13_the_engine_answers_and_refuses_as_over_a_socket_and_keeps_what_was_answered() {
        let folder = TestFolder::new();
        let file = engine_file(&folder);
        let engine = Engine::start(&file).unwrap();
        let client = engine.client();
        tables::create_missing(&client, "directory", "logins").await.unwrap();
        let put = || {
            let put = client.put_item().table_name("logins").item("pk", key("a")).item("sk", key("b"));
            put.condition_expression("attribute_not_exists(pk)").send()
        };
        put().await.unwrap();
        let refused = put().await.unwrap_err().into_service_error();
        assert!(refused.is_conditional_check_failed_exception(), "{refused:?}");
        let unknown = client.list_tables().send().await.unwrap_err().into_service_error();
        assert!(unknown.meta().message().is_some_and(|why| why.contains("ListTables")), "{unknown:?}");
        engine.stop().await;
        let gone = client.get_item().table_name("logins").key("pk", key("a")).key("sk", key("b"));
        assert!(gone.send().await.is_err(), "it has ended");

        let engine = Engine::start(&file).unwrap();
        let get = engine.client().get_item().table_name("logins").key("pk", key("a")).key("sk", key("b"));
        assert!(get.send().await.unwrap().item.is_some());
        engine.stop().await;
    }

    #[tokio::test]
    async fn h13_the_engine_keeps_no_transactions_for_who_asks_again_and_nobody_does() {
        let folder = TestFolder::new();
        let engine = Engine::start(&engine_file(&folder)).unwrap();
        let client = engine.client();
        tables::create_missing(&client, "directory", "logins").await.unwrap();
        let patience = client.config().timeout_config().unwrap();
        assert_eq!(patience.operation_attempt_timeout(), None, "one attempt has all the time there is");
        assert!(patience.operation_timeout().is_some());
        for name in ["a", "b"] {
            let put = Put::builder()
                .table_name("logins")
                .item("pk", key(name))
                .item("sk", key(name))
                .build()
                .unwrap();
            let write = client.transact_write_items().client_request_token("the same");
            // A token that is known with another request is refused.
            write.transact_items(TransactWriteItem::builder().put(put).build()).send().await.unwrap();
        }
        engine.stop().await;
    }
}
