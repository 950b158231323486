//! Users are told, at the number that was bound, that something about their second factor has changed.

use crate::world::{Login, World};
use serde_json::{Value, json};
use tests::http_client::Call;
use tests::values::text;

const PASSWORD: &str = "correct horse battery staple";
const OLD: &str = "+12025550161";
const NEW: &str = "+12025550162";
const REPLACED: &str = "Acme: codes for your account now go to another phone number. If this was not you, contact your administrator now.";
const REMOVED: &str = "Acme: this phone number was removed from your account. If this was not you, contact your administrator now.";

async fn bound() -> (World, String) {
    let world = World::with_sms().await;
    let user = world.user(json!({ "username": "ann", "password": PASSWORD, "phone": OLD })).await;
    (world, user)
}

/// Has a code sent and gives it.
async fn pass(world: &World, login: &Login, number: &str) -> Value {
    world.send_code(login).await;
    let code = world.local.code_sent_to(number).await;
    world.guess(login, &code).await.expect(200)
}

#[tokio::test]
async fn h8_a_user_replaces_the_number_and_the_old_one_is_told_once() {
    let (world, _) = bound().await;
    let login = world.login("ann", PASSWORD).await;
    let access = text(&pass(&world, &login, OLD).await, "/tokens/access_token");
    let call = Call::new("PUT", "/v1/me/phone").bearer(&access).json(&json!({ "phone": NEW }));
    let answer = world.local.send(call).await.expect(202);
    let login = Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token"), answer };
    world.local.advance(130).await;
    pass(&world, &login, OLD).await;
    let before = world.messages_to(OLD).await;
    pass(&world, &login, NEW).await;
    assert_eq!(world.local.notice_to(OLD).await, REPLACED);
    // Three more looks.
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    assert_eq!(world.messages_to(OLD).await, before + 1);
}

#[tokio::test]
async fn h8_an_administrator_replaces_and_removes_a_number_and_each_is_told() {
    let (world, user) = bound().await;
    let phone = format!("/users/{user}/phone");
    world.admin("PUT", &phone, Some(&json!({ "phone": NEW }))).await.expect(200);
    assert_eq!(world.local.notice_to(OLD).await, REPLACED);
    world.admin("DELETE", &phone, None).await.expect(204);
    assert_eq!(world.local.notice_to(NEW).await, REMOVED);
    assert_eq!((world.messages_to(OLD).await, world.messages_to(NEW).await), (1, 1));
}
