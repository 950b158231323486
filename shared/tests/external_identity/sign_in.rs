//! Who gets in with an id token.

use crate::issuer::{Answer, KEYS, SigningKey};
use crate::world::{World, claims, text};
use serde_json::{Value, json};

#[tokio::test]
async fn f2b_an_id_token_is_a_first_factor_and_the_login_goes_on_as_any_other() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    world.admin("PATCH", "/security", json!({"mfa": {"sms": {"enabled": true}}})).await.expect(200);
    let begun = world.log_in(&source, "alice").await.expect(200);
    assert_eq!((&begun["login"]["status"], &begun["tokens"]), (&json!("bind_phone"), &Value::Null));
    let token = text(&begun["login_token"]);
    let path = |step: &str| format!("/v1/logins/{}{step}", text(&begun["login"]["id"]));
    let post =
        async |step: &str, body: Value| world.call("POST", &path(step), &token, body).await.expect(200);
    post("/phone", json!({"phone": "+12025550142"})).await;
    post("/code", json!({})).await;
    let done = post("/verification", json!({"code": world.last_code()})).await;
    assert_eq!(done["login"]["status"], "complete");
    for token in ["id_token", "access_token"] {
        let said = claims(&done["tokens"][token]);
        assert_eq!(said["sub"], begun["login"]["user"]);
        // The provider's own authentication is not something that this service has seen.
        assert_eq!((&said["amr"], &said["acr"]), (&json!(["sms"]), &json!("aal2")));
    }
    let again = world.log_in(&source, "alice").await.expect(200);
    assert_eq!(again["login"]["user"], begun["login"]["user"]);
    assert_eq!(again["login"]["status"], "enter_code");
}

#[tokio::test]
async fn f2b_without_mfa_the_tokens_come_at_once() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let done = world.log_in(&source, "alice").await.expect(200);
    assert_eq!((&done["login"]["status"], &done["login_token"]), (&json!("complete"), &Value::Null));
    let said = claims(&done["tokens"]["access_token"]);
    assert_eq!((&said["amr"], &said["acr"]), (&json!([]), &json!("aal1")));
}

#[tokio::test]
async fn f2b_a_token_that_is_not_good_gets_nobody_in_and_says_which_check_it_was() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let now = 1_795_528_800;
    let good = json!({"iss": world.issuer.url, "aud": "shop", "sub": "alice", "iat": now, "exp": now + 300});
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        world.signing.token("k", &claims)
    };
    for (token, nonce, says) in [
        (with("iss", json!("https://evil.example")), None, "`iss`"),
        (with("aud", json!("another")), None, "`aud`"),
        (with("aud", json!(["shop", "another"])), None, "`azp`"),
        (with("exp", json!(now - 60)), None, "expired"),
        (with("iat", json!(now + 61)), None, "future"),
        (with("nonce", json!("one")), Some("two"), "`nonce`"),
        (SigningKey::p256().token("k", &good), None, "signature"),
        (SigningKey::p256().token("j", &good), None, "`kid`"),
        ("not.a.token".to_owned(), None, "not a signed JWT"),
        (String::new(), None, "not a signed JWT"),
        ("a".repeat(20_000), None, "longer than"),
    ] {
        let offered = json!({"identity_source": source, "token": token, "nonce": nonce});
        let body = json!({"application": world.application, "id_token": offered});
        let answer = world.call("POST", "/v1/logins", "", body).await;
        assert_eq!(answer.outcome(), (401, "first_factor_failed"), "{says}");
        assert!(text(&answer.body["detail"]).contains(says), "{}", answer.body);
        let shown = answer.body.to_string();
        assert!(
            !shown.contains("alice")
                && !shown.contains("evil")
                && (token.is_empty() || !shown.contains(&token))
        );
    }
    assert_eq!(world.counts().await, [0, 0, 0], "and makes nobody");
    let nonce = json!({"identity_source": source, "token": with("nonce", json!("one")), "nonce": "one"});
    let body = json!({"application": world.application, "id_token": nonce});
    world.call("POST", "/v1/logins", "", body).await.expect(200);
}

#[tokio::test]
async fn f2b_who_may_offer_a_token() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let log_in = async |application: &Value, origin, secret: &str| {
        let mut body = world.offer(&source, "alice");
        body["application"] = application["id"].clone();
        let answer = world.call_from(origin, "POST", "/v1/logins", secret, body).await;
        let (status, code) = answer.outcome();
        (status, code.to_owned())
    };
    let web = world.new_application(json!({"name": "Web", "origins": ["https://app.example"]})).await;
    assert_eq!(log_in(&web, Some("https://app.example"), "").await.0, 200);
    assert_eq!(log_in(&web, Some("https://evil.example"), "").await, (403, "forbidden".to_owned()));
    assert_eq!(log_in(&web, None, "").await.0, 200);
    let back_end = world.new_application(json!({"name": "Back end", "type": "confidential"})).await;
    assert_eq!(log_in(&back_end, None, "").await, (401, "unauthenticated".to_owned()));
    let secret = text(&back_end["secret"]["secret"]);
    assert_eq!(log_in(&back_end, None, &secret).await.0, 200);
    assert_eq!(log_in(&web, None, &secret).await, (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn f2b_a_source_is_one_of_the_tenants() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let other = world.new_tenant().await;
    let body = json!({"kind": "oidc", "name": "Theirs", "issuer": world.issuer.url, "audience": "shop"});
    let made = world.call("POST", &other.path("/identity-sources"), &other.key, body).await.expect(201);
    for foreign in
        [text(&made["id"]), "src_0123456789ABCDEFGHIJKL".to_owned(), "src".to_owned(), String::new()]
    {
        assert_eq!(world.log_in(&foreign, "alice").await.outcome(), (404, "not_found"), "{foreign}");
    }
    world.log_in(&source, "alice").await.expect(200);
    world.admin("DELETE", &format!("/identity-sources/{source}"), Value::Null).await.expect(204);
    assert_eq!(world.log_in(&source, "alice").await.outcome(), (404, "not_found"));
}

#[tokio::test]
async fn f2b_the_body_offers_exactly_one_first_factor() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let good = world.offer(&source, "alice");
    let mut both = good.clone();
    both["password"] = json!({"account": "alice", "password": "correct horse"});
    let mut asserted = good.clone();
    asserted["assertion"] = json!({"user": "usr_0123456789ABCDEFGHIJKL"});
    let mut more = good.clone();
    more["id_token"]["subject"] = json!("alice");
    let mut less = good.clone();
    less["id_token"].as_object_mut().expect("an object").remove("identity_source");
    let mut typed = good.clone();
    typed["id_token"]["nonce"] = json!(7);
    for bad in [both, asserted, more, less, typed, json!({"application": world.application})] {
        let answer = world.call("POST", "/v1/logins", "", bad.clone()).await;
        assert_eq!(answer.outcome(), (400, "invalid_request"), "{bad}");
    }
    world.call("POST", "/v1/logins", "", good).await.expect(200);
}

#[tokio::test]
async fn f2b_a_provider_that_cannot_be_reached_is_not_the_users_fault() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let broken = Answer { status: 500, ..Answer::json(&json!({})) };
    world.issuer.answer(KEYS, broken);
    let answer = world.log_in(&source, "alice").await;
    assert_eq!(answer.outcome(), (503, "unavailable"));
    assert!(answer.retry_after.is_some());
    assert!(!answer.body.to_string().contains("127.0.0.1"), "{}", answer.body);
    world.issuer.publish(&[world.signing.jwk("k")]);
    world.clock.advance(10);
    world.log_in(&source, "alice").await.expect(200);
}

#[tokio::test]
async fn f2b_a_login_takes_three_reads_and_writes_nothing() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    world.counted.take();
    world.log_in(&source, "alice").await.expect(200);
    assert_eq!(world.counted.take(), (2, 1), "the first one makes the user");
    world.log_in(&source, "alice").await.expect(200);
    assert_eq!(world.counted.take(), (3, 0));
    let linked_only = world.source(None).await;
    assert_eq!(world.log_in(&linked_only, "alice").await.status, 401);
    assert_eq!(world.counted.take(), (2, 0));
    let body =
        json!({"application": world.application, "id_token": {"identity_source": source, "token": "x"}});
    assert_eq!(world.call("POST", "/v1/logins", "", body).await.status, 401);
    assert_eq!(world.counted.take(), (1, 0));
}
