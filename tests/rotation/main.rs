//! A rotation of every key loses no login: while one is under way, processes with two neighbouring values of a secret serve side by side, and
//! whichever takes a step of a login, it goes on. The values are made by package `keys`, as an operator makes them.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod program;
mod script;
mod world;

use keys::{add, make_current, remove};
use serde_json::{Value, json};
use shared::config::{OsEntropy, SecretName};
use world::World;

/// The secrets whose keys are replaced while logins are under way.
const ROTATED: [SecretName; 3] = [SecretName::Signing, SecretName::CodePepper, SecretName::Sealing];

/// The values of a rotation in their order: before, both keys, the new one in use, the old one gone.
fn stages(name: SecretName, first: &Value) -> [Value; 4] {
    let old = keys::ids(name, first).unwrap().remove(0);
    let both = add(name, first, &OsEntropy).unwrap();
    let used = make_current(name, &both.value, &both.id).unwrap();
    let last = remove(name, &used, &old).unwrap();
    [first.clone(), both.value, used, last]
}

#[tokio::test]
async fn no_login_is_lost_while_the_keys_are_rotated() {
    let mut world = World::new().await;
    for name in ROTATED {
        let stages = stages(name, &world.value(name));
        for (old, new) in stages.iter().zip(&stages[1..]) {
            let processes = [world.process(name, old), world.process(name, new)];
            // Start, send, verify, and the use of the token: each by either process.
            for who in 0..16_usize {
                let by = |step: usize| &processes[who >> step & 1];
                let (user, number) = world.user(&processes[0]).await;
                let login = world.start(by(0), &user).await;
                world.step(by(1), &login, "code", json!({})).await.expect(200);
                let code = world.code();
                let done = world.step(by(2), &login, "verification", json!({ "code": code })).await;
                let access = done.expect(200)["tokens"]["access_token"].as_str().unwrap().to_owned();
                let own = world.own_phone(by(3), &access).await.expect(200);
                assert!(own["phone_hint"].as_str().unwrap().ends_with(&number[number.len() - 2..]));
            }
            world.clock.advance(60);
        }
        world.adopt(name, stages[3].clone());
    }
}

/// What the steps of a rotation are for: without them each of these is lost.
#[tokio::test]
async fn a_rotation_in_one_step_loses_logins() {
    let world = World::new().await;
    for name in ROTATED {
        let [first, _, used, last] = stages(name, &world.value(name));
        let (before, used, last) =
            (world.process(name, &first), world.process(name, &used), world.process(name, &last));
        let lost = match name {
            // A process that has not heard of the new key meets what it made.
            SecretName::Signing => {
                let access = world.log_in(&used).await;
                world.own_phone(&before, &access).await
            }
            SecretName::Sealing => {
                let (user, _) = world.user(&before).await;
                let login = world.start(&used, &user).await;
                world.step(&before, &login, "code", json!({})).await
            }
            // The code was made with a key that is gone.
            _ => {
                let (user, _) = world.user(&before).await;
                let login = world.start(&before, &user).await;
                world.step(&before, &login, "code", json!({})).await.expect(200);
                world.step(&last, &login, "verification", json!({ "code": world.code() })).await
            }
        };
        assert_eq!(lost.status, 401, "{name:?}: {}", lost.body);
    }
}

#[tokio::test]
async fn t21_a_key_that_was_removed_opens_nothing_any_more() {
    let world = World::new().await;
    let [first, .., last] = stages(SecretName::Signing, &world.value(SecretName::Signing));
    let (before, after) =
        (world.process(SecretName::Signing, &first), world.process(SecretName::Signing, &last));
    let access = world.log_in(&before).await;
    world.own_phone(&before, &access).await.expect(200);
    world.own_phone(&after, &access).await.refused(401, "unauthenticated");

    let [first, .., last] = stages(SecretName::Sealing, &world.value(SecretName::Sealing));
    let (before, after) =
        (world.process(SecretName::Sealing, &first), world.process(SecretName::Sealing, &last));
    let (user, _) = world.user(&before).await;
    let login = world.start(&before, &user).await;
    world.step(&after, &login, "code", json!({})).await.refused(401, "unauthenticated");
}

/// Recovery codes do not expire, so their old pepper stays in the ring: it only makes no new ones.
#[tokio::test]
async fn h7_recovery_codes_outlive_a_rotation() {
    let world = World::new().await;
    let name = SecretName::RecoveryPepper;
    let first = world.value(name);
    let both = add(name, &first, &OsEntropy).unwrap();
    let used = make_current(name, &both.value, &both.id).unwrap();
    let (before, both, after) =
        (world.process(name, &first), world.process(name, &both.value), world.process(name, &used));
    let (user, _) = world.user(&before).await;
    let login = world.start(&before, &user).await;
    world.step(&before, &login, "code", json!({})).await.expect(200);
    let done = world.step(&before, &login, "verification", json!({ "code": world.code() })).await.expect(200);
    let access = done["tokens"]["access_token"].as_str().unwrap().to_owned();
    let codes = async |process| {
        let made = world.call(process, "POST", "/v1/me/recovery-codes", &access, None).await.expect(201);
        let codes = made["recovery_codes"].as_array().unwrap().clone();
        codes.into_iter().map(|code| code.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let old = codes(&before).await;
    for (process, code) in [&before, &both, &after].into_iter().zip(&old) {
        world.recover(process, &user, code).await.expect(200);
    }
    let new = codes(&after).await;
    world.recover(&both, &user, &new[0]).await.expect(200);
    world.recover(&before, &user, &new[1]).await.refused(401, "wrong_code");
}

#[tokio::test]
async fn an_operators_key_is_replaced_with_an_overlap() {
    let world = World::new().await;
    let name = SecretName::Operator;
    let first = world.value(name);
    let old = keys::ids(name, &first).unwrap().remove(0);
    let both = add(name, &first, &OsEntropy).unwrap();
    let last = remove(name, &both.value, &old).unwrap();
    let (before, new) = (world.operator_key(), both.operator_key.unwrap());
    for (value, old_works, new_works) in
        [(&first, true, false), (&both.value, true, true), (&last, false, true)]
    {
        let process = world.process(name, value);
        for (key, works) in [(before, old_works), (&*new, new_works)] {
            let body = json!({ "name": "Next", "home_country": "US" });
            let made = world.call(&process, "POST", "/v1/tenants", key, Some(body)).await;
            assert_eq!(made.status, if works { 201 } else { 401 });
        }
    }
}
