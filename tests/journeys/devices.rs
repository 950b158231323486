//! Trusted devices: acceptance H7.

use crate::world::World;
use serde_json::{Value, json};
use tests::http_client::{Answer, Call};
use tests::values::text;

const NUMBER: &str = "+12025550123";
const PASSWORD: &str = "correct horse battery";
const DAY: u64 = 86_400;

async fn world() -> (World, String) {
    let world = World::with_sms().await;
    world.security(json!({ "trusted_devices": { "enabled": true, "days": 7 } })).await;
    let ann = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    (world, ann)
}

/// Completes a login and asks for trust.
async fn trust(world: &World) -> Value {
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let body = json!({ "code": world.local.code_sent_to(NUMBER).await, "trust_device": true });
    let done = world.step(&login, "verification", body).await.expect(200);
    world.local.advance(300).await;
    done
}

async fn start(world: &World, application: &str, account: &str, device: &str) -> Value {
    let body = json!({
        "application": application, "trusted_device": device,
        "password": { "account": account, "password": PASSWORD },
    });
    world.local.send(Call::post("/v1/logins", &body)).await.expect(200)
}

async fn spared(world: &World, device: &str) -> bool {
    start(world, &world.application, "ann", device).await["tokens"].is_object()
}

async fn own(world: &World, method: &str, below: &str, access: &str) -> Answer {
    let path = format!("/v1/me/trusted-devices{below}");
    world.local.send(Call::new(method, &path).bearer(access)).await
}

#[tokio::test]
async fn h7_a_trusted_device_needs_no_code_for_its_days() {
    let (world, ann) = world().await;
    let done = trust(&world).await;
    let device = text(&done, "/trusted_device/token");
    let sent = world.messages_to(NUMBER).await;
    let answer = start(&world, &world.application, "ann", &device).await;
    assert_eq!((&answer["login"]["status"], &answer["login"]["user"]), (&json!("complete"), &json!(ann)));
    assert!(answer["login_token"].is_null());
    assert_eq!(world.messages_to(NUMBER).await, sent);

    // Another user with the same password, and another application.
    world.user(json!({ "username": "bob", "phone": "+12025550124", "password": PASSWORD })).await;
    assert!(start(&world, &world.application, "bob", &device).await["tokens"].is_null());
    let other = text(&world.application(json!({ "name": "Desk" })).await, "/id");
    assert!(start(&world, &other, "ann", &device).await["tokens"].is_null());

    world.security(json!({ "trusted_devices": { "enabled": false } })).await;
    assert!(!spared(&world, &device).await, "the switch is off");
    world.security(json!({ "trusted_devices": { "enabled": true } })).await;
    assert!(spared(&world, &device).await);
    world.local.advance(7 * DAY).await;
    assert!(!spared(&world, &device).await, "its days are over");
}

#[tokio::test]
async fn h7_trust_ends_by_revocation_and_with_the_number() {
    let (world, ann) = world().await;
    let done = trust(&world).await;
    let (first, id) = (text(&done, "/trusted_device/token"), text(&done, "/trusted_device/id"));
    let access = text(&done, "/tokens/access_token");
    let list = own(&world, "GET", "", &access).await.expect(200);
    assert_eq!(
        (&list["items"][0]["id"], &list["items"][0]["application"]),
        (&json!(id), &json!(world.application))
    );
    assert_eq!(own(&world, "DELETE", &format!("/{id}"), &access).await.status, 204);
    own(&world, "DELETE", &format!("/{id}"), &access).await.refused(404, "not_found");
    assert!(!spared(&world, &first).await);

    let second = text(&trust(&world).await, "/trusted_device/token");
    let devices = format!("/users/{ann}/trusted-devices");
    let listed = world.admin("GET", &devices, None).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(spared(&world, &second).await);
    assert_eq!(world.admin("DELETE", &devices, None).await.status, 204);
    assert!(!spared(&world, &second).await);

    let third = text(&trust(&world).await, "/trusted_device/token");
    let replaced = json!({ "phone": "+12025550129" });
    world.admin("PUT", &format!("/users/{ann}/phone"), Some(&replaced)).await.expect(200);
    assert!(!spared(&world, &third).await);
    let back = json!({ "phone": NUMBER });
    world.admin("PUT", &format!("/users/{ann}/phone"), Some(&back)).await.expect(200);
    assert!(!spared(&world, &third).await, "it is bound anew");
    let list = world.admin("GET", &devices, None).await.expect(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn t29_a_trusted_device_waits_for_its_own_failures_only() {
    let (world, _) = world().await;
    let done = trust(&world).await;
    let (device, id) = (text(&done, "/trusted_device/token"), text(&done, "/trusted_device/id"));
    let bobs = {
        let number = "+12025550124";
        world.user(json!({ "username": "bob", "phone": number, "password": PASSWORD })).await;
        let login = world.login("bob", PASSWORD).await;
        world.send_code(&login).await;
        let body = json!({ "code": world.local.code_sent_to(number).await, "trust_device": true });
        text(&world.step(&login, "verification", body).await.expect(200), "/trusted_device/token")
    };
    let other = text(&world.application(json!({ "name": "Desk" })).await, "/id");
    let try_at = async |application: &str, password: &str, device: Option<&str>| {
        let body = json!({
            "application": application, "trusted_device": device,
            "password": { "account": "ann", "password": password },
        });
        world.local.send(Call::post("/v1/logins", &body)).await
    };
    let here = &*world.application;
    let waits = |answer: Answer| {
        assert_eq!(answer.refused(429, "rate_limited")["rule"], "first_factor_account");
    };
    // Somebody keeps failing elsewhere, and at each end of the wait again.
    for failure in 0..9 {
        try_at(here, "not hers", None).await.refused(401, "first_factor_failed");
        if (4..8).contains(&failure) {
            world.local.advance(8).await;
        }
    }
    waits(try_at(here, PASSWORD, None).await);
    try_at(here, PASSWORD, Some(&device)).await.expect(200);
    // Only this device, of this user, at this application, while it is trusted.
    for token in [&*bobs, &device[..device.len() - 1], "mfa_dev_", "🦀"] {
        waits(try_at(here, PASSWORD, Some(token)).await);
    }
    waits(try_at(&other, PASSWORD, Some(&device)).await);
    // Who has the device guesses no faster, and its failures are nobody else's.
    for _ in 0..5 {
        try_at(here, "not hers", Some(&device)).await.refused(401, "first_factor_failed");
    }
    waits(try_at(here, PASSWORD, Some(&device)).await);
    world.local.advance(301).await;
    try_at(here, PASSWORD, None).await.expect(200);

    for _ in 0..2 {
        try_at(here, "not hers", None).await.refused(401, "first_factor_failed");
        world.local.advance(301).await;
    }
    try_at(here, "not hers", None).await.refused(401, "first_factor_failed");
    let done = try_at(here, PASSWORD, Some(&device)).await.expect(200);
    let access = text(&done, "/tokens/access_token");
    assert_eq!(own(&world, "DELETE", &format!("/{id}"), &access).await.status, 204);
    waits(try_at(here, PASSWORD, Some(&device)).await);
}
