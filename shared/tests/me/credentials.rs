//! `/v1/me` takes access tokens and nothing else.

use crate::world::World;
use serde_json::{Value, json};

const NUMBER: &str = "+12025550101";

/// Every route of `/v1/me`, with a body that it would take.
fn routes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("GET", "/phone", Value::Null),
        ("PUT", "/phone", json!({"phone": "+12025550102"})),
        ("DELETE", "/phone", Value::Null),
        ("POST", "/recovery-codes", Value::Null),
    ]
}

#[tokio::test]
async fn h8_only_a_live_access_token_opens_what_is_the_users_own() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    let answer = world.verify(&login, json!({})).await.expect(200);
    let (access, id) = (answer["tokens"]["access_token"].clone(), answer["tokens"]["id_token"].clone());
    let (access, id) = (access.as_str().unwrap(), id.as_str().unwrap());
    for (method, path, body) in routes() {
        let outcome = |token: String, body: Value| {
            let world = &world;
            async move {
                let answer = world.me(method, path, &token, body).await;
                (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
            }
        };
        let refused = (401, "unauthenticated".to_owned());
        for bad in ["", "x", id, &login.token, &world.admin, &access[..access.len() - 2]] {
            assert_eq!(outcome(bad.to_owned(), body.clone()).await, refused, "{method} {path} {bad}");
        }
    }
    world.me("GET", "/phone", access, Value::Null).await.expect(200);
    let path = format!("/v1/logins/{}", login.id);
    assert_eq!(world.call("GET", &path, access, Value::Null).await.outcome(), (401, "unauthenticated"));
    world.clock.advance(901);
    for (method, path, body) in routes() {
        let late = world.me(method, path, access, body).await;
        assert_eq!(late.outcome(), (401, "unauthenticated"), "{method} {path}: expired");
    }
}

#[tokio::test]
async fn a_browser_must_be_on_an_origin_of_the_tokens_application() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let (own, other) = (world.signed_in("ann").await, world.signed_in_laxly("ann").await);
    let from = |origin: &'static str, token: String| {
        let world = &world;
        async move { world.call_from(Some(origin), "GET", "/v1/me/phone", &token, Value::Null).await }
    };
    let allowed = from("https://shop.example", own.clone()).await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://shop.example");
    allowed.expect(200);
    for (origin, token) in [("https://evil.example", own), ("https://shop.example", other)] {
        let refused = from(origin, token).await;
        assert!(!refused.headers.contains_key("access-control-allow-origin"), "{origin}");
        assert_eq!(refused.outcome(), (403, "forbidden"));
    }
}
