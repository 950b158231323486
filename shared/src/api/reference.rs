//! `GET /docs`: docs/openapi.yaml as a page. It is rendered before the build and is the same for everybody.

use crate::http::Reply;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

const PAGE: &str = include_str!("../../../docs/reference.html");
/// It has a style of its own and no script, and nothing that somebody else wrote.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn page() -> Reply {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    Reply {
        status: StatusCode::OK,
        headers: headers.map(|(name, value)| (name, HeaderValue::from_static(value))).into(),
        body: Bytes::from_static(PAGE.as_bytes()),
        because: None,
    }
}
