//! What tests on the real engine need: the embedded DynamoDB, a clock and randomness that the test holds in its hands.

use shared::config::{OsEntropy, dynamodb_client_for};
use shared::domain::ids::UserId;
use shared::domain::time::Timestamp;
use shared::dynamodb::{DynamoStore, tables};
use shared::ports::{Clock, Entropy};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;

/// Two empty tables of its own: on the engine at `TEST_DYNAMODB_URL` or, without it, on one in memory that ends with the test's runtime.
pub async fn store() -> DynamoStore {
    let (url, suffix) = match std::env::var("TEST_DYNAMODB_URL") {
        Ok(url) => (url, UserId::generate(|buffer| OsEntropy.fill(buffer)).to_string()),
        Err(_) => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let url = format!("http://{}", listener.local_addr().expect("bound"));
            let database = dynoxide::Database::memory().expect("an engine in memory");
            tokio::spawn(dynoxide::server::serve_on(listener, database));
            (url, String::new())
        }
    };
    let (directory, logins) = (format!("made-up-directory{suffix}"), format!("made-up-logins{suffix}"));
    let client = dynamodb_client_for(&url);
    tables::create_missing(&client, &directory, &logins).await.expect("tables");
    DynamoStore::new(client, directory, logins)
}

/// Stands still until the test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn start() -> Self {
        Self(AtomicI64::new(1_795_528_800_000))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes in every run (SplitMix64).
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().expect("no test panics with it");
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
