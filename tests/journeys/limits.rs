//! The money guard: acceptance H4. Each refusal names its rule and says when.

use crate::world::World;
use serde_json::{Value, json};
use tests::values::text;

const PASSWORD: &str = "correct horse battery";

fn number(i: usize) -> String {
    format!("+1202555{:04}", 100 + i)
}

/// Starts a login of the user and asks for a code; answers the refusal, or null where one was sent (and the login finished with it).
async fn send(world: &World, account: &str) -> Value {
    let login = world.login(account, PASSWORD).await;
    let answer = world.step(&login, "code", json!({})).await;
    if answer.status == 200 {
        let i = account.rsplit('-').next().unwrap().parse().unwrap();
        let code = world.local.code_sent_to(&number(i)).await;
        world.guess(&login, &code).await.expect(200);
        return Value::Null;
    }
    let retry: u64 = answer.header("retry-after").expect("retry-after").parse().unwrap();
    assert!(retry >= 1);
    answer.refused(429, "rate_limited")
}

async fn user(world: &World, i: usize) -> String {
    let name = format!("user-{i}");
    world.user(json!({ "username": name, "phone": number(i), "password": PASSWORD })).await;
    name
}

#[tokio::test]
async fn t10_a_number_waits_longer_with_every_message_whoever_asks() {
    let world = World::with_sms().await;
    let name = user(&world, 1).await;
    assert!(send(&world, &name).await.is_null());
    for wait in [30, 60, 120, 240] {
        world.local.advance(wait - 10).await;
        assert_eq!(send(&world, &name).await["rule"], "phone_wait", "{wait}");
        world.local.advance(11).await;
        assert!(send(&world, &name).await.is_null(), "{wait}");
    }
    world.local.advance(481).await;
    assert_eq!(send(&world, &name).await["rule"], "per_phone_hour");
    world.local.advance(3600).await;
    assert!(send(&world, &name).await.is_null());
}

#[tokio::test]
async fn t10_two_tenants_share_a_numbers_limit() {
    let world = World::with_sms().await;
    let name = user(&world, 1).await;
    assert!(send(&world, &name).await.is_null());
    let operator = world.local.operator_key().to_owned();
    let body = json!({ "name": "Other", "home_country": "US" });
    let made = world
        .local
        .send(tests::http_client::Call::post("/v1/tenants", &body).bearer(&operator))
        .await
        .expect(201);
    let mut other = World { tenant: text(&made, "/id"), admin: text(&made, "/admin_key/secret"), ..world };
    other.security(json!({ "mfa": { "sms": { "enabled": true } } })).await;
    other.application = text(&other.application(json!({ "name": "Theirs" })).await, "/id");
    let name = user(&other, 1).await;
    assert_eq!(send(&other, &name).await["rule"], "phone_wait");
}

#[tokio::test]
async fn h4_every_cap_names_its_rule() {
    let world = World::with_sms().await;
    world.local.advance_to_an_hour().await;
    let names = [user(&world, 1).await, user(&world, 2).await, user(&world, 3).await];
    for (limits, rule) in [
        (json!({ "per_ip_hour": 2 }), "per_ip_hour"),
        (json!({ "per_range_hour": 2 }), "per_range_hour"),
        (json!({ "per_country_day": 2 }), "per_country_day"),
        (json!({ "per_application_day": 2 }), "per_application_day"),
        (json!({ "per_tenant_day": 2 }), "per_tenant_day"),
    ] {
        world.local.advance(2 * 86_400).await;
        world.security(json!({ "limits": null })).await;
        world.security(json!({ "limits": limits })).await;
        assert!(send(&world, &names[0]).await.is_null(), "{rule}");
        assert!(send(&world, &names[1]).await.is_null(), "{rule}");
        assert_eq!(send(&world, &names[2]).await["rule"], rule);
    }
    world.local.advance(2 * 86_400).await;
    world.security(json!({ "limits": { "budget_usd_day": 0 } })).await;
    let before = world.local.outbox().await.len();
    assert_eq!(send(&world, &names[0]).await["rule"], "budget_usd_day");
    world.security(json!({ "limits": null })).await;
    world.security(json!({ "limits": { "per_user_hour": 1 } })).await;
    world.local.advance(3600).await;
    assert!(send(&world, &names[1]).await.is_null());
    world.local.advance(100).await;
    assert_eq!(send(&world, &names[1]).await["rule"], "per_user_hour");
    assert_eq!(world.local.outbox().await.len(), before + 1);
}

#[tokio::test]
async fn h4_the_kill_switch_stops_new_logins_and_those_under_way() {
    let world = World::with_sms().await;
    let name = user(&world, 1).await;
    let under_way = world.login(&name, PASSWORD).await;
    world.security(json!({ "sending": { "enabled": false } })).await;
    for login in [&under_way, &world.login(&name, PASSWORD).await] {
        let answer = world.step(login, "code", json!({})).await;
        assert!(answer.header("retry-after").is_some());
        answer.refused(503, "sending_disabled");
    }
    assert!(world.local.outbox().await.is_empty());
    world.security(json!({ "sending": { "enabled": true } })).await;
    world.local.advance(100).await;
    let login = world.login(&name, PASSWORD).await;
    world.send_code(&login).await;
}

#[tokio::test]
async fn h4_a_country_is_closed_until_an_administrator_opens_it() {
    let world = World::with_sms().await;
    let abroad = json!({ "username": "abroad", "phone": "+4915123456789", "password": PASSWORD });
    world.user(abroad).await;
    let login = world.login("abroad", PASSWORD).await;
    world.step(&login, "code", json!({})).await.refused(422, "country_not_allowed");
    world.security(json!({ "countries": { "allow": ["US", "DE"] } })).await;
    let login = world.login("abroad", PASSWORD).await;
    world.send_code(&login).await;
}
