//! An environment that was frozen wakes up with connections of before: to a service that has closed, forgotten or lost them. Real functions
//! (debug builds) over Lambda's Runtime API, on the embedded engine.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at its first surprise, and takes the time"
)]

mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use shared::auth::OperatorHashes;
use shared::config::OsEntropy;
use shared::dynamodb::LIMITS_AT_ONCE;
use std::time::{Duration, Instant};
use tests::aws::Sns;
use tests::engine::Engine;
use tests::events;
use tests::repository;
use tests::runtime::Bootstrap;
use tests::tables::Tables;
use wire::{Fate, Wire};

/// A retry and a new connection, on a machine that has other things to do; less than the SDK's shortest timeout.
const QUICK: Duration = Duration::from_millis(450);
/// What one attempt may take, and what is quick.
const ONE_ATTEMPT: Duration = Duration::from_millis(1500 + 450);

struct Frozen {
    wire: Wire,
    function: Bootstrap,
    operator_key: String,
    _engine: Engine,
}

impl Frozen {
    /// `policy-admin`, warm: it has made a tenant.
    async fn start() -> Self {
        let engine = Engine::dynoxide().await;
        let tables = Tables::create(&engine).await;
        let wire = Wire::to(engine.url()).await;
        let (operator_key, operator) = OperatorHashes::generate(&OsEntropy);
        let operator = operator.to_string();
        let variables = [
            ("DIRECTORY_TABLE", &*tables.directory),
            ("LOGINS_TABLE", &tables.logins),
            ("BASE_URL", "https://api.example.com"),
            ("SECRET_OPERATOR", &operator),
            ("AWS_ENDPOINT_URL_DYNAMODB", wire.url()),
        ];
        let program = repository::program("debug", "policy-admin");
        let function = Bootstrap::spawn_program(&program, "policy-admin", &variables).await;
        function.ready().await.unwrap();
        let frozen = Self { wire, function, operator_key: operator_key.text.into_exposed(), _engine: engine };
        // What a first request has to do once is no part of what follows.
        frozen.make_tenant().await;
        frozen
    }

    /// A write; answers the tenant and its key.
    async fn make_tenant(&self) -> (String, String) {
        let made = self.call("create_tenant", &[("operator_key", &self.operator_key)], 201).await;
        let text = |pointer| made.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (text("/id"), text("/admin_key/secret"))
    }

    async fn call(&self, event: &str, values: &[(&str, &str)], status: u16) -> Value {
        let answer = self.function.invoke(&events::load(event, values)).await;
        let answer =
            answer.unwrap_or_else(|error| panic!("{event}: {error:?}\n{}", self.function.log().text()));
        events::answer(&answer).expect(status)
    }

    /// How long a write takes after all connections have met a fate, and how many were opened for it.
    async fn write_after(&self, fate: Fate) -> (Duration, usize) {
        let opened = self.wire.opened();
        self.wire.meet(fate);
        if fate == Fate::Closed {
            // A frozen process is told of it before it runs again.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let started = Instant::now();
        self.make_tenant().await;
        (started.elapsed(), self.wire.opened() - opened)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_requests_share_the_connection_that_was_opened_at_the_start() {
    let frozen = Frozen::start().await;
    let (tenant, admin_key) = frozen.make_tenant().await;
    for _ in 0..20 {
        frozen.call("get_tenant", &[("tenant", &tenant), ("admin_key", &admin_key)], 200).await;
        frozen.make_tenant().await;
    }
    assert_eq!(frozen.wire.opened(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_closed_meanwhile_costs_a_new_one() {
    let frozen = Frozen::start().await;
    for _ in 0..5 {
        let (took, opened) = frozen.write_after(Fate::Closed).await;
        assert!(took < QUICK, "{took:?}");
        assert_eq!(opened, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_forgotten_costs_one_quick_retry() {
    let frozen = Frozen::start().await;
    for _ in 0..5 {
        let (took, opened) = frozen.write_after(Fate::ResetWhenUsed).await;
        assert!(took < QUICK, "{took:?}");
        assert_eq!(opened, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_nobody_hears_costs_one_attempt_and_not_the_request() {
    let frozen = Frozen::start().await;
    let (took, opened) = frozen.write_after(Fate::Silent).await;
    assert!(took < ONE_ATTEMPT, "{took:?}");
    assert_eq!(opened, 1);
    let (took, opened) = frozen.write_after(Fate::Whole).await;
    assert!(took < QUICK, "the one that nobody hears is used no more: {took:?}");
    assert_eq!(opened, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_has_a_connection_for_each_limit_from_the_start() {
    let engine = Engine::dynoxide().await;
    let tables = Tables::create(&engine).await;
    let (wire, sns) = (Wire::to(engine.url()).await, Sns::start().await);
    let ring = |key| json!({ "current": "a", "keys": { "a": STANDARD.encode([key; 32]) } });
    let (pepper, sealing) = (ring(1_u8).to_string(), ring(2).to_string());
    let personal = json!({ "sealing": ring(3), "hash_key": STANDARD.encode([4; 32]) }).to_string();
    let sns_url = sns.url();
    let variables = [
        ("DIRECTORY_TABLE", &*tables.directory),
        ("LOGINS_TABLE", &tables.logins),
        ("BASE_URL", "https://api.example.com"),
        ("SECRET_CODE_PEPPER", &pepper),
        ("SECRET_SEALING", &sealing),
        ("SECRET_PERSONAL_DATA", &personal),
        ("AWS_ENDPOINT_URL_DYNAMODB", wire.url()),
        ("AWS_ENDPOINT_URL_SNS", &sns_url),
    ];
    let program = repository::program("debug", "code-issuance");
    let function = Bootstrap::spawn_program(&program, "code-issuance", &variables).await;
    function.ready().await.unwrap();
    assert_eq!(wire.opened(), LIMITS_AT_ONCE);
    assert_eq!(sns.published(), [], "SNS was asked for its connection only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_no_service_that_is_gone() {
    let (_, operator) = OperatorHashes::generate(&OsEntropy);
    let operator = operator.to_string();
    let variables = [
        ("DIRECTORY_TABLE", "directory"),
        ("LOGINS_TABLE", "logins"),
        ("BASE_URL", "https://api.example.com"),
        ("SECRET_OPERATOR", &*operator),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ];
    let program = repository::program("debug", "policy-admin");
    for _ in 0..3 {
        let function = Bootstrap::spawn_program(&program, "policy-admin", &variables).await;
        let took = function.ready().await.unwrap();
        assert!(took < QUICK, "{took:?}");
    }
}
