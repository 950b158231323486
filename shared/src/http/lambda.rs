//! The edge behind an API Gateway HTTP API (payload format 2.0).
//!
//! The event is read here rather than by `lambda_http`: that one takes the stage into the path, and panics on a query or a body that
//! it can't turn into a request, which would end a process built with `panic = "abort"`. Of an event only what is needed is
//! looked at, and whatever else a gateway may add is ignored.

use super::Edge;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Answers the function's events, one after another, until the environment ends.
pub async fn run(edge: Edge) -> Result<(), lambda_http::Error> {
    let edge = &edge;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        answer(edge, event.payload).await.map_err(lambda_http::Error::from)
    }))
    .await
}

/// Answers one event. An event that isn't one of an HTTP API fails this invocation, in words that repeat nothing of it.
///
/// # Errors
/// What the event is not.
pub async fn answer(edge: &Edge, event: Value) -> Result<GatewayAnswer, &'static str> {
    let event: Event =
        serde_json::from_value(event).map_err(|_| "not an event of an HTTP API, payload format 2.0")?;
    let client_ip = event.request_context.http.source_ip.parse::<IpAddr>().ok();
    let request_id = event.request_context.request_id.clone();
    let request = event.into_request()?;
    Ok(GatewayAnswer::from(edge.handle(request, client_ip, Some(request_id)).await))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: String,
    #[serde(default)]
    stage: String,
    http: HttpContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext {
    method: String,
    /// The gateway's own view of the peer. `x-forwarded-for` is never read: its first entries are the client's to write.
    source_ip: String,
}

impl Event {
    fn into_request(self) -> Result<Request<Bytes>, &'static str> {
        let stage = &self.request_context.stage;
        let mut target = escape(without_stage(&self.raw_path, stage));
        if !self.raw_query_string.is_empty() {
            target.push('?');
            target.push_str(&escape(&self.raw_query_string));
        }
        let body = match self.body {
            None => Bytes::new(),
            Some(text) if self.is_base64_encoded => {
                STANDARD.decode(text).map_err(|_| "the event's body is not base64")?.into()
            }
            Some(text) => text.into(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(self.request_context.http.method.as_bytes())
            .map_err(|_| "the event's method is not one")?;
        *request.uri_mut() =
            Uri::try_from(target).map_err(|_| "the event's path and query are not a request's")?;
        // A header that HTTP could not have carried is left out.
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
            {
                request.headers_mut().append(name, value);
            }
        }
        if !self.cookies.is_empty()
            && let Ok(cookies) = HeaderValue::from_str(&self.cookies.join("; "))
        {
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        Ok(request)
    }
}

/// The path as the client sent it: a named stage stands in front of it, `$default` does not.
fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    let rest = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(stage));
    match rest {
        Some(rest) if !stage.is_empty() && stage != "$default" && rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The gateway decodes some escapes of `rawPath`. What can't stand in a request's target is escaped again, so that such a path is
/// an unknown route and not an error.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// An answer in payload format 2.0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayAnswer {
    status_code: u16,
    /// The format has no repeated headers: equal names are joined, as RFC 9110 §5.2 allows for all but `set-cookie`.
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<Response<Bytes>> for GatewayAnswer {
    fn from(response: Response<Bytes>) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        let mut cookies = Vec::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            if name == header::SET_COOKIE {
                cookies.push(value.into_owned());
            } else if let Some(values) = headers.get_mut(name.as_str()) {
                values.push_str(", ");
                values.push_str(&value);
            } else {
                headers.insert(name.to_string(), value.into_owned());
            }
        }
        let status_code = response.status().as_u16();
        let (body, is_base64_encoded) = match std::str::from_utf8(response.body()) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(response.body()), true),
        };
        Self { status_code, headers, cookies, body, is_base64_encoded }
    }
}

#[cfg(test)]
#[path = "lambda_tests.rs"]
mod tests;
