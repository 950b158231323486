//! What is tried against hosted logins from outside: forms of other sites, frames, logins of somebody else, addresses of nobody, names that are
//! markup. Threats T24 to T26, and T7.

use crate::browser::{Browser, CALLBACK};
use crate::world::World;
use serde_json::json;
use tests::hosted::{CHALLENGE, encode, form};
use tests::http_client::{Answer, Call};

const PASSWORD: &str = "correct horse battery";
const NUMBER: &str = "+12025550143";

async fn world() -> World {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "password": PASSWORD, "phone": NUMBER })).await;
    world.user(json!({ "username": "eve", "password": PASSWORD, "phone": "+12025550166" })).await;
    world
}

#[tokio::test]
async fn t24_a_form_that_is_not_from_the_page_changes_nothing() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
    let code = world.local.code_sent_to(NUMBER).await;
    let other = Browser::at_login(&world).await;
    let foreign = other.hidden("csrf");
    let (csrf, page, own) = (browser.hidden("csrf"), browser.at.clone(), world.local.url().to_owned());
    type Headers<'a> = &'a [(&'static str, &'a str)];
    let rows: [(&str, &str, Headers<'_>); 7] = [
        ("no proof", "", &[]),
        ("a proof that is none", "none", &[]),
        ("another login's proof", &foreign, &[]),
        ("another origin", &csrf, &[("origin", "https://evil.example")]),
        ("a hidden origin", &csrf, &[("origin", "null")]),
        ("another site", &csrf, &[("sec-fetch-site", "cross-site")]),
        ("another host of the site", &csrf, &[("origin", &own), ("sec-fetch-site", "same-site")]),
    ];
    let jar = browser.jar.0.clone();
    for (what, csrf, headers) in rows {
        for (step, fields) in [
            ("password", vec![("account", "eve"), ("password", PASSWORD)]),
            ("phone", vec![("country", "US"), ("phone", "2025550199")]),
            ("code", vec![("send_key", "k")]),
            ("verification", vec![("code", code.as_str())]),
            ("continue", vec![]),
            ("back", vec![]),
        ] {
            let mut fields = fields.clone();
            fields.push(("csrf", csrf));
            let mut call = form(&format!("{page}/{step}"), &fields);
            for (name, value) in headers {
                call = call.header(name, value);
            }
            let answer = browser.send(call).await;
            assert_eq!(answer.header("set-cookie"), None, "{what} at {step}");
            answer.refused(403, "forbidden");
        }
    }
    assert_eq!((browser.jar.0.clone(), world.messages_to(NUMBER).await), (jar, 1));
    // Where no proof is in the form at all.
    let answer = browser.send(form(&format!("{page}/back"), &[])).await;
    answer.refused(400, "invalid_request");
    browser.reload().await;
    browser.code(&code).await;
    browser.left_with("code");
}

#[tokio::test]
async fn t24_no_other_site_has_the_message_sent() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    let csrf = browser.hidden("csrf");
    let fields = [("csrf", csrf.as_str()), ("account", "ann"), ("password", PASSWORD)];
    let page = browser.at.clone();
    assert_eq!(browser.send(form(&format!("{page}/password"), &fields)).await.status, 303);
    let send = Call::get(&format!("{page}/send?number=0")).header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(send).await.status, 303);
    browser.reload().await;
    browser.shows("Enter your code");
    assert_eq!(world.messages_to(NUMBER).await, 0);
    browser.submit("code", &[]).await;
    assert_eq!(world.messages_to(NUMBER).await, 1);
    // Nor has anybody without the login's cookies.
    let mut stranger = Browser::new(&world.local);
    stranger.go(&format!("{page}/send?number=0")).await;
    assert_eq!((stranger.page.status, world.messages_to(NUMBER).await), (400, 1));
}

/// What a thief can do: plant cookies of a login of his own beside the victim's request.
#[tokio::test]
async fn t24_a_login_of_another_transaction_is_not_taken() {
    let world = world().await;
    let mut eve = Browser::at_login(&world).await;
    eve.password("eve", PASSWORD).await;
    eve.shows("Enter your code");
    let transaction = |browser: &Browser<'_>| browser.at.rsplit('/').next().unwrap().to_owned();

    // Under the victim's transaction: the tenant and the application are right, and the request is not the one it was begun in.
    let other = world.application(json!({ "name": "Desk", "redirect_uris": [CALLBACK] })).await;
    let mut victim = Browser::new(&world.local);
    victim.ask(&world, other["id"].as_str().unwrap(), &[]).await;
    let (from, to) = (transaction(&eve), transaction(&victim));
    for (name, value) in &eve.jar.0 {
        if name.contains("-login-") {
            victim.jar.0.insert(name.replace(&from, &to), value.clone());
        }
    }
    victim.reload().await;
    victim.shows("Sign in");

    // The request itself, moved to another transaction's name.
    let mut moved = Browser::new(&world.local);
    for (name, value) in &eve.jar.0 {
        moved.jar.0.insert(name.replace(&from, &to), value.clone());
    }
    moved.go(&victim.at.clone()).await;
    assert_eq!(moved.page.status, 400);
    moved.says("This page has been open for too long");
    for (name, value) in victim.jar.0.clone() {
        assert!(!value.contains("eve"), "{name}");
    }
}

fn is_a_closed_page(answer: &Answer, what: &str) {
    let header = |name: &str| answer.header(name).unwrap_or_else(|| panic!("{what}: no {name}")).to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8", "{what}");
    let policy = header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    assert_eq!(header("x-frame-options"), "DENY", "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("cache-control"), "no-store", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert!(header("permissions-policy").contains("otp-credentials=(self)"), "{what}");
    let html = answer.text();
    assert!(
        !html.contains("<script>") && !html.contains(" style=") && !html.contains("http://fonts"),
        "{what}"
    );
}

#[tokio::test]
async fn t25_no_page_is_framed_cached_or_runs_what_is_not_ours() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    is_a_closed_page(&browser.page, "sign in");
    let policy = browser.page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    browser.password("ann", "wrong").await;
    is_a_closed_page(&browser.page, "refused");
    browser.password("ann", PASSWORD).await;
    is_a_closed_page(&browser.page, "code");
    world.local.advance(601).await;
    browser.reload().await;
    is_a_closed_page(&browser.page, "expired");
    for (what, target) in [
        ("over", format!("/t/{}/login/abcdefABCDEF", world.tenant)),
        ("unsound", format!("/t/{}/authorize?client_id=x", world.tenant)),
        ("result", format!("/t/{}/experience/{}/result", world.tenant, world.application)),
    ] {
        browser.go(&target).await;
        assert_eq!(browser.page.status, 400, "{what}");
        is_a_closed_page(&browser.page, what);
    }
    let html = browser.html();
    for asset in html.split('"').filter(|part| part.starts_with("/assets/")) {
        let answer = browser.send(Call::get(asset)).await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn t26_nobody_is_sent_to_an_address_that_the_application_did_not_register() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    for redirect in [
        "https://evil.example/callback",
        "https://shop.example/callback/",
        "//evil.example",
        "javascript:alert(1)",
    ] {
        let fields = [
            ("client_id", world.application.as_str()),
            ("redirect_uri", redirect),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        browser.go(&format!("/t/{}/authorize?{}", world.tenant, encode(&fields))).await;
        assert_eq!((browser.page.status, browser.left.as_deref()), (400, None), "{redirect}");
        browser.says("an address that is not registered for it");
        assert!(!browser.html().contains("evil.example"), "nothing of the request is repeated");
    }
    // Nothing that a form says leads anywhere else.
    browser = Browser::at_login(&world).await;
    let page = browser.at.clone();
    browser.go(&format!("{page}?lang=//evil.example")).await;
    browser.shows("Sign in");
    browser.go(&format!("{page}?next=https://evil.example")).await;
    assert_eq!((browser.page.status, browser.left.as_deref()), (400, None));
}

#[tokio::test]
async fn t25_names_that_are_markup_stay_names() {
    let hostile = "<img src=x onerror=alert(1)>\"'</title>";
    let world = World::with_sms().await;
    world.admin("PATCH", "", Some(&json!({ "name": hostile }))).await.expect(200);
    let application = world.application(json!({ "name": hostile, "redirect_uris": [CALLBACK] })).await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let mut browser = Browser::new(&world.local);
    browser.ask(&world, application["id"].as_str().unwrap(), &[("login_hint", hostile)]).await;
    let escaped = |browser: &Browser<'_>| {
        let html = browser.html();
        assert!(!html.contains("<img") && html.contains("&lt;img"), "{html}");
    };
    escaped(&browser);
    browser.password("ann", PASSWORD).await;
    escaped(&browser);
    browser.submit("phone", &[("phone", "2025550143")]).await;
    escaped(&browser);
}

/// A script is told where to go, since it could not follow there; and only a script.
#[tokio::test]
async fn the_way_to_the_application_is_told_to_the_pages_own_script() {
    let world = World::fresh().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let mut browser = Browser::at_login(&world).await;
    let (page, csrf) = (browser.at.clone(), browser.hidden("csrf"));
    let fields = [("csrf", csrf.as_str()), ("account", "ann"), ("password", PASSWORD)];
    let answer = browser.send(form(&format!("{page}/password"), &fields).header("x-page", "1")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(page.as_str())));
    let answer = browser.send(Call::get(&page).header("x-page", "1")).await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.json["location"].as_str().unwrap().starts_with(&format!("{CALLBACK}?code=")));
}

/// The page needs no secret of the application, and is no way around the throttle of an address (T7).
#[tokio::test]
async fn t7_failed_passwords_at_the_page_count_against_the_address() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    for n in 0..50 {
        browser.password(&format!("nobody{n}"), PASSWORD).await;
        browser.says("This account and password do not belong together.");
    }
    browser.password("ann", PASSWORD).await;
    browser.shows("Sign in");
    browser.says("Too many failed sign-ins from your network.");
}
