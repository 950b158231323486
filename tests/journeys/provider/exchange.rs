//! Codes, and what they are exchanged for.

use super::{CALLBACK, NUMBER, ORIGIN, Shop, is_error, is_page};
use serde_json::{Value, json};
use shared::config::SystemClock;
use shared::domain::authorization::{AuthorizationCode, Scopes};
use shared::domain::login::Proof;
use shared::ports::Clock;
use tests::hosted::{CHALLENGE, Jar, VERIFIER, code, exchange, form};
use tests::http_client::Call;
use tests::values::text;

#[tokio::test]
async fn f6_a_code_is_exchanged_for_tokens_that_say_what_happened() {
    let shop = Shop::open().await;
    let given = shop.code();
    let answer = shop.world.local.send(shop.exchange(&shop.seal(&given)).header("origin", ORIGIN)).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.expect(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens["scope"], "openid profile email phone");
    let claims = claims(&tokens["id_token"]);
    assert_eq!((&claims["nonce"], &claims["acr"]), (&json!("n-0S6"), &json!("aal2")));
    assert_eq!(claims["amr"], json!(["pwd", "sms", "mfa"]));
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(shop.world.application), &json!(shop.user)));
    assert_eq!(claims["txn"], given.login.as_str());
    assert!(claims["at_hash"].is_string());

    let told = shop.userinfo(&tokens).await.expect(200);
    let all = json!({
        "sub": shop.user, "preferred_username": "ann", "locale": "en", "email": "ann@example.com",
        "email_verified": false, "phone_number": NUMBER, "phone_number_verified": true,
    });
    assert_eq!(told, all);
    let phone = Call::get("/v1/me/phone").bearer(tokens["access_token"].as_str().unwrap());
    shop.world.local.send(phone).await.expect(200);

    // What was not asked for is not told; a number that this login did not prove is not called so.
    let few = AuthorizationCode { scopes: Scopes::default(), nonce: None, ..shop.code() };
    let tokens = shop.tokens(&few).await;
    assert!(self::claims(&tokens["id_token"]).get("nonce").is_none());
    assert_eq!(shop.userinfo(&tokens).await.expect(200), json!({ "sub": shop.user }));
    let mut unproven = shop.code();
    unproven.proof = Proof { second: None, ..unproven.proof };
    let told = shop.userinfo(&shop.tokens(&unproven).await).await.expect(200);
    assert_eq!((&told["phone_number"], &told["phone_number_verified"]), (&json!(NUMBER), &json!(false)));
}

fn claims(token: &Value) -> Value {
    use base64::Engine;
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn h11_a_code_that_comes_again_voids_its_tokens() {
    let shop = Shop::open().await;
    let code = shop.seal(&shop.code());
    let tokens = shop.world.local.send(shop.exchange(&code)).await.expect(200);
    shop.userinfo(&tokens).await.expect(200);
    let me = || Call::get("/v1/me/phone").bearer(tokens["access_token"].as_str().unwrap());
    shop.world.local.send(me()).await.expect(200);
    let other = shop.tokens(&shop.code()).await;

    is_error(shop.world.local.send(shop.exchange(&code)).await, 400, "invalid_grant");
    let refused = shop.userinfo(&tokens).await;
    assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    refused.refused(401, "unauthenticated");
    shop.world.local.send(me()).await.refused(401, "unauthenticated");
    is_error(shop.world.local.send(shop.exchange(&code)).await, 400, "invalid_grant");
    shop.userinfo(&other).await.expect(200);

    // Late, too: whoever comes with it then has seen it.
    let code = shop.seal(&shop.code());
    let tokens = shop.world.local.send(shop.exchange(&code)).await.expect(200);
    shop.world.local.advance(120).await;
    shop.userinfo(&tokens).await.expect(200);
    is_error(shop.world.local.send(shop.exchange(&code)).await, 400, "invalid_grant");
    shop.userinfo(&tokens).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn h11_a_code_lives_for_a_minute() {
    let shop = Shop::open().await;
    let (early, late) = (shop.seal(&shop.code()), shop.seal(&shop.code()));
    shop.world.local.advance(50).await;
    shop.world.local.send(shop.exchange(&early)).await.expect(200);
    shop.world.local.advance(10).await;
    is_error(shop.world.local.send(shop.exchange(&late)).await, 400, "invalid_grant");
}

#[tokio::test]
async fn h11_a_code_is_bound_to_its_client_redirect_and_challenge() {
    let shop = Shop::open().await;
    let world = &shop.world;
    let made = world.application(json!({ "name": "Desk", "redirect_uris": [CALLBACK] })).await;
    let other = text(&made, "/id");
    let code = shop.seal(&shop.code());
    let token = shop.target("token");
    let exchange = |changes: &[(&str, &str)]| {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &*world.application),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.extend((!value.is_empty()).then_some((*name, *value)));
        }
        world.local.send(form(&token, &fields))
    };
    for (changes, error) in [
        (&[("client_id", &*other)][..], "invalid_grant"),
        (&[("redirect_uri", "com.example.shop:/cb")], "invalid_grant"),
        (&[("redirect_uri", "https://shop.example/callback")], "invalid_grant"),
        (&[("redirect_uri", "https://shop.example/callback?tab=1&")], "invalid_grant"),
        (&[("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX")], "invalid_grant"),
        (&[("code_verifier", CHALLENGE)], "invalid_grant"),
        (&[("code_verifier", "short")], "invalid_grant"),
        (&[("code", "nonsense")], "invalid_grant"),
        (&[("code", &code[1..])], "invalid_grant"),
        (&[("code", "")], "invalid_request"),
        (&[("redirect_uri", "")], "invalid_request"),
        (&[("code_verifier", "")], "invalid_request"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")], "unsupported_grant_type"),
    ] {
        is_error(exchange(changes).await, 400, error);
    }
    for client in ["", "nobody", "app_aaaaaaaaaaaabbbbbbbbbb"] {
        is_error(exchange(&[("client_id", client)]).await, 401, "invalid_client");
    }
    // Nothing of that has used it up, nor voided anything.
    let tokens = exchange(&[]).await.expect(200);
    is_error(exchange(&[("code_verifier", CHALLENGE)]).await, 400, "invalid_grant");
    is_error(exchange(&[("client_id", &other)]).await, 400, "invalid_grant");
    shop.userinfo(&tokens).await.expect(200);
}

#[tokio::test]
async fn t13_a_code_and_its_tokens_are_worth_nothing_in_another_tenant() {
    let shop = Shop::open().await;
    let body = json!({ "name": "Other", "home_country": "US" });
    let operator = shop.world.local.operator_key().to_owned();
    let made = shop.world.local.send(Call::post("/v1/tenants", &body).bearer(&operator)).await.expect(201);
    let other = text(&made, "/id");
    let given = shop.code();
    let code = shop.seal(&given);
    let call = exchange(&other, &shop.world.application, CALLBACK, &code);
    is_error(shop.world.local.send(call).await, 401, "invalid_client");
    let ask = Call::get(&format!("/t/{other}/authorize?{}", shop.asked(&[])));
    is_page(&shop.world.local.send(ask).await, "another tenant's application");
    let tokens = shop.world.local.send(shop.exchange(&code)).await.expect(200);
    let call = Call::get(&format!("/t/{other}/userinfo")).bearer(tokens["access_token"].as_str().unwrap());
    shop.world.local.send(call).await.refused(401, "unauthenticated");
    shop.userinfo(&tokens).await.expect(200);

    // Texts that are sealed for something else are no codes.
    let login = shop.world.local.send(Call::post("/v1/logins", &json!({}))).await;
    assert_eq!(login.status, 400);
    let mut jar = Jar::default();
    jar.keep(&shop.ask(&[]).await);
    let request = jar.0.values().next().unwrap().clone();
    is_error(shop.world.local.send(shop.exchange(&request)).await, 400, "invalid_grant");
}

#[tokio::test]
async fn h11_a_confidential_client_shows_its_secret_in_one_place() {
    let shop = Shop::open().await;
    let world = &shop.world;
    let body = json!({ "name": "Back end", "type": "confidential", "redirect_uris": [CALLBACK] });
    let made = world.application(body).await;
    let (application, secret) = (text(&made, "/id"), text(&made, "/secret/secret"));
    let token = shop.target("token");
    let fresh = || shop.seal(&code(&application, &shop.user, CALLBACK, SystemClock.now()));
    let basic = |id: &str, secret: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
    };
    let fields = |code: &str, more: &[(&str, &str)]| {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        fields.extend(more);
        form(&token, &fields)
    };
    let id = ("client_id", &*application);
    let code = fresh();
    for (call, status, error) in [
        (fields(&code, &[id]), 401, "invalid_client"),
        (fields(&code, &[id, ("client_secret", &world.secret)]), 401, "invalid_client"),
        (fields(&code, &[id, ("client_secret", "wrong")]), 401, "invalid_client"),
        (fields(&code, &[id, ("client_secret", &world.admin)]), 401, "invalid_client"),
        (fields(&code, &[]).bearer(&secret), 401, "invalid_client"),
        (fields(&code, &[]).header("authorization", &basic(&application, "wrong")), 401, "invalid_client"),
        (
            fields(&code, &[]).header("authorization", &basic(&world.application, &secret)),
            401,
            "invalid_client",
        ),
        (
            fields(&code, &[("client_secret", &secret)])
                .header("authorization", &basic(&application, &secret)),
            400,
            "invalid_request",
        ),
        (
            fields(&code, &[("client_id", &world.application)])
                .header("authorization", &basic(&application, &secret)),
            400,
            "invalid_request",
        ),
        (fields(&code, &[id, id, ("client_secret", &secret)]), 400, "invalid_request"),
    ] {
        let by_header = call.headers.contains_key("authorization");
        let answer = world.local.send(call).await;
        let challenge = (status == 401 && by_header).then_some("Basic realm=\"token\"");
        assert_eq!(answer.header("www-authenticate"), challenge);
        is_error(answer, status, error);
    }
    world.local.send(fields(&code, &[id, ("client_secret", &secret)])).await.expect(200);
    let call = fields(&fresh(), &[]).header("authorization", &basic(&application, &secret));
    world.local.send(call).await.expect(200);
}

#[tokio::test]
async fn h11_browsers_of_other_origins_get_nothing() {
    let shop = Shop::open().await;
    let code = shop.seal(&shop.code());
    let foreign = shop.world.local.send(shop.exchange(&code).header("origin", "https://evil.example")).await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    is_error(foreign, 400, "invalid_request");
    let wrong = shop.world.local.send(shop.exchange("nonsense").header("origin", ORIGIN)).await;
    assert_eq!(wrong.header("access-control-allow-origin"), Some(ORIGIN), "a page may read refusals");
    let tokens = shop.world.local.send(shop.exchange(&code).header("origin", ORIGIN)).await.expect(200);
    let access = tokens["access_token"].as_str().unwrap();
    let userinfo = |origin: &str| {
        let call = Call::get(&shop.target("userinfo")).bearer(access).header("origin", origin);
        shop.world.local.send(call)
    };
    let own = userinfo(ORIGIN).await;
    assert_eq!(own.header("access-control-allow-origin"), Some(ORIGIN));
    own.expect(200);
    let foreign = userinfo("https://evil.example").await;
    assert_eq!(foreign.header("access-control-allow-origin"), None);
    foreign.refused(403, "forbidden");
    let preflight = Call::new("OPTIONS", &shop.target("userinfo"))
        .header("origin", ORIGIN)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    shop.world.local.send(preflight).await.expect(204);
}

#[tokio::test]
async fn h11_claims_are_for_tokens_of_hosted_logins() {
    let shop = Shop::open().await;
    let world = &shop.world;
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    let body = json!({ "application": world.application, "assertion": { "user": shop.user } });
    let begun = world.local.send(Call::post("/v1/logins", &body).bearer(&world.secret)).await.expect(200);
    let answer = shop.userinfo(&begun["tokens"]).await;
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer error=\"insufficient_scope\", scope=\"openid\"")
    );
    answer.refused(403, "forbidden");
    let none = world.local.send(Call::get(&shop.target("userinfo"))).await;
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    none.refused(401, "unauthenticated");
    let tokens = shop.tokens(&shop.code()).await;
    shop.userinfo(&json!({ "access_token": tokens["id_token"] })).await.refused(401, "unauthenticated");
    let by_post =
        Call::new("POST", &shop.target("userinfo")).bearer(tokens["access_token"].as_str().unwrap());
    world.local.send(by_post).await.expect(200);

    world.admin("DELETE", &format!("/users/{}", shop.user), None).await.expect(204);
    shop.userinfo(&tokens).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn t26_an_address_that_was_taken_away_gets_no_tokens() {
    let shop = Shop::open().await;
    let code = shop.seal(&shop.code());
    let path = format!("/applications/{}", shop.world.application);
    let patch = json!({ "redirect_uris": ["com.example.shop:/cb"] });
    shop.world.admin("PATCH", &path, Some(&patch)).await.expect(200);
    is_error(shop.world.local.send(shop.exchange(&code)).await, 400, "invalid_grant");
    is_page(&shop.ask(&[]).await, "taken away");
}
