//! One connection to a server, used again as long as the server lets it.

use crate::Failed;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A client with one request at a time.
pub struct Connection {
    address: String,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// What came back: a status, and the body where it is JSON (null otherwise).
pub struct Answer {
    pub status: StatusCode,
    pub json: Value,
}

impl Connection {
    /// To an address like `127.0.0.1:9000`. It opens with the first request.
    pub fn to(address: &str) -> Self {
        Self { address: address.to_owned(), open: None }
    }

    /// Sends a body as JSON with a header of the caller's, if it has one.
    pub async fn post(
        &mut self,
        path: &str,
        extra: Option<(&str, &str)>,
        body: &Value,
    ) -> Result<Answer, Failed> {
        self.send("POST", path, extra, body).await
    }

    /// As [`Connection::post`], with any method.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        extra: Option<(&str, &str)>,
        body: &Value,
    ) -> Result<Answer, Failed> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some((name, value)) = extra {
            request = request.header(name, value);
        }
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = request.body(Full::new(body)).map_err(|error| format!("{path}: {error}"))?;
        let mut sender = self.open().await?;
        let response =
            sender.send_request(request).await.map_err(|error| format!("{path}: no answer: {error}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("{path}: half an answer: {error}"))?;
        let closes = head.headers.get(header::CONNECTION).is_some_and(|value| value == "close");
        self.open = (!closes).then_some(sender);
        let json = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        Ok(Answer { status: head.status, json })
    }

    async fn open(&mut self) -> Result<SendRequest<Full<Bytes>>, Failed> {
        if let Some(mut sender) = self.open.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", self.address);
        let stream = TcpStream::connect(&self.address).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

impl Answer {
    /// The body, if the status is the one expected.
    pub fn expect(self, status: u16) -> Result<Value, Failed> {
        if self.status == status {
            Ok(self.json)
        } else {
            Err(format!("{} {}", self.status, self.json).into())
        }
    }
}

/// A text in an answer.
pub fn text(answer: &Value, pointer: &str) -> Result<String, Failed> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("no {pointer} in {answer}").into())
}
