//! What tests on the real engine need: the embedded DynamoDB, a clock and randomness that the test holds in its hands.

mod engine;

pub use engine::store;
use shared::domain::time::Timestamp;
use shared::ports::{Clock, Entropy};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where a test's own pages would be.
pub const OWN_ORIGIN: &str = "https://mfa.example.com";

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
