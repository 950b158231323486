//! Calls at the same time. Whatever their order, the directory agrees with itself afterwards.

use crate::support::{Answer, Service, text};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Checks that owners, users and factors say the same: every identifier of a user has its owner, and no owner is left of anything else.
async fn assert_consistent(service: &Service) {
    let items = service.items_of_users().await;
    let mut owners = BTreeMap::new();
    let mut expected = BTreeMap::new();
    let mut identifiers: BTreeMap<String, usize> = BTreeMap::new();
    let hash_of = |value: &aws_sdk_dynamodb::types::AttributeValue| {
        value.as_m().expect("a map")["hash"].as_s().expect("a hash").clone()
    };
    for item in &items {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let parts: Vec<_> = pk.split('#').collect();
        let fields: &[&str] = match parts[0] {
            "owner" => {
                owners.insert(format!("{}#{}", parts[2], parts[3]), text(item, "user").to_owned());
                continue;
            }
            "user" => &["username", "email"],
            "login" if sk == "factor" => &["phone"],
            _ => continue,
        };
        let user = if parts[0] == "user" { sk } else { parts[2] };
        for field in fields {
            if let Some(value) = item.get(*field) {
                expected.insert(format!("{field}#{}", hash_of(value)), user.to_owned());
            }
        }
        *identifiers.entry(user.to_owned()).or_default() +=
            fields.iter().filter(|field| item.contains_key(**field)).count();
    }
    assert_eq!(owners, expected);
    assert!(identifiers.values().all(|count| *count > 0), "a user without any identifier: {identifiers:?}");
    let count = |kind: &str| items.iter().filter(|item| text(item, "pk").starts_with(kind)).count();
    assert_eq!(count("user#"), count("login#"), "a user and its factor live and die together");
}

fn outcomes(answers: &[Answer]) -> BTreeMap<(u16, String), usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry((answer.status, answer.code().to_owned())).or_default() += 1;
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d1_of_sixteen_users_of_one_identifier_at_once_one_is_made() {
    let service = Service::start().await;
    for field in ["username", "email", "phone"] {
        let body = |n: usize| {
            let text = match field {
                "username" => "alice".to_owned(),
                "email" => "alice@example.com".to_owned(),
                _ => "+12025550142".to_owned(),
            };
            // The rest differs, so that only the one identifier is in the way.
            let mut body = json!({"username": format!("{field}{n}")});
            body[field] = text.into();
            body
        };
        let answers = join_all((0..16).map(|n| service.create(body(n)))).await;
        let expected = BTreeMap::from([((201, String::new()), 1), ((409, "duplicate".to_owned()), 15)]);
        assert_eq!(outcomes(&answers), expected, "{field}");
        let fields: Vec<&Value> = answers.iter().map(|a| &a.body["field"]).filter(|f| !f.is_null()).collect();
        assert_eq!(fields, vec![&json!(field); 15]);
        assert_consistent(&service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_of_eight_users_who_are_given_one_number_at_once_one_gets_it() {
    let service = Service::start().await;
    let mut users = Vec::new();
    for n in 0..8 {
        users.push(service.create(json!({"username": format!("user{n}")})).await.id());
    }
    let answers = join_all(users.iter().map(|user| service.bind(user, "+12025550142"))).await;
    let expected = BTreeMap::from([((200, String::new()), 1), ((409, "phone_taken".to_owned()), 7)]);
    assert_eq!(outcomes(&answers), expected);
    assert_consistent(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_users_who_are_renamed_to_one_name_at_once_one_gets_it() {
    let service = Service::start().await;
    let mut users = Vec::new();
    for n in 0..8 {
        users.push(service.create(json!({"username": format!("user{n}")})).await.id());
    }
    let answers = join_all(users.iter().map(|user| service.patch(user, json!({"username": "alice"})))).await;
    let expected = BTreeMap::from([((200, String::new()), 1), ((409, "duplicate".to_owned()), 7)]);
    assert_eq!(outcomes(&answers), expected);
    assert_consistent(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hands_on_one_users_number_leave_one_number_and_one_owner() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice"})).await.id();
    let phones: Vec<_> = (0..6).map(|n| format!("+1202555010{n}")).collect();
    for _ in 0..5 {
        let binds = join_all(phones.iter().map(|phone| service.bind(&user, phone)));
        let (answers, unbound) = tokio::join!(binds, service.unbind(&user));
        for answer in answers.iter().chain([&unbound]) {
            let fine = matches!(answer.outcome(), (200 | 204, _) | (409, "conflict"));
            assert!(fine, "{:?}", answer.body);
        }
        assert_consistent(&service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_race_takes_a_users_last_identifier() {
    let service = Service::start().await;
    for n in 0..12 {
        let body = json!({"username": format!("user{n}"), "phone": format!("+120255501{n:02}")});
        let user = service.create(body).await.id();
        let (patched, unbound) =
            tokio::join!(service.patch(&user, json!({"username": null})), service.unbind(&user));
        let done = [patched.status, unbound.status].into_iter().filter(|status| *status < 300).count();
        assert!(done <= 1, "{:?} {:?}", patched.body, unbound.body);
        assert_consistent(&service).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_is_deleted_while_being_changed_leaves_nothing_behind() {
    let service = Service::start().await;
    for n in 0..12 {
        let user = service.create(json!({"username": format!("user{n}")})).await.id();
        let phone = format!("+120255501{n:02}");
        let (_, _, deleted) = tokio::join!(
            service.bind(&user, &phone),
            service.patch(&user, json!({"username": "renamed", "email": "renamed@example.com"})),
            service.delete(&user),
        );
        assert!(matches!(deleted.outcome(), (204, _) | (409, "conflict")), "{:?}", deleted.body);
        if deleted.status == 409 {
            assert_eq!(service.delete(&user).await.status, 204);
        }
        assert_eq!(service.items_of_users().await, Vec::new());
    }
}
