//! What the audit tells of logins, in `local`, where nothing reads a stream.

use crate::world::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::local::Local;
use tests::repository::TemporaryFolder;
use tests::values::{another_code, text};

const PASSWORD: &str = "correct horse battery";
const NUMBER: &str = "+12025550143";
/// How long an event may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// The events about a user, oldest first, once there are so many.
async fn told(world: &World, user: &str, count: usize) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let page =
            world.admin("GET", &format!("/audit-events?limit=100&user={user}"), None).await.expect(200);
        let events: Vec<_> = page["items"].as_array().unwrap().iter().rev().cloned().collect();
        if events.len() >= count {
            return events;
        }
        assert!(started.elapsed() < PATIENCE, "{count} events are wanted: {events:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn kinds(events: &[Value]) -> Vec<String> {
    let mut kinds: Vec<_> = events.iter().map(|event| text(event, "/type")).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn h14_a_login_is_told_guess_by_guess_with_a_mask_for_the_number() {
    let world = World::with_sms().await;
    let bob = world.user(json!({ "username": "bob", "password": PASSWORD })).await;
    let login = world.login("bob", PASSWORD).await;
    world.step(&login, "phone", json!({ "phone": NUMBER })).await.expect(200);
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    for _ in 0..2 {
        world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    }
    world.guess(&login, &code).await.expect(200);

    let events = told(&world, &bob, 5).await;
    assert_eq!(
        kinds(&events),
        ["code.accepted", "code.rejected", "code.rejected", "phone.bound", "user.created"]
    );
    for event in &events[1..] {
        assert_eq!((&event["client_ip"], &event["actor"]["type"]), (&json!("127.0.0.1"), &json!("user")));
        assert_eq!(event["application"], world.application);
        assert!(text(event, "/request_id").len() > 8);
        let hint = text(event, "/after/phone/hint");
        assert!(hint.ends_with("43") && !hint.contains("555"), "{hint}");
        assert!(!event.to_string().contains("5550143"), "{event}");
    }
    let by_type = world.admin("GET", "/audit-events?type=code.rejected", None).await.expect(200);
    assert_eq!(by_type["items"].as_array().unwrap().len(), 2);

    // The next message to the number comes too soon, which a rule says: once in the hour, however often.
    for _ in 0..2 {
        let login = world.login("bob", PASSWORD).await;
        world.step(&login, "code", json!({})).await.refused(429, "rate_limited");
    }
    let events = told(&world, &bob, 6).await;
    assert_eq!(events[5]["after"], json!({ "rule": "phone_wait" }));

    // A login without attempts left.
    world.local.advance(3600).await;
    let login = world.login("bob", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    for _ in 0..5 {
        world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    }
    let events = told(&world, &bob, 12).await;
    assert_eq!(kinds(&events[6..]), [&["code.rejected"; 5][..], &["login.blocked"]].concat());
    // One more refusal by the rule, in another hour; nothing was told twice.
    let login = world.login("bob", PASSWORD).await;
    world.step(&login, "code", json!({})).await.refused(429, "rate_limited");
    let events = told(&world, &bob, 13).await;
    assert_eq!((events.len(), text(&events[12], "/type")), (13, "send.refused".to_owned()));
}

impl World {
    /// The same data in a new process.
    async fn restarted(self, data: &TemporaryFolder, crash: bool) -> Self {
        if crash {
            self.local.crash();
        } else {
            self.local.stop().await;
        }
        Self { local: Local::start_with(data.path(), None, &[]).await, ..self }
    }
}

#[tokio::test]
async fn what_a_crash_left_untold_is_told_at_the_next_start_and_nothing_twice() {
    let data = TemporaryFolder::new();
    let mut world = World::on(Local::start_with(data.path(), None, &[]).await).await;
    world.security(json!({ "mfa": { "sms": { "enabled": true } } })).await;
    let ann = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    for _ in 0..3 {
        world.guess(&login, &another_code(&code)).await.refused(401, "wrong_code");
    }
    // As likely as not before it is told.
    world = world.restarted(&data, true).await;
    assert_eq!(kinds(&told(&world, &ann, 5).await)[..3], ["code.rejected"; 3]);
    for crash in [false, true, true] {
        world = world.restarted(&data, crash).await;
        assert_eq!(told(&world, &ann, 5).await.len(), 5, "two of them for the user and its number");
    }
}
