use super::*;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use async_trait::async_trait;
use http::StatusCode;
use serde_json::{Value, json};

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1000)
    }
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

struct Greeter(&'static str);

struct Failing;

const GREETINGS: &[Route<Greeter>] = &[
    Route::new("GET", "/v1/greetings/{name}", "greet", |app, call| {
        Box::pin(async move {
            call.allow_origin("https://shop.example");
            Ok(Reply::ok(&json!({"text": format!("{} {}", app.0, call.param("name")), "query": call.query,
                "ip": call.client_ip, "id": call.request_id})))
        })
    }),
    Route::new("PUT", "/v1/greetings/{name}", "set_greeting", |_, call| {
        Box::pin(async move { call.json::<Value>().map(|body| Reply::created(&body)).map_err(Problem::from) })
    }),
    Route::new("GET", "/page", "page", |_, _| {
        Box::pin(async move {
            let html = Reply::no_content()
                .with_header(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"))
                .with_header(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
            Ok(html)
        })
    }),
];

const FAILURES: &[Route<Failing>] = &[
    Route::new("POST", "/v1/greetings/{name}/limit", "limit", |_, call| {
        Box::pin(async move {
            call.allow_origin("https://shop.example");
            let retry_at = Timestamp::from_millis(1_041_001);
            Err(Problem::from(Refusal::RateLimited { rule: "per_ip_hour", retry_at })
                .with("attempts_left", 3)
                .with("status", "not this one"))
        })
    }),
    Route::new("POST", "/fault", "fault", |_, _| {
        Box::pin(async move { Err(Problem::from(Fault::new("canary-cause")).with("canary", "canary")) })
    }),
    Route::new("POST", "/never", "never", |_, call| {
        Box::pin(async move {
            call.allow_origin("https://shop.example");
            std::future::pending().await
        })
    }),
    Route::new("POST", "/secret", "secret", |_, call| {
        Box::pin(async move { call.bearer().map(|_| Reply::no_content()).map_err(Problem::from) })
    }),
];

fn edge() -> Edge {
    Edge::new(Arc::new(FixedClock), Arc::new(Sevens))
        .mount(Arc::new(Greeter("Hello")), GREETINGS)
        .mount(Arc::new(Failing), FAILURES)
}

fn request(method: &str, target: &str) -> Request<Bytes> {
    Request::builder().method(method).uri(target).body(Bytes::new()).unwrap()
}

async fn send(edge: &Edge, request: Request<Bytes>) -> (StatusCode, HeaderMap, Value) {
    let response = edge.handle(request, None, Some("given".into())).await;
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status(), response.headers().clone(), body)
}

async fn code_of(method: &str, target: &str) -> (StatusCode, Value) {
    let (status, headers, body) = send(&edge(), request(method, target)).await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(body["status"], status.as_u16());
    (status, body["code"].clone())
}

#[tokio::test]
async fn a_handler_gets_its_parameters_query_and_peer() {
    let peer = "2001:db8::7".parse().unwrap();
    let response =
        edge().handle(request("GET", "/v1/greetings/Z%C3%BCrich%2F1?limit=5&x"), Some(peer), None).await;
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body["text"], "Hello Zürich/1");
    assert_eq!(body["query"], "limit=5&x");
    assert_eq!(body["ip"], "2001:db8::7");
    assert_eq!(body["id"], "req_7777777777777777777777");
    assert_eq!(response.headers()[answer::REQUEST_ID], "req_7777777777777777777777");
}

#[tokio::test]
async fn an_unknown_address_is_not_found() {
    for target in [
        "/",
        "/v1/greetings",
        "/v1/greetings/",
        "/v1/greetings/x/",
        "/v1/greetings//limit",
        "//v1/greetings/x",
        "/V1/greetings/x",
        "/v1/%67reetings/x",
        "/v1/greetings/%ff",
        "/v1/greetings/%4",
        "/v1/greetings/%zz",
        "/v1/greetings/%+1",
        "/problems/not_found",
    ] {
        assert_eq!(code_of("GET", target).await, (StatusCode::NOT_FOUND, "not_found".into()), "{target}");
    }
}

#[tokio::test]
async fn a_method_that_an_address_lacks_is_named_with_those_it_has() {
    for method in ["POST", "HEAD", "OPTIONS", "TRACE", "BREW"] {
        let (status, headers, body) = send(&edge(), request(method, "/v1/greetings/x")).await;
        assert_eq!((status, &body["code"]), (StatusCode::METHOD_NOT_ALLOWED, &"method_not_allowed".into()));
        assert_eq!(headers[header::ALLOW], "GET, PUT");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_its_handler() {
    let put = |size: usize| {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
        Request::put("/v1/greetings/x").header("content-type", "application/json").body(body.into()).unwrap()
    };
    assert_eq!(send(&edge(), put(MAX_BODY)).await.0, StatusCode::CREATED);
    let (status, _, body) = send(&edge(), put(MAX_BODY + 1)).await;
    assert_eq!((status, &body["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &"too_large".into()));
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_with_its_extensions() {
    let (status, headers, body) = send(&edge(), request("POST", "/v1/greetings/x/limit")).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(headers[header::RETRY_AFTER], "42");
    assert_eq!(
        body,
        json!({"type": "/problems/rate_limited", "title": "Limit reached", "status": 429, "code": "rate_limited",
            "detail": "The limit `per_ip_hour` is used up. Try again after `Retry-After` seconds.",
            "request_id": "given", "rule": "per_ip_hour", "attempts_left": 3})
    );
}

#[tokio::test]
async fn a_fault_says_nothing_but_that_it_is_one() {
    let (status, headers, body) = send(&edge(), request("POST", "/fault")).await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into()));
    assert_eq!(headers[header::RETRY_AFTER], "1");
    assert!(!body.to_string().contains("canary"), "{body}");
}

#[tokio::test]
async fn a_missing_credential_names_the_scheme() {
    let (status, headers, body) = send(&edge(), request("POST", "/secret")).await;
    assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &"unauthenticated".into()));
    assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
}

#[tokio::test]
async fn t25_every_answer_is_kept_by_nobody_and_framed_nowhere() {
    for (method, target) in [
        ("GET", "/v1/greetings/x"),
        ("DELETE", "/v1/greetings/x"),
        ("GET", "/nowhere"),
        ("POST", "/fault"),
        ("POST", "/secret"),
    ] {
        let (_, headers, _) = send(&edge(), request(method, target)).await;
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert!(headers[header::STRICT_TRANSPORT_SECURITY].to_str().unwrap().starts_with("max-age=31536000"));
        assert_eq!(headers[answer::REQUEST_ID], "given");
    }
}

#[tokio::test]
async fn a_reply_may_bring_a_policy_of_its_own() {
    let (_, headers, _) = send(&edge(), request("GET", "/page")).await;
    assert_eq!(headers.get_all(header::CONTENT_SECURITY_POLICY).iter().count(), 1);
    assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'self'");
    assert_eq!(headers[header::CACHE_CONTROL], "max-age=60");
}

#[tokio::test]
async fn a_request_id_that_no_header_can_carry_is_replaced() {
    for bad in ["", "a\nb"] {
        let response = edge().handle(request("GET", "/"), None, Some(bad.into())).await;
        assert_eq!(response.headers()[answer::REQUEST_ID], "req_7777777777777777777777");
    }
}

#[tokio::test]
async fn a_handler_that_allows_an_origin_lets_it_read_answers_and_refusals() {
    for (method, target) in [("GET", "/v1/greetings/x"), ("POST", "/v1/greetings/x/limit")] {
        let (_, headers, _) = send(&edge(), request(method, target)).await;
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
        assert_eq!(headers[header::VARY], "origin");
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], "retry-after, x-request-id");
    }
    let (_, headers, _) = send(&edge(), request("GET", "/page")).await;
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

struct OneOrigin;

#[async_trait]
impl OriginDirectory for OneOrigin {
    async fn origin_is_known(&self, origin: &str) -> Result<bool, Fault> {
        match origin {
            "https://broken.example" => Err(Fault::new("table on fire")),
            _ => Ok(origin == "https://shop.example"),
        }
    }
}

async fn preflight_from(origins: &[&str]) -> (StatusCode, HeaderMap, Value) {
    let mut request = request("OPTIONS", "/v1/logins");
    request.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
    for origin in origins {
        request.headers_mut().append(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
    }
    send(&edge().with_preflight(Arc::new(OneOrigin)), request).await
}

#[tokio::test]
async fn a_preflight_is_answered_for_known_origins_only() {
    let (status, headers, _) = preflight_from(&["https://shop.example"]).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, POST, PUT, PATCH, DELETE");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type, idempotency-key");
    assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "600");
    assert_eq!(headers[header::VARY], "origin");
    for bad in [&["https://evil.example"][..], &["null"], &["https://shop.example", "https://evil.example"]] {
        let (status, headers, body) = preflight_from(bad).await;
        assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &"forbidden".into()));
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
    let (status, _, body) = preflight_from(&["https://broken.example"]).await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into()));
    assert_eq!(preflight_from(&[]).await.0, StatusCode::NOT_FOUND);
}

#[test]
fn the_routes_are_listed() {
    let mut routes = edge().routes();
    routes.sort();
    assert_eq!(routes[0], ("GET", "/page", "page"));
    assert_eq!(routes.len(), GREETINGS.len() + FAILURES.len());
}

#[test]
#[should_panic(expected = "route GET /page twice")]
fn two_handlers_for_one_route_do_not_start() {
    let _ = edge().mount(Arc::new(Greeter("Bye")), &GREETINGS[2..]);
}

#[tokio::test]
async fn h3_a_handler_without_end_is_answered_for_before_the_function_is_ended() {
    let edge = edge().within(Duration::from_millis(20));
    let (status, headers, body) = send(&edge, request("POST", "/never")).await;
    assert_eq!((status.as_u16(), &body["code"]), (503, &json!("unavailable")));
    assert!(headers.contains_key(header::RETRY_AFTER), "{headers:?}");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    let template = include_str!("../../../template.yaml");
    let least = template.lines().filter_map(|line| line.trim().strip_prefix("Timeout: ")?.parse().ok()).min();
    assert!(ANSWER_TIMEOUT + Duration::from_millis(500) <= Duration::from_secs(least.unwrap()), "{least:?}");
}
