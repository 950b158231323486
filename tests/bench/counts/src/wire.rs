//! The two HTTP clients: one that writes down what passes through it, one that answers it again. SNS takes every message in both.

use crate::recording::{Exchange, Recorded, request};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use std::sync::{Arc, Mutex, MutexGuard};

/// What SNS says when it took a message.
const ACCEPTED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
     <MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata>\
     <RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>";

/// What the operation's name stands behind, in a request to DynamoDB.
fn operation(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-amz-target").and_then(|target| target.split_once('.')).map(|(_, name)| name)
}

fn answer(status: u16, body: SdkBody, media: &'static str) -> HttpResponse {
    let status = status.try_into().expect("it was a status when it came");
    let mut response = HttpResponse::new(status, body);
    response.headers_mut().insert("content-type", media);
    response.headers_mut().insert("x-amzn-requestid", "0N5D5CJ8PHC0V2C3DPD9T4C9PVVV4KQNSO5AEMVJF66Q9ASUAAJG");
    response
}

fn dynamodb(status: u16, body: Vec<u8>) -> HttpResponse {
    answer(status, SdkBody::from(body), "application/x-amz-json-1.0")
}

fn sns() -> HttpResponse {
    answer(200, SdkBody::from(ACCEPTED), "text/xml")
}

fn bytes(request: &HttpRequest) -> Vec<u8> {
    request.body().bytes().expect("no request of ours is a stream").to_vec()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with it")
}

/// Answers the requests of one call as they were answered when it was recorded, in their order.
#[derive(Clone, Debug, Default)]
pub struct Replay(Arc<Mutex<Tape>>);

#[derive(Debug, Default)]
struct Tape {
    answers: Vec<(u16, Vec<u8>)>,
    asked: Vec<(String, Vec<u8>)>,
}

impl Replay {
    pub fn into_client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    /// From here on it answers what this call's requests were answered.
    pub fn load(&self, recorded: &Recorded) {
        let answer = |it: &Exchange| (it.status, it.answer.to_string().into_bytes());
        let answers = recorded.exchanges.iter().map(answer).collect();
        *lock(&self.0) = Tape { answers, asked: Vec::new() };
    }

    /// From the start again.
    pub fn rewind(&self) {
        lock(&self.0).asked.clear();
    }

    /// Whether the last call asked what it asked when it was recorded.
    ///
    /// # Errors
    /// Which request was another one.
    pub fn compare(&self, recorded: &Recorded) -> Result<(), String> {
        let tape = lock(&self.0);
        let asked: Vec<_> = tape.asked.iter().map(|(name, body)| (name.clone(), request(body))).collect();
        let then: Vec<_> =
            recorded.exchanges.iter().map(|it| (it.operation.clone(), it.request.clone())).collect();
        if asked == then {
            Ok(())
        } else {
            Err(format!("it asks for {asked:#?}\nand was recorded with {then:#?}"))
        }
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(operation) = operation(&request) else { return HttpConnectorFuture::ready(Ok(sns())) };
        let mut tape = lock(&self.0);
        let (status, body) =
            tape.answers.get(tape.asked.len()).cloned().expect("more requests than were recorded");
        tape.asked.push((operation.to_owned(), bytes(&request)));
        HttpConnectorFuture::ready(Ok(dynamodb(status, body)))
    }
}

impl HttpClient for Replay {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Passes requests on, and keeps them with their answers.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: SharedHttpClient,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    exchanges: Vec<Exchange>,
    message: String,
}

impl Recorder {
    /// `inner` reaches the engine.
    pub fn new(inner: SharedHttpClient) -> Self {
        Self { inner, seen: Arc::default() }
    }

    /// What passed since the last time that somebody asked.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut lock(&self.seen).exchanges)
    }

    /// The last message, as its form has it.
    pub fn message(&self) -> String {
        lock(&self.seen).message.clone()
    }
}

/// A connection of the recorder's.
#[derive(Debug)]
struct Recording {
    inner: SharedHttpConnector,
    seen: Arc<Mutex<Seen>>,
}

impl HttpConnector for Recording {
    fn call(&self, asked: HttpRequest) -> HttpConnectorFuture {
        let Some(operation) = operation(&asked).map(str::to_owned) else {
            lock(&self.seen).message = String::from_utf8(bytes(&asked)).expect("a form is text");
            return HttpConnectorFuture::ready(Ok(sns()));
        };
        // Its place is the order of asking, whichever answer comes first.
        let place = {
            let exchange = Exchange { operation, request: request(&bytes(&asked)), ..Exchange::default() };
            let exchanges = &mut lock(&self.seen).exchanges;
            exchanges.push(exchange);
            exchanges.len() - 1
        };
        let (answered, seen) = (self.inner.call(asked), Arc::clone(&self.seen));
        HttpConnectorFuture::new(async move {
            let response = answered.await?;
            let status = response.status().as_u16();
            let body =
                ByteStream::new(response.into_body()).collect().await.expect("the engine is near").to_vec();
            if let Some(exchange) = lock(&seen).exchanges.get_mut(place) {
                exchange.status = status;
                exchange.answer = serde_json::from_slice(&body).expect("answers are JSON");
            }
            Ok(dynamodb(status, body))
        })
    }
}

impl HttpClient for Recorder {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Recording { inner, seen: Arc::clone(&self.seen) })
    }
}
