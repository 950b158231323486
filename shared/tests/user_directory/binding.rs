//! What an administrator does to a user's number.

use crate::support::{Service, blob, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::config::SystemClock;
use shared::ports::Clock;

#[tokio::test]
async fn d2_an_administrator_binds_replaces_and_unbinds_a_number() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice"})).await.id();
    let bound = service.bind(&user, "+1 202 555 0142").await;
    assert_eq!((bound.status, &bound.body["phone"]), (200, &json!("+12025550142")));
    assert_eq!(service.get(&user).await.body, bound.body);
    assert_eq!(service.find("phone=%2B12025550142").await, [user.as_str()]);
    let replaced = service.bind(&user, "+12025550143").await;
    assert_eq!((replaced.status, &replaced.body["phone"]), (200, &json!("+12025550143")));
    assert!(service.find("phone=%2B12025550142").await.is_empty());
    assert_eq!(service.find("phone=%2B12025550143").await, [user.as_str()]);
    assert_eq!(service.unbind(&user).await.status, 204);
    assert_eq!(service.get(&user).await.body["phone"], Value::Null);
    assert!(service.find("phone=%2B12025550143").await.is_empty());
    assert_eq!(service.unbind(&user).await.status, 204, "nothing to do");
    // user, username, factor; and a notice to each number that was taken away
    assert_eq!(service.items_of_users().await.len(), 5);
}

#[tokio::test]
async fn d2_binding_the_same_number_again_changes_nothing_but_the_failures() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice", "phone": "+12025550142"})).await.id();
    let before = service.factor(&user).await;
    assert_eq!(service.bind(&user, "+1 (202) 555-0142").await.status, 200);
    assert_eq!(service.factor(&user).await, before);
    service.set_failures(&user, 100).await;
    assert_eq!(service.get(&user).await.body["failed_codes"], 100);
    let again = service.bind(&user, "+12025550142").await;
    assert_eq!(again.body["failed_codes"], 0);
    let after = service.factor(&user).await;
    assert_eq!(after["phone"], before["phone"]);
    assert_eq!(number(&after, "revision"), number(&before, "revision") + 1);
}

#[tokio::test]
async fn d2_a_new_number_or_none_clears_the_failures() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice", "phone": "+12025550142"})).await.id();
    for (phone, revision) in [(Some("+12025550143"), 2), (None, 3), (None, 4), (Some("+12025550144"), 5)] {
        service.set_failures(&user, 7).await;
        match phone {
            Some(phone) => assert_eq!(service.bind(&user, phone).await.status, 200),
            None => assert_eq!(service.unbind(&user).await.status, 204),
        }
        let factor = service.factor(&user).await;
        assert_eq!((number(&factor, "failures"), number(&factor, "revision")), (0, revision), "{phone:?}");
    }
}

#[tokio::test]
async fn f9_a_number_of_another_user_is_refused() {
    let service = Service::start().await;
    let alice = service.create(json!({"username": "alice", "phone": "+12025550142"})).await.id();
    let bob = service.create(json!({"username": "bob", "phone": "+12025550143"})).await.id();
    let refused = service.bind(&bob, "+1 202 555 0142").await;
    assert_eq!(refused.outcome(), (409, "phone_taken"));
    assert_eq!(service.get(&bob).await.body["phone"], "+12025550143");
    assert_eq!(service.unbind(&alice).await.status, 204);
    assert_eq!(service.bind(&bob, "+12025550142").await.status, 200);
    assert_eq!(service.bind(&alice, "+12025550143").await.status, 200, "bob's old number is free");
}

#[tokio::test]
async fn d2_a_number_that_gets_no_codes_is_not_bound() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice", "phone": "+12025550142"})).await.id();
    for (phone, outcome) in [
        ("2025550143", (422, "invalid_phone")),
        ("+1 202 155 0143", (422, "invalid_phone")),
        ("+18005550123", (422, "number_type_not_allowed")),
        ("+447012345678", (422, "number_type_not_allowed")),
        ("+881612345678", (422, "number_type_not_allowed")),
    ] {
        assert_eq!(service.bind(&user, phone).await.outcome(), outcome, "{phone}");
    }
    assert_eq!(service.get(&user).await.body["phone"], "+12025550142");
    // The tenant sends to the United States only. Binding a number of elsewhere is no sending.
    assert_eq!(service.bind(&user, "+447400123456").await.status, 200);
    let wrong = service.users("PUT", &format!("/{user}/phone"), Some(json!({"phone": null}))).await;
    assert_eq!(wrong.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn d2_no_code_that_is_out_survives_a_new_number() {
    let service = Service::start().await;
    let user = service.create(json!({"username": "alice", "phone": "+12025550142"})).await.id();
    let now = SystemClock.now().millis();
    let set = |name: &str, value| [(name.to_owned(), value)].into();
    let macs = |mac: &[u8]| AttributeValue::Bs(vec![mac.to_vec().into()]);
    let sent = service.put_challenge(&user, 1, now - 60_000, [].into()).await;
    let guessed = service.put_challenge(&user, 2, now - 50_000, set("guesses", macs(&[9; 32]))).await;
    let binding = service
        .put_challenge(
            &user,
            3,
            now - 40_000,
            [("guesses".to_owned(), macs(&[7; 32])), ("pending".to_owned(), AttributeValue::M(pending(now)))]
                .into(),
        )
        .await;
    let complete = service.put_challenge(&user, 4, now - 30_000, set("guesses", macs(&[7; 32]))).await;
    let bound =
        service.put_challenge(&user, 5, now - 20_000, set("completed", AttributeValue::N("1".into()))).await;
    let old = service.put_challenge(&user, 6, now - 7_200_000, [].into()).await;
    assert_eq!(service.bind(&user, "+12025550143").await.status, 200);
    for (sk, alive) in
        [(sent, false), (guessed, false), (binding, false), (complete, true), (bound, true), (old, true)]
    {
        let item = service.login_item(&user, &sk).await.expect("still there, for support");
        assert_eq!(item.get("code_mac"), alive.then(|| blob(&[7; 32])).as_ref(), "{sk}");
        assert_eq!(number(&item, "attempts"), 1, "what was guessed stays guessed");
    }
    let sent = service.put_challenge(&user, 7, now, [].into()).await;
    assert_eq!(service.unbind(&user).await.status, 204);
    let item = service.login_item(&user, &sent).await.expect("still there");
    assert_eq!(text(&item, "sent_hint"), "hint");
    assert!(!item.contains_key("code_mac"));
}

fn pending(now: i64) -> shared::dynamodb::Item {
    let s = |value: &str| AttributeValue::S(value.to_owned());
    let fields = [
        ("sealed", s("sealed")),
        ("hash", s("hash")),
        ("hint", s("hint")),
        ("country", s("US")),
        ("since", AttributeValue::N(now.to_string())),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}
