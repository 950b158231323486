//! One request, as a handler sees it.

use crate::domain::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// The largest body that is read, in bytes. No call needs more than a few kilobytes.
pub const MAX_BODY: usize = 64 * 1024;

/// One request with its path already matched.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub headers: HeaderMap,
    /// The raw query string, without `?`.
    pub query: String,
    pub body: Bytes,
    /// Path parameters by name, percent-decoded.
    pub params: Vec<(String, String)>,
    /// The address that the gateway saw. Never taken from a header.
    pub client_ip: Option<IpAddr>,
    pub request_id: String,
    allowed_origin: Arc<OnceLock<HeaderValue>>,
}

impl Call {
    pub fn new(method: Method, headers: HeaderMap, query: String, body: Bytes, request_id: String) -> Self {
        Self {
            method,
            headers,
            query,
            body,
            params: Vec::new(),
            client_ip: None,
            request_id,
            allowed_origin: Arc::default(),
        }
    }

    /// A path parameter. Empty if the route has none of that name, which no id parses.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A header that may stand once at most. HTTP APIs join repeated headers with a comma, so a reader of security relevant
    /// headers must not accept lists either.
    pub fn header(&self, name: impl header::AsHeaderName) -> Result<Option<&str>, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Refusal::InvalidRequest("a header stands more than once".into()));
        }
        value.to_str().map(Some).map_err(|_| Refusal::InvalidRequest("a header is not visible ASCII".into()))
    }

    /// The bearer credential (RFC 6750 §2.1); 401 when there is none.
    pub fn bearer(&self) -> Result<&str, Refusal> {
        self.optional_bearer()?.ok_or(Refusal::Unauthenticated)
    }

    /// The bearer credential, where the call may come without.
    pub fn optional_bearer(&self) -> Result<Option<&str>, Refusal> {
        let Some(value) = self.header(header::AUTHORIZATION)? else { return Ok(None) };
        let (scheme, token) = value.split_once(' ').ok_or(Refusal::Unauthenticated)?;
        let token = token.trim_matches(' ');
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains([' ', ',']) {
            return Err(Refusal::Unauthenticated);
        }
        Ok(Some(token))
    }

    /// The JSON body, strictly: UTF-8, no unknown field, no field twice, no value of another type. What it says of an error names the
    /// place and the field, never what was sent.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.require_json()?;
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| Refusal::InvalidRequest(super::problem::describe(&error)))
    }

    /// The JSON body, where an empty body means `{}`.
    pub fn json_or_empty<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    fn require_json(&self) -> Result<(), Refusal> {
        let value = self.header(header::CONTENT_TYPE)?.ok_or(Refusal::UnsupportedMediaType)?;
        let media_type = value.split(';').next().unwrap_or_default().trim();
        let json = ["application/json", "application/merge-patch+json"];
        if json.iter().any(|name| media_type.eq_ignore_ascii_case(name)) {
            Ok(())
        } else {
            Err(Refusal::UnsupportedMediaType)
        }
    }

    /// The query parameters, strictly: unknown and repeated ones are refused.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_urlencoded::from_str(&self.query).map_err(|_| {
            Refusal::InvalidRequest("a query parameter is unknown, repeated or malformed".into())
        })
    }

    /// Lets the browser page at `origin` read this call's answer, whatever the answer is (CORS).
    pub fn allow_origin(&self, origin: &str) {
        if let Ok(value) = HeaderValue::from_str(origin) {
            let _ = self.allowed_origin.set(value);
        }
    }

    /// The origin that [`Call::allow_origin`] allowed.
    pub fn allowed_origin(&self) -> Option<&HeaderValue> {
        self.allowed_origin.get()
    }
}
