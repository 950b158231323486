//! An answer.

use super::Problem;
use super::cookies::SetCookie;
use crate::ports::Fault;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// An answer that isn't a problem.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    /// Why a form's step did not happen, where its answer is a page and not a problem document. The edge logs and counts it all the same.
    pub because: Option<Box<Problem>>,
}

impl Reply {
    /// An answer without a body.
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), because: None }
    }

    /// Bytes of a media type.
    pub fn body(status: StatusCode, media_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { headers: vec![(header::CONTENT_TYPE, media_type)], body: body.into(), ..Self::empty(status) }
    }

    /// A page. Its referrer stays on our own origin, and is not withheld there: without any, browsers send `Origin: null` with a form
    /// (Fetch standard, "append a request `Origin` header"), and ours could not be told from a stranger's.
    pub fn html(status: StatusCode, html: String) -> Self {
        Self::body(status, HeaderValue::from_static("text/html; charset=utf-8"), html)
            .with_header(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
    }

    /// 303: the browser goes on with a GET. A fault where `location` can't stand in a header, which no address of ours can't.
    pub fn see_other(location: &str) -> Result<Self, Fault> {
        let location = HeaderValue::try_from(location)
            .map_err(|_| Fault::new("an address to go on to is not visible ASCII"))?;
        Ok(Self::empty(StatusCode::SEE_OTHER).with_header(header::LOCATION, location))
    }

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
        Self::body(status, HeaderValue::from_static("application/json"), body)
    }

    /// 200 with one JSON value a line.
    pub fn lines<T: Serialize>(values: impl Iterator<Item = T>, media_type: HeaderValue) -> Self {
        let mut body = Vec::new();
        for value in values {
            body.extend(serde_json::to_vec(&value).unwrap_or_else(|_| b"{}".to_vec()));
            body.push(b'\n');
        }
        Self::body(StatusCode::OK, media_type, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets cookies, each in a header of its own.
    #[must_use]
    pub fn with_cookies<'a>(mut self, cookies: impl IntoIterator<Item = &'a SetCookie>) -> Self {
        let values = cookies.into_iter().filter_map(SetCookie::header_value);
        self.headers.extend(values.map(|value| (header::SET_COOKIE, value)));
        self
    }

    /// Notes why what was asked did not happen.
    #[must_use]
    pub fn because(mut self, problem: Problem) -> Self {
        self.because = Some(Box::new(problem));
        self
    }
}
