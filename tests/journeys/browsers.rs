//! What a browser may do: origins, preflight, and answers that a page can read.

use crate::world::World;
use serde_json::json;
use tests::http_client::Call;
use tests::local::Local;

const ORIGIN: &str = "https://shop.example.com";
const PASSWORD: &str = "correct horse battery";

async fn world() -> World {
    let world = World::with_sms().await;
    let path = format!("/applications/{}", world.application);
    let body = json!({ "origins": [ORIGIN] });
    world.admin("PATCH", &path, Some(&body)).await.expect(200);
    world.user(json!({ "username": "ann", "phone": "+12025550123", "password": PASSWORD })).await;
    world
}

#[tokio::test]
async fn a_preflight_is_answered_from_the_applications_origins() {
    let world = world().await;
    let ask = |origin: &str, path: &str| {
        let call = Call::new("OPTIONS", path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key");
        world.local.send(call)
    };
    for path in ["/v1/logins", "/v1/logins/log_0000000000000000000000/code"] {
        let answer = ask(ORIGIN, path).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("idempotency-key"));
    }
    let stranger = ask("https://evil.example", "/v1/logins").await;
    assert_eq!(stranger.header("access-control-allow-origin"), None);
    stranger.refused(403, "forbidden");
    let path = format!("/applications/{}", world.application);
    world.admin("PATCH", &path, Some(&json!({ "origins": [] }))).await.expect(200);
    ask(ORIGIN, "/v1/logins").await.refused(403, "forbidden");
}

#[tokio::test]
async fn answers_and_refusals_are_readable_by_the_applications_pages_only() {
    let world = world().await;
    let body =
        json!({ "application": world.application, "password": { "account": "ann", "password": PASSWORD } });
    let begun = world.local.send(Call::post("/v1/logins", &body).header("origin", ORIGIN)).await;
    assert_eq!(begun.header("access-control-allow-origin"), Some(ORIGIN));
    let begun = begun.expect(200);
    let path = format!("/v1/logins/{}/verification", begun["login"]["id"].as_str().unwrap());
    let token = begun["login_token"].as_str().unwrap();
    let guess = |origin: &str| {
        let call = Call::post(&path, &json!({ "code": "123456" })).bearer(token).header("origin", origin);
        world.local.send(call)
    };
    let refused = guess(ORIGIN).await;
    assert_eq!(refused.header("access-control-allow-origin"), Some(ORIGIN));
    assert!(refused.header("access-control-expose-headers").unwrap().contains("retry-after"));
    refused.refused(409, "no_code_sent");
    let foreign = guess("https://evil.example").await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    foreign.refused(403, "forbidden");
    let foreign =
        world.local.send(Call::post("/v1/logins", &body).header("origin", "https://evil.example")).await;
    foreign.refused(403, "forbidden");
}

#[tokio::test]
async fn every_answer_has_its_security_headers() {
    let world = world().await;
    for call in [
        Call::get("/nowhere"),
        Call::get(&world.path("")).bearer(&world.admin),
        Call::post("/v1/logins", &json!({})),
    ] {
        let answer = world.local.send(call).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn the_contract_is_a_page_without_a_script_that_has_every_call() {
    let local = Local::start().await;
    let page = local.send(Call::get("/docs").header("accept", "text/html")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    let text = page.text();
    assert!(!text.contains("<script") && !text.contains(" src="), "it loads nothing");
    let contract = tests::repository::read("docs/openapi.yaml");
    let operations = contract.lines().filter_map(|line| line.trim().strip_prefix("operationId: "));
    let missing: Vec<_> = operations.filter(|id| !text.contains(&format!("id=\"{id}\""))).collect();
    assert!(missing.is_empty(), "render_reference.py: {missing:?}");
}
