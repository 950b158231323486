//! `local` itself: acceptance H13, H14.

use crate::world::World;
use serde_json::json;
use tests::canaries::Canaries;
use tests::http_client::Call;
use tests::local::Local;
use tests::repository::TemporaryFolder;
use tests::values::{another_code, text};

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test]
async fn h13_a_restart_finds_its_keys_and_its_data() {
    let folder = TemporaryFolder::new();
    let first = Local::start_with(folder.path(), None, &[]).await;
    let ready = first.ready.clone();
    let body = json!({ "name": "Kept", "home_country": "US" });
    let made = first.send(Call::post("/v1/tenants", &body).bearer(first.operator_key())).await.expect(201);
    first.advance(5000).await;
    first.stop().await;
    let second = Local::start_with(folder.path(), None, &[]).await;
    for pointer in ["/operator_key", "/demo"] {
        assert_eq!(second.ready.pointer(pointer), ready.pointer(pointer), "{pointer}");
    }
    let path = format!("/v1/tenants/{}", text(&made, "/id"));
    let kept = second.send(Call::get(&path).bearer(&text(&made, "/admin_key/secret"))).await.expect(200);
    assert_eq!(kept["name"], "Kept");
    let demo = &second.ready["demo"];
    let user = &demo["users"][0];
    let body = json!({
        "application": demo["application"],
        "password": { "account": user["username"], "password": user["password"] },
    });
    let begun = second.send(Call::post("/v1/logins", &body)).await.expect(200);
    assert_eq!(begun["login"]["status"], "enter_code");
    assert!(demo["users"][1]["phone"].is_null());
}

#[tokio::test]
async fn h14_no_line_of_the_log_has_a_secret_a_code_or_a_number() {
    let world = World::with_sms().await;
    let (number, email) = ("+12025550188", "somebody@example.org");
    let mut canaries = Canaries::new();
    for (kind, value) in
        [("password", PASSWORD), ("number", number), ("number", &number[1..]), ("e-mail", email)]
    {
        canaries.add(kind, value);
    }
    canaries.add("administrator key", &world.admin);
    canaries.add("application secret", &world.secret);
    canaries.add("operator key", world.local.operator_key());
    world.user(json!({ "username": "somebody", "email": email, "password": PASSWORD })).await;
    let login = world.login(email, PASSWORD).await;
    canaries.add("login token", &login.token);
    world.step(&login, "phone", json!({ "phone": number })).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(number).await;
    canaries.add("code", &code);
    world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    let done = world.guess(&login, &code).await.expect(200);
    canaries.add("access token", &text(&done, "/tokens/access_token"));
    canaries.add("id token", &text(&done, "/tokens/id_token"));
    world
        .start_password(&world.application, email, "not the password")
        .await
        .refused(401, "first_factor_failed");
    let log = world.local.log();
    assert!(log.lines().count() > 5, "it logs at TRACE: {log}");
    canaries.assert_absent("the log", &log);
}
