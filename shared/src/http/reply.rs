//! An answer.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// An answer that isn't a problem.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

impl Reply {
    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    pub fn created(body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// Any status with a JSON body. Our wire types always serialize; an empty object stands in should one ever not.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_else(|_| b"{}".to_vec());
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: body.into(),
        }
    }

    /// 200 with one JSON value a line.
    pub fn lines<T: Serialize>(values: impl Iterator<Item = T>, media_type: HeaderValue) -> Self {
        let mut body = Vec::new();
        for value in values {
            body.extend(serde_json::to_vec(&value).unwrap_or_else(|_| b"{}".to_vec()));
            body.push(b'\n');
        }
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, media_type)], body: body.into() }
    }

    /// 204.
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
