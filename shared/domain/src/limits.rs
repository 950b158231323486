//! Sending limits (acceptance H4): what stops SMS pumping, toll fraud and bombing a victim.
//!
//! A number's limit is exact and counts over all tenants: its last sends are kept, newest first, and each rule looks at the one that
//! it must not be younger than. What many users share is counted in fixed windows, which one write can do however busy they are; a
//! window's edge may see up to twice the limit.

use super::settings::Limits;
use super::time::Timestamp;
use std::net::IpAddr;

/// How many of a number's sends are remembered one by one. A limit above it is counted in fixed windows instead.
pub const REMEMBERED: usize = 20;
/// Sends to one number in ten minutes, over all tenants, whatever a tenant's own limits say.
const PER_TEN_MINUTES: usize = 5;
/// The wait after the first, second … send within [`WAIT_WINDOW_SECONDS`], in seconds; the last one holds from then on.
const WAITS: [u32; 7] = [30, 60, 120, 240, 480, 960, 1920];
/// After this long without a send, in seconds, the wait starts again at its shortest.
const WAIT_WINDOW_SECONDS: i64 = 2 * 3600;

/// One rule about a number: the `nth` last send must be at least `seconds` old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRule {
    pub name: &'static str,
    /// 1 is the last send.
    pub nth: usize,
    pub seconds: u32,
}

/// One growing wait: while the `nth` last send is within the window, the last one must be at least `seconds` old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitRule {
    pub nth: usize,
    pub seconds: u32,
}

/// Everything that a number's limit says for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberLimit {
    pub rules: Vec<NumberRule>,
    pub waits: [WaitRule; WAITS.len()],
    /// Limits too high to remember each send for.
    pub windows: Vec<WindowRule>,
}

/// At most `max` in a fixed window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowRule {
    pub name: &'static str,
    pub window: Window,
    pub max: u32,
}

impl NumberLimit {
    pub fn of(limits: &Limits) -> Self {
        let mut rules = vec![NumberRule { name: "per_phone_10min", nth: PER_TEN_MINUTES, seconds: 600 }];
        let mut windows = Vec::new();
        for (name, max, window) in [
            ("per_phone_hour", limits.per_phone_hour, Window::Hour),
            ("per_phone_day", limits.per_phone_day, Window::Day),
        ] {
            match usize::try_from(max) {
                Ok(nth @ 1..=REMEMBERED) => {
                    rules.push(NumberRule { name, nth, seconds: window.seconds() });
                }
                _ => windows.push(WindowRule { name, window, max }),
            }
        }
        let waits = std::array::from_fn(|i| WaitRule { nth: i + 1, seconds: WAITS[i] });
        Self { rules, waits, windows }
    }

    /// Start of the window that waits look at.
    pub fn window_start(now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.millis() - WAIT_WINDOW_SECONDS * 1000)
    }

    /// Which rule stops a send at `now`, and when the last of those that do would let one pass. `recent` holds the last sends, newest
    /// first.
    pub fn refuses(&self, recent: &[Timestamp], now: Timestamp) -> Option<(&'static str, Timestamp)> {
        let by_count = self.rules.iter().filter_map(|rule| {
            let free_at = recent.get(rule.nth - 1)?.plus_secs(rule.seconds);
            (now < free_at).then_some((rule.name, free_at))
        });
        let by_wait = Some(("phone_wait", self.waits_until(recent, now))).filter(|(_, until)| now < *until);
        by_count.chain(by_wait).max_by_key(|(_, free_at)| *free_at)
    }

    /// Until when the growing wait holds.
    fn waits_until(&self, recent: &[Timestamp], now: Timestamp) -> Timestamp {
        let window = Self::window_start(now);
        let Some(last) = recent.first() else { return now };
        let in_window = recent.iter().filter(|at| **at > window).count();
        match self.waits.get(in_window.min(self.waits.len()).wrapping_sub(1)) {
            Some(wait) => last.plus_secs(wait.seconds),
            None => now,
        }
    }

    /// When the next send to this number may be, as far as this limit goes.
    pub fn next_at(&self, recent: &[Timestamp], now: Timestamp) -> Timestamp {
        self.refuses(recent, now).map_or(now, |(_, at)| at)
    }
}

/// A fixed window: an hour or a day of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Hour,
    Day,
}

impl Window {
    pub const fn seconds(self) -> u32 {
        match self {
            Window::Hour => 3600,
            Window::Day => 86_400,
        }
    }

    /// Number of the window that `now` is in, counted from 1970.
    pub const fn index(self, now: Timestamp) -> i64 {
        now.secs().div_euclid(self.seconds() as i64)
    }

    /// When that window ends.
    pub const fn end(self, now: Timestamp) -> Timestamp {
        Timestamp::from_secs((self.index(now) + 1) * self.seconds() as i64)
    }
}

/// How many items a tenant's day is spread over: one item takes about 1,000 writes a second. Small limits stay on one item, where they
/// are exact; spread over several, some messages are refused early. That is less than 5 % of 5,000 messages (docs/SCALE.md has the
/// simulation), and of a budget that buys as many at USD 0.10.
pub fn shards(limits: &Limits) -> u32 {
    let smallest = limits.per_tenant_day.min(limits.per_country_day).min(limits.per_application_day);
    if smallest < 5_000 || limits.budget_usd_day < 500 { 1 } else { MAX_SHARDS }
}

/// The most items that a tenant's day is spread over.
pub const MAX_SHARDS: u32 = 4;

/// The part of a limit that one shard may use; the parts add up to the limit.
pub const fn share(limit: u64, shard: u32, shards: u32) -> u64 {
    let (shard, shards) = (shard as u64, shards as u64);
    limit / shards + if shard < limit % shards { 1 } else { 0 }
}

/// An IPv4 address, or the /64 that an IPv6 customer commands.
pub fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(10_000_000);

    fn ago(seconds: &[i64]) -> Vec<Timestamp> {
        seconds.iter().map(|s| Timestamp::from_secs(NOW.secs() - s)).collect()
    }

    fn refuses(recent: &[i64]) -> Option<(&'static str, i64)> {
        let limit = NumberLimit::of(&Limits { per_phone_hour: 20, per_phone_day: 20, ..Limits::default() });
        limit.refuses(&ago(recent), NOW).map(|(rule, at)| (rule, at.secs() - NOW.secs()))
    }

    #[test]
    fn t10_the_wait_doubles_with_every_send_up_to_32_minutes() {
        assert_eq!(refuses(&[]), None);
        assert_eq!(refuses(&[0]), Some(("phone_wait", 30)));
        assert_eq!(refuses(&[0, 31]), Some(("phone_wait", 60)));
        assert_eq!(refuses(&[0, 61, 92]), Some(("phone_wait", 120)));
        let long: Vec<i64> = (0..9).map(|i| i * 700).collect();
        assert_eq!(refuses(&long), Some(("phone_wait", 1920)));
        assert_eq!(refuses(&[30]), None);
        assert_eq!(refuses(&[40, 7300, 7400, 7500]), None, "older sends no longer lengthen the wait");
    }

    #[test]
    fn t10_five_in_ten_minutes_and_the_tenants_own_limits_are_exact() {
        assert_eq!(refuses(&[300, 400, 450, 500, 599]), Some(("phone_wait", 180)));
        assert_eq!(refuses(&[480, 500, 520, 540, 599]), Some(("per_phone_10min", 1)));
        let limit = NumberLimit::of(&Limits::default());
        let hour = ago(&[1000, 1500, 2000, 2500, 3599]);
        assert_eq!(limit.refuses(&hour, NOW), Some(("per_phone_hour", NOW.plus_secs(1))));
        let day: Vec<i64> = (1..=10).map(|i| i * 8000).collect();
        assert_eq!(limit.refuses(&ago(&day), NOW), Some(("per_phone_day", NOW.plus_secs(6400))));
    }

    #[test]
    fn t10_a_rule_ends_with_its_last_second() {
        assert_eq!(refuses(&[480, 500, 520, 540, 600]), None);
        assert_eq!(refuses(&[29]), Some(("phone_wait", 1)));
        let limit = NumberLimit::of(&Limits::default());
        assert_eq!(limit.next_at(&ago(&[29]), NOW), NOW.plus_secs(1));
        assert_eq!(limit.next_at(&ago(&[30]), NOW), NOW);
        assert_eq!(refuses(&[59, 7199]), Some(("phone_wait", 1)), "the last second of the window counts");
        assert_eq!(refuses(&[59, 7200]), None);
        let waits: Vec<_> = limit.waits.iter().map(|wait| (wait.nth, wait.seconds)).collect();
        assert_eq!(waits, [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 960), (7, 1920)]);
    }

    #[test]
    fn a_limit_too_high_to_remember_is_counted_in_windows() {
        let limit = NumberLimit::of(&Limits { per_phone_hour: 21, per_phone_day: 20, ..Limits::default() });
        assert_eq!(limit.windows, [WindowRule { name: "per_phone_hour", window: Window::Hour, max: 21 }]);
        assert_eq!(limit.rules.iter().map(|r| r.nth).collect::<Vec<_>>(), [5, 20]);
    }

    #[test]
    fn shares_add_up_to_the_limit() {
        for limit in [0u64, 1, 3, 999, 1000, 10_003] {
            for shards in [1, 4] {
                let sum: u64 = (0..shards).map(|shard| share(limit, shard, shards)).sum();
                assert_eq!(sum, limit);
                let even = (0..shards)
                    .all(|shard| share(limit, shard, shards).abs_diff(limit / u64::from(shards)) <= 1);
                assert!(even, "{limit} over {shards}");
            }
        }
    }

    #[test]
    fn t27_addresses_of_one_network_are_one_subject() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn small_limits_stay_on_one_item() {
        assert_eq!(shards(&Limits::default()), 1);
        let large = Limits { budget_usd_day: 500, ..Limits::default() };
        assert_eq!(shards(&large), MAX_SHARDS);
        assert_eq!(shards(&Limits { per_country_day: 4_999, ..large }), 1);
        assert_eq!(shards(&Limits { per_country_day: 5_000, ..large }), MAX_SHARDS);
        assert_eq!(shards(&Limits { budget_usd_day: 499, ..large }), 1);
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        let end = Window::Day.end(NOW);
        assert_eq!(Window::Day.index(end), Window::Day.index(NOW) + 1);
        assert_eq!(Window::Hour.index(Timestamp::from_secs(3599)), 0);
        assert_eq!(Window::Hour.index(Timestamp::from_secs(3600)), 1);
        assert_eq!(Window::Hour.end(Timestamp::from_secs(3600)), Timestamp::from_secs(7200));
        assert_eq!(Window::Day.end(Timestamp::from_secs(1)), Timestamp::from_secs(86_400));
    }
}
