//! Replies and problems as HTTP responses, and the headers that every answer has.

use super::problem::{Problem, ProblemKind, status};
use super::{Reply, wording};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

/// Set on every answer, so that a report from the field finds its log lines.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every answer has unless its handler chose otherwise (OWASP ASVS 5.0, 3.4.1–3.4.6 and 14.3.2): answers hold credentials and
/// personal data, so nobody keeps them, and none is a page that runs or is framed.
const DEFAULTS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
];

/// How long a client waits after a fault, in seconds. Most are over at once: a throttled table, a lost connection.
const RETRY_AFTER_FAULT: u32 = 1;

/// A problem document (RFC 9457). `type` is a reference relative to the service's own address.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    extensions: Map<String, Value>,
}

/// The members of [`Document`], which no extension may stand beside a second time.
const RESERVED: [&str; 6] = ["type", "title", "status", "code", "detail", "request_id"];

pub(super) fn reply(reply: Reply) -> Response<Bytes> {
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// The response and its code. A fault's is always the same: what it could say is nobody's outside.
pub(super) fn problem(problem: Problem, request_id: &str, now: Timestamp) -> (Response<Bytes>, &'static str) {
    let refusal = match problem.kind {
        ProblemKind::Refused(refusal) => refusal,
        ProblemKind::Fault(_) => return (unavailable(request_id), "unavailable"),
    };
    let status = status(&refusal);
    let mut extensions = problem.extensions;
    extensions.retain(|name, _| !RESERVED.contains(&name.as_str()));
    let mut response = document(&Document {
        r#type: problem_type(refusal.code()),
        title: wording::title(&refusal),
        status: status.as_u16(),
        code: refusal.code(),
        detail: &wording::detail(&refusal),
        request_id,
        extensions,
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // RFC 9110 §15.5.2 asks for it on every 401; all of ours are credentials of one scheme.
    let challenge = problem.challenge.or((status == StatusCode::UNAUTHORIZED).then_some("Bearer"));
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(retry_at) = refusal.retry_at() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_at.retry_after(now)));
    }
    if let Refusal::MethodNotAllowed { allow } = &refusal
        && let Ok(allow) = HeaderValue::from_str(allow)
    {
        headers.insert(header::ALLOW, allow);
    }
    (response, refusal.code())
}

fn unavailable(request_id: &str) -> Response<Bytes> {
    let mut response = document(&Document {
        r#type: problem_type("unavailable"),
        title: "Temporarily unavailable",
        status: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
        code: "unavailable",
        detail: "The request could not be completed. It is safe to try again.",
        request_id,
        extensions: Map::new(),
    });
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_FAULT));
    response
}

fn problem_type(code: &str) -> String {
    format!("/problems/{code}")
}

/// Strings and JSON values always serialize; an empty object stands in should they ever not.
fn document(document: &Document<'_>) -> Response<Bytes> {
    let body = serde_json::to_vec(document).unwrap_or_else(|_| b"{}".to_vec());
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// Adds what every answer has.
pub(super) fn finish(response: &mut Response<Bytes>, request_id: &str) {
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// Lets a browser page at `origin` read the answer, and the headers that a client acts on.
pub(super) fn allow_origin(response: &mut Response<Bytes>, origin: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers
        .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, x-request-id"));
}

/// The answer to a preflight of a known origin (Fetch standard, CORS-preflight request). Which methods and headers an address
/// takes is public, so all are named for all.
pub(super) fn preflight(origin: &HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, idempotency-key"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    response
}
