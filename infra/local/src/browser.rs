//! Browsers, and the one name under which they are served.
//!
//! Forms, cookies, the console's session and every issuer are held against the address that `local` prints. Under another name of the same
//! machine a page would load, and then be refused whatever it sends.

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

/// The name in a `Host`, without its port.
pub fn host_name(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Whether who sent this `Accept` would rather have a page than JSON.
pub fn wants_page(accept: &str) -> bool {
    accept.contains("text/html")
}

/// Sends a browser that opens a page under `localhost` to the same page under the address. Programs may call either.
pub fn redirect(head: &Parts, url: &str) -> Option<Response<Full<Bytes>>> {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = host_name(text(header::HOST)).eq_ignore_ascii_case("localhost");
    if head.method != Method::GET || !named || !wants_page(text(header::ACCEPT)) {
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
