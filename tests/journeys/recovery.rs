//! Recovery codes over HTTP: acceptance H7, and H8's other proof.

use crate::world::{Login, World};
use serde_json::{Value, json};
use tests::http_client::{Answer, Call};
use tests::values::{another_code, text};

const NUMBER: &str = "+12025550123";
const NEXT: &str = "+12025550124";
const PASSWORD: &str = "correct horse battery";

impl World {
    async fn recover(&self, login: &Login, code: &str) -> Answer {
        self.step(login, "verification", json!({ "recovery_code": code })).await
    }

    async fn me(&self, method: &str, below: &str, token: &str, body: Option<Value>) -> Answer {
        let mut call = Call::new(method, &format!("/v1/me{below}")).bearer(token);
        if let Some(body) = body {
            call = call.json(&body);
        }
        self.local.send(call).await
    }
}

fn codes(answer: &Value) -> Vec<String> {
    let codes = answer["recovery_codes"].as_array().expect("recovery codes");
    codes.iter().map(|code| text(code, "")).collect()
}

/// A user who has bound a number, with the codes that were shown.
async fn bound() -> (World, Vec<String>) {
    let world = World::with_sms().await;
    world.security(json!({ "recovery_codes": { "enabled": true } })).await;
    world.user(json!({ "username": "bob", "password": PASSWORD })).await;
    let login = world.login("bob", PASSWORD).await;
    world.step(&login, "phone", json!({ "phone": NUMBER })).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    let done = world.guess(&login, &code).await.expect(200);
    (world, codes(&done))
}

#[tokio::test]
async fn h7_a_user_without_the_phone_signs_in_with_a_code_and_makes_new_ones() {
    let (world, shown) = bound().await;
    assert_eq!(shown.len(), 10);
    // Codes of today make no new ones.
    world.local.advance(86_400).await;
    let login = world.login("bob", PASSWORD).await;
    assert_eq!(login.answer["login"]["status"], "enter_code");
    let done = world.recover(&login, &shown[0].to_uppercase().replace('-', "")).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    assert_eq!(world.look(&login).await["login"]["status"], "complete");
    let access = text(&done, "/tokens/access_token");
    let told = world.local.notice_to(NUMBER).await;
    assert!(told.contains("a recovery code was used") && !told.contains(&shown[0]), "{told}");
    world.recover(&login, &shown[1]).await.refused(409, "login_complete");

    let again = world.login("bob", PASSWORD).await;
    let problem = world.recover(&again, &shown[0]).await.refused(401, "wrong_code");
    assert_eq!(problem["attempts_left"], 4, "a code works once");
    let renewed = world.me("POST", "/recovery-codes", &access, None).await.expect(201);
    world.recover(&again, &shown[1]).await.refused(401, "wrong_code");
    let done = world.recover(&again, &codes(&renewed)[0]).await.expect(200);
    let of_new = text(&done, "/tokens/access_token");
    world.me("POST", "/recovery-codes", &of_new, None).await.refused(403, "step_up_required");
    world.local.advance(301).await;
    world.me("POST", "/recovery-codes", &access, None).await.refused(403, "step_up_required");
}

#[tokio::test]
async fn h7_h8_a_code_in_the_place_of_the_old_number_lets_it_be_replaced() {
    let (world, shown) = bound().await;
    let login = world.login("bob", PASSWORD).await;
    let done = world.recover(&login, &shown[0]).await.expect(200);
    let access = text(&done, "/tokens/access_token");
    let asked = world.me("PUT", "/phone", &access, Some(json!({ "phone": NEXT }))).await.expect(202);
    let login = Login { id: text(&asked, "/login/id"), token: text(&asked, "/login_token"), answer: asked };
    let proven = world.recover(&login, &shown[1]).await.expect(200);
    assert_eq!((&proven["login"]["status"], &proven["tokens"]), (&json!("enter_code"), &Value::Null));
    assert!(text(&proven, "/login/mfa/phone_hint").ends_with("24"));
    world.recover(&login, &shown[2]).await.refused(409, "conflict");
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NEXT).await;
    let done = world.guess(&login, &code).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    let own = world.me("GET", "/phone", &access, None).await.expect(200);
    assert!(text(&own, "/phone_hint").ends_with("24"));
    let login = world.login("bob", PASSWORD).await;
    world.recover(&login, &shown[2]).await.expect(200);
}

#[tokio::test]
async fn h7_codes_are_the_tenants_choice() {
    let (world, shown) = bound().await;
    world.security(json!({ "recovery_codes": { "enabled": false } })).await;
    let login = world.login("bob", PASSWORD).await;
    let problem = world.recover(&login, &shown[0]).await.refused(403, "forbidden");
    assert_eq!((&problem["login"]["status"], &problem["attempts_left"]), (&json!("enter_code"), &json!(5)));
}
