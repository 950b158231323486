//! `…/users/{user}/identities`: what an administrator of a source that makes no users needs.

use crate::world::{World, text};
use serde_json::{Value, json};

async fn scene() -> (World, String, String) {
    let world = World::new().await;
    let source = world.source(None).await;
    let made = world.admin("POST", "/users", json!({"username": "alice"})).await.expect(201);
    (world, source, text(&made["id"]))
}

#[tokio::test]
async fn f2b_a_subject_that_an_administrator_links_signs_in_as_the_user() {
    let (world, source, alice) = scene().await;
    let path = format!("/users/{alice}/identities/{source}");
    let link = |sub: &'static str| world.admin("PUT", &path, json!({"subject": sub}));
    assert_eq!(world.log_in(&source, "1").await.outcome(), (401, "first_factor_failed"));
    assert_eq!(world.admin("GET", &path, Value::Null).await.outcome(), (404, "not_found"));
    let identity = json!({"identity_source": source, "subject": "1"});
    assert_eq!(link("1").await.expect(200), identity);
    assert_eq!(link("1").await.expect(200), identity, "once more is the same");
    assert_eq!(world.log_in(&source, "1").await.expect(200)["login"]["user"], json!(alice));
    assert_eq!(world.admin("GET", &path, Value::Null).await.expect(200), identity);
    let list = format!("/users/{alice}/identities");
    let listed = world.admin("GET", &list, Value::Null).await.expect(200);
    assert_eq!(listed, json!({"items": [identity], "next": null}));

    link("2").await.expect(200);
    assert_eq!(world.log_in(&source, "1").await.outcome(), (401, "first_factor_failed"));
    assert_eq!(world.log_in(&source, "2").await.status, 200);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(world.log_in(&source, "2").await.outcome(), (401, "first_factor_failed"));
    let listed = world.admin("GET", &list, Value::Null).await.expect(200);
    assert_eq!(listed["items"], json!([]));

    // Each change has its event, which shows no subject.
    let events = world.admin("GET", "/audit-events?limit=100", Value::Null).await.expect(200);
    let changes = events["items"].as_array().unwrap().iter();
    let changes = changes.filter(|event| !event["before"]["identities"].is_null());
    assert_eq!(changes.count(), 3, "{events}");
}

#[tokio::test]
async fn f2b_a_subject_of_another_user_is_a_duplicate_until_that_one_is_gone() {
    let (world, source, alice) = scene().await;
    let bob = text(&world.admin("POST", "/users", json!({"username": "bob"})).await.expect(201)["id"]);
    let link = |user: &str| {
        let path = format!("/users/{user}/identities/{source}");
        let world = &world;
        async move { world.admin("PUT", &path, json!({"subject": "1"})).await }
    };
    link(&alice).await.expect(200);
    let refused = link(&bob).await;
    assert_eq!((refused.outcome(), &refused.body["field"]), ((409, "duplicate"), &json!("subject")));
    world.admin("DELETE", &format!("/users/{alice}"), Value::Null).await.expect(204);
    link(&bob).await.expect(200);
    assert_eq!(world.log_in(&source, "1").await.expect(200)["login"]["user"], json!(bob));
}

#[tokio::test]
async fn f2b_of_two_users_linked_to_one_subject_at_once_one_wins() {
    let (world, source, alice) = scene().await;
    let bob = text(&world.admin("POST", "/users", json!({"username": "bob"})).await.expect(201)["id"]);
    let paths = [&alice, &bob].map(|user| format!("/users/{user}/identities/{source}"));
    let link = |path: &str| {
        let (world, path) = (&world, path.to_owned());
        async move { world.admin("PUT", &path, json!({"subject": "1"})).await.status }
    };
    let mut outcomes = futures::future::join_all(paths.iter().map(|path| link(path))).await;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409]);
}

#[tokio::test]
async fn f2b_what_cannot_be_linked_is_refused() {
    let (world, source, alice) = scene().await;
    let put = |user: &str, source: &str, subject: &str| {
        let path = format!("/users/{user}/identities/{source}");
        let (world, body) = (&world, json!({"subject": subject}));
        async move { world.admin("PUT", &path, body).await }
    };
    for bad in ["", "ü", "line\nbreak", &"x".repeat(256)] {
        assert_eq!(put(&alice, &source, bad).await.outcome(), (400, "invalid_request"), "{bad:?}");
    }
    let unknown = "src_0000000000000000000000";
    assert_eq!(put(&alice, unknown, "1").await.outcome(), (404, "not_found"));
    assert_eq!(put("usr_0000000000000000000000", &source, "1").await.outcome(), (404, "not_found"));

    // The last thing to sign in with stays, whichever is taken first.
    put(&alice, &source, "1").await.expect(200);
    world.admin("PATCH", &format!("/users/{alice}"), json!({"username": null})).await.expect(200);
    let path = format!("/users/{alice}/identities/{source}");
    assert_eq!(world.admin("DELETE", &path, Value::Null).await.outcome(), (409, "conflict"));
    // A source that is gone leaves links, which can be taken away.
    world.admin("PATCH", &format!("/users/{alice}"), json!({"username": "alice"})).await.expect(200);
    world.admin("DELETE", &format!("/identity-sources/{source}"), Value::Null).await.expect(204);
    world.admin("DELETE", &path, Value::Null).await.expect(204);
}
