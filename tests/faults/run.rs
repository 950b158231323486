//! One run: a use case, with this wrong at that request.

use crate::cases::Case;
use crate::clients::scaled_timeout;
use crate::finish::finish;
use crate::places::{Place, Wrong, judge, places};
use crate::prepare::Prepared;
use crate::routes;
use crate::tables;
use crate::world::World;
use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use futures::FutureExt;
use http::Response;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tests::engine::Engine;
use tests::proxy::Fault;
use tests::tables::Tables;

pub struct Laboratory {
    pub world: World,
    pairs: bool,
}

impl Laboratory {
    pub async fn new(client: fn(&str) -> Client) -> Self {
        let tables = Tables::of_local();
        let world = World::with_client(Engine::dynoxide().await, tables, client).await;
        let many = 1_000_000;
        let security = json!({
            "mfa": { "sms": { "enabled": true } },
            "trusted_devices": { "enabled": true },
            "recovery_codes": { "enabled": true },
            "limits": {
                "per_range_hour": many, "per_country_day": many, "per_application_day": many,
                "per_tenant_day": many, "budget_usd_day": 100_000, "per_ip_hour": many,
            },
        });
        world.admin("PATCH", "/security", security).await;
        // Somebody to look at, where only administrators act.
        world.user("somebody", Some("+12125550100")).await;
        Self { world, pairs: std::env::var("FAULTS").is_ok_and(|how| how == "pairs") }
    }

    pub async fn assert_consistent(&self) {
        tables::assert_consistent(self.world.engine.url(), &self.world.tables).await;
    }

    /// The run in which nothing goes wrong, then all in which one thing does. One that fails does not keep the others from being tried.
    pub async fn examine(&mut self, case: Case) {
        let started = Instant::now();
        let clean = self.run(case, &[]).await;
        let (mut runs, mut failed) = (0, 0);
        let mut attempt = async |wrongs: &[Wrong]| {
            runs += 1;
            let run = AssertUnwindSafe(self.run(case, wrongs)).catch_unwind().await;
            run.inspect_err(|_| failed += 1).unwrap_or_default()
        };
        for place in &clean {
            for wrong in place.ends() {
                attempt(&[wrong]).await;
            }
            for fault in place.faults(case) {
                let one = Wrong { place: place.clone(), fault, for_good: false };
                let then = attempt(std::slice::from_ref(&one)).await;
                if !self.pairs || one.is_a_refusal() {
                    continue;
                }
                // What comes after the first, also what comes only because of it.
                let after = then.iter().position(|other| other == place).map_or(0, |at| at + 1);
                for second in &then[after..] {
                    for fault in second.second_faults(case) {
                        let two = Wrong { place: second.clone(), fault, for_good: false };
                        attempt(&[one.clone(), two]).await;
                    }
                }
            }
        }
        let stale = self.world.proxy.stale_answers();
        let time = started.elapsed().as_millis();
        println!("{case:?}: {} requests, {runs} runs, {stale} answers out of date, {time} ms", clean.len());
        assert_eq!(failed, 0, "{case:?}: of {runs} runs");
        assert!(
            stale > 0 || !case.meets_stale_answers(),
            "{case:?}: no stale answer was another than the fresh one"
        );
    }

    async fn run(&self, case: Case, wrongs: &[Wrong]) -> Vec<Place> {
        let world = &self.world;
        let run = format!("{case:?} with {wrongs:?}");
        world.proxy.heal();
        world.proxy.remember_reads();
        let ready = case.prepare(world).await;
        assert_eq!(routes::operation(world.edge(), &ready), case.operation(), "{run}");
        world.provider(ready.provider.clone());
        world.proxy.take();
        if !wrongs.is_empty() {
            world.proxy.fail_when(judge(wrongs.to_vec()));
        }
        let messages = world.messages();
        let started = Instant::now();
        let first = call(world, &ready).await;
        assert!(started.elapsed() < scaled_timeout(), "{run}: {:?}", started.elapsed());
        world.proxy.heal();
        let places = places(&world.proxy.take());
        let first = checked(&run, first);
        if wrongs.iter().all(Wrong::is_passing) && wrongs.len() < 2 {
            assert_eq!(first.0, case.expected(), "{run}: {}", first.1);
        }
        let outcome = repeat(world, case, &ready, first, messages, wrongs, &run).await;
        finish(world, case, &ready, &outcome, &run).await;
        places
    }
}

/// The same call again, where it has to be made again, and what both have come to.
pub async fn repeat(
    world: &World,
    case: Case,
    ready: &Prepared,
    (status, answer): (u16, Value),
    messages: usize,
    wrongs: &[Wrong],
    run: &str,
) -> Outcome {
    let again = if status == case.expected() && (!case.sends() || case == Case::SendBeyondLimit) {
        None
    } else {
        Some(checked(run, call(world, ready).await))
    };
    // A key under which nothing has left is free, and the number waits. Where just that could not be written, for good or twice over, it
    // is as after a crash: an `accepted` that never left.
    let unwritten = wrongs.len() > 1 || wrongs.iter().any(Wrong::hits_the_note);
    if let Some((status, answer)) = &again {
        let known = answer["code"].as_str().is_some_and(|code| case.repeated().contains(&code));
        // Who is told that the number is another's names it, or another one, anew.
        let unnamed = case == Case::Bind
            && answer["code"] == "phone_required"
            && wrongs.iter().any(|wrong| wrong.refuses("Transact"));
        let delivery = &answer["login"]["challenge"]["delivery"];
        let waits = delivery == "failed"
            && ["rate_limited", "resend_too_soon"].map(Value::from).contains(&answer["code"]);
        let told = case.sends() && (waits || *status == 200 && unwritten);
        assert!(*status == case.expected() || known || unnamed || told, "{run}, again: {status} {answer}");
        let nothing_left = case.sends() && *status == 200 && world.messages() == messages;
        assert!(!nothing_left || unwritten, "{run}: {delivery}, and nothing has left");
    }
    let tokens = |answer: &Value| usize::from(answer["tokens"].is_object());
    let given = tokens(&answer) + again.as_ref().map_or(0, |(_, answer)| tokens(answer));
    assert!(given <= 1, "{run}: tokens twice");
    let sent = world.messages() - messages;
    assert!(sent <= 1, "{run}: {sent} messages for one key");
    let answers = std::iter::once(status).chain(again.as_ref().map(|(status, _)| *status));
    // Of a user who is gone nothing is counted any more, and that is what the count's one condition says where it doesn't hold.
    let uncounted = wrongs.iter().filter(|wrong| wrong.says_user_is_gone(case)).count();
    let wrong_answers = answers.filter(|status| *status == 401).count().saturating_sub(uncounted);
    let was_stale = wrongs.iter().any(|wrong| matches!(wrong.fault, Fault::Stale));
    let was_limited = wrongs.iter().any(|wrong| wrong.refuses("UpdateItem limit#"));
    Outcome { tokens: given, sent, wrong_answers, was_stale, was_limited }
}

/// What a call and its repetition have come to.
pub struct Outcome {
    pub tokens: usize,
    pub sent: usize,
    pub wrong_answers: usize,
    /// An answer was out of date.
    pub was_stale: bool,
    /// A limit was said to be reached.
    pub was_limited: bool,
}

pub async fn call(world: &World, ready: &Prepared) -> Response<Bytes> {
    world.answer(ready.method, &ready.path, Some(&ready.bearer), &ready.headers, ready.body.clone()).await
}

/// An answer as the contract knows it: a problem where it is none, and one of 503 says when to come again.
pub fn checked(run: &str, answer: Response<Bytes>) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    assert!(status < 500 || status == 503, "{run}: {status} {body}");
    if status >= 400 {
        assert!(body["code"].is_string(), "{run}: {status} {body}");
    }
    if status == 503 {
        assert_eq!(body["code"], "unavailable", "{run}");
        assert!(answer.headers().contains_key("retry-after"), "{run}: no Retry-After");
    }
    (status, body)
}
