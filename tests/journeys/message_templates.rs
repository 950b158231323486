//! A tenant's own words in messages: acceptance H9.

use crate::world::{Login, World};
use serde_json::{Value, json};
use shared::domain::message_template::MAX_TEMPLATES;
use tests::values::text;

const PASSWORD: &str = "correct horse battery staple";

async fn put(world: &World, locale: &str, words: &str) -> Value {
    let path = format!("/message-templates/{locale}");
    world.admin("PUT", &path, Some(&json!({ "text": words }))).await.expect(200)
}

async fn lint(world: &World, body: Value) -> Value {
    world.admin("POST", "/message-templates/lint", Some(&body)).await.expect(200)
}

async fn user(world: &World, name: &str, number: &str, locale: Option<&str>) {
    let body = json!({ "username": name, "password": PASSWORD, "phone": number, "locale": locale });
    world.user(body).await;
}

/// The message that a login is sent, with zeros for its code.
async fn message(world: &World, login: &Login, number: &str) -> String {
    world.send_code(login).await;
    let code = world.local.code_sent_to(number).await;
    let sent = world.local.outbox().await;
    let last = sent.iter().rfind(|message| message["to"] == number).expect("a message");
    text(last, "/body").replace(&code, &"0".repeat(code.len()))
}

#[tokio::test]
async fn h9_each_user_reads_the_tenants_words_in_the_users_language() {
    let world = World::with_sms().await;
    let host = json!({ "message_host": "login.acme.example" });
    world.admin("PATCH", &format!("/applications/{}", world.application), Some(&host)).await.expect(200);
    put(&world, "de", "{code} ist Ihr Code für {name}. Er gilt {minutes} min.").await;
    put(&world, "default", "Code {code}").await;
    let ours = "000000 is your Acme verification code. It expires in 5 min. Never share it.".to_owned();
    for (index, (locale, words)) in [
        (Some("de-CH"), "000000 ist Ihr Code für Acme. Er gilt 5 min.".to_owned()),
        (Some("fr"), "Code 000000".to_owned()),
        (None, "Code 000000".to_owned()),
        (Some("en-GB"), ours),
    ]
    .into_iter()
    .enumerate()
    {
        let (name, number) = (format!("user{index}"), format!("+1202555014{index}"));
        user(&world, &name, &number, locale).await;
        let login = world.login(&name, PASSWORD).await;
        let sent = message(&world, &login, &number).await;
        assert_eq!(sent, format!("{words}\n\n@login.acme.example #000000"), "{locale:?}");
    }
}

#[tokio::test]
async fn g5_a_login_keeps_the_words_of_its_start_and_the_next_one_has_the_new_ones() {
    const NUMBER: &str = "+12025550150";
    let world = World::with_sms().await;
    user(&world, "ann", NUMBER, Some("de")).await;
    let first_line = |sent: String| sent.lines().next().unwrap_or_default().to_owned();
    put(&world, "de", "Alt {code}").await;
    let login = world.login("ann", PASSWORD).await;
    put(&world, "de", "Neu {code}").await;
    assert_eq!(first_line(message(&world, &login, NUMBER).await), "Alt 000000");
    world.local.advance(61).await;
    let login = world.login("ann", PASSWORD).await;
    assert_eq!(first_line(message(&world, &login, NUMBER).await), "Neu 000000");
    world.admin("DELETE", "/message-templates/de", None).await.expect(204);
    world.admin("DELETE", "/message-templates/de", None).await.refused(404, "not_found");
    world.local.advance(121).await;
    let login = world.login("ann", PASSWORD).await;
    assert!(first_line(message(&world, &login, NUMBER).await).contains("is your Acme verification code"));
}

#[tokio::test]
async fn h9_a_text_with_errors_is_refused_with_all_of_them_and_changes_nothing() {
    let world = World::fresh().await;
    put(&world, "de", "Ihr Code: {code}").await;
    let wrong = json!({ "text": "x{code} at evil.example {Name}" });
    let refused = world.admin("PUT", "/message-templates/de", Some(&wrong)).await;
    let found = |answer: &Value| {
        let findings = answer["findings"].as_array().unwrap().clone();
        findings.iter().map(|it| (text(it, "/code"), it["at"].as_u64())).collect::<Vec<_>>()
    };
    let all = [("code_not_apart", Some(1)), ("unknown_placeholder", Some(24)), ("link", Some(11))]
        .map(|(code, at)| (code.to_owned(), at));
    assert_eq!(found(&refused.json), all);
    assert!(!refused.text().contains("evil.example"), "what was sent is not repeated");
    refused.refused(422, "invalid_template");
    let linted = lint(&world, wrong).await;
    assert_eq!((linted["accepted"].as_bool(), found(&linted)), (Some(false), all.to_vec()));
    let kept = world.admin("GET", "/message-templates/DE", None).await.expect(200);
    assert_eq!((kept["locale"].as_str(), kept["text"].as_str()), (Some("de"), Some("Ihr Code: {code}")));

    let text = json!({ "text": "{code}" });
    for (locale, status, code) in
        [("d", 400, "invalid_request"), ("german", 400, "invalid_request"), ("de_DE", 400, "invalid_request")]
    {
        let path = format!("/message-templates/{locale}");
        world.admin("PUT", &path, Some(&text)).await.refused(status, code);
        world.admin("GET", &path, None).await.refused(404, "not_found");
    }
    for body in [json!({ "text": 7 }), json!({}), json!({ "text": "{code}", "locale": "de" })] {
        world.admin("PUT", "/message-templates/de", Some(&body)).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn h9_lint_shows_the_message_its_length_and_its_price() {
    let world = World::fresh().await;
    let rules = json!({ "name": "App", "message_host": "a.example", "customize_security": true });
    let application = text(&world.application(rules).await, "/id");
    let path = format!("/applications/{application}/security");
    let eight = json!({ "code": { "length": 8, "lifetime_seconds": 600 } });
    world.admin("PATCH", &path, Some(&eight)).await.expect(200);
    let words = "{name}: {code}, {minutes} min";
    let report = lint(&world, json!({ "text": words, "application": application })).await;
    assert_eq!(report["example"], "Acme: 00000000, 10 min\n\n@a.example #00000000");
    assert_eq!((report["alphabet"].as_str(), report["segments"].as_u64()), (Some("gsm7"), Some(1)));
    assert_eq!((report["length"].as_u64(), report["estimated_usd"].as_f64()), (Some(44), Some(0.01)));
    let plain = lint(&world, json!({ "text": words, "application": null })).await;
    assert!(text(&plain, "/example").starts_with("Acme: 000000, 5 min\n\n@"), "{plain}");
    let quote = lint(&world, json!({ "text": format!("It’s {{code}}{}", " long".repeat(20)) })).await;
    let codes: Vec<_> = quote["findings"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["other_alphabet", "several_segments"]);
    assert_eq!((quote["accepted"].as_bool(), quote["alphabet"].as_str()), (Some(true), Some("ucs2")));
    assert_eq!(quote["estimated_usd"].as_f64(), Some(0.01 * quote["segments"].as_f64().unwrap()));
    for other in ["app_1", "none"] {
        let body = json!({ "text": words, "application": other });
        let refused = world.admin("POST", "/message-templates/lint", Some(&body)).await;
        refused.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn h9_languages_are_listed_page_by_page_up_to_twenty_and_the_audit_shows_each_change() {
    let world = World::fresh().await;
    let tags: Vec<_> = (0..MAX_TEMPLATES).map(|index| format!("de-x{index:02}")).collect();
    for tag in &tags {
        put(&world, tag, "Code {code}").await;
    }
    let one_more = json!({ "text": "Code {code}" });
    world.admin("PUT", "/message-templates/fr", Some(&one_more)).await.refused(409, "conflict");
    let mut listed = Vec::new();
    let mut query = "?limit=8".to_owned();
    loop {
        let page = world.admin("GET", &format!("/message-templates{query}"), None).await.expect(200);
        listed.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "/locale")));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=8&cursor={next}");
    }
    assert_eq!(listed, tags);
    for query in ["?cursor=%2F", "?limit=0", "?cursor=de_x"] {
        let path = format!("/message-templates{query}");
        world.admin("GET", &path, None).await.refused(400, "invalid_request");
    }

    put(&world, "de-x00", "Neu {code}").await;
    world.admin("DELETE", "/message-templates/de-x01", None).await.expect(204);
    let path = "/audit-events?type=tenant.changed&limit=2";
    let events = world.admin("GET", path, None).await.expect(200);
    let sides = |index: usize| {
        let event = &events["items"][index];
        (event["before"]["message_templates"].clone(), event["after"]["message_templates"].clone())
    };
    assert_eq!(sides(0), (json!({ "de-x01": "Code {code}" }), json!({ "de-x01": null })));
    assert_eq!(sides(1), (json!({ "de-x00": "Code {code}" }), json!({ "de-x00": "Neu {code}" })));
}

#[tokio::test]
async fn h9_languages_that_are_written_at_once_are_all_kept() {
    let world = World::fresh().await;
    let tags = ["de", "fr", "it"];
    let puts = tags.map(|tag| put(&world, tag, "Code {code}"));
    let rename = json!({ "name": "Renamed" });
    let (_, renamed) = tokio::join!(futures::future::join_all(puts), world.admin("PATCH", "", Some(&rename)));
    renamed.expect(200);
    let listed = world.admin("GET", "/message-templates", None).await.expect(200);
    let listed: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|item| text(item, "/locale")).collect();
    assert_eq!(listed, tags);
    assert_eq!(world.admin("GET", "", None).await.expect(200)["name"], "Renamed");
}

/// It has to pass the gateway beside everything else in a call's headers, 10,240 bytes in all.
#[tokio::test]
async fn the_largest_login_token_that_settings_allow_opens_its_login() {
    let world = World::with_sms().await;
    let long =
        |letter: &str| format!("{}.{}.{}.example", letter.repeat(63), letter.repeat(63), letter.repeat(63));
    let origins: Vec<_> = (0..10).map(|index| format!("https://{}{index}:65535", long("a"))).collect();
    let body = json!({ "name": "Large", "origins": origins, "message_host": long("b") });
    let application = text(&world.application(body).await, "/id");
    let letters = || (b'A'..=b'Z').map(char::from);
    let countries: Vec<_> =
        letters().flat_map(|first| letters().map(move |second| format!("{first}{second}"))).collect();
    let mut allowed = Vec::new();
    for country in countries {
        let body = json!({ "countries": { "allow": [country] } });
        if world.admin("PATCH", "/security", Some(&body)).await.status == 200 {
            allowed.push(country);
        }
    }
    assert!(allowed.len() > 200, "{}", allowed.len());
    let numbers: serde_json::Map<_, _> =
        (0..20).map(|index| (format!("+12025550{:03}", 100 + index), json!("undeliverable"))).collect();
    world.security(json!({ "countries": { "allow": allowed }, "test_numbers": numbers })).await;
    world.admin("PATCH", "", Some(&json!({ "name": "😀".repeat(100) }))).await.expect(200);
    put(&world, "default", &format!("{{code}} {}", "😀".repeat(153))).await;
    world.user(json!({ "username": "ann", "password": PASSWORD, "locale": "de" })).await;
    let begun = world.start_password(&application, "ann", PASSWORD).await.expect(200);
    let login = Login { id: text(&begun, "/login/id"), token: text(&begun, "/login_token"), answer: begun };
    // 8,192 are opened. Beside this there are a hint, a source and a longer language tag at most.
    assert!(login.token.len() <= 8_000, "{} bytes", login.token.len());
    assert_eq!(world.look(&login).await["login"]["status"], "bind_phone");
}
