use super::*;
use crate::domain::time::Timestamp;
use crate::http::{Reply, Route};
use crate::ports::{Clock, Entropy};
use serde_json::json;
use std::sync::Arc;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(0)
    }
}

impl Entropy for Still {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(1);
    }
}

struct Mirror;

const ROUTES: &[Route<Mirror>] = &[
    Route::new("POST", "/v1/mirror/{name}", "mirror", |_, call| {
        Box::pin(async move {
            let header = |name: &str| call.header(name).ok().flatten().map(str::to_owned);
            Ok(Reply::ok(&json!({"name": call.param("name"), "query": call.query, "ip": call.client_ip,
                "id": call.request_id, "body": String::from_utf8_lossy(&call.body), "origin": header("origin"),
                "cookie": header("cookie")})))
        })
    }),
    Route::new("GET", "/bytes", "bytes", |_, _| {
        Box::pin(async move {
            let mut reply = Reply::no_content();
            reply.body = Bytes::from_static(b"\xff\x00");
            Ok(reply
                .with_header(header::SET_COOKIE, HeaderValue::from_static("a=1"))
                .with_header(header::SET_COOKIE, HeaderValue::from_static("b=2"))
                .with_header(header::VARY, HeaderValue::from_static("origin"))
                .with_header(header::VARY, HeaderValue::from_static("accept")))
        })
    }),
];

fn event(method: &str, path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=1&a=2",
        "headers": {"origin": "https://shop.example", "x-forwarded-for": "203.0.113.9", "bad name": "x", "host": "h\n"},
        "cookies": ["c=1", "d=2"],
        "requestContext": {"accountId": "123456789012", "apiId": "api", "stage": "$default", "requestId": "JKJaXmPLvHcESHA=",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "ua"}},
        "body": "{\"text\":\"é\"}", "isBase64Encoded": false
    })
}

async fn send(event: Value) -> Result<(u16, Value), &'static str> {
    let edge = Edge::new(Arc::new(Still), Arc::new(Still)).mount(Arc::new(Mirror), ROUTES);
    let answer = answer(&edge, event).await?;
    Ok((answer.status_code, serde_json::from_str(&answer.body).unwrap_or(Value::Null)))
}

#[tokio::test]
async fn an_event_becomes_a_call() {
    let (status, body) = send(event("POST", "/v1/mirror/ana")).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"name": "ana", "query": "a=1&a=2", "ip": "192.0.2.1", "id": "JKJaXmPLvHcESHA=",
            "body": "{\"text\":\"é\"}", "origin": "https://shop.example", "cookie": "c=1; d=2"})
    );
}

#[tokio::test]
async fn a_body_may_come_in_base64_or_not_at_all() {
    let mut coded = event("POST", "/v1/mirror/ana");
    coded["body"] = "e30=".into();
    coded["isBase64Encoded"] = true.into();
    assert_eq!(send(coded).await.unwrap().1["body"], "{}");
    let mut empty = event("POST", "/v1/mirror/ana");
    empty["body"] = Value::Null;
    assert_eq!(send(empty).await.unwrap().1["body"], "");
}

#[tokio::test]
async fn a_named_stage_is_no_part_of_the_path() {
    let mut staged = event("POST", "/v1/v1/mirror/ana");
    staged["requestContext"]["stage"] = "v1".into();
    assert_eq!(send(staged).await.unwrap().0, 200);
    assert_eq!(without_stage("/production/x", "prod"), "/production/x");
    assert_eq!(without_stage("/x", ""), "/x");
}

#[tokio::test]
async fn a_path_that_the_gateway_decoded_is_still_a_path() {
    for (path, name) in [("/v1/mirror/Zü rich", "Zü rich"), ("/v1/mirror/a?b#c", "a?b#c")] {
        assert_eq!(send(event("POST", path)).await.unwrap().1["name"], name);
    }
    assert_eq!(send(event("POST", "/v1/mirror/a/b")).await.unwrap().0, 404);
}

#[tokio::test]
async fn what_is_not_such_an_event_fails_without_a_panic() {
    for bad in [json!(null), json!([]), json!({"version": "1.0", "path": "/", "httpMethod": "GET"})] {
        assert!(send(bad).await.is_err());
    }
    let changes: [(&str, Value); 5] = [
        ("/requestContext/http/method", "GET /".into()),
        ("/rawPath", "".into()),
        ("/rawPath", "no-slash".into()),
        ("/headers", json!({"a": ["b"]})),
        ("/body", 7.into()),
    ];
    for (pointer, value) in changes {
        let mut event = event("POST", "/v1/mirror/ana");
        *event.pointer_mut(pointer).unwrap() = value;
        let answer = send(event).await;
        assert!(matches!(answer, Err(_) | Ok((404, _))), "{pointer}: {answer:?}");
    }
    let mut not_base64 = event("POST", "/v1/mirror/ana");
    not_base64["isBase64Encoded"] = true.into();
    assert!(send(not_base64).await.is_err());
    let mut odd_query = event("POST", "/v1/mirror/ana");
    odd_query["rawQueryString"] = "a=ü {}\u{0}#".into();
    odd_query["requestContext"]["http"]["sourceIp"] = "unknown".into();
    let (status, body) = send(odd_query).await.unwrap();
    assert_eq!((status, &body["ip"]), (200, &Value::Null));
}

#[tokio::test]
async fn an_answer_keeps_bytes_cookies_and_repeated_headers() {
    let edge = Edge::new(Arc::new(Still), Arc::new(Still)).mount(Arc::new(Mirror), ROUTES);
    let answer = answer(&edge, event("GET", "/bytes")).await.unwrap();
    assert_eq!((answer.status_code, answer.is_base64_encoded, answer.body.as_str()), (204, true, "/wA="));
    assert_eq!(answer.cookies, ["a=1", "b=2"]);
    assert_eq!(answer.headers["vary"], "origin, accept");
    let wire = serde_json::to_value(&answer).unwrap();
    assert_eq!((&wire["statusCode"], &wire["isBase64Encoded"]), (&204.into(), &true.into()));
}
