//! Sessions of the console: what they are worth, when they end, and that only the console's own pages can use them.

use crate::support::OWN_ORIGIN;
use crate::world::{Answer, TestTenant, World, text};
use http::Request;
use serde_json::{Value, json};
use shared::auth::credential::Credential;

const PATH: &str = "/v1/console/session";
/// What a browser adds to a request of our own page, and the page itself.
const OWN_PAGE: &[(&str, &str)] = &[("x-console", "1"), ("sec-fetch-site", "same-origin")];

/// A call with a session's cookie.
async fn with_cookie(
    world: &World,
    method: &str,
    path: &str,
    cookie: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> (Answer, Option<String>) {
    let mut request = Request::builder().method(method).uri(path).header("cookie", cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    world.send(request.body(body.into()).expect("a request")).await
}

/// Signs in; answers the cookie as a browser sends it, and the answer.
async fn sign_in(world: &World, key: &str) -> (String, Value) {
    let bearer = format!("Bearer {key}");
    let headers = [OWN_PAGE, &[("authorization", bearer.as_str())]].concat();
    let (answer, cookie) = with_cookie(world, "POST", PATH, "", &headers, None).await;
    let cookie = cookie.expect("a cookie");
    let value = cookie.split(';').next().expect("a pair").to_owned();
    (value, answer.expect(201))
}

/// What the session's own page reads.
async fn reads(world: &World, tenant: &TestTenant, cookie: &str) -> u16 {
    with_cookie(world, "GET", &tenant.path("/security"), cookie, OWN_PAGE, None).await.0.status
}

#[tokio::test]
async fn a_session_stands_in_the_place_of_its_key() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let key = tenant.key(&world, "policy").await;
    let (cookie, signed_in) = sign_in(&world, &key).await;
    assert_eq!((&signed_in["tenant"], &signed_in["role"]), (&json!(tenant.id), &json!("policy")));
    assert_eq!(
        (&signed_in["key_name"], &signed_in["expires_at"]),
        (&json!("policy"), &json!("2026-11-24T15:00:00.000Z"))
    );
    assert!(!signed_in.to_string().contains("mfa_"), "nothing secret is in the body");

    let (who, _) = with_cookie(&world, "GET", PATH, &cookie, OWN_PAGE, None).await;
    assert_eq!(who.expect(200), signed_in);
    let change = Some(json!({"code": {"length": 8}}));
    let (changed, _) =
        with_cookie(&world, "PATCH", &tenant.path("/security"), &cookie, OWN_PAGE, change).await;
    assert_eq!(changed.expect(200)["code"]["length"], 8);
    // No more than its key may, and in no other tenant.
    let (keys, _) = with_cookie(&world, "GET", &tenant.path("/admin-keys"), &cookie, OWN_PAGE, None).await;
    keys.refused(403, "forbidden");
    let other = world.tenant().await;
    let (foreign, _) = with_cookie(&world, "GET", &other.path("/security"), &cookie, OWN_PAGE, None).await;
    foreign.refused(403, "forbidden");
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_from_other_sites_and_from_the_store() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let bearer = format!("Bearer {}", tenant.key);
    let headers = [OWN_PAGE, &[("authorization", bearer.as_str())]].concat();
    let (_, cookie) = with_cookie(&world, "POST", PATH, "", &headers, None).await;
    let cookie = cookie.expect("a cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    let attributes: Vec<_> = attributes.split("; ").collect();
    for wanted in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=3600"] {
        assert!(attributes.contains(&wanted), "{wanted}: {cookie}");
    }
    let (name, value) = pair.split_once('=').expect("a pair");
    assert_eq!(name, "__Host-mfa-console");
    let kept = format!("{:?}", world.everything_kept().await);
    assert!(!kept.contains(&value[value.len() - 49..]), "the secret is kept nowhere");
}

#[tokio::test]
async fn t21_a_session_ends_at_once_when_it_is_ended() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (cookie, _) = sign_in(&world, &tenant.key).await;
    let (other, _) = sign_in(&world, &tenant.key).await;
    assert_eq!(reads(&world, &tenant, &cookie).await, 200);
    for _ in 0..2 {
        let (ended, cleared) = with_cookie(&world, "DELETE", PATH, &cookie, OWN_PAGE, None).await;
        assert_eq!(ended.status, 204);
        let cleared = cleared.expect("the cookie is taken back");
        assert!(cleared.starts_with("__Host-mfa-console=;") && cleared.contains("Max-Age=0"), "{cleared}");
    }
    assert_eq!((reads(&world, &tenant, &cookie).await, reads(&world, &tenant, &other).await), (401, 200));
    let (who, _) = with_cookie(&world, "GET", PATH, &cookie, OWN_PAGE, None).await;
    who.refused(401, "unauthenticated");
    let events = world.get(&tenant.path("/audit-events"), &tenant.key).await.expect(200);
    let told = |kind: &str| {
        let events = events["items"].as_array().expect("a list");
        events.iter().filter(|event| event["type"] == kind).count()
    };
    assert_eq!((told("console_session.started"), told("console_session.ended")), (2, 1));
}

#[tokio::test]
async fn t21_a_session_ends_with_its_hour_and_with_its_key() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let keys = tenant.path("/admin-keys");
    // The hour.
    let (cookie, _) = sign_in(&world, &tenant.key).await;
    world.clock.advance(3599);
    assert_eq!(reads(&world, &tenant, &cookie).await, 200);
    world.clock.advance(1);
    assert_eq!(reads(&world, &tenant, &cookie).await, 401);
    // The key's revocation.
    let made = world.post(&keys, &tenant.key, json!({"role": "auditor", "name": "Guest"})).await.expect(201);
    let (cookie, _) = sign_in(&world, &text(&made["secret"])).await;
    assert_eq!(reads(&world, &tenant, &cookie).await, 200);
    assert_eq!(world.delete(&format!("{keys}/{}", text(&made["id"])), &tenant.key).await.status, 204);
    assert_eq!(reads(&world, &tenant, &cookie).await, 401);
    // The key's end, which comes before the hour's.
    let body = json!({"role": "auditor", "name": "Short", "expires_at": "2026-11-24T15:10:00Z"});
    let made = world.post(&keys, &tenant.key, body).await.expect(201);
    let (cookie, signed_in) = sign_in(&world, &text(&made["secret"])).await;
    assert_eq!(signed_in["expires_at"], made["expires_at"]);
    world.clock.advance(599);
    assert_eq!(reads(&world, &tenant, &cookie).await, 200);
    world.clock.advance(1);
    assert_eq!(reads(&world, &tenant, &cookie).await, 401);
}

#[tokio::test]
async fn t24_a_session_changes_nothing_for_a_page_that_is_not_ours() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (cookie, _) = sign_in(&world, &tenant.key).await;
    let before = world.get(&tenant.path(""), &tenant.key).await.expect(200);
    let foreign: &[&[(&str, &str)]] = &[
        // A form or an image of another site, in a browser of today and of before.
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example")],
        &[],
        // Whatever our header is worth to who can set it.
        &[("x-console", "1"), ("sec-fetch-site", "cross-site")],
        &[("x-console", "1"), ("sec-fetch-site", "same-site"), ("origin", "https://shop.example.com")],
        &[("x-console", "1"), ("sec-fetch-site", "none")],
        &[("x-console", "1"), ("origin", "https://evil.example")],
        &[("x-console", "1"), ("origin", "null")],
        &[("x-console", "1"), ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        &[("x-console", "1"), ("sec-fetch-site", "cross-site"), ("origin", OWN_ORIGIN)],
        &[("x-console", "1")],
        // Our origin, and not our page: its header is missing.
        &[("sec-fetch-site", "same-origin"), ("origin", OWN_ORIGIN)],
        &[("x-console", "true"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in foreign {
        let change = Some(json!({"name": "Evil"}));
        let (answer, _) = with_cookie(&world, "PATCH", &tenant.path(""), &cookie, headers, change).await;
        answer.refused(403, "forbidden");
        let (answer, _) =
            with_cookie(&world, "GET", &tenant.path("/admin-keys"), &cookie, headers, None).await;
        answer.refused(403, "forbidden");
        let (answer, cleared) = with_cookie(&world, "DELETE", PATH, &cookie, headers, None).await;
        answer.refused(403, "forbidden");
        assert!(cleared.is_none(), "nobody is signed out from elsewhere");
        // Nor is anybody signed in, as whoever the other page wants.
        let bearer = format!("Bearer {}", tenant.key);
        let with_key = [headers, &[("authorization", bearer.as_str())][..]].concat();
        let (answer, set) = with_cookie(&world, "POST", PATH, "", &with_key, None).await;
        answer.refused(403, "forbidden");
        assert!(set.is_none());
    }
    assert_eq!(world.get(&tenant.path(""), &tenant.key).await.expect(200), before);
    assert_eq!(reads(&world, &tenant, &cookie).await, 200);
    // A page of ours in a browser that says only where it is.
    let own = [("x-console", "1"), ("origin", OWN_ORIGIN)];
    let (answer, _) = with_cookie(&world, "GET", &tenant.path(""), &cookie, &own, None).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_bearer_decides_where_a_cookie_stands_beside_it() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (cookie, _) = sign_in(&world, &tenant.key).await;
    let support = format!("Bearer {}", tenant.key(&world, "support").await);
    for (bearer, status) in [(support.as_str(), 403), ("Bearer garbage", 401)] {
        let headers = [OWN_PAGE, &[("authorization", bearer)]].concat();
        let path = tenant.path("/security");
        let (answer, _) = with_cookie(&world, "GET", &path, &cookie, &headers, None).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn t21_only_an_administrators_key_opens_a_session_and_only_a_session_is_one() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let application = world.post(&tenant.path("/applications"), &tenant.key, json!({"name": "Shop"})).await;
    let secret = text(&application.expect(201)["secret"]["secret"]);
    let (cookie, _) = sign_in(&world, &tenant.key).await;
    let session = cookie.split_once('=').expect("a pair").1;
    for (credential, status) in
        [(world.operator.as_str(), 403), (&secret, 401), (session, 401), ("garbage", 401)]
    {
        let bearer = format!("Bearer {credential}");
        let headers = [OWN_PAGE, &[("authorization", bearer.as_str())]].concat();
        let (answer, set) = with_cookie(&world, "POST", PATH, &cookie, &headers, None).await;
        assert_eq!((answer.status, set), (status, None), "{credential}");
    }
    // A session is no bearer credential, and no key is a session.
    world.get(&tenant.path("/security"), session).await.refused(401, "unauthenticated");
    for other in [&tenant.key, &secret, &world.operator, "", "garbage", &session[..session.len() - 1]] {
        let cookie = format!("__Host-mfa-console={other}");
        assert_eq!(reads(&world, &tenant, &cookie).await, 401, "{other}");
    }
    // Well formed and of the same session, but with another secret.
    let real = Credential::parse(session).expect("a credential");
    let forged = Credential::generate(real.holder, |buffer| buffer.fill(7)).text.into_exposed();
    assert_eq!(reads(&world, &tenant, &format!("__Host-mfa-console={forged}")).await, 401);
    let twice = format!("{cookie}; {cookie}");
    assert_eq!(reads(&world, &tenant, &twice).await, 400);
    let beside = format!("a=b; {cookie}; c=d");
    assert_eq!(reads(&world, &tenant, &beside).await, 200);
}

#[tokio::test]
async fn of_sessions_that_start_and_end_at_once_none_is_lost_or_revived() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let (first, _) = sign_in(&world, &tenant.key).await;
    let (ended, second, third) = tokio::join!(
        with_cookie(&world, "DELETE", PATH, &first, OWN_PAGE, None),
        sign_in(&world, &tenant.key),
        sign_in(&world, &tenant.key),
    );
    assert_eq!(ended.0.status, 204);
    assert_eq!(reads(&world, &tenant, &first).await, 401);
    assert_eq!(reads(&world, &tenant, &second.0).await, 200);
    assert_eq!(reads(&world, &tenant, &third.0).await, 200);
}
