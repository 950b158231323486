//! Changes at the same time: whatever their order, there is an event for each that was made and for no other.

use crate::world::{Answer, World, text};
use futures::future::join_all;
use serde_json::{Value, json};

fn made(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status < 300).count()
}

/// Follows one value through the events, newest first, from `first` on; answers what it is at the end.
#[track_caller]
fn followed(events: &[Value], first: Value, value: impl Fn(&Value) -> Value) -> Value {
    events.iter().rev().fold(first, |now, event| {
        assert_eq!(value(&event["before"]), now, "{event}");
        value(&event["after"])
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_patches_at_once_each_that_is_made_has_its_event() {
    let world = World::ticking().await;
    for field in ["per_phone_hour", "per_phone_day"] {
        let first = world.get("/security").await["limits"][field].clone();
        let patches = (100..120).map(|n| world.owner("PATCH", "/security", json!({"limits": {field: n}})));
        let answers = join_all(patches).await;
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
        let events = world.events("&type=tenant.security.changed", 100).await;
        let events: Vec<_> =
            events.into_iter().filter(|event| event["after"]["limits"].get(field).is_some()).collect();
        assert_eq!(events.len(), made(&answers));
        assert!(!events.is_empty());
        let last = followed(&events, first, |side| side["limits"][field].clone());
        assert_eq!(last, world.get("/security").await["limits"][field]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_users_of_one_name_at_once_the_one_that_is_made_has_its_event() {
    let world = World::new().await;
    let creations = (0..16).map(|_| world.owner("POST", "/users", json!({"username": "ana"})));
    let answers = join_all(creations).await;
    assert_eq!(made(&answers), 1);
    let user = answers.iter().find(|answer| answer.status == 201).map(|answer| text(&answer.body["id"]));
    let events = world.events("&type=user.created", 100).await;
    assert_eq!(events.iter().map(|event| event["user"].as_str()).collect::<Vec<_>>(), [user.as_deref()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_bound_replaced_and_unbound_at_once_leaves_a_history_without_gaps() {
    let world = World::ticking().await;
    let user = world.user(json!({"username": "ana"})).await;
    let path = format!("/users/{user}/phone");
    for round in 0..3 {
        let calls = (0..12).map(|n| {
            let body = json!({"phone": format!("+1202555{:04}", 100 + round * 12 + n)});
            let unbind = n % 4 == 3;
            world.owner(if unbind { "DELETE" } else { "PUT" }, &path, if unbind { Value::Null } else { body })
        });
        let answers = join_all(calls).await;
        assert!(answers.iter().all(|a| matches!(a.status, 200 | 204 | 409)), "{answers:?}");
        let events = world.events(&format!("&user={user}"), 100).await;
        let events: Vec<_> =
            events.into_iter().filter(|event| event["after"].get("phone").is_some()).collect();
        let last = followed(&events, Value::Null, |side| side["phone"].clone());
        let bound = world.get(&format!("/users/{user}")).await["phone"].clone();
        let hint = |number: &str| format!("+1 ••• ••• ••{}", &number[number.len() - 2..]);
        assert_eq!(last["hint"].as_str().map(str::to_owned), bound.as_str().map(hint));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_deleted_while_it_is_changed_is_told_as_it_was_last() {
    let world = World::new().await;
    for round in 0..5 {
        let user = world.user(json!({"username": format!("ana{round}"), "phone": "+12025550142"})).await;
        let at = format!("/users/{user}");
        let patch = json!({"locale": "de"});
        let (changed, deleted) =
            tokio::join!(world.owner("PATCH", &at, patch), world.owner("DELETE", &at, Value::Null));
        assert_eq!(deleted.status, 204, "{}", deleted.text);
        let of_kind = async |kind: &str| world.events(&format!("&user={user}&type={kind}"), 100).await;
        assert_eq!(of_kind("user.changed").await.len(), made(&[changed]));
        let (gone, unbound) = (of_kind("user.deleted").await, of_kind("phone.unbound").await);
        assert_eq!((gone.len(), unbound.len()), (1, 1));
        let locale = if of_kind("user.changed").await.is_empty() { Value::Null } else { json!("de") };
        assert_eq!(gone[0]["before"]["locale"], locale);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_and_a_source_deleted_by_many_at_once_are_told_once() {
    let world = World::new().await;
    let body =
        json!({"kind": "oidc", "name": "Corporate", "issuer": "https://login.example", "audience": "shop"});
    let source = text(&world.owner("POST", "/identity-sources", body).await.expect(201)["id"]);
    let key = json!({"role": "auditor", "name": "Ann"});
    let key = text(&world.owner("POST", "/admin-keys", key).await.expect(201)["id"]);
    for (path, kind) in [
        (format!("/identity-sources/{source}"), "identity_source.deleted"),
        (format!("/admin-keys/{key}"), "admin_key.deleted"),
    ] {
        let answers = join_all((0..8).map(|_| world.owner("DELETE", &path, Value::Null))).await;
        assert_eq!(made(&answers), 1, "{answers:?}");
        assert_eq!(world.events(&format!("&type={kind}"), 100).await.len(), 1);
    }
}
