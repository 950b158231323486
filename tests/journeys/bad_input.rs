//! Every bad input gets a clear refusal with a stable code, never a 5xx, and changes nothing.

use crate::world::World;
use serde_json::json;
use tests::http_client::{Answer, Call};
use tests::values::text;

const PASSWORD: &str = "correct horse battery";

/// A body as raw bytes, sent as JSON.
fn raw(method: &str, path: &str, bearer: Option<&str>, body: impl Into<Vec<u8>>) -> Call {
    let mut call = Call::new(method, path).raw(body.into()).header("content-type", "application/json");
    if let Some(bearer) = bearer {
        call = call.bearer(bearer);
    }
    call
}

fn refused(answer: Answer, what: &str) {
    let known = (400..500).contains(&answer.status) && answer.json["code"].is_string();
    assert!(known, "{what}: {} {}", answer.status, answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(answer.json["request_id"].is_string() && answer.json["detail"].is_string(), "{what}");
}

#[tokio::test]
async fn bodies_that_are_not_what_is_asked_for() {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "phone": "+12025550123", "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    let (admin, token) = (world.admin.clone(), login.token.clone());
    let step = |name: &str| format!("/v1/logins/{}/{name}", login.id);
    let routes = [
        ("POST", "/v1/logins".to_owned(), None),
        ("POST", step("phone"), Some(&token)),
        ("POST", step("verification"), Some(&token)),
        ("POST", step("code"), Some(&token)),
        ("POST", world.path("/users"), Some(&admin)),
        ("POST", world.path("/applications"), Some(&admin)),
        ("PATCH", world.path("/security"), Some(&admin)),
        ("POST", world.path("/identity-sources"), Some(&admin)),
        ("POST", world.path("/admin-keys"), Some(&admin)),
        ("POST", world.path("/policy/explain"), Some(&admin)),
        ("PUT", world.path("/message-templates/de"), Some(&admin)),
        ("POST", world.path("/message-templates/lint"), Some(&admin)),
    ];
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let bodies: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec(), 400, "invalid_request"),
        ("cut", b"{\"name\":".to_vec(), 400, "invalid_request"),
        ("not JSON", b"name=x".to_vec(), 400, "invalid_request"),
        ("an array", b"[]".to_vec(), 400, "invalid_request"),
        ("a string", b"\"x\"".to_vec(), 400, "invalid_request"),
        ("null", b"null".to_vec(), 400, "invalid_request"),
        ("an unknown field", b"{\"nonsense\":1}".to_vec(), 400, "invalid_request"),
        ("trailing text", b"{} {}".to_vec(), 400, "invalid_request"),
        ("deeply nested", format!("{{\"name\":{deep}}}").into_bytes(), 400, "invalid_request"),
        ("NUL", b"{\"name\":\"a\\u0000b\"}".to_vec(), 400, "invalid_request"),
        ("300 kB", format!("{{\"name\":\"{}\"}}", "x".repeat(300_000)).into_bytes(), 413, "too_large"),
    ];
    for (method, path, bearer) in &routes {
        for (what, body, status, code) in &bodies {
            let call = raw(method, path, bearer.map(String::as_str), body.clone());
            let answer = world.local.send(call).await;
            assert_eq!(answer.status, *status, "{method} {path}: {what}: {}", answer.text());
            answer.refused(*status, code);
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let mut call = Call::new(method, path).raw("{\"a\":1}").header("content-type", media_type);
            if let Some(bearer) = bearer {
                call = call.bearer(bearer);
            }
            world.local.send(call).await.refused(415, "unsupported_media_type");
        }
    }
    assert_eq!(world.look(&login).await["login"]["status"], "enter_code", "nothing has changed");
}

#[tokio::test]
async fn fields_of_another_type_or_twice_or_too_long() {
    let world = World::fresh().await;
    let long = "x".repeat(5000);
    let cases = [
        ("/users", json!({ "username": 5 })),
        ("/users", json!({ "username": ["ann"] })),
        ("/users", json!({ "username": "" })),
        ("/users", json!({ "username": long })),
        ("/users", json!({ "username": "with space" })),
        ("/users", json!({ "username": "with@sign" })),
        ("/users", json!({ "username": "12345" })),
        ("/users", json!({ "username": "a\u{202e}b" })),
        ("/users", json!({ "email": "no-at-sign" })),
        ("/users", json!({ "email": format!("{long}@example.com") })),
        ("/users", json!({ "username": "ann", "password": "short" })),
        ("/users", json!({ "username": "ann", "locale": "not a locale" })),
        ("/users", json!({})),
        ("/applications", json!({ "name": "" })),
        ("/applications", json!({ "name": long })),
        ("/applications", json!({ "name": "A", "type": "other" })),
        ("/applications", json!({ "name": "A", "origins": ["https://example.com/path"] })),
        ("/applications", json!({ "name": "A", "origins": ["javascript:alert(1)"] })),
        ("/applications", json!({ "name": "A", "redirect_uris": ["http://example.com/"] })),
        ("/applications", json!({ "name": "A", "message_host": "a b" })),
        ("/admin-keys", json!({ "role": "god", "name": "A" })),
        ("/admin-keys", json!({ "role": "owner", "name": "A", "expires_at": "yesterday" })),
        (
            "/identity-sources",
            json!({ "kind": "saml", "name": "A", "issuer": "https://a.example", "audience": "x" }),
        ),
        (
            "/identity-sources",
            json!({ "kind": "oidc", "name": "A", "issuer": "ftp://a.example", "audience": "x" }),
        ),
    ];
    for (path, body) in cases {
        let answer = world.admin("POST", path, Some(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        answer.refused(400, "invalid_request");
    }
    world.admin("POST", "/users", Some(&json!({ "phone": "+12" }))).await.refused(422, "invalid_phone");
    let patches = [
        r#"{"code":{"length":5}}"#,
        r#"{"code":{"length":"6"}}"#,
        r#"{"code":{"length":6.5}}"#,
        r#"{"code":{"length":6,"length":7}}"#,
        r#"{"code":{"nonsense":6}}"#,
        r#"{"code":[]}"#,
        r#"{"code":{"lifetime_seconds":601}}"#,
        r#"{"countries":{"allow":["XX"]}}"#,
        r#"{"countries":{"allow":"US"}}"#,
        r#"{"mfa":{"sms":{"enabled":"yes"}}}"#,
        r#"{"mfa":{"sms":{"enabled":true},"sms":{"enabled":false}}}"#,
        r#"{"identity_sources":{"src_0000000000000000000000":true}}"#,
        r#"{"limits":{"budget_usd_day":-1}}"#,
        r#"{"trusted_devices":{"days":91}}"#,
    ];
    let before = world.admin("GET", "/security", None).await.expect(200);
    for patch in patches {
        let call = raw("PATCH", &world.path("/security"), Some(&world.admin), patch);
        let answer = world.local.send(call).await;
        assert_eq!(answer.status, 400, "{patch}: {}", answer.text());
    }
    assert_eq!(world.admin("GET", "/security", None).await.expect(200), before);
    assert!(world.admin("GET", "/users", None).await.expect(200)["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn logins_refuse_what_is_no_first_factor() {
    let world = World::fresh().await;
    let application = world.application.clone();
    let good = json!({ "account": "ann", "password": "x" });
    let cases = [
        (json!({}), 400),
        (json!({ "application": application }), 400),
        (json!({ "application": 5, "password": good }), 400),
        (json!({ "application": application, "password": "x" }), 400),
        (json!({ "application": application, "password": { "account": "ann" } }), 400),
        (json!({ "application": application, "password": { "account": null, "password": "x" } }), 400),
        (json!({ "application": application, "password": good, "assertion": { "user": "usr_1" } }), 400),
        (
            json!({ "application": application, "password": { "account": "a", "password": "x".repeat(20_000) } }),
            400,
        ),
        (json!({ "application": "app_nonsense", "password": good }), 404),
        (json!({ "application": "app_0000000000000000000000", "password": good }), 404),
    ];
    for (body, status) in cases {
        let answer = world.local.send(Call::post("/v1/logins", &body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        refused(answer, "a login");
    }
}

#[tokio::test]
async fn paths_methods_and_headers_that_lead_nowhere() {
    let world = World::fresh().await;
    for path in [
        "/",
        "/v1",
        "/v2/logins",
        "/v1/logins/",
        "/v1/tenants//security",
        "/%00",
        "/v1/logins/%ff/code",
        "/v1/logins/../tenants",
    ] {
        let answer = world.local.send(Call::get(path)).await;
        assert!(matches!(answer.status, 401 | 404 | 405), "{path}: {}", answer.text());
        refused(answer, path);
    }
    world.local.send(Call::get("/nowhere")).await.refused(404, "not_found");
    let wrong = world.local.send(Call::new("DELETE", "/v1/logins")).await;
    assert!(wrong.header("allow").is_some_and(|allow| allow.contains("POST")), "{}", wrong.text());
    wrong.refused(405, "method_not_allowed");
    let twice = Call::get(&world.path("")).bearer(&world.admin).header("authorization", "Bearer other");
    let answer = world.local.send(twice).await;
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
    for value in ["", "Bearer", "Bearer ", "Basic YTpi", "bearer a b", "Bearer a,Bearer b"] {
        let answer = world.local.send(Call::get(&world.path("")).header("authorization", value)).await;
        answer.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn t5_ids_of_another_tenant_are_nothing_under_ones_own_path() {
    let world = World::fresh().await;
    let operator = world.local.operator_key().to_owned();
    let body = json!({ "name": "Other", "home_country": "US" });
    let other = world.local.send(Call::post("/v1/tenants", &body).bearer(&operator)).await.expect(201);
    let (tenant, key) = (text(&other, "/id"), text(&other, "/admin_key/secret"));
    let theirs = async |path: &str, body: serde_json::Value| {
        let call = Call::post(&format!("/v1/tenants/{tenant}{path}"), &body).bearer(&key);
        world.local.send(call).await.expect(201)
    };
    let application = theirs("/applications", json!({ "name": "Theirs" })).await;
    let user = theirs("/users", json!({ "username": "theirs", "phone": "+12025550177" })).await;
    let source = theirs(
        "/identity-sources",
        json!({ "kind": "oidc", "name": "S", "issuer": "https://a.example", "audience": "x" }),
    )
    .await;
    let (application, secret) = (text(&application, "/id"), text(&application, "/secret/secret"));
    let (user, source) = (text(&user, "/id"), text(&source, "/id"));
    let cases = [
        ("GET", format!("/applications/{application}")),
        ("PATCH", format!("/applications/{application}")),
        ("DELETE", format!("/applications/{application}")),
        ("GET", format!("/applications/{application}/security")),
        ("GET", format!("/users/{user}")),
        ("DELETE", format!("/users/{user}")),
        ("DELETE", format!("/users/{user}/phone")),
        ("GET", format!("/users/{user}/challenges")),
        ("GET", format!("/identity-sources/{source}")),
        ("DELETE", format!("/identity-sources/{source}")),
        ("GET", format!("/admin-keys/{}", text(&other, "/admin_key/id"))),
        ("DELETE", format!("/admin-keys/{}", text(&other, "/admin_key/id"))),
    ];
    for (method, path) in cases {
        let body = json!({ "name": "mine now" });
        let body = (method == "PATCH").then_some(&body);
        world.admin(method, &path, body).await.refused(404, "not_found");
    }
    let question = json!({ "application": application });
    world.admin("POST", "/policy/explain", Some(&question)).await.refused(404, "not_found");
    // Their secret opens nothing of ours, and our user is none of theirs.
    let mine = world.user(json!({ "username": "mine" })).await;
    let body = json!({ "application": world.application, "assertion": { "user": mine } });
    world.local.send(Call::post("/v1/logins", &body).bearer(&secret)).await.refused(403, "forbidden");
    let body = json!({ "application": application, "assertion": { "user": mine } });
    world.local.send(Call::post("/v1/logins", &body).bearer(&secret)).await.refused(404, "not_found");
    let still = world.local.send(Call::get(&format!("/v1/tenants/{tenant}/users/{user}")).bearer(&key)).await;
    assert_eq!(still.expect(200)["phone"], "+12025550177");
}
