//! Hosted logins by plain forms, as a browser without script does them.

use crate::browser::{Browser, CALLBACK};
use crate::world::World;
use serde_json::json;
use tests::hosted::exchange;
use tests::values::another_code;

const PASSWORD: &str = "correct horse battery";
const NUMBER: &str = "+12025550143";

/// A world with codes on, and Ann, who has no number.
async fn world() -> World {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    world
}

/// The same with her number bound.
async fn bound() -> World {
    let world = World::with_sms().await;
    world.user(json!({ "username": "ann", "password": PASSWORD, "phone": NUMBER })).await;
    world
}

#[tokio::test]
async fn f4_f6_f8_an_unbound_user_binds_a_number_and_gets_back_to_the_application() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    browser.shows("Sign in");
    browser.says("to continue to Shop");
    browser.password("ann", PASSWORD).await;
    browser.shows("Add your phone number");
    assert_eq!(world.messages_to(NUMBER).await, 0, "nothing is sent before there is a number");
    browser.submit("phone", &[("phone", "(202) 555-0143")]).await;
    browser.shows("Enter your code");
    browser.says("+1\u{a0}•••\u{a0}•••\u{a0}••43");
    assert!(!browser.html().contains("2025550143"), "the number is shown masked");
    assert_eq!(world.messages_to(NUMBER).await, 1);

    let code = world.local.code_sent_to(NUMBER).await;
    browser.code(&format!(" {} {} ", &code[..3], &code[3..])).await;
    assert_eq!(browser.left_with("state"), "s 1");
    let given = browser.left_with("code");
    let call = exchange(&world.tenant, &world.application, CALLBACK, &given);
    let tokens = world.local.send(call).await.expect(200);
    assert!(tokens["id_token"].is_string());
    assert!(browser.jar.0.is_empty(), "f3: a login that is over leaves nothing: {:?}", browser.jar.0.keys());

    // The number is kept: the next login asks for its code at once.
    browser.ask(&world, &world.application, &[]).await;
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
}

#[tokio::test]
async fn f5_h2_a_bound_user_gets_one_message_however_often_the_page_is_loaded() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
    let (page, send) = (browser.at.clone(), format!("{}/send?number=0", browser.at));
    for target in [&page, &send, &page, &send] {
        browser.go(target).await;
        browser.shows("Enter your code");
    }
    assert_eq!(world.messages_to(NUMBER).await, 1);
    assert!(!browser.html().contains("id=\"phone\""), "f5: the number can't be edited");

    // A click on the button is one message too, also where the form is sent twice.
    let key = browser.hidden("send_key");
    browser.submit("code", &[]).await;
    browser.says("A message left a moment ago.");
    browser.says("You can ask for another in");
    world.local.advance(31).await;
    let first = world.local.code_sent_to(NUMBER).await;
    for _ in 0..2 {
        browser.reload().await;
        let csrf = browser.hidden("csrf");
        let fields = [("csrf", csrf.as_str()), ("send_key", key.as_str())];
        let answer = browser.send(tests::hosted::form(&format!("{page}/code"), &fields)).await;
        assert_eq!(answer.status, 303);
    }
    browser.reload().await;
    browser.says("The code is on its way again.");
    assert_eq!(world.messages_to(NUMBER).await, 2);
    assert_eq!(world.local.code_sent_to(NUMBER).await, first, "a resend has the same code");
    browser.reload().await;
    assert!(!browser.html().contains("on its way again"), "it is said once");
}

#[tokio::test]
async fn d2_a_number_that_is_changed_while_its_code_is_out_gets_one_of_its_own() {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    let other = "+12025550124";
    let bind = format!("/users/{user}/phone");
    world.admin("PUT", &bind, Some(&json!({ "phone": other }))).await.expect(200);
    browser.reload().await;
    browser.says("••24");
    assert_eq!((world.messages_to(other).await, browser.at.contains("/send")), (1, false));
    browser.reload().await;
    assert_eq!(world.messages_to(other).await, 1, "however often the page is loaded");
    let code = world.local.code_sent_to(other).await;
    browser.code(&code).await;
    assert!(!browser.left_with("code").is_empty());
}

#[tokio::test]
async fn f7_a_code_that_is_wrong_malformed_or_expired_says_so_and_completes_nothing() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", "another password").await;
    browser.shows("Sign in");
    browser.says("This account and password do not belong together.");
    browser.password("ann", PASSWORD).await;
    let code = world.local.code_sent_to(NUMBER).await;
    browser.code("12345").await;
    browser.says("A code has 6 digits.");
    browser.says("5 attempts left");
    browser.code(&another_code(&code)).await;
    browser.says("This code is not right.");
    browser.says("4 attempts left");
    browser.reload().await;
    assert!(!browser.html().contains("This code is not right."));
    world.local.advance(301).await;
    browser.code(&code).await;
    browser.says("This code has expired.");
    assert!(browser.left.is_none());
    world.local.advance(301).await;
    browser.reload().await;
    browser.shows("This sign-in took too long");
    browser.submit("back", &[]).await;
    browser.shows("Sign in");
}

#[tokio::test]
async fn f7_after_too_many_wrong_codes_the_page_says_what_is_left_to_do() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let mut guess = another_code(&code);
    for _ in 0..4 {
        browser.code(&guess).await;
        guess = another_code(&guess);
        if guess == code {
            guess = another_code(&guess);
        }
    }
    browser.says("1 attempt left");
    browser.code(&guess).await;
    browser.shows("Too many wrong codes");
    assert!(!browser.html().contains("id=\"code\""));
    browser.submit("back", &[]).await;
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
}

#[tokio::test]
async fn f9_h4_a_number_that_can_not_be_is_refused_before_any_message() {
    let world = world().await;
    world.user(json!({ "username": "bob", "phone": "+12025550160" })).await;
    world.security(json!({ "countries": { "allow": ["US", "GB"] } })).await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    browser.says("United Kingdom (+44)");
    browser.says("<option value=\"US\" data-calling=\"1\" selected>");
    for (country, number, says) in [
        ("US", "202 555 0160", "This number belongs to another account."),
        ("US", "202 555", "There is no such phone number."),
        ("US", "+49 1512 3456789", "Codes are not sent to numbers of this country here."),
        ("GB", "020 7123 4567", "This number cannot get codes."),
        ("DE", "1512 3456789", "Codes are not sent to numbers of this country here."),
    ] {
        browser.submit("phone", &[("country", country), ("phone", number)]).await;
        browser.shows("Add your phone number");
        browser.says(says);
        browser.says("aria-invalid=\"true\"");
    }
    assert_eq!(world.local.outbox().await.len(), 0);
    browser.submit("phone", &[("country", "GB"), ("phone", "07400 123456")]).await;
    browser.shows("Enter your code");
    assert_eq!(world.messages_to("+447400123456").await, 1);

    // Another number, and the way back from there.
    let page = browser.at.clone();
    browser.go(&format!("{page}?change=number")).await;
    browser.shows("Add your phone number");
    browser.submit("phone", &[("country", "US"), ("phone", "2025550143")]).await;
    browser.shows("Enter your code");
    assert_eq!((world.messages_to("+447400123456").await, world.messages_to(NUMBER).await), (1, 1));
    browser.reload().await;
    assert_eq!(world.messages_to(NUMBER).await, 1);
}

#[tokio::test]
async fn f11_who_may_not_bind_is_sent_to_the_administrator() {
    let world = world().await;
    world.security(json!({ "phone_binding": { "self_service": false } })).await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    browser.shows("Ask your administrator");
    browser.says("Ask an administrator of Acme to add your number");
    assert!(!browser.html().contains("id=\"phone\""));
}

#[tokio::test]
async fn g1_g2_without_mfa_the_password_leads_back_to_the_application() {
    let world = World::fresh().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    let code = browser.left_with("code");
    let call = exchange(&world.tenant, &world.application, CALLBACK, &code);
    world.local.send(call).await.expect(200);
}

#[tokio::test]
async fn g5_a_login_in_flight_still_takes_its_code_when_the_switch_goes_off() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    browser.reload().await;
    browser.shows("Enter your code");
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    browser.left_with("code");
}

#[tokio::test]
async fn h7_a_trusted_device_is_not_asked_again_and_a_recovery_code_stands_in_for_the_message() {
    let world = world().await;
    world.security(json!({ "trusted_devices": { "enabled": true, "days": 7 }, "recovery_codes": { "enabled": true } }))
        .await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    browser.submit("phone", &[("phone", "202 555 0143")]).await;
    browser.says("Do not ask for a code on this device for 7 days");
    let code = world.local.code_sent_to(NUMBER).await;
    browser.submit("verification", &[("code", &code), ("trust_device", "true")]).await;
    browser.shows("Keep your recovery codes");
    let html = browser.html();
    let codes: Vec<&str> = html.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(codes.len(), 10);
    browser.reload().await;
    browser.shows("Keep your recovery codes");
    browser.submit("continue", &[]).await;
    browser.left_with("code");

    browser.ask(&world, &world.application, &[]).await;
    browser.password("ann", PASSWORD).await;
    browser.left_with("code");

    // Another browser is asked, and takes a recovery code, once.
    for (used, works) in [(codes[0], true), (codes[0], false), (codes[1], true)] {
        let mut other = Browser::at_login(&world).await;
        other.password("ann", PASSWORD).await;
        other.submit("verification", &[("recovery_code", "no code at all")]).await;
        other.says("A recovery code has 24 letters and digits.");
        other.submit("verification", &[("recovery_code", &used.to_uppercase())]).await;
        assert_eq!(other.left.is_some(), works, "{}", other.html());
        if !works {
            other.says("This recovery code is not right, or has been used.");
        }
    }
}

#[tokio::test]
async fn two_tabs_of_a_browser_do_not_meet() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    let first = browser.at.clone();
    browser.ask(&world, &world.application, &[("nonce", "second")]).await;
    let second = browser.at.clone();
    assert_ne!(first, second);
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
    browser.go(&first).await;
    browser.shows("Sign in");
    browser.go(&second).await;
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    browser.left_with("code");
    browser.go(&first).await;
    browser.shows("Sign in");
    browser.go(&second).await;
    assert_eq!(browser.page.status, 400, "what is over is over");
    browser.says("This page has been open for too long");
}

#[tokio::test]
async fn e1_e2_experience_login_shows_what_the_application_would_be_told() {
    let world = bound().await;
    let path = format!("/t/{}/experience/{}", world.tenant, world.application);
    let mut browser = Browser::new(&world.local);
    browser.go(&path).await;
    browser.shows("Sign in");
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    browser.shows("You are signed in");
    browser.says("Two factors were proven in this sign-in.");
    browser.says("<td>pwd, sms, mfa</td>");
    browser.says(&format!("<td>{}</td>", world.application));
    // The result is its own browser's, once.
    let at = browser.at.clone();
    for mut other in [Browser::new(&world.local), browser] {
        other.go(&at).await;
        assert_eq!(other.page.status, 400);
        assert!(!other.html().contains("aal2"));
    }
}

#[tokio::test]
async fn e1_a_confidential_application_is_tried_out_and_signed_in_to_without_its_secret_in_the_browser() {
    let world = bound().await;
    let made = world
        .application(json!({ "name": "Desk", "type": "confidential", "redirect_uris": [CALLBACK] }))
        .await;
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"]["secret"].as_str().unwrap());
    let mut browser = Browser::new(&world.local);
    browser.ask(&world, id, &[]).await;
    browser.password("ann", PASSWORD).await;
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    let code = browser.left_with("code");
    let call = || exchange(&world.tenant, id, CALLBACK, &code);
    assert_eq!(world.local.send(call()).await.status, 401, "the client proves itself");
    let body = String::from_utf8(call().body.to_vec()).unwrap() + "&client_secret=" + secret;
    let answer = world.local.send(call().raw(body)).await;
    answer.expect(200);
    // Its result page redeems as the service itself.
    world.local.advance(60).await;
    browser.go(&format!("/t/{}/experience/{id}", world.tenant)).await;
    browser.password("ann", PASSWORD).await;
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    browser.shows("You are signed in");
}

#[tokio::test]
async fn the_page_speaks_the_language_that_is_asked_for() {
    let world = bound().await;
    let mut browser = Browser::at_login(&world).await;
    browser.language = "zh-CN,zh;q=0.9,en;q=0.5";
    browser.reload().await;
    browser.shows("登录");
    let at = browser.at.clone();
    browser.go(&format!("{at}?lang=en")).await;
    browser.shows("Sign in");
    assert_eq!(browser.at, at);
    browser.password("ann", PASSWORD).await;
    browser.shows("Enter your code");
    browser.ask(&world, &world.application, &[("ui_locales", "fr zh"), ("login_hint", "ann")]).await;
    browser.shows("登录");
    browser.says("value=\"ann\"");
}
