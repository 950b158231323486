//! First logins of subjects that no user is linked to.

use crate::world::{World, text};
use futures::future::join_all;
use serde_json::{Value, json};
use shared::domain::factor::Factor;
use shared::domain::ids::{SourceId, UserId};
use shared::domain::time::Timestamp;
use shared::domain::user::{SealedIdentifier, User};
use shared::dynamodb::keys;
use shared::ports::{ProvisionStore, Provisioned};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test]
async fn f2b_a_subject_becomes_a_user_only_where_the_source_says_so() {
    let world = World::new().await;
    let made = |source: &str| format!("/identity-sources/{source}");
    let provisioning = async |source: &str| {
        text(&world.admin("GET", &made(source), Value::Null).await.expect(200)["provisioning"])
    };
    let silent = world.source(None).await;
    let linked = world.source(Some("linked_only")).await;
    let in_time = world.source(Some("just_in_time")).await;
    assert_eq!(provisioning(&silent).await, "linked_only");
    assert_eq!(provisioning(&linked).await, "linked_only");
    assert_eq!(provisioning(&in_time).await, "just_in_time");
    for source in [&silent, &linked] {
        let answer = world.log_in(source, "alice").await;
        assert_eq!(answer.outcome(), (401, "first_factor_failed"));
        assert!(text(&answer.body["detail"]).contains("no user of this tenant"), "{}", answer.body);
    }
    assert_eq!(world.counts().await, [0, 0, 0]);
    world.log_in(&in_time, "alice").await.expect(200);
    assert_eq!(world.counts().await, [1, 1, 1]);

    let mut body = json!({"kind": "oidc", "name": "A", "issuer": "https://i.example", "audience": "shop"});
    body["provisioning"] = json!("always");
    let refused = world.admin("POST", "/identity-sources", body).await;
    assert_eq!(refused.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_source_of_before_there_was_a_choice_makes_no_users() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let key = keys::source(&world.tenant.id(), &SourceId::parse(&source).expect("an id"));
    let update = world.store.client().update_item().table_name(world.store.directory());
    let update = update.set_key(Some(key.attributes())).update_expression("REMOVE #provisioning");
    let update = update.expression_attribute_names("#provisioning", "provisioning");
    update.send().await.expect("an update");
    let read = world.admin("GET", &format!("/identity-sources/{source}"), Value::Null).await.expect(200);
    assert_eq!(read["provisioning"], "linked_only");
    assert_eq!(world.log_in(&source, "alice").await.status, 401);
}

#[tokio::test]
async fn f2b_h14_such_a_user_is_known_by_its_subject_only_and_that_is_not_readable() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let sub = "canary-subject-4711";
    let user = text(&world.log_in(&source, sub).await.expect(200)["login"]["user"]);
    let read = world.admin("GET", &format!("/users/{user}"), Value::Null).await.expect(200);
    for member in ["username", "email", "phone", "locale"] {
        assert_eq!(read[member], Value::Null, "{member}");
    }
    let told = world.admin("GET", &format!("/audit-events?user={user}"), Value::Null).await.expect(200);
    assert_eq!(told["items"].as_array().map(Vec::len), Some(1));
    let event = &told["items"][0];
    assert_eq!(
        (&event["type"], &event["actor"]),
        (&json!("user.created"), &json!({"type": "user", "user": user}))
    );
    assert!(event["after"]["identities"][&source]["hash"].is_string(), "{event}");
    let stored = format!("{:?}", world.items().await);
    assert!(stored.contains(&user) && !stored.contains(sub));
    // Subjects are a source's own, and case counts.
    let other = world.source(Some("just_in_time")).await;
    let mut users = BTreeSet::from([user.clone()]);
    for (source, sub) in [(&other, sub), (&source, "Canary-subject-4711")] {
        users.insert(text(&world.log_in(source, sub).await.expect(200)["login"]["user"]));
    }
    assert_eq!(users.len(), 3);
    assert_eq!(world.log_in(&source, sub).await.expect(200)["login"]["user"], json!(user));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f2b_of_sixteen_first_logins_at_once_one_makes_the_user() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    for round in 0..4 {
        let sub = format!("alice{round}");
        let answers = join_all((0..16).map(|_| world.log_in(&source, &sub))).await;
        let users: BTreeSet<String> =
            answers.into_iter().map(|answer| text(&answer.expect(200)["login"]["user"])).collect();
        assert_eq!(users.len(), 1, "{users:?}");
        assert_eq!(world.counts().await, [round + 1; 3]);
    }
}

#[tokio::test]
async fn f2b_the_second_of_two_finds_the_user_of_the_first() {
    let world = World::new().await;
    let source = SourceId::parse(&world.source(None).await).expect("an id");
    let user = |id: &str| User {
        id: UserId::parse(id).expect("an id"),
        tenant: world.tenant.id(),
        username: None,
        email: None,
        identities: BTreeMap::from([(
            source.clone(),
            SealedIdentifier { sealed: "sealed".to_owned(), hash: "hash".to_owned() },
        )]),
        locale: None,
        password_hash: None,
        created_at: Timestamp::from_secs(1),
        version: 1,
    };
    let (first, second) = (user("usr_aaaaaaaaaaaaaaaaaaaaaa"), user("usr_bbbbbbbbbbbbbbbbbbbbbb"));
    let factor = Factor { revision: 1, ..Factor::default() };
    let create =
        async |user| world.store.create_from_subject(user, &factor, &[]).await.expect("the engine answers");
    assert_eq!(create(&first).await, Provisioned::Created);
    assert_eq!(create(&second).await, Provisioned::Known(first.id.clone()));
    assert_eq!(create(&first).await, Provisioned::Known(first.id.clone()), "its own lost answer");
    assert_eq!(world.counts().await, [1, 1, 1]);
}

#[tokio::test]
async fn f2b_a_deleted_users_subject_starts_afresh() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let first = text(&world.log_in(&source, "alice").await.expect(200)["login"]["user"]);
    world.admin("DELETE", &format!("/users/{first}"), Value::Null).await.expect(204);
    assert_eq!(world.counts().await, [0, 0, 0], "nothing of it is left");
    let second = text(&world.log_in(&source, "alice").await.expect(200)["login"]["user"]);
    assert_ne!(first, second);
}

#[tokio::test]
async fn f2b_a_subject_is_enough_to_sign_in_with() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let user = text(&world.log_in(&source, "alice").await.expect(200)["login"]["user"]);
    let path = format!("/users/{user}");
    let patched = world.admin("PATCH", &path, json!({"locale": "de"})).await.expect(200);
    assert_eq!(patched["locale"], "de");
    world.admin("PATCH", &path, json!({"username": "alice"})).await.expect(200);
    world.admin("PATCH", &path, json!({"username": null})).await.expect(200);
    world.admin("PUT", &format!("{path}/phone"), json!({"phone": "+12025550142"})).await.expect(200);
    let unbound = world.admin("DELETE", &format!("{path}/phone"), Value::Null).await;
    assert!(unbound.status < 300, "{}", unbound.body);
    assert_eq!(world.log_in(&source, "alice").await.expect(200)["login"]["user"], json!(user));
}
