//! A small HTTP client that shows a test exactly what came back.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client of one base URL, with a pool of connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    pub fn new(base: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { base: base.trim_end_matches('/').to_owned(), client }
    }

    /// # Panics
    /// If there is no answer.
    pub async fn send(&self, call: Call) -> Answer {
        self.try_send(call).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// An error is a connection that gave no answer.
    pub async fn try_send(&self, call: Call) -> Result<Answer, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(call.method).uri(format!("{}{}", self.base, call.target));
        *request.headers_mut().expect("the path is a valid URI") = call.headers;
        let response = self.client.request(request.body(Full::from(call.body)).unwrap()).await?;
        let (parts, body) = response.into_parts();
        let body =
            body.collect().await.map_err(|error| panic!("half an answer: {error}")).unwrap().to_bytes();
        Ok(Answer::new(parts.status.as_u16(), parts.headers, body))
    }
}

/// One call, for [`HttpClient`] or [`crate::gateway::Gateway`].
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// Raw path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: &str, body: &Value) -> Self {
        Self::new("POST", target).json(body)
    }

    #[must_use]
    pub fn bearer(self, credential: &str) -> Self {
        self.header("authorization", &format!("Bearer {credential}"))
    }

    /// Adds a header; a second one of the same name stands beside the first.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    /// Sets a JSON body and its media type.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.headers.insert("content-type", "application/json".parse().unwrap());
        self.body = Bytes::from(body.to_string());
        self
    }

    /// Sets any body and no media type.
    #[must_use]
    pub fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body, where it is JSON; otherwise null.
    pub json: Value,
}

impl Answer {
    pub fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Self { status, headers, body, json }
    }

    /// A header; the first, if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON body of an answer that has this status.
    ///
    /// # Panics
    /// With the whole answer, if it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json
    }

    /// The problem document of a refusal, checked as far as every one is alike (RFC 9457, and what every 429 and 503 has).
    ///
    /// # Panics
    /// With the whole answer, if it has another status or code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let text = self.text();
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{text}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        assert_eq!(self.json["status"], status, "{text}");
        for member in ["type", "title", "detail", "request_id"] {
            assert!(self.json[member].is_string(), "no {member}: {text}");
        }
        if matches!(status, 429 | 503) {
            let seconds = self.header("retry-after").and_then(|value| value.parse::<u64>().ok());
            assert!(seconds.is_some(), "no Retry-After: {text}");
        }
        self.json
    }
}
