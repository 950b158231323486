//! Races: many requests at once, half of them from a second process, on both engines. Each was seen to fail with its defence taken out;
//! docs/TESTING.md says which line that is.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod pair;
mod qr;

use pair::{PASSWORD, Pair, count, others, outcomes, race};
use qr::{
    f2_at_its_end_an_approval_comes_before_or_never, f2_of_20_logins_of_one_approval_one_begins,
    f2_of_20_users_who_scan_one_is_the_one, f2_of_approvals_and_rejections_at_once_one_holds,
};
use serde_json::json;
use shared::config::SystemClock;
use shared::ports::Clock;
use tests::engine::Engine;
use tests::hosted;
use tests::http_client::Call;
use tests::values::text;

/// Each race as one test an engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod dynoxide {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Pair::on(super::Engine::dynoxide().await).await).await;
            })*
        }
        mod dynamodb_local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Pair::on(super::Engine::dynamodb_local().await).await).await;
            })*
        }
    };
}

on_both_engines!(
    t1_of_300_distinct_wrong_guesses_5_are_judged,
    t1_of_300_equal_wrong_guesses_5_are_judged,
    t2_of_300_right_codes_one_succeeds,
    t2_of_300_right_codes_one_binds,
    h2_of_100_sends_one_message_leaves,
    f8_a_code_for_one_number_never_binds_another,
    f9_two_users_race_for_one_number,
    d1_of_16_users_of_one_name_one_is_made,
    c1_a_switch_is_in_force_at_the_next_login_of_another_process,
    h4_a_budget_is_never_overrun,
    t1_of_24_passwords_at_once_one_is_judged,
    h7_of_24_uses_of_one_recovery_code_one_counts,
    h7_of_10_recovery_codes_in_one_login_one_is_used_up,
    f2_of_20_users_who_scan_one_is_the_one,
    f2_of_approvals_and_rejections_at_once_one_holds,
    f2_of_20_logins_of_one_approval_one_begins,
    f2_at_its_end_an_approval_comes_before_or_never,
    h11_of_24_exchanges_of_one_code_one_gets_tokens_and_they_are_void,
);

const NUMBER: &str = "+12025550101";

async fn t1_of_300_distinct_wrong_guesses_5_are_judged(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    let login = pair.login("ann").await;
    let code = pair.code(&login, NUMBER).await;
    let guesses = others(&code, 300);
    let answers = race(300, |i| pair.step(i, &login, "verification", json!({ "code": guesses[i] }))).await;
    assert_eq!(count(&answers, 401, "wrong_code"), 5, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 429, "too_many_attempts"), 295, "{:?}", outcomes(&answers));
    let last = pair.step(0, &login, "verification", json!({ "code": code })).await;
    last.refused(429, "too_many_attempts");
}

async fn t1_of_300_equal_wrong_guesses_5_are_judged(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    let login = pair.login("ann").await;
    let code = pair.code(&login, NUMBER).await;
    let guess = others(&code, 1).remove(0);
    let answers = race(300, |i| pair.step(i, &login, "verification", json!({ "code": guess }))).await;
    assert_eq!(count(&answers, 401, "wrong_code"), 5, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 429, "too_many_attempts"), 295, "{:?}", outcomes(&answers));
}

async fn t2_of_300_right_codes_one_succeeds(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    let login = pair.login("ann").await;
    let code = pair.code(&login, NUMBER).await;
    let answers = race(300, |i| pair.step(i, &login, "verification", json!({ "code": code }))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 409, "login_complete"), 299, "{:?}", outcomes(&answers));
}

async fn t2_of_300_right_codes_one_binds(mut pair: Pair) {
    pair.user("bob", None).await;
    let login = pair.login("bob").await;
    pair.step(0, &login, "phone", json!({ "phone": NUMBER })).await.expect(200);
    let code = pair.code(&login, NUMBER).await;
    let answers = race(300, |i| pair.step(i, &login, "verification", json!({ "code": code }))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    let refused = count(&answers, 409, "login_complete") + count(&answers, 429, "too_many_attempts");
    assert_eq!(refused, 299, "{:?}", outcomes(&answers));
    assert_eq!(pair.look(&login).await["login"]["status"], "complete");
}

async fn h2_of_100_sends_one_message_leaves(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    let login = pair.login("ann").await;
    let answers = race(100, |i| pair.step(i, &login, "code", json!({}))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 429, "resend_too_soon"), 99, "{:?}", outcomes(&answers));
    assert_eq!(pair.messages().await, 1);
}

/// The right code for A and another number B meet: whatever comes first, B is never bound by A's code.
async fn f8_a_code_for_one_number_never_binds_another(mut pair: Pair) {
    const B: &str = "+12025550199";
    for round in 0..8 {
        let (name, a) = (format!("user{round}"), format!("+120255501{:02}", 10 + round));
        let id = pair.user(&name, None).await;
        let login = pair.login(&name).await;
        pair.step(0, &login, "phone", json!({ "phone": a })).await.expect(200);
        let code = pair.code(&login, &a).await;
        let answers = race(8, |i| {
            let (step, body) = match i {
                0..4 => ("verification", json!({ "code": code })),
                _ => ("phone", json!({ "phone": B })),
            };
            pair.step(i, &login, step, body)
        })
        .await;
        let user = pair.admin(0, "GET", &format!("/users/{id}"), json!({})).await.expect(200);
        assert_ne!(user["phone"], B, "{:?}", outcomes(&answers));
        let completed = answers[..4].iter().any(|answer| answer.status == 200);
        assert_eq!(user["phone"] == a.as_str(), completed, "{:?}", outcomes(&answers));
    }
}

async fn f9_two_users_race_for_one_number(mut pair: Pair) {
    let mut logins = Vec::new();
    for name in ["ann", "bob"] {
        pair.user(name, None).await;
        let login = pair.login(name).await;
        pair.step(0, &login, "phone", json!({ "phone": NUMBER })).await.expect(200);
        logins.push(login);
    }
    let mut codes = Vec::new();
    for (process, login) in logins.iter().enumerate() {
        if process == 1 {
            // The number's own limit: the second code leaves half a minute later.
            pair.advance(31).await;
        }
        pair.step(0, login, "code", json!({})).await.expect(200);
        codes.push(pair.last_code_to(NUMBER).await);
    }
    let answers = race(2, |i| pair.step(i, &logins[i], "verification", json!({ "code": codes[i] }))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 409, "phone_taken"), 1, "{:?}", outcomes(&answers));
    let loser = answers.iter().position(|answer| answer.status == 409).unwrap();
    assert_eq!(pair.look(&logins[loser]).await["login"]["status"], "bind_phone");
}

async fn d1_of_16_users_of_one_name_one_is_made(pair: Pair) {
    let answers = race(16, |i| {
        // The same name in PRECIS' eyes (RFC 8265).
        let name = if i % 4 < 2 { "casey" } else { "CASEY" };
        pair.admin(i, "POST", "/users", json!({ "username": name }))
    })
    .await;
    assert_eq!(count(&answers, 201, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 409, "duplicate"), 15, "{:?}", outcomes(&answers));
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(refused.json["field"], "username");
}

async fn c1_a_switch_is_in_force_at_the_next_login_of_another_process(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    for on in [false, true, false, true] {
        pair.security(json!({ "mfa": { "sms": { "enabled": on } } })).await;
        for process in 0..2 {
            let body = json!({
                "application": pair.application,
                "password": { "account": "ann", "password": pair::PASSWORD },
            });
            let answer =
                pair.send(process, tests::http_client::Call::post("/v1/logins", &body)).await.expect(200);
            assert_eq!(answer["tokens"].is_null(), on, "process {process}");
        }
    }
}

async fn h4_a_budget_is_never_overrun(mut pair: Pair) {
    // One cent a message to the United States: a budget of one dollar is a hundred messages, and the day's limit is smaller still.
    pair.security(json!({ "limits": { "per_tenant_day": 10, "per_ip_hour": 1000, "per_range_hour": 1000 } }))
        .await;
    let mut logins = Vec::new();
    for i in 0..40 {
        let name = format!("user{i}");
        pair.user(&name, Some(&format!("+1202555{:04}", 100 + i))).await;
        logins.push(pair.login(&name).await);
    }
    let answers = race(40, |i| pair.step(i, &logins[i], "code", json!({}))).await;
    assert_eq!(count(&answers, 200, ""), 10, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 429, "rate_limited"), 30, "{:?}", outcomes(&answers));
    assert_eq!(pair.messages().await, 10);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(text(&refused.json, "/rule"), "per_tenant_day");
}

/// The account is throttled, and its wait is over: of many passwords at once one is judged, the right one too.
async fn t1_of_24_passwords_at_once_one_is_judged(mut pair: Pair) {
    pair.user("ann", Some(NUMBER)).await;
    let application = pair.application.clone();
    let start = |password: &str| {
        let body =
            json!({ "application": application, "password": { "account": "ann", "password": password } });
        Call::post("/v1/logins", &body)
    };
    for failures in 0..11 {
        if failures >= 5 {
            pair.advance(64).await;
        }
        pair.send(0, start("not hers")).await.refused(401, "first_factor_failed");
    }
    // A minute's wait, so that none of those at once has waited for another.
    pair.advance(64).await;
    let answers = race(24, |i| pair.send(i, start(&format!("guess {i}")))).await;
    assert_eq!(count(&answers, 401, "first_factor_failed"), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 429, "rate_limited"), 23, "{:?}", outcomes(&answers));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(text(&refused.json, "/rule"), "first_factor_account");
    pair.advance(128).await;
    let answers = race(24, |i| pair.send(i, start(PASSWORD))).await;
    assert!(count(&answers, 200, "") >= 1, "{:?}", outcomes(&answers));
}

/// The recovery codes of a user who binds a number.
async fn recovery_codes(pair: &mut Pair, name: &str) -> Vec<String> {
    pair.security(json!({ "recovery_codes": { "enabled": true } })).await;
    pair.user(name, None).await;
    let login = pair.login(name).await;
    pair.step(0, &login, "phone", json!({ "phone": NUMBER })).await.expect(200);
    let code = pair.code(&login, NUMBER).await;
    let done = pair.step(0, &login, "verification", json!({ "code": code })).await.expect(200);
    let codes: Vec<_> =
        done["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    codes.iter().for_each(|code| pair.canaries.add("recovery code", code));
    codes
}

async fn h7_of_24_uses_of_one_recovery_code_one_counts(mut pair: Pair) {
    let codes = recovery_codes(&mut pair, "ann").await;
    let mut logins = Vec::new();
    for _ in 0..24 {
        logins.push(pair.login("ann").await);
    }
    let body = json!({ "recovery_code": codes[0] });
    let answers = race(24, |i| pair.step(i, &logins[i], "verification", body.clone())).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 401, "wrong_code"), 23, "{:?}", outcomes(&answers));
}

async fn h7_of_10_recovery_codes_in_one_login_one_is_used_up(mut pair: Pair) {
    let codes = recovery_codes(&mut pair, "ann").await;
    let login = pair.login("ann").await;
    let give = |i: usize| json!({ "recovery_code": codes[i] });
    let answers = race(10, |i| pair.step(i, &login, "verification", give(i))).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    let used = answers.iter().position(|answer| answer.status == 200).unwrap();
    for i in 0..10 {
        let login = pair.login("ann").await;
        let answer = pair.step(i, &login, "verification", give(i)).await;
        assert_eq!(answer.status == 200, i != used, "code {i}, {used} was used: {}", answer.text());
    }
}

/// One code at both processes at once: one set of tokens, which holds no longer once the others were refused.
async fn h11_of_24_exchanges_of_one_code_one_gets_tokens_and_they_are_void(mut pair: Pair) {
    const CALLBACK: &str = "https://shop.example/callback";
    let user = pair.user("ann", Some(NUMBER)).await;
    let path = format!("/applications/{}", pair.application);
    pair.admin(0, "PATCH", &path, json!({ "redirect_uris": [CALLBACK] })).await.expect(200);
    for round in 0..4 {
        let code = hosted::code(&pair.application, &user, CALLBACK, SystemClock.now());
        let code = pair.seals().code(&code);
        let exchange = || hosted::exchange(pair.tenant(), &pair.application, CALLBACK, &code);
        let answers = race(24, |i| pair.send(i, exchange())).await;
        let refused = answers.iter().filter(|it| it.status == 400 && it.json["error"] == "invalid_grant");
        assert_eq!(refused.count(), 23, "{:?}", outcomes(&answers));
        let done = answers.iter().find(|answer| answer.status == 200).expect("one gets them");
        let access = text(&done.json, "/access_token");
        for (process, path) in [(0, format!("/t/{}/userinfo", pair.tenant())), (1, "/v1/me/phone".to_owned())]
        {
            pair.send(process + round, Call::get(&path).bearer(&access))
                .await
                .refused(401, "unauthenticated");
        }
    }
}
