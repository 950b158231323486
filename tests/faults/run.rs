//! One run: a use case, with this wrong at that request.

use crate::cases::{Case, Prepared, step, whole_login};
use crate::tables;
use crate::world::World;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::engine::Engine;
use tests::proxy::{Fault, Record};
use tests::tables::Tables;
use tests::values::another_code;

/// How long one attempt of the client waits here, instead of the 1.5 s of the service's.
const ATTEMPT: Duration = Duration::from_millis(250);
/// No function may take longer (`Timeout` in template.yaml); here everything is quicker than there, but the machine.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The service's client, with its number of attempts, in less time.
pub fn hasty(url: &str) -> Client {
    let patience =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ATTEMPT * 4).build();
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(2));
    let config = shared::config::dynamodb_client_for(url).config().to_builder();
    Client::from_conf(config.timeout_config(patience).retry_config(retries).build())
}

/// A request as it can be found again in another run of the same case: what it does, and the how many-th such it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    what: String,
    occurrence: usize,
    is_read: bool,
    /// How many actions a transaction has.
    actions: usize,
}

/// The operation and the kinds of the keys in it; keys are random.
fn what(record: &Record) -> String {
    fn kinds(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    match value["S"].as_str() {
                        Some(key) if name == "pk" || name == ":pk" => {
                            let kind = if key.starts_with("limit#") {
                                key.splitn(3, '#').take(2).collect()
                            } else {
                                vec![key.split('#').next().unwrap_or("")]
                            };
                            found.push(kind.join("#"));
                        }
                        _ => kinds(value, found),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| kinds(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    kinds(&record.body, &mut found);
    found.sort();
    format!("{} {}", record.operation, found.join("+"))
}

/// Every request of a run, as a place.
fn places(records: &[Record]) -> Vec<Place> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let place = |record: &Record| {
        let what = what(record);
        let occurrence = seen.entry(what.clone()).or_default();
        *occurrence += 1;
        let actions = record.body["TransactItems"].as_array().map_or(0, Vec::len);
        Place { what, occurrence: *occurrence, is_read: record.is_read(), actions }
    };
    records.iter().map(place).collect()
}

/// Whether it is over by the next attempt: nobody need hear of one such fault.
fn is_passing(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::Stale | Fault::Cancelled { code: "ItemCollectionSizeLimitExceeded" | "ValidationError", .. }
    )
}

/// Of those with the same effect, the quickest is enough as a second one: not seen, seen and not heard of, in the way, for good, out of date.
fn is_of_its_own_kind(fault: &Fault) -> bool {
    match fault {
        Fault::InternalError | Fault::LostAnswer | Fault::TransactionConflict | Fault::Stale => true,
        Fault::Cancelled { action, code } => *action == 0 && *code == "ValidationError",
        _ => false,
    }
}

/// What can go wrong with it.
fn faults(place: &Place) -> Vec<Fault> {
    let mut faults = vec![
        Fault::Throttled,
        Fault::InternalError,
        Fault::LostRequest,
        Fault::LostAnswer,
        Fault::Silence,
        Fault::SilenceAfter,
        Fault::Delayed(ATTEMPT / 5),
    ];
    if place.is_read {
        faults.push(Fault::Stale);
    } else {
        faults.push(Fault::TransactionConflict);
    }
    let last = place.actions.saturating_sub(1);
    let ends: &[usize] = if last == 0 { &[0] } else { &[0, last] };
    for action in ends.iter().filter(|_| place.actions > 0) {
        for code in [
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
            "ItemCollectionSizeLimitExceeded",
            "ValidationError",
        ] {
            faults.push(Fault::Cancelled { action: *action, code });
        }
        if *action > 0 {
            faults.push(Fault::Cancelled { action: *action, code: tests::proxy::CONFLICT });
        }
    }
    faults
}

pub struct Laboratory {
    world: World,
    pairs: bool,
}

impl Laboratory {
    pub async fn new() -> Self {
        let tables = Tables { directory: "directory".to_owned(), logins: "logins".to_owned() };
        let world = World::with_client(Engine::dynoxide().await, tables, hasty).await;
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
        Self { world, pairs: std::env::var("FAULTS").is_ok_and(|how| how == "pairs") }
    }

    pub async fn assert_consistent(&self) {
        tables::assert_consistent(self.world.engine.url(), &self.world.tables).await;
    }

    /// The run in which nothing goes wrong, then all in which one thing does.
    pub async fn examine(&mut self, case: Case) {
        let started = Instant::now();
        let clean = self.run(case, &[]).await;
        let mut runs = 0;
        for place in &clean {
            for fault in faults(place) {
                let one = (place.clone(), fault);
                let then = self.run(case, std::slice::from_ref(&one)).await;
                runs += 1;
                if !self.pairs {
                    continue;
                }
                // What comes after the first, also what comes only because of it.
                let after = then.iter().position(|other| other == place).map_or(0, |at| at + 1);
                for second in &then[after..] {
                    for fault in faults(second).into_iter().filter(is_of_its_own_kind) {
                        self.run(case, &[one.clone(), (second.clone(), fault)]).await;
                        runs += 1;
                    }
                }
            }
        }
        println!("{case:?}: {} requests, {runs} runs, {} ms", clean.len(), started.elapsed().as_millis());
    }

    /// Answers which requests the call made.
    async fn run(&self, case: Case, wrongs: &[(Place, Fault)]) -> Vec<Place> {
        let world = &self.world;
        let run = format!("{case:?} with {wrongs:?}");
        world.proxy.heal();
        world.proxy.remember_reads();
        let ready = case.prepare(world).await;
        world.provider(ready.provider.clone());
        world.proxy.take();
        self.break_at(wrongs);
        let messages = world.messages();
        let started = Instant::now();
        let first = call(world, &ready).await;
        assert!(started.elapsed() < FUNCTION_TIMEOUT, "{run}: {:?}", started.elapsed());
        world.proxy.heal();
        let places = places(&world.proxy.take());
        let (status, answer) = checked(&run, first);
        if wrongs.iter().all(|(_, fault)| is_passing(fault)) && wrongs.len() < 2 {
            assert_eq!(status, case.expected(), "{run}: {answer}");
        }
        let again = if status == case.expected() && (!case.sends() || case == Case::SendBeyondLimit) {
            None
        } else {
            Some(checked(&run, call(world, &ready).await))
        };
        if let Some((status, answer)) = &again {
            let known = answer["code"].as_str().is_some_and(|code| case.repeated().contains(&code));
            // A key under which nothing has left is free, and the number waits. Where just that could not be written, for good or twice over, it
            // is as after a crash: an `accepted` that never left.
            let unwritten =
                wrongs.len() > 1 || wrongs.iter().any(|(place, _)| place.what.contains("limit#refused"));
            let delivery = &answer["login"]["challenge"]["delivery"];
            let waits = answer["code"] == "rate_limited" && delivery == "failed";
            let told = case.sends() && (waits || *status == 200 && unwritten);
            assert!(*status == case.expected() || known || told, "{run}, again: {status} {answer}");
            let nothing_left = case.sends() && *status == 200 && world.messages() == messages;
            assert!(!nothing_left || unwritten, "{run}: {delivery}, and nothing has left");
        }
        let tokens = |answer: &Value| usize::from(answer["tokens"].is_object());
        let given = tokens(&answer) + again.as_ref().map_or(0, |(_, answer)| tokens(answer));
        assert!(given <= 1, "{run}: tokens twice");
        let sent = world.messages() - messages;
        assert!(sent <= 1, "{run}: {sent} messages for one key");
        let wrong_answers = std::iter::once(status).chain(again.as_ref().map(|(status, _)| *status));
        let outcome =
            Outcome { tokens: given, sent, wrong_answers: wrong_answers.filter(|s| *s == 401).count() };
        finish(world, case, &ready, &outcome, &run).await;
        places
    }

    fn break_at(&self, wrongs: &[(Place, Fault)]) {
        if wrongs.is_empty() {
            return;
        }
        let wrongs = wrongs.to_vec();
        let seen = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
        self.world.proxy.fail_when(move |record| {
            let what = what(record);
            let mut seen = seen.lock().unwrap();
            let occurrence = seen.entry(what.clone()).or_default();
            *occurrence += 1;
            let hit = |(place, _): &&(Place, Fault)| place.what == what && place.occurrence == *occurrence;
            wrongs.iter().find(hit).map(|(_, fault)| fault.clone())
        });
    }
}

struct Outcome {
    tokens: usize,
    sent: usize,
    wrong_answers: usize,
}

async fn call(world: &World, ready: &Prepared) -> Response<Bytes> {
    world.answer(ready.method, &ready.path, Some(&ready.bearer), &ready.headers, ready.body.clone()).await
}

/// An answer as the contract knows it: a problem where it is none, and one of 503 says when to come again.
fn checked(run: &str, answer: Response<Bytes>) -> (u16, Value) {
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

/// What has to stand at the end, or has to be possible from here.
async fn finish(world: &World, case: Case, ready: &Prepared, outcome: &Outcome, run: &str) {
    world.provider(shared::ports::SendOutcome::Accepted { message_id: "m".into() });
    let person = &ready.person;
    let users = format!("/v1/tenants{}/users", world.tenant);
    let user = |path: String| async move { world.call("GET", &path, Some(&world.admin), &[], None).await };
    let phone_of = async |id: &str| user(format!("{users}/{id}")).await.1["phone"].clone();
    match case {
        Case::GuessWrong => {
            let (_, shown) = user(format!("{users}/{}", person.user)).await;
            let failures = shown["failed_codes"].as_u64();
            let failures = failures.unwrap_or_else(|| panic!("{run}: no failures in {shown}"));
            assert!(
                failures >= outcome.wrong_answers as u64,
                "{run}: {failures} of {}",
                outcome.wrong_answers
            );
            let login = ready.login.as_ref().unwrap();
            let (status, done) = step(world, login, "verification", json!({ "code": world.code() })).await;
            assert_eq!(status, 200, "{run}: {done}");
            assert_eq!(
                step(world, login, "verification", json!({ "code": another_code(&world.code()) })).await.0,
                409,
                "{run}"
            );
        }
        Case::Send | Case::SendUnknown | Case::SendAgain => {
            let login = ready.login.as_ref().unwrap();
            if outcome.sent == 0 {
                // Nothing has left: the user asks again after the wait.
                world.advance(130);
                let (status, answer) = step(world, login, "code", json!({})).await;
                assert_eq!(status, 200, "{run}: {answer}");
            }
            let (status, done) = step(world, login, "verification", json!({ "code": world.code() })).await;
            assert_eq!(status, 200, "{run}: {done}");
        }
        Case::NameNumber => {
            let login = ready.login.as_ref().unwrap();
            assert_eq!(step(world, login, "code", json!({})).await.0, 200, "{run}");
            assert_eq!(
                step(world, login, "verification", json!({ "code": world.code() })).await.0,
                200,
                "{run}"
            );
            assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}");
        }
        Case::Bind => {
            assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}");
            if outcome.tokens == 0 {
                whole_login(world, person).await;
            }
        }
        _ if case.gives_tokens() && outcome.tokens == 0 => {
            whole_login(world, person).await;
        }
        Case::ProveOldNumber => {
            let login = ready.login.as_ref().unwrap();
            assert_eq!(step(world, login, "code", json!({})).await.0, 200, "{run}");
            assert_eq!(
                step(world, login, "verification", json!({ "code": world.code() })).await.0,
                200,
                "{run}"
            );
            assert_eq!(phone_of(&person.user).await, person.other.as_str(), "{run}");
        }
        Case::Replace => assert_eq!(phone_of(&person.user).await, person.other.as_str(), "{run}"),
        Case::RemoveNumber | Case::AdminUnbinds => assert!(phone_of(&person.user).await.is_null(), "{run}"),
        Case::AdminBinds => assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}"),
        Case::CreateUser => {
            let (_, found) = user(format!("{users}?username={}", person.name)).await;
            let found = found["items"].as_array().cloned().unwrap_or_default();
            assert_eq!(found.len(), 1, "{run}: {found:?}");
            assert_eq!(found[0]["phone"], person.number.as_str(), "{run}");
        }
        Case::RenameUser => {
            let (_, shown) = user(format!("{users}/{}", person.user)).await;
            assert_eq!(shown["username"], format!("{}-renamed", person.name), "{run}");
        }
        Case::DeleteUser => assert_eq!(user(format!("{users}/{}", person.user)).await.0, 404, "{run}"),
        _ => {}
    }
}
