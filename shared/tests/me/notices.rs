//! Sending what the changes have left: once, whoever is asked how often.

use crate::world::World;
use serde_json::{Value, json};
use shared::domain::challenge::Undelivered;
use shared::ports::notices::{NoticePlace, NoticeQueue};
use shared::ports::{Fault, SendOutcome};
use shared::stream::{Consumer, Record};

const OLD: &str = "+12025550101";
const NEW: &str = "+12025550102";

/// A user whose number an administrator has replaced, and where the notice waits.
async fn replaced(world: &World) -> NoticePlace {
    let ann = world.user("ann", Some(OLD)).await;
    world.admin("PUT", &format!("/users/{ann}/phone"), json!({"phone": NEW})).await.expect(200);
    let waiting = world.store.waiting().await.unwrap();
    let [place] = &waiting[..] else { panic!("{waiting:?}") };
    place.clone()
}

fn record(change: &str, place: &NoticePlace) -> Record {
    let keys = json!({"pk": {"S": place.partition}, "sk": {"S": place.sort}});
    let of = json!({"SequenceNumber": "1", "Keys": keys, "NewImage": keys});
    serde_json::from_value(json!({"eventName": change, "dynamodb": of})).unwrap()
}

impl World {
    /// The stream shows that the item at this place was inserted.
    async fn inserted(&self, place: &NoticePlace) -> Result<(), Fault> {
        self.notifications.take(&record("INSERT", place)).await
    }

    fn provider(&self, outcome: SendOutcome) {
        *self.outbox.outcome.lock().unwrap() = outcome;
    }
}

#[tokio::test]
async fn h8_the_old_number_is_told_once_however_many_senders_are_asked_at_once() {
    let world = World::new().await;
    let place = replaced(&world).await;
    let both = (0..6).map(|_| world.inserted(&place));
    assert!(futures::future::join_all(both).await.into_iter().all(|outcome| outcome.is_ok()));
    let text = "Acme: codes for your account now go to another phone number. If this was not you, contact your \
                administrator now.";
    assert_eq!(world.messages(), [(OLD.to_owned(), text.to_owned())]);
    assert!(world.logins("notice#").await.is_empty());
    world.inserted(&place).await.unwrap();
    assert_eq!(world.messages().len(), 1, "a record that comes once more");
}

#[tokio::test]
async fn h8_a_sender_that_died_after_its_claim_has_nobody_send_in_its_place() {
    let world = World::new().await;
    let place = replaced(&world).await;
    let now = shared::ports::Clock::now(&*world.clock);
    let claimed = world.store.claim(&place, "dead", now).await.unwrap().unwrap();
    assert_eq!((claimed.tries, claimed.notice.kind.as_str()), (1, "phone_replaced"));
    assert!(world.store.claim(&place, "dead", now).await.unwrap().is_some(), "its own answer was lost");
    assert!(world.store.waiting().await.unwrap().is_empty());
    world.inserted(&place).await.unwrap();
    world.notifications.sweep().await.unwrap();
    assert!(world.messages().is_empty());
    for other in ["another", "claim"] {
        world.store.release(&place, other).await.unwrap();
        world.store.finish(&place, other).await.unwrap();
    }
    let items = world.logins("notice#").await;
    assert_eq!(items[0]["claim"].as_s().unwrap(), "dead", "a claim is its owner's");
    assert!(items[0].contains_key("ttl"));
}

#[tokio::test]
async fn h8_a_notice_that_the_provider_does_not_take_is_tried_three_times_in_all() {
    let world = World::new().await;
    let place = replaced(&world).await;
    world.provider(SendOutcome::NotSent);
    assert!(world.inserted(&place).await.is_err(), "it is asked for again");
    world.provider(SendOutcome::Refused { reason: Undelivered::OptedOut });
    assert!(world.notifications.sweep().await.is_err());
    world.inserted(&place).await.unwrap();
    assert_eq!(world.messages().len(), 3);
    assert!(world.logins("notice#").await.is_empty(), "given up");
    world.inserted(&place).await.unwrap();
    world.notifications.sweep().await.unwrap();
    assert_eq!(world.messages().len(), 3);
}

#[tokio::test]
async fn h8_a_notice_whose_fate_is_unknown_is_not_sent_again() {
    let world = World::new().await;
    let place = replaced(&world).await;
    world.provider(SendOutcome::Unknown);
    world.inserted(&place).await.unwrap();
    world.provider(SendOutcome::Accepted { message_id: "m".into() });
    world.inserted(&place).await.unwrap();
    world.notifications.sweep().await.unwrap();
    assert_eq!(world.messages().len(), 1);
    assert!(world.logins("notice#").await.is_empty());
}

#[tokio::test]
async fn h8_a_provider_that_was_away_for_a_moment_costs_a_wait_and_no_second_message() {
    let world = World::new().await;
    let place = replaced(&world).await;
    world.provider(SendOutcome::NotSent);
    assert!(world.inserted(&place).await.is_err());
    world.provider(SendOutcome::Accepted { message_id: "m".into() });
    world.inserted(&place).await.unwrap();
    world.inserted(&place).await.unwrap();
    assert_eq!(world.messages().len(), 2, "one that was not taken, one that was");
}

#[tokio::test]
async fn h14_only_a_new_notice_is_sent_and_nothing_else_of_the_table_is_touched() {
    let world = World::new().await;
    let place = replaced(&world).await;
    for change in ["MODIFY", "REMOVE"] {
        world.notifications.take(&record(change, &place)).await.unwrap();
    }
    let before = world.logins("login#").await;
    for item in &before {
        let text = |name: &str| item[name].as_s().unwrap().clone();
        let place = NoticePlace { partition: text("pk"), sort: text("sk") };
        world.inserted(&place).await.unwrap();
        world.store.finish(&place, "").await.unwrap();
    }
    assert_eq!(world.logins("login#").await, before);
    let gone = NoticePlace { sort: "0".into(), ..place.clone() };
    world.inserted(&gone).await.unwrap();
    assert!(world.messages().is_empty());
    assert_eq!(world.logins("notice#").await.len(), 1, "a claim makes no item");
}

#[tokio::test]
async fn h8_the_notice_speaks_the_users_language() {
    let world = World::new().await;
    let ann = world.user("ann", Some(OLD)).await;
    world.admin("PATCH", &format!("/users/{ann}"), json!({"locale": "zh-CN"})).await.expect(200);
    world.admin("DELETE", &format!("/users/{ann}/phone"), Value::Null).await.expect(204);
    world.notifications.sweep().await.unwrap();
    let (to, body) = world.messages().pop().unwrap();
    assert_eq!((&*to, body.starts_with("Acme：此手机号")), (OLD, true), "{body}");
}
