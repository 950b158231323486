//! Points in time. The domain never asks for the time: it is an argument everywhere.

use std::time::Duration;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1000)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down: what a JWT's claims and DynamoDB's TTL attribute hold.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub const fn plus_secs(self, secs: u32) -> Self {
        Self(self.0 + secs as i64 * 1000)
    }

    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0 + duration.as_millis() as i64)
    }

    /// Seconds from `now` until this moment, rounded up and at least 1: what `Retry-After` needs.
    pub fn retry_after(self, now: Timestamp) -> u32 {
        let millis = (self.0 - now.0).max(0);
        u32::try_from(millis.div_euclid(1000) + i64::from(millis % 1000 != 0)).unwrap_or(u32::MAX).max(1)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-24T14:00:00.000Z`.
    pub fn rfc3339(self) -> String {
        match ::time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) {
            Ok(t) => format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                t.year(),
                u8::from(t.month()),
                t.day(),
                t.hour(),
                t.minute(),
                t.second(),
                t.millisecond()
            ),
            Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
        }
    }

    /// `None` when the text isn't an RFC 3339 date and time with an offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed =
            ::time::OffsetDateTime::parse(text, &::time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_there_and_back() {
        let t = Timestamp::from_millis(1_795_528_800_042);
        assert_eq!(t.rfc3339(), "2026-11-24T14:00:00.042Z");
        assert_eq!(Timestamp::parse_rfc3339(&t.rfc3339()), Some(t));
        assert_eq!(Timestamp::parse_rfc3339("2026-11-24 14:00"), None);
    }

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        let now = Timestamp::from_secs(100);
        assert_eq!(Timestamp::from_millis(101_001).retry_after(now), 2);
        assert_eq!(now.retry_after(now), 1);
        assert_eq!(Timestamp::from_secs(90).retry_after(now), 1);
    }
}
