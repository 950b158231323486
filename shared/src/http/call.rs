//! One request, as a handler sees it.

use super::strict::Strict;
use crate::domain::audit::Provenance;
use crate::domain::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// The largest body that is read, in bytes. No call needs more than a few kilobytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The largest form that is read, in bytes.
const MAX_FORM: usize = 16 * 1024;

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

    /// Where it came from, for the audit.
    pub fn provenance(&self) -> Provenance {
        Provenance { client_ip: self.client_ip, request_id: Some(self.request_id.clone()) }
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

    /// The JSON body, strictly: UTF-8, one object and nothing after it, no unknown field (where the type denies them), no
    /// field twice, no value of another type, no array in an object's place, no U+0000. What it says of an error names
    /// the place and the field, never what was sent.
    ///
    /// A type with `flatten`, `untagged` or `tag` buffers what it reads and loses some of this below its top level: wire types use
    /// none of the three.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        self.require_json()?;
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::InvalidRequest("the body is not a JSON object".into()));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = T::deserialize(Strict(&mut reader)).and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| Refusal::InvalidRequest(super::problem::describe(&error)))
    }

    /// The JSON body, where an empty body means `{}`.
    pub fn json_or_empty<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    fn require_json(&self) -> Result<(), Refusal> {
        self.require_media_type(&["application/json", "application/merge-patch+json"])
    }

    fn require_media_type(&self, allowed: &[&str]) -> Result<(), Refusal> {
        let value = self.header(header::CONTENT_TYPE)?.ok_or(Refusal::UnsupportedMediaType)?;
        let media_type = value.split(';').next().unwrap_or_default().trim();
        if allowed.iter().any(|name| media_type.eq_ignore_ascii_case(name)) {
            Ok(())
        } else {
            Err(Refusal::UnsupportedMediaType)
        }
    }

    /// The fields of a form (`application/x-www-form-urlencoded`), as strictly as [`Call::json`]: no unknown field (where the type denies
    /// them), no field twice, no U+0000. Every field is text, so a type's fields are `String` or `Option<String>`.
    pub fn form<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        form_fields(self.form_text()?).ok_or_else(not_a_form)
    }

    /// A form as it came.
    pub(super) fn form_text(&self) -> Result<&str, Refusal> {
        self.require_media_type(&["application/x-www-form-urlencoded"])?;
        if self.body.len() > MAX_FORM {
            return Err(Refusal::TooLarge { limit_bytes: MAX_FORM });
        }
        std::str::from_utf8(&self.body).map_err(|_| not_a_form())
    }

    /// The query parameters, strictly: unknown and repeated ones are refused, and U+0000 in any.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let refused =
            || Refusal::InvalidRequest("a query parameter is unknown, repeated or malformed".into());
        form_fields(&self.query).ok_or_else(refused)
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

    /// Where [`Call::allow_origin`] leaves its answer, for whoever gave the call away.
    pub(super) fn origin_slot(&self) -> Arc<OnceLock<HeaderValue>> {
        Arc::clone(&self.allowed_origin)
    }
}

fn not_a_form() -> Refusal {
    Refusal::InvalidRequest("a field of the form is unknown, repeated or malformed".into())
}

/// Urlencoded fields, none of them twice. What is not UTF-8 once it is decoded would be read as U+FFFD, and is refused.
fn form_fields<T: DeserializeOwned>(text: &str) -> Option<T> {
    let readable = !text.contains("%00") && !text.contains('\0');
    let decoded = readable
        && url::form_urlencoded::parse(text.as_bytes())
            .all(|(name, value)| !name.contains('\u{fffd}') && !value.contains('\u{fffd}'));
    decoded.then(|| serde_urlencoded::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashMap;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        account: String,
        password: String,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Body {
        name: Option<String>,
        count: Option<u8>,
        inner: Option<Inner>,
        list: Vec<Inner>,
        switches: HashMap<String, Option<bool>>,
    }

    fn call(content_type: &str, body: impl Into<Bytes>) -> Call {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        }
        Call::new(Method::POST, headers, String::new(), body.into(), "req".into())
    }

    fn read(body: impl Into<Bytes>) -> Result<Body, Refusal> {
        call("application/json", body).json()
    }

    fn why(body: impl Into<Bytes>) -> String {
        match read(body) {
            Err(Refusal::InvalidRequest(why)) => why,
            other => panic!("not refused as an invalid request: {other:?}"),
        }
    }

    #[test]
    fn a_well_formed_body_is_read() {
        let body = read(
            r#" {"name":"\u00e9\ud83d\ude00","inner":{"account":"a","password":"b"},
                 "list":[{"password":"b","account":"a"}],"switches":{"x":null,"y":true}} "#,
        )
        .unwrap();
        assert_eq!(body.name.as_deref(), Some("é😀"));
        assert_eq!(body.inner.as_ref(), body.list.first());
        assert_eq!(body.switches["y"], Some(true));
    }

    #[test]
    fn t28_a_field_twice_is_refused_at_any_depth() {
        assert!(why(r#"{"name":"a","name":"b"}"#).starts_with("duplicate field name at "));
        assert!(
            why(r#"{"inner":{"account":"a","account":"b","password":"c"}}"#).contains("field account at ")
        );
        assert!(why(r#"{"switches":{"x":true,"x":false}}"#).starts_with("duplicate field at "));
        assert!(why(r#"{"switches":{"x":true,"\u0078":false}}"#).starts_with("duplicate field at "));
    }

    #[test]
    fn an_array_in_an_objects_place_is_refused() {
        assert_eq!(why(r#"["a",1]"#), "the body is not a JSON object");
        assert!(why(r#"{"inner":["a","b"]}"#).starts_with("a value has the wrong type"));
        assert!(why(r#"{"list":[["a","b"]]}"#).starts_with("a value has the wrong type"));
    }

    #[test]
    fn what_is_not_one_json_object_is_refused() {
        for body in [
            "",
            "null",
            "\"x\"",
            "1",
            "{",
            "{}{}",
            "{} x",
            "{}\0",
            "{'name':1}",
            "{\"name\":\"a\",}",
            "// c\n{}",
        ] {
            why(body);
        }
        why("\u{feff}{}");
        why(&b"{\"name\":\"\xff\"}"[..]);
        why(&b"{\"name\":\"\xed\xa0\x80\"}"[..]);
        why(format!("{{\"list\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)));
        why(format!("{}{}", "{\"inner\":".repeat(10_000), "}".repeat(10_000)));
    }

    #[test]
    fn text_that_no_store_keeps_faithfully_is_refused() {
        for body in [
            r#"{"name":"a\u0000b"}"#,
            r#"{"inner":{"account":"\u0000","password":"b"}}"#,
            r#"{"switches":{"\u0000":true}}"#,
            r#"{"name":"\ud800"}"#,
            r#"{"name":"\udc00\ud800"}"#,
            "{\"name\":\"a\0b\"}",
            "{\"name\":\"a\nb\"}",
        ] {
            why(body);
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_without_repeating_it() {
        for body in [
            r#"{"count":"canary-7"}"#,
            r#"{"count":-7}"#,
            r#"{"count":7.0}"#,
            r#"{"count":700}"#,
            r#"{"name":["canary-7"]}"#,
            r#"{"canary-7":1}"#,
            r#"{"inner":{"account":"a"}}"#,
        ] {
            let why = why(body);
            assert!(!why.contains("canary") && why.contains("at line 1 column"), "{why}");
        }
    }

    #[test]
    fn only_json_is_read() {
        for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            assert_eq!(call(content_type, "{}").json::<Body>(), Err(Refusal::UnsupportedMediaType));
        }
        for content_type in ["Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(call(content_type, "{}").json::<Body>().is_ok());
        }
        assert_eq!(call("", "").json_or_empty(), Ok(Body::default()));
        assert!(call("", " ").json_or_empty::<Body>().is_err());
    }

    #[test]
    fn t28_a_query_parameter_twice_is_refused() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Query {
            limit: Option<u16>,
        }
        let query = |text: &str| {
            let call = Call::new(Method::GET, HeaderMap::new(), text.into(), Bytes::new(), "req".into());
            call.query::<Query>().map(|query| query.limit).ok()
        };
        assert_eq!(query("limit=5"), Some(Some(5)));
        assert_eq!(query(""), Some(None));
        for bad in ["limit=5&limit=5", "limit=5&other=1", "limit=x", "limit=5%00", "limit"] {
            assert_eq!(query(bad), None, "{bad}");
        }
    }

    #[test]
    fn t28_a_bearer_credential_stands_alone() {
        let bearer = |values: &[&str]| {
            let mut call = call("", "");
            for value in values {
                call.headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            call.bearer().map(str::to_owned)
        };
        assert_eq!(bearer(&["bearer  abc"]), Ok("abc".into()));
        assert_eq!(bearer(&[]), Err(Refusal::Unauthenticated));
        for bad in ["Basic abc", "Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b"] {
            assert_eq!(bearer(&[bad]), Err(Refusal::Unauthenticated), "{bad}");
        }
        assert!(matches!(bearer(&["Bearer a", "Bearer a"]), Err(Refusal::InvalidRequest(_))));
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        account: String,
        trust: Option<String>,
    }

    #[test]
    fn a_form_is_read() {
        let read = call("application/x-www-form-urlencoded; charset=utf-8", "account=ana+%C3%A9%26&trust=on");
        assert_eq!(read.form(), Ok(Form { account: "ana é&".into(), trust: Some("on".into()) }));
        let read = call("application/x-www-form-urlencoded", "account=");
        assert_eq!(read.form(), Ok(Form { account: String::new(), trust: None }));
    }

    #[test]
    fn t28_a_form_is_read_strictly() {
        for body in [
            "account=a&account=b",
            "account=a&%61ccount=b",
            "account=a&other=b",
            "trust=on",
            "",
            "account=a%00b",
            "account=a\0b",
            "account=%ff",
            "{\"account\":\"a\"}",
        ] {
            let refused = call("application/x-www-form-urlencoded", body).form::<Form>();
            assert!(matches!(refused, Err(Refusal::InvalidRequest(_))), "{body}: {refused:?}");
        }
        for kind in ["", "application/json", "text/plain", "multipart/form-data", "application/x-www-form"] {
            assert_eq!(call(kind, "account=a").form::<Form>(), Err(Refusal::UnsupportedMediaType), "{kind}");
        }
        let long = format!("account={}", "a".repeat(MAX_FORM));
        let refused = call("application/x-www-form-urlencoded", long).form::<Form>();
        assert_eq!(refused, Err(Refusal::TooLarge { limit_bytes: MAX_FORM }));
    }
}
