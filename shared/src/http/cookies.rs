//! Cookies (RFC 6265): reading one of a request, and the ones that an answer sets.
//!
//! All of ours are named `__Host-…`: a browser takes such a cookie only from this very host over TLS, for every path, so no other host of
//! the domain and no page without TLS can plant one (OWASP ASVS 5.0, 3.3.1 and 3.3.3).

use super::Call;
use crate::domain::refusal::Refusal;
use http::{HeaderValue, header};

/// What the name of each of our cookies starts with.
pub const HOST_PREFIX: &str = "__Host-";

/// The longest value that fits into one cookie. Browsers keep 4,096 bytes of name, value and attributes together.
pub const MAX_VALUE: usize = 3800;

/// The longest `Cookie` header that is looked at. API Gateway lets headers have 10,240 bytes in all.
const MAX_HEADER: usize = 16 * 1024;

/// A cookie that an answer sets, or takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie {
    name: String,
    value: String,
    max_age: u32,
    same_site: &'static str,
}

impl SetCookie {
    /// `value` has to be base64url or other cookie octets; `max_age` is in seconds.
    pub fn new(name: impl Into<String>, value: impl Into<String>, max_age: u32) -> Self {
        Self { name: name.into(), value: value.into(), max_age, same_site: "Lax" }
    }

    /// Takes the cookie away.
    pub fn clear(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: String::new(), max_age: 0, same_site: "Lax" }
    }

    /// Browsers send it with requests of our own pages only, not even with a link from elsewhere.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.same_site = "Strict";
        self
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header's value. `None` for what no cookie holds, which none of ours does.
    pub fn header_value(&self) -> Option<HeaderValue> {
        let Self { name, value, max_age, same_site } = self;
        let sound = name.strip_prefix(HOST_PREFIX).is_some_and(is_token) && is_value(value);
        let text =
            format!("{name}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite={same_site}");
        sound.then(|| HeaderValue::try_from(text).ok()).flatten()
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// RFC 6265 §4.1.1, `cookie-octet`: no quotes, so that a value has one spelling.
fn is_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b))
}

impl Call {
    /// Names and values of all cookies, in the order in which they came. HTTP/2 may split the header, and API Gateway joins it.
    pub fn cookies(&self) -> Result<Vec<(&str, &str)>, Refusal> {
        let refused = || Refusal::InvalidRequest("the cookies are malformed".into());
        let mut cookies = Vec::new();
        let mut length = 0;
        for value in self.headers.get_all(header::COOKIE) {
            let text = value.to_str().map_err(|_| refused())?;
            length += text.len();
            if length > MAX_HEADER {
                return Err(refused());
            }
            let pairs = text.split(';').map(|pair| pair.trim_matches(' ')).filter(|pair| !pair.is_empty());
            cookies.extend(pairs.map(|pair| pair.split_once('=').unwrap_or(("", pair))));
        }
        Ok(cookies)
    }

    /// The value of a cookie, which may stand once at most: of two with one name nobody can tell which is ours.
    pub fn cookie(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values =
            self.cookies()?.into_iter().filter(|(known, _)| *known == name).map(|(_, value)| value);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Refusal::InvalidRequest("a cookie stands more than once".into()));
        }
        if is_value(value) {
            Ok(Some(value))
        } else {
            Err(Refusal::InvalidRequest("the cookies are malformed".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    fn call(headers: &[&str]) -> Call {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(header::COOKIE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Call::new(Method::GET, map, String::new(), Bytes::new(), "req".into())
    }

    #[test]
    fn a_cookie_is_found_by_its_exact_name() {
        let call = call(&["a=1; __Host-b=x=y;c=", " d=4"]);
        assert_eq!(call.cookie("a"), Ok(Some("1")));
        assert_eq!(call.cookie("__Host-b"), Ok(Some("x=y")));
        assert_eq!(call.cookie("c"), Ok(Some("")));
        assert_eq!(call.cookie("d"), Ok(Some("4")));
        for absent in ["A", "b", "__host-b", "", "a=1"] {
            assert_eq!(call.cookie(absent), Ok(None), "{absent}");
        }
        assert_eq!(call.cookies().unwrap().len(), 4);
    }

    #[test]
    fn t28_a_cookie_that_stands_twice_is_refused() {
        for headers in [&["a=1; a=2"][..], &["a=1", "a=2"], &["a=1; a=1"], &["a=1;b=3;a="]] {
            assert!(matches!(call(headers).cookie("a"), Err(Refusal::InvalidRequest(_))), "{headers:?}");
            assert!(call(headers).cookie("z").is_ok());
        }
    }

    #[test]
    fn a_value_has_one_spelling() {
        for bad in ["a=\"1\"", "a=1,2", "a=1 2", "a=1\\2", "a=ü"] {
            assert!(call(&[bad]).cookie("a").is_err(), "{bad}");
        }
        assert!(call(&[&format!("a={}", "x".repeat(MAX_HEADER))]).cookie("a").is_err());
    }

    #[test]
    fn t24_a_cookie_is_bound_to_this_host_and_no_script_reads_it() {
        let text = |cookie: SetCookie| cookie.header_value().map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(
            text(SetCookie::new("__Host-a", "v_-1", 60)).as_deref(),
            Some("__Host-a=v_-1; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax")
        );
        assert_eq!(
            text(SetCookie::clear("__Host-a")).as_deref(),
            Some("__Host-a=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
        );
        let strict = text(SetCookie::new("__Host-a", "1", 60).strict());
        assert!(strict.is_some_and(|text| text.ends_with("; SameSite=Strict")));
        assert_eq!(text(SetCookie::new("a", "1", 60)), None, "without the prefix");
        for (name, value) in
            [("__Host-", "1"), ("__Host-a b", "1"), ("__Host-a", "1; Domain=x"), ("__Host-a", "\n")]
        {
            assert_eq!(text(SetCookie::new(name, value, 60)), None, "{name} {value}");
        }
    }
}
