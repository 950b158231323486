//! Trusted devices: what one spares and what it does not, how its trust ends, and who ends it.

use crate::world::{Answer, World, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NUMBER: &str = "+12025550101";
const OTHER: &str = "+12025550102";
const DAY: i64 = 86_400;

/// A deployment whose tenant lets devices be trusted for 30 days, with Ann, who has a number.
async fn world() -> (World, String) {
    let world = World::new().await;
    world.security(json!({"trusted_devices": {"enabled": true, "days": 30}})).await;
    let ann = world.user("ann", Some(NUMBER)).await;
    (world, ann)
}

/// Signs in with a code, makes the device a trusted one and answers all of that.
async fn trust(world: &World, name: &str) -> Value {
    let login = world.login(name).await;
    let body = world.verify(&login, json!({"trust_device": true})).await.expect(200);
    world.pause();
    body
}

/// Id and token of a device that has just been trusted.
async fn device(world: &World, name: &str) -> (String, String) {
    let body = trust(world, name).await;
    (text(&body["trusted_device"]["id"]), text(&body["trusted_device"]["token"]))
}

/// Starts a login of `application` with a device.
async fn with_device(world: &World, application: &str, name: &str, token: &str) -> Answer {
    world.start(application, name, json!({"trusted_device": token})).await
}

/// Whether the device spares Ann the code; and that, where it doesn't, nothing says why.
async fn spared(world: &World, name: &str, token: &str) -> bool {
    let body = with_device(world, &world.application, name, token).await.expect(200);
    let spared = body["tokens"].is_object();
    let without = world.start(&world.application, name, json!({})).await.expect(200);
    if !spared {
        let strip = |body: &Value| {
            let mut body = body.clone();
            body["login"]["id"] = Value::Null;
            body["login_token"] = Value::Null;
            body
        };
        assert_eq!(strip(&body), strip(&without), "a device that is worth nothing says nothing");
    }
    spared
}

fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap())
        .unwrap()
}

#[tokio::test]
async fn h7_a_trusted_device_spares_its_user_the_code() {
    let (world, ann) = world().await;
    let body = trust(&world, "ann").await;
    let made = &body["trusted_device"];
    assert!(made["token"].as_str().unwrap().starts_with("mfa_device_"), "{made}");
    assert!(made["id"].as_str().unwrap().starts_with("dev_"));
    assert_eq!(made["expires_at"], "2026-12-24T14:00:00.000Z", "30 days");
    assert_eq!(body["login"]["status"], "complete");
    let strong = claims(body["tokens"]["access_token"].as_str().unwrap());
    assert_eq!((&strong["amr"], &strong["acr"]), (&json!(["pwd", "sms", "mfa"]), &json!("aal2")));

    let sent = world.messages().len();
    let token = made["token"].as_str().unwrap();
    let body = with_device(&world, &world.application, "ann", token).await.expect(200);
    assert_eq!((&body["login"]["status"], &body["login"]["user"]), (&json!("complete"), &json!(ann)));
    assert!(body["login_token"].is_null() && body["trusted_device"].is_null(), "{body}");
    let weak = claims(body["tokens"]["access_token"].as_str().unwrap());
    assert_eq!((&weak["amr"], &weak["acr"]), (&json!(["pwd"]), &json!("aal1")));
    assert_eq!(world.messages().len(), sent);
    assert!(spared(&world, "ann", token).await, "as often as it is used");

    // It is worth one factor: what takes two stays closed.
    let access = text(&body["tokens"]["access_token"]);
    let refused = world.me("DELETE", "/phone", &access, Value::Null).await;
    assert_eq!(refused.outcome(), (403, "step_up_required"));
}

#[tokio::test]
async fn h7_a_device_is_no_first_factor() {
    let (world, _) = world().await;
    let (_, token) = device(&world, "ann").await;
    let body = json!({
        "application": world.application, "trusted_device": token,
        "password": {"account": "ann", "password": "not hers at all"},
    });
    assert_eq!(world.call("POST", "/v1/logins", "", body).await.outcome(), (401, "first_factor_failed"));
    let body = json!({"application": world.application, "trusted_device": token});
    assert_eq!(world.call("POST", "/v1/logins", "", body).await.outcome(), (400, "invalid_request"));
    for key in [&token, &format!("{token}x")] {
        assert_eq!(world.me("GET", "/phone", key, Value::Null).await.outcome(), (401, "unauthenticated"));
        let path = format!("/v1/tenants/{}", world.tenant);
        assert_eq!(world.call("GET", &path, key, Value::Null).await.outcome(), (401, "unauthenticated"));
        let as_secret = json!({"application": world.application, "assertion": {"user": "usr_x"}});
        let refused = world.call("POST", "/v1/logins", key, as_secret).await;
        assert!(matches!(refused.status, 401 | 403), "{}", refused.body);
    }
}

#[tokio::test]
async fn h7_only_its_own_user_application_and_token_count() {
    let (world, _) = world().await;
    world.user("bob", Some(OTHER)).await;
    let (_, anns) = device(&world, "ann").await;
    let (_, bobs) = device(&world, "bob").await;
    assert!(!spared(&world, "bob", &anns).await && !spared(&world, "ann", &bobs).await);

    let other = text(&world.admin("POST", "/applications", json!({"name": "Desk"})).await.expect(201)["id"]);
    let body = with_device(&world, &other, "ann", &anns).await.expect(200);
    assert!(body["tokens"].is_null() && body["login_token"].is_string(), "another application: {body}");

    // The right id with another secret, and with a checksum that is right.
    let forged = forge(&anns);
    assert_ne!(forged, anns);
    assert!(!spared(&world, "ann", &forged).await);
    for nonsense in ["", "x", "mfa_device_", &anns[..anns.len() - 1], &world.admin] {
        assert!(!spared(&world, "ann", nonsense).await, "{nonsense}");
    }
    assert!(spared(&world, "ann", &anns).await);
}

/// A token of the same device with a secret that somebody made up.
fn forge(token: &str) -> String {
    use shared::auth::credential::{Credential, Holder};
    let holder = Credential::parse(token).unwrap().holder;
    assert!(matches!(holder, Holder::Device { .. }));
    Credential::generate(holder, |buffer| buffer.fill(7)).text.into_exposed()
}

#[tokio::test]
async fn h7_trust_ends_when_its_days_are_over() {
    let (world, _) = world().await;
    let (id, token) = device(&world, "ann").await;
    world.clock.advance(29 * DAY);
    assert!(spared(&world, "ann", &token).await);
    // The administrator shortens the time: that holds for devices of before.
    world.security(json!({"trusted_devices": {"days": 7}})).await;
    assert!(!spared(&world, "ann", &token).await);
    world.security(json!({"trusted_devices": {"days": 90}})).await;
    assert!(spared(&world, "ann", &token).await);
    world.clock.advance(DAY);
    assert!(!spared(&world, "ann", &token).await, "and a longer one doesn't");
    let access = world.signed_in("ann").await;
    let list = world.me("GET", "/trusted-devices", &access, Value::Null).await.expect(200);
    assert_eq!(list, json!({"items": [], "next": null}), "no TTL has run");
    let gone = world.me("DELETE", &format!("/trusted-devices/{id}"), &access, Value::Null).await;
    assert_eq!(gone.outcome(), (404, "not_found"));
}

#[tokio::test]
async fn h7_trust_ends_when_the_switch_goes_off_and_none_is_given_then() {
    let (world, _) = world().await;
    let (_, token) = device(&world, "ann").await;
    let before = world.login("ann").await;
    world.security(json!({"trusted_devices": {"enabled": false}})).await;
    assert!(!spared(&world, "ann", &token).await);
    let login = world.login("ann").await;
    let body = world.verify(&login, json!({"trust_device": true})).await.expect(200);
    assert!(body["tokens"].is_object() && body["trusted_device"].is_null(), "{body}");
    world.pause();
    // A login that began before is decided by the policy of its start.
    let body = world.verify(&before, json!({"trust_device": true})).await.expect(200);
    let late = text(&body["trusted_device"]["token"]);
    assert!(!spared(&world, "ann", &late).await);
    world.security(json!({"trusted_devices": {"enabled": true}})).await;
    assert!(spared(&world, "ann", &late).await && spared(&world, "ann", &token).await);
}

#[tokio::test]
async fn h7_an_application_has_the_switch_of_its_own_rules() {
    let (world, _) = world().await;
    let own = json!({"mfa": {"sms": {"enabled": true}}, "trusted_devices": {"enabled": false}});
    world.admin("PATCH", &format!("/applications/{}/security", world.lax), own).await.expect(200);
    let login = crate::world::Login::of(&world.start(&world.lax, "ann", json!({})).await.expect(200));
    let body = world.verify(&login, json!({"trust_device": true})).await.expect(200);
    assert!(body["trusted_device"].is_null(), "{body}");
}

#[tokio::test]
async fn h7_nobody_is_trusted_who_did_not_ask() {
    let (world, _) = world().await;
    for more in [json!({}), json!({"trust_device": false})] {
        let login = world.login("ann").await;
        let body = world.verify(&login, more).await.expect(200);
        assert!(body.get("trusted_device").is_none(), "{body}");
        world.pause();
    }
    let login = world.login("ann").await;
    let refused = world.step(&login, "verification", json!({"code": "123456", "trust_device": "yes"})).await;
    assert_eq!(refused.outcome(), (400, "invalid_request"));
    let code = world.sent_code(&login).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let body = json!({"code": wrong, "trust_device": true});
    assert_eq!(world.step(&login, "verification", body).await.outcome(), (401, "wrong_code"));
    assert_eq!(devices(&world).await.len(), 0);
}

/// The items of all devices.
async fn devices(world: &World) -> Vec<shared::dynamodb::Item> {
    let mut items = world.logins("login#").await;
    items.retain(|item| item["sk"].as_s().unwrap().starts_with("trusted-device#"));
    items
}

#[tokio::test]
async fn h7_a_device_can_be_trusted_with_the_number_that_this_login_binds() {
    let (world, _) = world().await;
    world.user("bob", None).await;
    let login = world.login("bob").await;
    world.step(&login, "phone", json!({"phone": OTHER})).await.expect(200);
    world.clock.advance(5);
    let body = world.verify(&login, json!({"trust_device": true})).await.expect(200);
    assert!(spared(&world, "bob", body["trusted_device"]["token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn h7_a_recovery_code_may_trust_a_device_too() {
    let (world, _) = world().await;
    world.security(json!({"recovery_codes": {"enabled": true}})).await;
    world.user("bob", None).await;
    let login = world.login("bob").await;
    world.step(&login, "phone", json!({"phone": OTHER})).await.expect(200);
    let body = world.verify(&login, json!({})).await.expect(200);
    let code = &body["recovery_codes"][0];
    world.pause();
    let login = world.login("bob").await;
    let given = json!({"recovery_code": code, "trust_device": true});
    let body = world.step(&login, "verification", given).await.expect(200);
    assert!(spared(&world, "bob", body["trusted_device"]["token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn h7_trust_ends_when_the_number_is_replaced_removed_or_bound_again() {
    let (world, ann) = world().await;
    let path = format!("/users/{ann}/phone");
    let (_, token) = device(&world, "ann").await;
    world.admin("PUT", &path, json!({"phone": NUMBER})).await.expect(200);
    assert!(spared(&world, "ann", &token).await, "the same number stays bound since when it was");
    world.admin("PUT", &path, json!({"phone": OTHER})).await.expect(200);
    assert!(!spared(&world, "ann", &token).await);
    world.clock.advance(1);
    world.admin("PUT", &path, json!({"phone": NUMBER})).await.expect(200);
    assert!(!spared(&world, "ann", &token).await, "it is another binding");

    let (_, token) = device(&world, "ann").await;
    assert!(spared(&world, "ann", &token).await);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    assert!(!spared(&world, "ann", &token).await);
    world.clock.advance(1);
    world.admin("PUT", &path, json!({"phone": NUMBER})).await.expect(200);
    assert!(!spared(&world, "ann", &token).await);

    // Her own replacement, at its last step.
    world.clock.advance(3600);
    let (_, token) = device(&world, "ann").await;
    let access = world.signed_in("ann").await;
    world.clock.advance(250);
    let asked = world.me("PUT", "/phone", &access, json!({"phone": OTHER})).await.expect(202);
    let login = crate::world::Login::of(&asked);
    world.verify(&login, json!({"trust_device": true})).await.expect(200);
    assert!(spared(&world, "ann", &token).await, "nothing has changed yet");
    world.clock.advance(60);
    let body = world.verify(&login, json!({"trust_device": true})).await.expect(200);
    assert!(body["trusted_device"].is_null(), "it is no sign-in: {body}");
    assert!(!spared(&world, "ann", &token).await);
    // They are not shown any more either.
    let list = world.admin("GET", &format!("/users/{ann}/trusted-devices"), Value::Null).await.expect(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn h7_a_disabled_factor_is_not_spared() {
    let (world, ann) = world().await;
    let (_, token) = device(&world, "ann").await;
    world.set_failures(&ann, 95).await;
    assert!(spared(&world, "ann", &token).await);
    world.set_failures(&ann, 96).await;
    assert!(!spared(&world, "ann", &token).await);
    let login = world.login("ann").await;
    assert_eq!(world.step(&login, "code", json!({})).await.outcome(), (403, "factor_disabled"));
}

#[tokio::test]
async fn h7_users_list_and_revoke_their_devices() {
    let (world, _) = world().await;
    world.user("bob", Some(OTHER)).await;
    let first = device(&world, "ann").await;
    let body = trust(&world, "ann").await;
    let second = (text(&body["trusted_device"]["id"]), text(&body["trusted_device"]["token"]));
    let bobs = device(&world, "bob").await;
    // One factor is enough: whoever has lost a device has likely lost the phone too.
    let access = world.signed_in_laxly("ann").await;
    let call = |method: &'static str, below: String| {
        let (world, access) = (&world, access.clone());
        async move { world.me(method, &format!("/trusted-devices{below}"), &access, Value::Null).await }
    };
    let list = call("GET", String::new()).await.expect(200);
    let shown = json!({
        "id": second.0, "application": world.application,
        "created_at": list["items"][0]["created_at"], "expires_at": body["trusted_device"]["expires_at"],
    });
    assert_eq!(list["items"][0], shown, "newest first, and no hash");
    assert_eq!((&list["items"][1]["id"], &list["next"]), (&json!(first.0), &Value::Null));
    let page = call("GET", "?limit=1".into()).await.expect(200);
    let next = call("GET", format!("?limit=1&cursor={}", page["next"].as_str().unwrap())).await.expect(200);
    assert_eq!((&page["items"][0], &next["items"][0]), (&list["items"][0], &list["items"][1]));
    assert!(next["next"].is_null());
    assert_eq!(call("GET", "?cursor=x".into()).await.outcome(), (400, "invalid_request"));
    assert_eq!(call("GET", format!("/{}", second.0)).await.expect(200), shown);

    // Another's device is not there.
    for method in ["GET", "DELETE"] {
        assert_eq!(call(method, format!("/{}", bobs.0)).await.outcome(), (404, "not_found"));
        assert_eq!(call(method, "/nonsense".into()).await.outcome(), (404, "not_found"));
    }
    call("DELETE", format!("/{}", first.0)).await.expect(204);
    assert_eq!(call("DELETE", format!("/{}", first.0)).await.outcome(), (404, "not_found"));
    assert!(!spared(&world, "ann", &first.1).await && spared(&world, "ann", &second.1).await);
    call("DELETE", String::new()).await.expect(204);
    call("DELETE", String::new()).await.expect(204);
    assert!(!spared(&world, "ann", &second.1).await && spared(&world, "bob", &bobs.1).await);
    assert_eq!(
        world.me("GET", "/trusted-devices", "", Value::Null).await.outcome(),
        (401, "unauthenticated")
    );
    let login = world.login("ann").await;
    let refused = world.me("GET", "/trusted-devices", &login.token, Value::Null).await;
    assert_eq!(refused.outcome(), (401, "unauthenticated"), "a login token opens its login only");
}

#[tokio::test]
async fn h7_administrators_list_and_revoke_devices_and_both_are_audited() {
    let (world, ann) = world().await;
    let (id, token) = device(&world, "ann").await;
    let (other, other_token) = device(&world, "ann").await;
    let path = format!("/users/{ann}/trusted-devices");
    let list = world.admin("GET", &path, Value::Null).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let shown = world.admin("GET", &format!("{path}/{id}"), Value::Null).await.expect(200);
    assert_eq!((&shown["id"], shown.as_object().unwrap().len()), (&json!(id), 4));
    world.admin("DELETE", &format!("{path}/{id}"), Value::Null).await.expect(204);
    let again = world.admin("DELETE", &format!("{path}/{id}"), Value::Null).await;
    assert_eq!(again.outcome(), (404, "not_found"));
    assert!(!spared(&world, "ann", &token).await && spared(&world, "ann", &other_token).await);
    let access = world.signed_in_laxly("ann").await;
    world.clock.advance(1);
    world.me("DELETE", "/trusted-devices", &access, Value::Null).await.expect(204);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    let nobody = format!("/users/usr_{}/trusted-devices", "0".repeat(22));
    for method in ["GET", "DELETE"] {
        assert_eq!(world.admin(method, &nobody, Value::Null).await.outcome(), (404, "not_found"));
    }

    let audit = format!("/audit-events?user={ann}&type=trusted_device.");
    let of = async |kind: &str| {
        let answer = world.admin("GET", &format!("{audit}{kind}"), Value::Null).await.expect(200);
        answer["items"].as_array().unwrap().clone()
    };
    let (added, revoked) = (of("added").await, of("revoked").await);
    assert_eq!(added.len(), 2);
    assert_eq!((&added[1]["after"]["id"], &added[1]["actor"]["type"]), (&json!(id), &json!("user")));
    let by: Vec<_> = revoked.iter().map(|event| (&event["before"]["id"], &event["actor"]["type"])).collect();
    let expected = [(&json!(other), &json!("user")), (&json!(id), &json!("administrator"))];
    assert_eq!(by, expected, "newest first, and nothing where nothing was done");
    let all = format!("{added:?}{revoked:?}");
    assert!(!all.contains("mfa_device_") && !all.contains("hash"), "{all}");
}

#[tokio::test]
async fn h7_a_user_has_at_most_20_devices_and_the_oldest_goes() {
    let (world, ann) = world().await;
    world
        .security(json!({"limits": {"per_user_hour": 100, "per_phone_hour": 1000, "per_phone_day": 1000}}))
        .await;
    let mut made = Vec::new();
    for _ in 0..21 {
        made.push(device(&world, "ann").await);
        world.clock.advance(3600);
    }
    let list = world.admin("GET", &format!("/users/{ann}/trusted-devices"), Value::Null).await.expect(200);
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect();
    let newest: Vec<_> = made[1..].iter().rev().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, newest);
    assert_eq!(devices(&world).await.len(), 20);
    assert!(!spared(&world, "ann", &made[0].1).await && spared(&world, "ann", &made[1].1).await);

    // Removing them all is one transaction, with all their events.
    world.admin("DELETE", &format!("/users/{ann}/trusted-devices"), Value::Null).await.expect(204);
    assert_eq!(devices(&world).await.len(), 0);
}

#[tokio::test]
async fn h7_devices_trusted_at_once_find_room_one_after_the_other() {
    let (world, ann) = world().await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        let login = world.login("ann").await;
        let code = world.sent_code(&login).await;
        world.clock.advance(60);
        codes.push((login, code));
    }
    let tries = codes
        .iter()
        .map(|(login, code)| world.step(login, "verification", json!({"code": code, "trust_device": true})));
    let answers = futures::future::join_all(tries).await;
    let mut ids = BTreeSet::new();
    for answer in answers {
        ids.insert(text(&answer.expect(200)["trusted_device"]["id"]));
    }
    let list = world.admin("GET", &format!("/users/{ann}/trusted-devices"), Value::Null).await.expect(200);
    let listed: BTreeSet<_> =
        list["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect();
    assert_eq!((ids.len(), &listed), (3, &ids));
}

#[tokio::test]
async fn h7_devices_are_kept_hashed_and_go_with_their_user() {
    let (world, ann) = world().await;
    let (_, token) = device(&world, "ann").await;
    let items = devices(&world).await;
    let text = format!("{items:?}");
    assert!(!text.contains(&token) && !text.contains(&token[34..77]) && !text.contains("202555"), "{text}");
    let end = items[0]["expires_at"].as_n().unwrap().parse::<i64>().unwrap();
    assert_eq!(items[0]["ttl"].as_n().unwrap(), &(end / 1000).to_string());
    world.admin("DELETE", &format!("/users/{ann}"), Value::Null).await.expect(204);
    assert!(world.logins("login#").await.is_empty());
}
