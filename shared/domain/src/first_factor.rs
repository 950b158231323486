//! Throttling of failed first factors: a growing wait for each account and each address, never a lock for good.
//!
//! It is decided from what is read anyway and written on failure only, so that a successful sign-in writes nothing. Where an account's failures
//! are more than may come without a wait, a try is counted before it is judged: of many at once only one is.

use super::time::Timestamp;

/// Failures without any wait.
const FREE: u32 = 5;
/// The longest wait, in seconds. Longer would let anybody lock anybody out (OWASP ASVS 5.0, 6.1.1).
const MAX_WAIT_SECONDS: u32 = 300;
/// Without a failure for this long, in seconds, the count starts afresh.
pub const WINDOW_SECONDS: u32 = 1800;

/// Failed first factors of one subject: an account or an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    pub failures: u32,
    pub last_failure: Option<Timestamp>,
}

impl Throttle {
    /// When the subject may try again: now, or after 1, 2, 4 … 300 s from its last failure. `free` is multiplied for an address, behind
    /// which many people may be.
    pub fn blocked_until(&self, now: Timestamp, kind: Subject) -> Option<Timestamp> {
        let last = self.last_failure?;
        let over = self.failures.checked_sub(FREE * kind.allowance())?;
        let wait = 1u32.checked_shl(over).unwrap_or(u32::MAX).min(MAX_WAIT_SECONDS);
        let until = last.plus_secs(wait);
        (now < until).then_some(until)
    }

    /// Whether a try has to be counted before it is judged: each has a wait after it, which those at once would not have waited for.
    pub fn counts_first(&self, now: Timestamp, kind: Subject) -> bool {
        !self.is_stale(now) && self.failures >= FREE * kind.allowance()
    }

    /// When whoever lost to another try at `now` may try again.
    pub fn after_another(&self, now: Timestamp, kind: Subject) -> Timestamp {
        let then = Self { failures: self.after_failure(now), last_failure: Some(now) };
        then.blocked_until(now, kind).unwrap_or(now.plus_secs(1))
    }

    /// The count after one more failure at `now`.
    pub fn after_failure(&self, now: Timestamp) -> u32 {
        if self.is_stale(now) { 1 } else { self.failures.saturating_add(1) }
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        self.last_failure.is_none_or(|last| now >= last.plus_secs(WINDOW_SECONDS))
    }
}

/// Whose failures are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Account,
    Address,
}

impl Subject {
    const fn allowance(self) -> u32 {
        match self {
            Subject::Account => 1,
            Subject::Address => 10,
        }
    }

    /// The rule's name in a refusal.
    pub const fn rule(self) -> &'static str {
        match self {
            Subject::Account => "first_factor_account",
            Subject::Address => "first_factor_ip",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_000_000);

    fn wait(failures: u32, kind: Subject) -> Option<i64> {
        let throttle = Throttle { failures, last_failure: Some(T0) };
        throttle.blocked_until(T0, kind).map(|until| until.secs() - T0.secs())
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        assert_eq!(wait(4, Subject::Account), None);
        assert_eq!(
            [5, 6, 7, 8, 13, 14, 40, 4000].map(|n| wait(n, Subject::Account)),
            [Some(1), Some(2), Some(4), Some(8), Some(256), Some(300), Some(300), Some(300)]
        );
        assert_eq!(wait(49, Subject::Address), None);
        assert_eq!(wait(50, Subject::Address), Some(1));
    }

    #[test]
    fn t29_nobody_is_locked_out_for_good() {
        let throttle = Throttle { failures: 1_000_000, last_failure: Some(T0) };
        assert_eq!(throttle.blocked_until(T0.plus_secs(MAX_WAIT_SECONDS), Subject::Account), None);
        assert_eq!(throttle.after_failure(T0.plus_secs(WINDOW_SECONDS)), 1);
    }

    #[test]
    fn t29_failures_are_counted_until_half_an_hour_passes_without_one() {
        let last = Timestamp::from_secs(1_000_000);
        let throttle = Throttle { failures: 7, last_failure: Some(last) };
        assert_eq!(Throttle::default().after_failure(last), 1);
        assert_eq!(throttle.after_failure(last.plus_secs(WINDOW_SECONDS - 1)), 8);
        assert_eq!(throttle.after_failure(last.plus_secs(WINDOW_SECONDS)), 1);
    }

    #[test]
    fn t1_a_try_is_counted_first_where_it_has_a_wait_after_it() {
        let throttle = |failures| Throttle { failures, last_failure: Some(T0) };
        let first = |failures, after| throttle(failures).counts_first(T0.plus_secs(after), Subject::Account);
        assert_eq!([0, 4, 5, 400].map(|failures| first(failures, 60)), [false, false, true, true]);
        assert!(first(5, WINDOW_SECONDS - 1) && !first(5, WINDOW_SECONDS));
        assert!(!Throttle::default().counts_first(T0, Subject::Account));
        let at = T0.plus_secs(100);
        assert_eq!(throttle(5).after_another(at, Subject::Account), at.plus_secs(2));
        assert_eq!(throttle(0).after_another(at, Subject::Account), at.plus_secs(1));
    }

    #[test]
    fn a_refusal_names_whose_failures_they_were() {
        assert_eq!(
            [Subject::Account, Subject::Address].map(Subject::rule),
            ["first_factor_account", "first_factor_ip"]
        );
    }
}
