//! Sending limits as the contract has them, over a list of sends.

use crate::ops::Policy;

/// Sends to one number in ten minutes, whatever a tenant's limits say.
const PER_TEN_MINUTES: usize = 5;
/// The first wait between two sends to one number, in seconds; it doubles with every send in two hours.
const FIRST_WAIT: i64 = 30;
const LONGEST_WAIT: i64 = 1920;
const WAITS_LOOK_BACK: i64 = 7200;

/// When sends happened, in their order.
#[derive(Clone, Debug, Default)]
pub struct Sends(Vec<i64>);

impl Sends {
    pub fn add(&mut self, at: i64) {
        self.0.push(at);
    }

    /// How many happened less than `seconds` ago.
    pub fn within(&self, seconds: i64, now: i64) -> usize {
        self.0.iter().filter(|at| now < **at + seconds).count()
    }

    /// How many happened in the window of UTC that `now` is in.
    pub fn in_window(&self, seconds: i64, now: i64) -> usize {
        self.0.iter().filter(|at| at.div_euclid(seconds) == now.div_euclid(seconds)).count()
    }
}

/// Whether a number gets no further message now.
pub fn number_refuses(sends: &Sends, policy: &Policy, now: i64) -> bool {
    let counts = [(PER_TEN_MINUTES, 600), (policy.per_phone_hour, 3600), (policy.per_phone_day, 86_400)];
    counts.into_iter().any(|(most, seconds)| sends.within(seconds, now) >= most) || waits(sends, now)
}

/// Whether the growing wait after the last send still holds.
fn waits(sends: &Sends, now: i64) -> bool {
    let before = u32::try_from(sends.within(WAITS_LOOK_BACK, now)).unwrap();
    let Some(last) = sends.0.last().filter(|_| before > 0) else { return false };
    let wait = FIRST_WAIT.saturating_mul(1 << (before - 1).min(20)).min(LONGEST_WAIT);
    now < last + wait
}
