//! What can go wrong with a message: the service's own sender, with the real SDK, before an SNS that fails as it is told.
//!
//! Each fault meets each kind of send, alone, and then with the write that notes what became of the message going wrong too.

use crate::clients::{aws, hasty, scaled, scaled_timeout};
use crate::prepare::step;
use crate::world::World;
use serde_json::{Value, json};
use shared::sms::{SnsOptions, SnsSender};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::aws::{PublishFault, Sns};
use tests::engine::Engine;
use tests::proxy::Fault;
use tests::sdk;
use tests::tables::Tables;
use tests::values::text;

/// What has to come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Accepted,
    /// It may have left: nobody sends it again by himself.
    Unknown,
    Failed,
}

/// What goes wrong, what comes of it, whether the message leaves, and how many requests SNS gets.
type Case = (&'static [PublishFault], Delivery, bool, usize);

const THROTTLED: PublishFault = PublishFault::Error(400, "Throttling");

const CASES: &[Case] = &[
    (&[], Delivery::Accepted, true, 1),
    (&[PublishFault::Delayed(Duration::from_millis(100))], Delivery::Accepted, true, 1),
    // Nothing was taken, and the provider says so: once more.
    (&[THROTTLED], Delivery::Accepted, true, 2),
    (&[PublishFault::Error(429, "ThrottledException")], Delivery::Accepted, true, 2),
    (&[THROTTLED, THROTTLED], Delivery::Failed, false, 2),
    (&[THROTTLED, PublishFault::Error(400, "OptedOut")], Delivery::Failed, false, 2),
    (&[THROTTLED, PublishFault::Error(500, "InternalError")], Delivery::Unknown, false, 2),
    (&[THROTTLED, PublishFault::SilenceAfter], Delivery::Unknown, true, 2),
    (&[THROTTLED, PublishFault::ResetAfter], Delivery::Unknown, true, 2),
    // Whether it has left, the sender can't know.
    (&[PublishFault::Error(500, "InternalError")], Delivery::Unknown, false, 1),
    (&[PublishFault::ErrorAfter(500, "InternalError")], Delivery::Unknown, true, 1),
    (&[PublishFault::ErrorAfter(503, "ServiceUnavailable")], Delivery::Unknown, true, 1),
    (&[PublishFault::Silence], Delivery::Unknown, false, 1),
    (&[PublishFault::SilenceAfter], Delivery::Unknown, true, 1),
    (&[PublishFault::Reset], Delivery::Unknown, false, 1),
    (&[PublishFault::ResetAfter], Delivery::Unknown, true, 1),
    (&[PublishFault::Garbled], Delivery::Unknown, true, 1),
    // Refused for good. SNS has no error for its spend limit (it accepts, and delivers nothing), so any other one stands for quotas.
    (&[PublishFault::Error(400, "OptedOut")], Delivery::Failed, false, 1),
    (&[PublishFault::Error(400, "InvalidParameter")], Delivery::Failed, false, 1),
    (&[PublishFault::Error(403, "AuthorizationError")], Delivery::Failed, false, 1),
    (&[PublishFault::Error(400, "LimitExceeded")], Delivery::Failed, false, 1),
];

/// The message that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Send {
    First,
    Again,
    ToPendingNumber,
}

struct Post {
    world: World,
    sns: Sns,
    people: std::cell::Cell<usize>,
}

/// Somebody in a login, about to ask for a code.
struct Waiting {
    user: String,
    number: String,
    login: (String, String),
}

/// The service's sender, with a sixth of its patience.
fn sender(url: &str) -> SnsSender {
    let own = aws(url).sns();
    let patience = scaled(own.config().timeout_config().unwrap());
    let config = own.config().to_builder().timeout_config(patience);
    SnsSender::new(aws_sdk_sns::Client::from_conf(config.build()), SnsOptions::default())
}

impl Post {
    async fn open() -> Self {
        let sns = Sns::start().await;
        let world = world(Arc::new(sender(&sns.url()))).await;
        Self { world, sns, people: std::cell::Cell::new(0) }
    }

    async fn prepare(&self, send: Send) -> Waiting {
        let index = self.people.get();
        self.people.set(index + 1);
        let number = format!("+1202{}{:04}", 220 + index % 80, index / 80);
        let bound = (send != Send::ToPendingNumber).then_some(number.as_str());
        let user = self.world.user(&format!("person-{index}"), bound).await;
        let body = json!({ "application": self.world.application, "assertion": { "user": user } });
        let (status, made) =
            self.world.call("POST", "/v1/logins", Some(&self.world.secret), &[], Some(body)).await;
        assert_eq!(status, 200, "{made}");
        let login = (text(&made, "/login/id"), text(&made, "/login_token"));
        match send {
            Send::First => {}
            Send::Again => {
                assert_eq!(step(&self.world, &login, "code", json!({})).await.0, 200);
                self.world.advance(31);
            }
            Send::ToPendingNumber => {
                assert_eq!(step(&self.world, &login, "phone", json!({ "phone": number })).await.0, 200);
            }
        }
        Waiting { user, number, login }
    }

    async fn ask(&self, waiting: &Waiting, key: &str) -> (u16, Value) {
        let path = format!("/v1/logins/{}/code", waiting.login.0);
        let headers = [("idempotency-key", key)];
        self.world.call("POST", &path, Some(&waiting.login.1), &headers, Some(json!({}))).await
    }

    /// How many messages to a number have left, and how many requests there were in all.
    fn left(&self, number: &str) -> (usize, usize) {
        let published = self.sns.published();
        (published.iter().filter(|message| message.to == number).count(), self.sns.requests())
    }

    /// What the tenant is charged for.
    async fn charged(&self) -> usize {
        let client = sdk::client(self.world.engine.url());
        let pages =
            client.scan().table_name(&self.world.tables.logins).consistent_read(true).into_paginator();
        let items = pages.items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let of_tenant = items.iter().filter(|item| item["pk"].as_s().unwrap().starts_with("limit#tenant#"));
        of_tenant.map(|item| item["messages"].as_n().unwrap().parse::<usize>().unwrap()).sum()
    }

    /// What support is shown.
    async fn shown(&self, user: &str) -> Value {
        let path = format!("/v1/tenants{}/users/{user}/challenges", self.world.tenant);
        let (status, shown) = self.world.call("GET", &path, Some(&self.world.admin), &[], None).await;
        assert_eq!(status, 200, "{shown}");
        shown["items"][0].clone()
    }

    /// The user gets in: with the code that has come, or by asking for another after the wait.
    async fn gets_in(&self, run: &str, waiting: &Waiting, has_message: bool) {
        if !has_message {
            self.world.advance(130);
            let (status, answer) = self.ask(waiting, "two").await;
            assert_eq!(status, 200, "{run}, after the wait: {answer}");
        }
        let code = self.sns.code_sent_to(&waiting.number);
        let (status, done) = step(&self.world, &waiting.login, "verification", json!({ "code": code })).await;
        assert!(status == 200 && done["tokens"].is_object(), "{run}: {status} {done}");
    }
}

async fn world(sender: Arc<SnsSender>) -> World {
    let tables = Tables::of_local();
    let world = World::with_sender(Engine::dynoxide().await, tables, hasty, Some(sender)).await;
    let many = 1_000_000;
    let limits = json!({
        "per_range_hour": many, "per_country_day": many, "per_application_day": many, "per_tenant_day": many,
        "budget_usd_day": 100_000, "per_ip_hour": many,
    });
    world.admin("PATCH", "/security", json!({ "limits": limits })).await;
    world
}

fn delivery(answer: &Value) -> Option<Delivery> {
    match answer["login"]["challenge"]["delivery"].as_str()? {
        "accepted" => Some(Delivery::Accepted),
        "unknown" => Some(Delivery::Unknown),
        "failed" => Some(Delivery::Failed),
        other => panic!("{other}"),
    }
}

/// What support is told where a message did not leave: what SNS said last.
fn reason(expected: Delivery, faults: &[PublishFault]) -> Value {
    if expected != Delivery::Failed {
        return Value::Null;
    }
    let reason = match faults.last() {
        Some(PublishFault::Error(_, "Throttling")) => "not_reached",
        Some(PublishFault::Error(_, "OptedOut")) => "opted_out",
        Some(PublishFault::Error(_, "InvalidParameter")) => "invalid_parameter",
        Some(PublishFault::Error(_, "AuthorizationError")) => "not_authorized",
        _ => "rejected",
    };
    json!(reason)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2_h4_h10_no_fault_of_the_provider_sends_twice_or_for_nothing() {
    let post = Post::open().await;
    for send in [Send::First, Send::Again, Send::ToPendingNumber] {
        for (faults, expected, leaves, requests) in CASES {
            let run = format!("{send:?} with {faults:?}");
            let waiting = post.prepare(send).await;
            let (before, charged) = (post.left(&waiting.number), post.charged().await);
            post.sns.fail_next(faults);
            let started = Instant::now();
            let (status, answer) = post.ask(&waiting, "one").await;
            assert!(started.elapsed() < scaled_timeout(), "{run}: {:?}", started.elapsed());
            if *expected == Delivery::Failed {
                assert_eq!((status, answer["code"].as_str()), (502, Some("delivery_failed")), "{run}");
            } else {
                assert_eq!(status, 200, "{run}: {answer}");
            }
            assert_eq!(delivery(&answer), Some(*expected), "{run}: {answer}");
            let after = (before.0 + usize::from(*leaves), before.1 + requests);
            assert_eq!(post.left(&waiting.number), after, "{run}");
            // The same key again hears the same where a message has left or may have; else it is free, and waits as any other.
            post.sns.fail_next(&[]);
            let (status, again) = post.ask(&waiting, "one").await;
            let heard = if *expected == Delivery::Failed { 429 } else { 200 };
            assert_eq!((status, delivery(&again)), (heard, Some(*expected)), "{run}, again: {again}");
            // Nor does another key before the number's wait is over, which counts what failed, too.
            let (status, soon) = post.ask(&waiting, "soon").await;
            assert_eq!(status, 429, "{run}, too soon: {soon}");
            assert_eq!(post.left(&waiting.number), after, "{run}");
            // It was charged once, before it left or didn't: "The send stays counted everywhere".
            assert_eq!(post.charged().await, charged + 1, "{run}");
            let shown = post.shown(&waiting.user).await;
            let named = format!("{expected:?}").to_lowercase();
            assert_eq!(shown["delivery"], named, "{run}: {shown}");
            assert_eq!(shown["delivery_reason"], reason(*expected, faults), "{run}: {shown}");
            assert_eq!(shown["sends"], if send == Send::Again { 2 } else { 1 }, "{run}: {shown}");
            post.gets_in(&run, &waiting, *leaves || send == Send::Again).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h2_what_became_of_a_message_may_be_lost_and_it_is_sent_once() {
    let post = Post::open().await;
    for (faults, _, leaves, requests) in
        CASES.iter().filter(|(_, expected, ..)| *expected != Delivery::Accepted)
    {
        for (for_good, wrong) in [
            (true, Fault::InternalError),
            (true, Fault::Silence),
            (false, Fault::LostAnswer),
            (false, Fault::Throttled),
        ] {
            let run = format!("{faults:?}, then {wrong:?}{}", if for_good { " for good" } else { "" });
            let waiting = post.prepare(Send::First).await;
            let before = post.left(&waiting.number);
            post.sns.fail_next(faults);
            let hit = std::sync::atomic::AtomicBool::new(false);
            post.world.proxy.fail_when(move |record| {
                let key = record.body["Key"]["pk"]["S"].as_str().unwrap_or_default();
                let settles = record.operation == "UpdateItem" && key.starts_with("login#");
                let first = settles && !hit.swap(true, std::sync::atomic::Ordering::Relaxed);
                (first || settles && for_good).then(|| wrong.clone())
            });
            let started = Instant::now();
            let (status, answer) = post.ask(&waiting, "one").await;
            assert!(started.elapsed() < scaled_timeout(), "{run}: {:?}", started.elapsed());
            post.world.proxy.heal();
            if for_good {
                assert_eq!((status, answer["code"].as_str()), (503, Some("unavailable")), "{run}");
            } else {
                assert!([200, 502].contains(&status), "{run}: {status} {answer}");
            }
            post.sns.fail_next(&[]);
            let (status, again) = post.ask(&waiting, "one").await;
            let known_failed = !for_good && delivery(&answer) == Some(Delivery::Failed);
            assert_eq!(status, if known_failed { 429 } else { 200 }, "{run}, again: {again}");
            let after = (before.0 + usize::from(*leaves), before.1 + requests);
            assert_eq!(post.left(&waiting.number), after, "{run}");
            post.gets_in(&run, &waiting, *leaves).await;
        }
    }
}

/// What never reached the provider was not sent, and the user hears so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h10_a_provider_that_is_not_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let post = Post {
        world: world(Arc::new(sender(&url))).await,
        sns: Sns::start().await,
        people: std::cell::Cell::new(0),
    };
    let waiting = post.prepare(Send::First).await;
    let (status, answer) = post.ask(&waiting, "one").await;
    assert_eq!((status, answer["code"].as_str()), (502, Some("delivery_failed")));
    assert_eq!(delivery(&answer), Some(Delivery::Failed));
    assert_eq!(post.shown(&waiting.user).await["delivery_reason"], "not_reached");
}
