//! Creating, finding, changing and deleting users.

use crate::support::{Service, text};
use serde_json::{Value, json};
use shared::domain::secret::Secret;
use shared::ports::Passwords;
use std::collections::BTreeSet;

#[tokio::test]
async fn d1_each_identifier_alone_is_enough() {
    let service = Service::start().await;
    let bodies = [
        json!({"username": "Alice"}),
        json!({"phone": "+1 (202) 555-0142"}),
        json!({"email": "Bob@Example.com"}),
        json!({"username": "carol", "phone": "+12025550143", "email": "carol@example.com", "locale": "de-CH"}),
    ];
    let mut answers = Vec::new();
    for body in bodies {
        let made = service.create(body).await;
        assert_eq!(service.get(&made.id()).await.body, made.body);
        answers.push(made.body);
    }
    let fields = |body: &Value| {
        ["username", "phone", "email", "locale"].map(|name| body[name].as_str().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(fields(&answers[0]), [some("alice"), None, None, None]);
    assert_eq!(fields(&answers[1]), [None, some("+12025550142"), None, None]);
    assert_eq!(fields(&answers[2]), [None, None, some("bob@example.com"), None]);
    assert_eq!(
        fields(&answers[3]),
        [some("carol"), some("+12025550143"), some("carol@example.com"), some("de-CH")]
    );
    let nothing = service.create(json!({"password": "correct horse battery", "locale": "en"})).await;
    assert_eq!(nothing.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn d1_a_duplicate_in_any_spelling_is_refused_and_names_the_field() {
    let service = Service::start().await;
    let all = json!({"username": "alice", "phone": "+12025550142", "email": "alice@example.com"});
    service.create(all).await.id();
    let before = service.items_of_users().await.len();
    for (field, text) in [
        ("username", "ALICE"),
        ("username", "ａlice"),
        ("phone", "+1 202-555-0142"),
        ("email", "Alice@EXAMPLE.com"),
    ] {
        let mut body = json!({"username": "other", "email": "other@example.com"});
        body[field] = text.into();
        let refused = service.create(body).await;
        assert_eq!(refused.outcome(), (409, "duplicate"), "{text}");
        assert_eq!(refused.body["field"], field, "{text}");
    }
    assert_eq!(service.items_of_users().await.len(), before, "a refused user leaves nothing behind");
    // Another tenant has names of its own.
    let (tenant, owner) = service.new_tenant().await;
    let body = json!({"username": "alice", "phone": "+12025550142", "email": "alice@example.com"});
    let path = format!("/v1/tenants/{tenant}/users");
    assert_eq!(service.call(&owner, "POST", &path, Some(body)).await.status, 201);
}

#[tokio::test]
async fn d1_what_is_no_user_is_refused() {
    let service = Service::start().await;
    for body in [
        json!({}),
        json!({"username": "a@b"}),
        json!({"username": "12345"}),
        json!({"username": ""}),
        json!({"username": 7}),
        json!({"email": "nobody"}),
        json!({"username": "alice", "password": "short"}),
        json!({"username": "alice", "locale": "English"}),
        json!({"username": "alice", "admin": true}),
        json!({"username": "alice", "password_hash": "$argon2id$"}),
    ] {
        let refused = service.create(body.clone()).await;
        assert_eq!(refused.outcome(), (400, "invalid_request"), "{body}");
    }
    for phone in ["2025550142", "+1202555014", "+1 202 CALL NOW", "+1202555014٢", ""] {
        assert_eq!(
            service.create(json!({"phone": phone})).await.outcome(),
            (422, "invalid_phone"),
            "{phone}"
        );
    }
    for phone in ["+18005550123", "+442071234567"] {
        let refused = service.create(json!({"phone": phone})).await;
        assert_eq!(refused.outcome(), (422, "number_type_not_allowed"), "{phone}");
    }
    assert!(service.items_of_users().await.is_empty());
}

#[tokio::test]
async fn d3_a_user_created_by_number_is_bound_from_the_start() {
    let service = Service::start().await;
    let bound = service.create(json!({"phone": "+12025550142"})).await;
    assert!(bound.body["phone_bound_at"].is_string());
    assert!(service.factor(&bound.id()).await.contains_key("phone"));
    let unbound = service.create(json!({"username": "alice"})).await;
    assert_eq!(unbound.body["phone_bound_at"], Value::Null);
    assert!(!service.factor(&unbound.id()).await.contains_key("phone"));
}

#[tokio::test]
async fn a_password_is_kept_as_a_slow_hash_and_never_answered() {
    let service = Service::start().await;
    let made = service.create(json!({"username": "alice", "password": "correct horse"})).await;
    assert_eq!(made.body["has_password"], true);
    let kept = || async {
        let items = service.items_of_users().await;
        let user = items.iter().find(|item| text(item, "pk").starts_with("user#")).expect("the user");
        user.get("password_hash").and_then(|hash| hash.as_s().ok()).cloned()
    };
    let hash = kept().await.expect("a hash");
    let verify = |password: &str, hash: String| {
        let passwords = service.passwords.clone();
        let password = Secret::new(password.to_owned());
        async move { passwords.verify(password, Some(hash)).await.expect("an answer") }
    };
    assert!(verify("correct horse", hash.clone()).await);
    let changed = service.patch(&made.id(), json!({"password": "battery staple"})).await;
    assert_eq!(changed.status, 200);
    let new = kept().await.expect("a hash");
    assert!(!verify("correct horse", new.clone()).await);
    assert!(verify("battery staple", new.clone()).await);
    for answer in [&made, &changed, &service.get(&made.id()).await, &service.users("GET", "", None).await] {
        let shown = answer.body.to_string();
        for secret in ["correct horse", "battery staple", "argon2", hash.as_str(), new.as_str()] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert_eq!(service.patch(&made.id(), json!({"password": null})).await.body["has_password"], false);
    assert_eq!(kept().await, None);
}

#[tokio::test]
async fn a_patch_moves_identifiers_and_leaves_the_rest() {
    let service = Service::start().await;
    let alice = service
        .create(json!({"username": "alice", "email": "alice@example.com", "phone": "+12025550142", "locale": "en"}))
        .await
        .id();
    let bob = service.create(json!({"username": "bob"})).await.id();
    let taken = service.patch(&bob, json!({"username": "Alice"})).await;
    assert_eq!((taken.outcome(), &taken.body["field"]), ((409, "duplicate"), &json!("username")));
    let taken = service.patch(&bob, json!({"email": "alice@example.com"})).await;
    assert_eq!((taken.outcome(), &taken.body["field"]), ((409, "duplicate"), &json!("email")));

    let renamed = service.patch(&alice, json!({"username": "alicia", "locale": null})).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(renamed.body["username"], "alicia");
    assert_eq!(renamed.body["locale"], Value::Null);
    assert_eq!(renamed.body["email"], "alice@example.com");
    assert_eq!(renamed.body["phone"], "+12025550142");
    assert_eq!(service.get(&alice).await.body, renamed.body);
    assert_eq!(service.find("username=alicia").await, [alice.as_str()]);
    assert!(service.find("username=alice").await.is_empty());
    // The old name is free, and one's own name in another spelling is no duplicate.
    assert_eq!(service.patch(&bob, json!({"username": "alice"})).await.status, 200);
    assert_eq!(service.patch(&alice, json!({"username": "ALICIA"})).await.status, 200);
    assert_eq!(service.patch(&alice, json!({})).await.body["username"], "alicia");

    for body in [json!({"phone": "+12025550143"}), json!({"phone": null}), json!({"id": "usr_"}), json!([])] {
        assert_eq!(service.patch(&alice, body.clone()).await.outcome(), (400, "invalid_request"), "{body}");
    }
    assert_eq!(service.get(&alice).await.body["phone"], "+12025550142");
}

#[tokio::test]
async fn a_user_keeps_something_to_sign_in_with() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice", "email": "alice@example.com"})).await.id();
    let nothing = json!({"username": null, "email": null});
    assert_eq!(service.patch(&user, nothing.clone()).await.outcome(), (409, "conflict"));
    assert_eq!(service.patch(&user, json!({"email": null})).await.status, 200);
    assert_eq!(service.patch(&user, json!({"username": null})).await.outcome(), (409, "conflict"));
    // With a number, both may go; then the number has to stay.
    assert_eq!(service.bind(&user, "+12025550142").await.status, 200);
    assert_eq!(service.patch(&user, nothing).await.status, 200);
    assert_eq!(service.unbind(&user).await.outcome(), (409, "conflict"));
    assert_eq!(service.patch(&user, json!({"email": "a@example.com"})).await.status, 200);
    assert_eq!(service.unbind(&user).await.status, 204);
    assert_eq!(service.get(&user).await.body["email"], "a@example.com");
}

#[tokio::test]
async fn deleting_a_user_leaves_nothing_of_it() {
    let service = Service::start().await;
    let body = json!({"username": "alice", "phone": "+12025550142", "email": "alice@example.com"});
    let user = service.create(body.clone()).await.id();
    for n in 0..230 {
        service.put_challenge(&user, n, 1_795_528_800_000 + n as i64, [].into()).await;
    }
    assert_eq!(service.items_of_users().await.len(), 235);
    assert_eq!(service.delete(&user).await.status, 204);
    assert_eq!(service.items_of_users().await.len(), 0);
    assert_eq!(service.delete(&user).await.outcome(), (404, "not_found"));
    assert_eq!(service.get(&user).await.outcome(), (404, "not_found"));
    assert_ne!(service.create(body).await.id(), user, "the identifiers are free");
}

#[tokio::test]
async fn a_user_is_found_by_exactly_what_it_has() {
    let service = Service::start().await;
    let body = json!({"username": "alice", "phone": "+12025550142", "email": "alice@example.com"});
    let user = service.create(body).await.id();
    for query in ["username=Alice", "email=ALICE%40example.com", "phone=%2B1%20202%20555%200142"] {
        assert_eq!(service.find(query).await, [user.as_str()], "{query}");
    }
    for query in ["username=ali", "email=alice", "phone=2025550142", "username=alice%40example.com"] {
        assert!(service.find(query).await.is_empty(), "{query}");
    }
    for query in ["username=a&email=b", "username=a&cursor=x", "name=a", "limit=0", "limit=101", "cursor=x"] {
        let refused = service.users("GET", &format!("?{query}"), None).await;
        assert_eq!(refused.outcome(), (400, "invalid_request"), "{query}");
    }
}

#[tokio::test]
async fn a_list_gives_every_user_once() {
    let service = Service::start().await;
    let mut made = BTreeSet::new();
    for n in 0..7 {
        made.insert(service.create(json!({"username": format!("user{n}")})).await.id());
    }
    let (mut seen, mut sizes, mut cursor) = (BTreeSet::new(), Vec::new(), String::new());
    loop {
        let page = service.users("GET", &format!("?limit=3{cursor}"), None).await;
        let items = page.body["items"].as_array().expect("items");
        sizes.push(items.len());
        seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page.body["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((sizes, &seen), (vec![3, 3, 1], &made));
    // A cursor is worth nothing in another tenant.
    let (tenant, owner) = service.new_tenant().await;
    let path = format!("/v1/tenants/{tenant}/users?limit=3{cursor}");
    assert_eq!(service.call(&owner, "GET", &path, None).await.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a1_only_an_administrator_with_the_right_role_touches_users() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice"})).await.id();
    let (_, stranger) = service.new_tenant().await;
    let (support, policy, auditor) =
        (service.key("support").await, service.key("policy").await, service.key("auditor").await);
    let base = format!("/v1/tenants/{}/users", service.tenant);
    let writes = [
        ("POST", base.clone(), Some(json!({"username": "mallory"}))),
        ("PATCH", format!("{base}/{user}"), Some(json!({"username": "mallory"}))),
        ("PUT", format!("{base}/{user}/phone"), Some(json!({"phone": "+12025550142"}))),
        ("DELETE", format!("{base}/{user}/phone"), None),
        ("DELETE", format!("{base}/{user}"), None),
    ];
    let reads = [("GET", base.clone(), None), ("GET", format!("{base}/{user}"), None)];
    let before = service.items_of_users().await;
    for (method, path, body) in writes.iter().chain(&reads) {
        let is_read = *method == "GET";
        for (key, status) in [
            ("nonsense", 401),
            (stranger.as_str(), 403),
            (policy.as_str(), 403),
            (auditor.as_str(), if is_read { 200 } else { 403 }),
            (service.operator.as_str(), if is_read { 200 } else { 403 }),
        ] {
            let answer = service.call(key, method, path, body.clone()).await;
            assert_eq!(answer.status, status, "{method} {path}: {:?}", answer.body);
        }
    }
    let after = service.items_of_users().await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
    for (method, path, body) in &writes[1..4] {
        let answer = service.call(&support, method, path, body.clone()).await;
        assert!(answer.status < 300, "{method} {path}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn a_user_of_another_tenant_or_none_at_all_is_not_found() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice"})).await.id();
    let (tenant, owner) = service.new_tenant().await;
    let unknown = "usr_0123456789abcdefghijkl".to_owned();
    for id in [user.clone(), unknown, "usr_".into(), "alice".into(), "usr_%00".into()] {
        let path = format!("/v1/tenants/{tenant}/users/{id}");
        let phone = format!("{path}/phone");
        for (method, path, body) in [
            ("GET", &path, None),
            ("PATCH", &path, Some(json!({"username": "mallory"}))),
            ("PATCH", &path, Some(json!({"password": "correct horse"}))),
            ("DELETE", &path, None),
            ("PUT", &phone, Some(json!({"phone": "+12025550142"}))),
            ("DELETE", &phone, None),
        ] {
            let answer = service.call(&owner, method, path, body).await;
            assert_eq!(answer.outcome(), (404, "not_found"), "{method} {path}");
        }
    }
    assert_eq!(service.get(&user).await.body["username"], "alice");
}

#[tokio::test]
async fn h14_nothing_that_names_a_user_is_readable_at_rest() {
    let service = Service::start().await;
    let body = json!({
        "username": "zaphod", "phone": "+12025550142", "email": "beeblebrox@example.com", "password": "correct horse"
    });
    let user = service.create(body).await.id();
    service.patch(&user, json!({"username": "trillian", "email": "mcmillan@example.com"})).await;
    service.bind(&user, "+12025550177").await;
    let shown = format!("{:?}", service.everything().await).to_lowercase();
    for clear in [
        "zaphod",
        "trillian",
        "beeblebrox",
        "mcmillan",
        "example.com",
        "2025550142",
        "5550177",
        "correct horse",
    ] {
        assert!(!shown.contains(clear), "{clear}");
    }
}
