//! The one name under which browsers are served.
//!
//! Forms, cookies, the console's session and every issuer are held against the address that `local` prints. Under another name of the same
//! machine a page would load, and then be refused whatever it sends.

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

/// Sends a browser that opens a page under `localhost` to the same page under the address. Programs may call either.
pub fn redirect(head: &Parts, url: &str) -> Option<Response<Full<Bytes>>> {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named =
        text(header::HOST).split(':').next().is_some_and(|name| name.eq_ignore_ascii_case("localhost"));
    if head.method != Method::GET || !named || !text(header::ACCEPT).contains("text/html") {
        return None;
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let location = HeaderValue::try_from(format!("{url}{target}")).ok()?;
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    answer.headers_mut().insert(header::LOCATION, location);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(answer)
}
