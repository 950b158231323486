//! First factors and the tokens at the end: acceptance F1, F2b, F3, H11.

use crate::world::World;
use base64::Engine as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::http_client::Call;
use tests::values::{changed, text};

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";

/// The claims of a token, unchecked.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn t7_an_unknown_account_and_a_wrong_password_are_alike() {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    world.user(json!({ "username": "nopass" })).await;
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(), Vec::new(), Vec::new()];
    let mut bodies = Vec::new();
    for round in 0..4 {
        for (at, account) in ["ann", "nobody", "nopass"].into_iter().enumerate() {
            let started = Instant::now();
            let answer = world.start_password(&world.application, account, "not the password").await;
            times[at].push(started.elapsed());
            let mut body = answer.refused(401, "first_factor_failed");
            body.as_object_mut().unwrap().remove("request_id");
            bodies.push(body);
        }
        world.local.advance(if round == 3 { 2000 } else { 1 }).await;
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let known = middle(&mut times[0]);
    for other in &mut times[1..] {
        let ratio = middle(other) / known;
        assert!((0.3..3.0).contains(&ratio), "{ratio}: the password work is the same");
    }
}

#[tokio::test]
async fn t29_failures_slow_an_account_down_and_never_lock_it_for_good() {
    let world = World::fresh().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let fail = || world.start_password(&world.application, "ann", "not the password");
    for _ in 0..5 {
        fail().await.refused(401, "first_factor_failed");
    }
    let slow = fail().await;
    let wait: u64 = slow.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(slow.refused(429, "rate_limited")["rule"], "first_factor_account");
    assert!((1..=2).contains(&wait), "{wait}");
    world.local.advance(wait).await;
    fail().await.refused(401, "first_factor_failed");
    let next: u64 = fail().await.header("retry-after").unwrap().parse().unwrap();
    assert!(next >= wait, "the wait grows");
    world.local.advance(301).await;
    world.start_password(&world.application, "ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn f2b_an_assertion_needs_the_applications_secret() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER })).await;
    let body = json!({ "application": world.application, "assertion": { "user": user } });
    let start = |bearer: Option<String>| {
        let call = Call::post("/v1/logins", &body);
        world.local.send(match bearer {
            Some(bearer) => call.bearer(&bearer),
            None => call,
        })
    };
    start(None).await.refused(401, "unauthenticated");
    start(Some("nonsense".into())).await.refused(401, "unauthenticated");
    start(Some(changed(&world.secret))).await.refused(401, "unauthenticated");
    assert!(start(Some(world.admin.clone())).await.status >= 401);
    let begun = start(Some(world.secret.clone())).await.expect(200);
    assert_eq!(begun["login"]["status"], "enter_code");
    let unknown =
        json!({ "application": world.application, "assertion": { "user": "usr_0000000000000000000000" } });
    world
        .local
        .send(Call::post("/v1/logins", &unknown).bearer(&world.secret))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_confidential_application_shows_its_secret_at_every_start() {
    let world = World::fresh().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let made = world.application(json!({ "name": "Back end", "type": "confidential" })).await;
    let id = text(&made, "/id");
    world.start_password(&id, "ann", PASSWORD).await.refused(401, "unauthenticated");
    let body = json!({ "application": id, "password": { "account": "ann", "password": PASSWORD } });
    let secret = text(&made, "/secret/secret");
    world.local.send(Call::post("/v1/logins", &body).bearer(&secret)).await.expect(200);
    world.local.send(Call::post("/v1/logins", &body).bearer(&world.secret)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn h11_tokens_say_who_what_and_how() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let done = world.guess(&login, &code).await.expect(200);
    let access = text(&done, "/tokens/access_token");
    let said = claims(&access);
    assert_eq!(said["iss"], format!("{}/t/{}", world.local.url(), world.tenant));
    assert_eq!(
        (&said["aud"], &said["sub"], &said["txn"]),
        (&json!(world.application), &json!(user), &json!(login.id))
    );
    assert_eq!((&said["amr"], &said["acr"]), (&json!(["pwd", "sms", "mfa"]), &json!("aal2")));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 900);
    let head = access.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    assert_eq!((&head["alg"], &head["typ"]), (&json!("ES256"), &json!("at+jwt")));
    let path = format!("/t/{}/.well-known/jwks.json", world.tenant);
    let jwks = world.local.send(Call::get(&path)).await.expect(200);
    assert!(jwks["keys"].as_array().unwrap().iter().any(|key| key["kid"] == head["kid"]));
    assert!(!jwks.to_string().contains("\"d\""), "public keys only");

    world.local.advance(100).await;
    let body = json!({ "application": world.application, "assertion": { "user": user } });
    let begun = world.local.send(Call::post("/v1/logins", &body).bearer(&world.secret)).await.expect(200);
    let login = crate::world::Login {
        id: text(&begun, "/login/id"),
        token: text(&begun, "/login_token"),
        answer: begun,
    };
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let done = world.guess(&login, &code).await.expect(200);
    assert_eq!(claims(&text(&done, "/tokens/access_token"))["amr"], json!(["sms"]));
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    let done = world.start_password(&world.application, "ann", PASSWORD).await.expect(200);
    let said = claims(&text(&done, "/tokens/id_token"));
    assert_eq!((&said["amr"], &said["acr"]), (&json!(["pwd"]), &json!("aal1")));
}

#[tokio::test]
async fn t20_login_tokens_that_are_not_ours_or_not_of_this_login() {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    let look = |token: String| {
        world.local.send(
            Call::get(&format!("/v1/logins/{}", login.id))
                .header("authorization", &format!("Bearer {token}")),
        )
    };
    let token = &login.token;
    let mut hostile = vec![
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        "e30".to_owned(),
        world.secret.clone(),
        world.admin.clone(),
    ];
    for at in [0, 1, token.len() / 2, token.len() - 2] {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        hostile.push(String::from_utf8(bytes).unwrap());
    }
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    let done = world.start_password(&world.application, "ann", PASSWORD).await.expect(200);
    hostile.push(text(&done, "/tokens/access_token"));
    for token in hostile {
        look(token).await.refused(401, "unauthenticated");
    }
    look(login.token.clone()).await.expect(200);
}
