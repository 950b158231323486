//! Recovery codes (acceptance H7): made with a bind or anew, each good for one login or one old number.

use crate::world::{Login, World, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OLD: &str = "+12025550101";
const NEW: &str = "+12025550102";

pub fn codes(answer: &Value) -> Vec<String> {
    let codes = answer["recovery_codes"].as_array().expect("codes");
    codes.iter().map(text).collect()
}

impl World {
    pub async fn with_recovery() -> Self {
        let world = Self::new().await;
        world.security(json!({"recovery_codes": {"enabled": true}})).await;
        world
    }

    /// New codes of a user who has just proven two factors.
    pub async fn recovery_codes(&self, name: &str) -> Vec<String> {
        let token = self.signed_in(name).await;
        let codes = codes(&self.me("POST", "/recovery-codes", &token, Value::Null).await.expect(201));
        self.pause();
        codes
    }

    pub async fn recover(&self, login: &Login, code: &str) -> (u16, Value) {
        let answer = self.step(login, "verification", json!({"recovery_code": code})).await;
        (answer.status, answer.body)
    }

    /// Takes a recovery code that must be refused so.
    #[track_caller]
    pub fn refused(&self, (status, body): (u16, Value), expected: (u16, &str)) -> Value {
        assert_eq!((status, body["code"].as_str().unwrap_or_default()), expected, "{body}");
        body
    }

    async fn bind(&self, name: &str, number: &str) -> Value {
        let login = self.login(name).await;
        self.step(&login, "phone", json!({"phone": number})).await.expect(200);
        self.verify(&login, json!({})).await.expect(200)
    }
}

/// The claims of a token, unchecked.
fn claims(answer: &Value) -> Value {
    use base64::Engine;
    let token = text(&answer["tokens"]["access_token"]);
    let body = token.split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

#[tokio::test]
async fn h7_a_bind_shows_ten_codes_once_and_keeps_hashes() {
    let world = World::with_recovery().await;
    world.user("bob", None).await;
    let bound = world.bind("bob", NEW).await;
    let shown = codes(&bound);
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), 10);
    for code in &shown {
        assert!(code.len() == 29 && code.split('-').all(|group| group.len() == 4), "{code}");
    }
    let items = world.logins("login#").await;
    let kept = items.iter().find(|item| item["sk"].as_s().unwrap() == "recovery").unwrap();
    assert_eq!(kept["hashes"].as_bs().unwrap().len(), 10);
    assert!(!kept.contains_key("ttl"));
    let all = format!("{items:?}");
    for code in &shown {
        assert!(!all.contains(code.as_str()) && !all.contains(&code.replace('-', "")));
    }
    world.pause();
    let login = world.login("bob").await;
    let (status, done) = world.recover(&login, &shown[3]).await;
    assert_eq!((status, &done["login"]["status"]), (200, &json!("complete")), "{done}");
    assert!(done.get("recovery_codes").is_none(), "they are not shown again");
    let later = world.login("bob").await;
    assert!(world.verify(&later, json!({})).await.expect(200).get("recovery_codes").is_none());
}

#[tokio::test]
async fn h7_a_bind_makes_none_where_the_tenant_has_none() {
    let world = World::new().await;
    world.user("bob", None).await;
    assert!(world.bind("bob", NEW).await.get("recovery_codes").is_none());
    world.pause();
    let token = world.signed_in("bob").await;
    let refused = world.me("POST", "/recovery-codes", &token, Value::Null).await;
    assert_eq!(refused.outcome(), (403, "forbidden"));
    let kinds: Vec<_> = world.logins("login#").await.iter().map(|item| item["sk"].clone()).collect();
    assert!(!kinds.iter().any(|sk| sk.as_s().unwrap() == "recovery"));
}

#[tokio::test]
async fn h7_a_code_completes_a_login_once_and_its_user_is_told() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    assert!(world.notices().await.is_empty());
    let login = world.login("ann").await;
    let before = world.messages().len();
    // As somebody types it who reads it from paper, with nothing sent in this login.
    let (status, done) = world.recover(&login, &codes[0].to_uppercase().replace('-', " ")).await;
    assert_eq!((status, &done["login"]["status"]), (200, &json!("complete")), "{done}");
    let claims = claims(&done);
    assert_eq!((&claims["amr"], &claims["acr"]), (&json!(["pwd", "mfa"]), &json!("aal2")));
    assert_eq!(claims["sub"], json!(ann));
    assert_eq!(world.messages().len(), before, "no code was sent");
    assert_eq!(world.notices().await, ["recovery_code_used"]);

    world.refused(world.recover(&login, &codes[1]).await, (409, "login_complete"));
    let next = world.login("ann").await;
    let wrong = world.refused(world.recover(&next, &codes[0]).await, (401, "wrong_code"));
    assert_eq!(wrong["attempts_left"], 4);
    assert_eq!(world.recover(&next, &codes[1]).await.0, 200, "one use costs no other code");
    assert_eq!(world.notices().await.len(), 2);
}

#[tokio::test]
async fn h7_another_users_code_and_an_invented_one_are_wrong() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    world.user("bob", Some(NEW)).await;
    let anns = world.recovery_codes("ann").await;
    world.recovery_codes("bob").await;
    let login = world.login("bob").await;
    for code in [&*anns[0], "0000-0000-0000-0000-0000-0000"] {
        world.refused(world.recover(&login, code).await, (401, "wrong_code"));
    }
    assert!(world.notices().await.is_empty());
    let login = world.login("ann").await;
    assert_eq!(world.recover(&login, &anns[0]).await.0, 200, "still hers");
}

#[tokio::test]
async fn h7_attempts_are_the_logins_and_no_recovery_code_gets_past_a_block() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let login = world.login("ann").await;
    let code = world.sent_code(&login).await;
    let other = if code == "000000" { "000001" } else { "000000" };
    for left in [4, 3] {
        let answer = world.step(&login, "verification", json!({"code": other})).await;
        assert_eq!(answer.body["attempts_left"], left);
    }
    for left in [2, 1, 0] {
        let wrong =
            world.refused(world.recover(&login, "zzzz-zzzz-zzzz-zzzz-zzzz-zzzz").await, (401, "wrong_code"));
        assert_eq!(wrong["attempts_left"], left);
    }
    let blocked = world.refused(world.recover(&login, &codes[0]).await, (429, "too_many_attempts"));
    assert_eq!(blocked["login"]["status"], "blocked");
    let answer = world.step(&login, "verification", json!({"code": code})).await;
    assert_eq!(answer.outcome(), (429, "too_many_attempts"));
    assert!(world.notices().await.is_empty());

    // Recovery codes are a factor of their own: only the messages' wrong codes count against the number.
    let user = world.admin("GET", &format!("/users/{ann}"), Value::Null).await.expect(200);
    assert_eq!(user["failed_codes"], 2);
    let next = world.login("ann").await;
    assert_eq!(world.recover(&next, &codes[0]).await.0, 200);
    let user = world.admin("GET", &format!("/users/{ann}"), Value::Null).await.expect(200);
    assert_eq!(user["failed_codes"], 2);
}

#[tokio::test]
async fn h7_what_cannot_be_a_recovery_code_costs_no_attempt() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let login = world.login("ann").await;
    let give = |body: Value| {
        let (world, login) = (&world, &login);
        async move { world.step(login, "verification", body).await }
    };
    for body in [
        json!({}),
        json!({"recovery_code": ""}),
        json!({"recovery_code": "123456"}),
        json!({"recovery_code": 7}),
        json!({"recovery_code": "uuuu-uuuu-uuuu-uuuu-uuuu-uuuu"}),
        json!({"code": "123456", "recovery_code": codes[0]}),
        json!({"code": codes[0]}),
    ] {
        let answer = give(body.clone()).await;
        assert_eq!(answer.outcome(), (400, "invalid_request"), "{body}");
        assert_eq!(answer.body["attempts_left"], 5, "{body}");
        assert!(!answer.body.to_string().contains(&codes[0]));
    }
    give(json!({"recovery_code": codes[0]})).await.expect(200);
}

#[tokio::test]
async fn h7_new_codes_need_two_factors_proven_just_now_and_end_all_old_ones() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let renew = |token: String| {
        let world = &world;
        async move { world.me("POST", "/recovery-codes", &token, Value::Null).await }
    };
    let weak = world.signed_in_laxly("ann").await;
    assert_eq!(renew(weak).await.outcome(), (403, "step_up_required"));
    let token = world.signed_in("ann").await;
    let first = codes(&renew(token.clone()).await.expect(201));
    world.clock.advance(301);
    assert_eq!(renew(token).await.outcome(), (403, "step_up_required"), "it is five minutes old");
    let login = world.login("ann").await;
    let (status, done) = world.recover(&login, &first[0]).await;
    assert_eq!(status, 200, "{done}");
    // A login by a recovery code is two factors too, but codes don't make codes again and again, each of which sends a message that no limit counts.
    assert_eq!(renew(text(&done["tokens"]["access_token"])).await.outcome(), (403, "step_up_required"));
    world.clock.advance(86_400);
    let login = world.login("ann").await;
    let (status, done) = world.recover(&login, &first[2]).await;
    assert_eq!(status, 200, "{done}");
    let second = codes(&renew(text(&done["tokens"]["access_token"])).await.expect(201));
    assert!(first.iter().all(|code| !second.contains(code)));
    let login = world.login("ann").await;
    world.refused(world.recover(&login, &first[1]).await, (401, "wrong_code"));
    assert_eq!(world.recover(&login, &second[0]).await.0, 200);
}

/// Whoever was let in by a number that has been changed since holds on to nothing.
#[tokio::test]
async fn h7_a_number_that_is_the_users_no_more_makes_no_codes() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let token = world.signed_in("ann").await;
    world.clock.advance(60);
    let path = format!("/users/{ann}/phone");
    world.admin("PUT", &path, json!({"phone": NEW})).await.expect(200);
    let refused = world.me("POST", "/recovery-codes", &token, Value::Null).await;
    assert_eq!(refused.outcome(), (403, "step_up_required"));
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    let refused = world.me("POST", "/recovery-codes", &token, Value::Null).await;
    assert_eq!(refused.outcome(), (403, "step_up_required"));
}

#[tokio::test]
async fn h7_all_ten_work_and_then_there_is_none() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    for code in &codes {
        let login = world.login("ann").await;
        assert_eq!(world.recover(&login, code).await.0, 200);
    }
    let login = world.login("ann").await;
    for code in &codes[..3] {
        world.refused(world.recover(&login, code).await, (401, "wrong_code"));
    }
}

#[tokio::test]
async fn g5_h7_the_switch_of_a_logins_start_holds_and_a_new_login_has_the_new_one() {
    let world = World::with_recovery().await;
    world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let early = world.login("ann").await;
    world.security(json!({"recovery_codes": {"enabled": false}})).await;
    let late = world.login("ann").await;
    let refused = world.refused(world.recover(&late, &codes[0]).await, (403, "forbidden"));
    assert_eq!(refused["attempts_left"], 5);
    assert_eq!(world.recover(&early, &codes[0]).await.0, 200);
    world.security(json!({"recovery_codes": {"enabled": true}})).await;
    let login = world.login("ann").await;
    assert_eq!(world.recover(&login, &codes[1]).await.0, 200, "the codes have outlived the switch");
}

#[tokio::test]
async fn h7_h8_a_code_stands_for_the_old_number_and_the_new_one_still_proves_itself() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let token = world.signed_in_laxly("ann").await;
    let asked = world.me("PUT", "/phone", &token, json!({"phone": NEW})).await.expect(202);
    let login = Login::of(&asked);
    let lost = world.sent_code(&login).await;
    assert_eq!(world.last_to(), OLD);
    let (status, proven) = world.recover(&login, &codes[0]).await;
    assert_eq!((status, &proven["tokens"]), (200, &Value::Null), "{proven}");
    assert_eq!(proven["login"]["status"], "enter_code");
    assert_eq!(proven["login"]["mfa"]["phone_hint"], "+1 ••• ••• ••02");
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD), "nothing has changed yet");
    assert_eq!(world.notices().await, ["recovery_code_used"]);

    // Neither another recovery code nor the old number's code proves the new number.
    world.refused(world.recover(&login, &codes[1]).await, (409, "conflict"));
    let stale = world.step(&login, "verification", json!({"code": lost})).await;
    assert_eq!(stale.outcome(), (409, "no_code_sent"));
    world.clock.advance(31);
    let code = world.sent_code(&login).await;
    assert_eq!(world.last_to(), NEW);
    let done = world.step(&login, "verification", json!({"code": code})).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    assert_eq!(world.number(&ann).await.as_deref(), Some(NEW));
    assert_eq!(world.notices().await, ["recovery_code_used", "phone_replaced"]);
    let login = world.login("ann").await;
    assert_eq!(world.recover(&login, &codes[1]).await.0, 200, "it was not used up");
}

#[tokio::test]
async fn h7_h8_the_proof_by_a_code_ends_after_five_minutes_too() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let token = world.signed_in_laxly("ann").await;
    let login = Login::of(&world.me("PUT", "/phone", &token, json!({"phone": NEW})).await.expect(202));
    assert_eq!(world.recover(&login, &codes[0]).await.0, 200);
    world.clock.advance(300);
    let late = world.step(&login, "code", json!({})).await;
    assert_eq!(late.outcome(), (403, "step_up_required"));
    world.refused(world.recover(&login, &codes[1]).await, (403, "step_up_required"));
    assert_eq!(world.number(&ann).await.as_deref(), Some(OLD));
}

#[tokio::test]
async fn h7_h8_a_code_is_not_spent_on_a_number_that_changed_meanwhile() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let token = world.signed_in_laxly("ann").await;
    let login = Login::of(&world.me("PUT", "/phone", &token, json!({"phone": NEW})).await.expect(202));
    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": "+12025550103"})).await.expect(200);
    world.refused(world.recover(&login, &codes[0]).await, (403, "step_up_required"));
    let login = world.login("ann").await;
    assert_eq!(world.recover(&login, &codes[0]).await.0, 200);
}

#[tokio::test]
async fn h7_a_user_without_a_number_and_one_whose_factor_is_disabled_get_in() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    world.admin("DELETE", &format!("/users/{ann}/phone"), Value::Null).await.expect(204);
    let told = world.notices().await.len();
    world.security(json!({"phone_binding": {"self_service": false}})).await;
    let login = world.login("ann").await;
    let (status, done) = world.recover(&login, &codes[0]).await;
    assert_eq!((status, &done["login"]["status"]), (200, &json!("complete")), "{done}");
    assert_eq!(world.notices().await.len(), told, "nobody is there to be told");

    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": OLD})).await.expect(200);
    let key = shared::dynamodb::keys::factor(
        &shared::domain::ids::TenantId::parse(&world.tenant).unwrap(),
        &shared::domain::ids::UserId::parse(&ann).unwrap(),
    );
    let disable = world.store.client().update_item().table_name(world.store.logins());
    disable
        .set_key(Some(key.attributes()))
        .update_expression("SET failures = :n")
        .expression_attribute_values(":n", shared::dynamodb::number(100))
        .send()
        .await
        .unwrap();
    let login = world.login("ann").await;
    assert_eq!(world.step(&login, "code", json!({})).await.outcome(), (403, "factor_disabled"));
    assert_eq!(world.recover(&login, &codes[1]).await.0, 200);
    let login = world.login("ann").await;
    let still = world.step(&login, "code", json!({})).await;
    assert_eq!(still.outcome(), (403, "factor_disabled"), "it is not bound anew by that");
}

#[tokio::test]
async fn d1_h7_a_deleted_users_codes_are_gone() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let token = world.signed_in("ann").await;
    let login = world.login("ann").await;
    world.admin("DELETE", &format!("/users/{ann}"), Value::Null).await.expect(204);
    assert!(world.logins(&format!("login#{}#{ann}", world.tenant)).await.is_empty());
    let gone = world.me("POST", "/recovery-codes", &token, Value::Null).await;
    assert_eq!(gone.outcome(), (404, "not_found"));
    world.refused(world.recover(&login, &codes[0]).await, (404, "not_found"));
    let left = world.logins(&format!("login#{}#{ann}", world.tenant)).await;
    assert!(left.iter().all(|item| item.contains_key("ttl")), "what a login of before leaves goes away");
}

#[tokio::test]
async fn h7_a_new_bind_ends_the_codes_of_the_old_one() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", None).await;
    let first = codes(&world.bind("ann", OLD).await);
    world.pause();
    world.admin("DELETE", &format!("/users/{ann}/phone"), Value::Null).await.expect(204);
    let second = codes(&world.bind("ann", NEW).await);
    world.pause();
    let login = world.login("ann").await;
    world.refused(world.recover(&login, &first[0]).await, (401, "wrong_code"));
    assert_eq!(world.recover(&login, &second[0]).await.0, 200);
}

#[tokio::test]
async fn h7_the_audit_keeps_who_made_codes_and_used_one() {
    let world = World::with_recovery().await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let login = world.login("ann").await;
    world.recover(&login, &codes[0]).await;
    let path = format!("/audit-events?user={ann}");
    let events = world.admin("GET", &path, Value::Null).await.expect(200);
    let find = |kind: &str| {
        let mut all = events["items"].as_array().unwrap().iter();
        all.find(|event| event["type"] == kind).unwrap_or_else(|| panic!("{kind} in {events}")).clone()
    };
    let used = find("recovery_code.used");
    assert_eq!(used["after"], json!({"login": login.id, "purpose": "sign_in"}));
    assert_eq!((&used["actor"]["user"], &used["application"]), (&json!(ann), &json!(world.application)));
    assert_eq!(find("recovery_codes.made")["after"], json!({"recovery_codes": 10}));
    assert!(codes.iter().all(|code| !events.to_string().contains(code.as_str())));
}

#[tokio::test]
async fn h7_a_device_may_be_trusted_after_a_recovery_code_where_a_number_is_bound() {
    let world = World::with_recovery().await;
    world.security(json!({"trusted_devices": {"enabled": true}})).await;
    let ann = world.user("ann", Some(OLD)).await;
    let codes = world.recovery_codes("ann").await;
    let trust = |code: String| {
        let world = &world;
        async move {
            let login = world.login("ann").await;
            let body = json!({"recovery_code": code, "trust_device": true});
            world.step(&login, "verification", body).await.expect(200)
        }
    };
    let done = trust(codes[0].clone()).await;
    let device = json!({"trusted_device": done["trusted_device"]["token"]});
    let spared = world.start(&world.application, "ann", device).await.expect(200);
    assert!(spared["tokens"]["access_token"].is_string(), "{spared}");
    // A device is trusted with a number, and goes with it.
    world.admin("DELETE", &format!("/users/{ann}/phone"), Value::Null).await.expect(204);
    assert!(trust(codes[1].clone()).await.get("trusted_device").is_none());
}
