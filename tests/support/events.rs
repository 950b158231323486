//! Events as an API Gateway HTTP API hands them to a function (payload format 2.0), and what a function answers.

use crate::http_client::{Answer, Call};
use crate::repository;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The address that events come from unless a test says otherwise; of a range that is nobody's (RFC 5737).
pub const CLIENT_ADDRESS: &str = "203.0.113.7";
/// The host that clients think they talk to.
pub const HOST: &str = "api.example.com";

/// The event for a call. `route` is the one that the gateway chose: its method and path (`POST /v1/logins/{login}/code`), or `$default`.
pub fn http_event(call: &Call, route: &str, path_parameters: &[(String, String)]) -> Value {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    // The gateway decodes the path before it hands it on, and leaves the query as it came.
    let path = decode(path);
    let mut headers = BTreeMap::from([("host".to_owned(), HOST.to_owned())]);
    for name in call.headers.keys() {
        let values: Vec<_> =
            call.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        headers.insert(name.to_string(), values.join(","));
    }
    headers.insert("content-length".to_owned(), call.body.len().to_string());
    headers.insert("x-forwarded-for".to_owned(), CLIENT_ADDRESS.to_owned());
    headers.insert("x-forwarded-proto".to_owned(), "https".to_owned());
    let mut event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": HOST,
            "domainPrefix": "api",
            "http": {
                "method": call.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT_ADDRESS,
                "userAgent": headers.get("user-agent").map_or("tests", String::as_str),
            },
            "requestId": repository::unique(),
            "routeKey": route,
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_i64,
        },
        "isBase64Encoded": false,
    });
    if !query.is_empty() {
        let mut parameters: BTreeMap<String, String> = BTreeMap::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(&value.replace('+', " "));
            parameters.entry(decode(name)).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
        event["queryStringParameters"] = json!(parameters);
    }
    if !path_parameters.is_empty() {
        let parameters = path_parameters.iter().map(|(name, value)| (name.clone(), json!(decode(value))));
        event["pathParameters"] = Value::Object(parameters.collect::<Map<_, _>>());
    }
    if !call.body.is_empty() {
        match std::str::from_utf8(&call.body) {
            Ok(text) => event["body"] = text.into(),
            Err(_) => {
                event["body"] = STANDARD.encode(&call.body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// The event for items that were inserted, in the order given, each by its partition and sort key.
pub fn inserted(keys: &[(String, String)]) -> Value {
    let record = |(index, (pk, sk)): (usize, &(String, String))| {
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        json!({
            "eventID": repository::unique(),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_767_225_600,
                "Keys": key,
                "NewImage": key,
                "SequenceNumber": format!("{:021}", index + 1),
                "SizeBytes": 200,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/logins/stream/2026-01-01T00:00:00.000",
        })
    };
    json!({ "Records": keys.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// What a function answered, as the gateway sends it on.
///
/// # Panics
/// If it is no answer of payload format 2.0; a real gateway makes a 500 of that.
pub fn answer(response: &Value) -> Answer {
    let status = response["statusCode"].as_u64().unwrap_or_else(|| panic!("no status: {response}"));
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value.as_str().expect("a header is text")).unwrap());
    };
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        add(name, value);
    }
    // Payload 2.0 has no such member; lambda_http fills both, with the same headers.
    for (name, values) in response["multiValueHeaders"].as_object().into_iter().flatten() {
        if response["headers"].get(name).is_none() {
            values.as_array().into_iter().flatten().for_each(|value| add(name, value));
        }
    }
    for cookie in response["cookies"].as_array().into_iter().flatten() {
        add("set-cookie", cookie);
    }
    let body = response["body"].as_str().unwrap_or_default();
    let body = match response["isBase64Encoded"].as_bool() {
        Some(true) => Bytes::from(STANDARD.decode(body).unwrap()),
        _ => Bytes::from(body.to_owned()),
    };
    Answer::new(u16::try_from(status).unwrap(), headers, body)
}

/// One of the events in tests/events (its README lists them), with `{{name}}` replaced everywhere by the value given for it.
///
/// # Panics
/// If a placeholder is left, or a value has no placeholder.
pub fn load(name: &str, values: &[(&str, &str)]) -> Value {
    let mut text = repository::read(&format!("tests/events/{name}.json"));
    for (placeholder, value) in values {
        let placeholder = format!("{{{{{placeholder}}}}}");
        assert!(text.contains(&placeholder), "{name} has no {placeholder}");
        text = text.replace(&placeholder, value);
    }
    if let Some(start) = text.find("{{") {
        panic!("{name} still has {}", text[start..].chars().take(40).collect::<String>());
    }
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Percent-decoding; what is no valid escape stays.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = (bytes[index] == b'%')
            .then(|| text.get(index + 1..index + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escape.unwrap_or(bytes[index]));
        index += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
