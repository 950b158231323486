//! Numbers that a tenant tests with (acceptance H6). Nothing is ever sent to one and nothing is billed: what a login meets there is played
//! as its scenario says. Only numbers that the tenant lists are any, and a tenant in production can list none.

use super::challenge::{Delivery, Sent, Undelivered};
use super::change::Change;
use super::phone::PhoneNumber;
use super::refusal::Refusal;
use super::time::Timestamp;
use std::collections::BTreeMap;

/// How many a tenant may list.
pub const MAX_TEST_NUMBERS: usize = 20;
/// What a throttled number refuses with, and for how long, in seconds.
const THROTTLED: (&str, u32) = ("per_phone_hour", 3600);
/// How much of a keyed hash a ticket carries: 132 bits.
const KEY_LENGTH: usize = 22;

/// What a login with a test number meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The code is all zeros, and right.
    Approved,
    /// No code is right.
    Wrong,
    /// The code has expired when it is given.
    Expired,
    /// The provider refuses the message.
    Undeliverable,
    /// The login has no attempts left.
    Blocked,
    /// A limit of the number refuses the message.
    Throttled,
}

impl Scenario {
    pub const ALL: [Scenario; 6] = [
        Scenario::Approved,
        Scenario::Wrong,
        Scenario::Expired,
        Scenario::Undeliverable,
        Scenario::Blocked,
        Scenario::Throttled,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Scenario::Approved => "approved",
            Scenario::Wrong => "wrong",
            Scenario::Expired => "expired",
            Scenario::Undeliverable => "undeliverable",
            Scenario::Blocked => "blocked",
            Scenario::Throttled => "throttled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.as_str() == text)
    }

    /// The code that is right, if any is.
    pub fn code(self, length: u8) -> Option<String> {
        (self == Scenario::Approved).then(|| "0".repeat(usize::from(length)))
    }

    /// When the code expires that would live until `planned`.
    pub fn expires_at(self, planned: Timestamp, now: Timestamp) -> Timestamp {
        if self == Scenario::Expired { now } else { planned }
    }

    /// How the send comes out that was planned with this next one.
    pub fn played(self, resend_at: Timestamp, login_ends: Timestamp, now: Timestamp) -> Sent {
        let failed = |resend_at, refusal, why| (Delivery::Failed, resend_at, Some((refusal, why)));
        match self {
            Scenario::Approved | Scenario::Wrong | Scenario::Expired => (Delivery::Accepted, resend_at, None),
            Scenario::Undeliverable => failed(now, Refusal::DeliveryFailed, Undelivered::Rejected),
            Scenario::Blocked => {
                failed(resend_at, Refusal::TooManyAttempts { retry_at: login_ends }, Undelivered::Limit)
            }
            Scenario::Throttled => {
                let (rule, seconds) = THROTTLED;
                let retry_at = now.plus_secs(seconds);
                failed(retry_at, Refusal::RateLimited { rule, retry_at }, Undelivered::Limit)
            }
        }
    }
}

/// Which of a tenant's test numbers a login may meet, by their keyed hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestNumbers(BTreeMap<String, Scenario>);

impl TestNumbers {
    /// `hash` is the number's keyed hash within the tenant, as its owner item has it.
    pub fn add(&mut self, hash: &str, scenario: Scenario) {
        self.0.insert(key(hash).to_owned(), scenario);
    }

    pub fn scenario(&self, hash: &str) -> Option<Scenario> {
        self.0.get(key(hash)).copied()
    }

    /// As a ticket carries them.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Scenario)> {
        self.0.iter().map(|(key, scenario)| (key.as_str(), *scenario))
    }
}

fn key(hash: &str) -> &str {
    hash.get(..KEY_LENGTH).unwrap_or(hash)
}

/// What a merge patch makes of a tenant's list. Keys are numbers in any spelling, and come out in E.164.
///
/// # Errors
/// [`Refusal::InvalidRequest`]: a scenario that there is not, a number twice, too many. [`Refusal::InvalidPhone`],
/// [`Refusal::NumberTypeNotAllowed`]: no number that could be bound.
pub fn apply(
    changes: BTreeMap<String, Change<String>>,
    current: &BTreeMap<String, Scenario>,
) -> Result<BTreeMap<String, Scenario>, Refusal> {
    let invalid = |why: String| Refusal::InvalidRequest(why);
    let mut numbers = current.clone();
    let mut named = Vec::new();
    for (text, change) in changes {
        let number = PhoneNumber::parse(&text)?;
        number.check_type()?;
        let e164 = number.e164().to_owned();
        if named.contains(&e164) {
            return Err(invalid("test_numbers names a number twice".into()));
        }
        match change {
            Change::Keep => {}
            Change::Restore => {
                numbers.remove(&e164);
            }
            Change::Set(scenario) => {
                let scenario = Scenario::parse(&scenario).ok_or_else(|| {
                    let known = Scenario::ALL.map(Scenario::as_str).join(", ");
                    invalid(format!("a test number's scenario is one of {known}"))
                })?;
                numbers.insert(e164.clone(), scenario);
            }
        }
        named.push(e164);
    }
    if numbers.len() > MAX_TEST_NUMBERS {
        return Err(invalid(format!("test_numbers holds at most {MAX_TEST_NUMBERS} numbers")));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "+12025550101";
    const NOW: Timestamp = Timestamp::from_millis(1_795_528_800_000);

    fn patch(members: &[(&str, Option<&str>)]) -> BTreeMap<String, Change<String>> {
        let change =
            |value: &Option<&str>| value.map_or(Change::Restore, |text| Change::Set(text.to_owned()));
        members.iter().map(|(number, value)| ((*number).to_owned(), change(value))).collect()
    }

    #[test]
    fn h6_a_list_takes_numbers_in_any_spelling_and_keeps_one() {
        let listed = apply(patch(&[("+1 (202) 555-0101", Some("approved"))]), &BTreeMap::new()).unwrap();
        assert_eq!(listed, BTreeMap::from([(A.to_owned(), Scenario::Approved)]));
        assert_eq!(apply(patch(&[(A, Some("wrong"))]), &listed).unwrap()[A], Scenario::Wrong);
        assert!(apply(patch(&[(A, None)]), &listed).unwrap().is_empty());
        assert_eq!(apply(patch(&[]), &listed).unwrap(), listed);
        let twice = patch(&[(A, Some("wrong")), ("+1 202 555 0101", Some("approved"))]);
        assert!(matches!(apply(twice, &listed), Err(Refusal::InvalidRequest(_))));
        assert!(matches!(apply(patch(&[(A, Some("lost"))]), &listed), Err(Refusal::InvalidRequest(_))));
        assert!(matches!(apply(patch(&[("12025550101", None)]), &listed), Err(Refusal::InvalidPhone(_))));
        let toll_free = patch(&[("+18005550123", Some("approved"))]);
        assert_eq!(apply(toll_free, &listed), Err(Refusal::NumberTypeNotAllowed));
    }

    #[test]
    fn h6_a_list_is_bounded() {
        let numbers: Vec<_> = (0..=MAX_TEST_NUMBERS).map(|n| format!("+120255501{n:02}")).collect();
        let all: Vec<_> = numbers.iter().map(|number| (number.as_str(), Some("wrong"))).collect();
        let full = apply(patch(&all[..MAX_TEST_NUMBERS]), &BTreeMap::new()).unwrap();
        assert_eq!(full.len(), MAX_TEST_NUMBERS);
        assert!(matches!(apply(patch(&all), &BTreeMap::new()), Err(Refusal::InvalidRequest(_))));
        assert!(apply(patch(&[all[MAX_TEST_NUMBERS], (numbers[0].as_str(), None)]), &full).is_ok());
    }

    #[test]
    fn h6_each_scenario_comes_out_in_its_own_way() {
        let (resend, end) = (NOW.plus_secs(30), NOW.plus_secs(600));
        let hour = NOW.plus_secs(3600);
        let limited = Refusal::RateLimited { rule: "per_phone_hour", retry_at: hour };
        let outcomes = [
            (Delivery::Accepted, resend, None),
            (Delivery::Accepted, resend, None),
            (Delivery::Accepted, resend, None),
            (Delivery::Failed, NOW, Some((Refusal::DeliveryFailed, Undelivered::Rejected))),
            (
                Delivery::Failed,
                resend,
                Some((Refusal::TooManyAttempts { retry_at: end }, Undelivered::Limit)),
            ),
            (Delivery::Failed, hour, Some((limited, Undelivered::Limit))),
        ];
        for (scenario, outcome) in Scenario::ALL.into_iter().zip(outcomes) {
            assert_eq!(scenario.played(resend, end, NOW), outcome, "{scenario:?}");
            assert_eq!(Scenario::parse(scenario.as_str()), Some(scenario));
            let lives = scenario.expires_at(end, NOW) == end;
            assert_eq!(lives, scenario != Scenario::Expired, "{scenario:?}");
        }
        assert_eq!(
            Scenario::ALL.map(|scenario| scenario.code(8)),
            [Some("00000000".to_owned()), None, None, None, None, None]
        );
    }

    #[test]
    fn h6_only_a_listed_number_has_a_scenario() {
        let mut listed = TestNumbers::default();
        listed.add(&"a".repeat(43), Scenario::Approved);
        assert_eq!(listed.scenario(&"a".repeat(43)), Some(Scenario::Approved));
        for other in ["", "a", &"b".repeat(43), &("a".repeat(21) + &"b".repeat(22))] {
            assert_eq!(listed.scenario(other), None);
        }
        // A ticket carries them, in less than the whole hash.
        let start = "a".repeat(KEY_LENGTH);
        assert_eq!(listed.entries().collect::<Vec<_>>(), [(start.as_str(), Scenario::Approved)]);
        let mut carried = TestNumbers::default();
        listed.entries().for_each(|(key, scenario)| carried.add(key, scenario));
        assert_eq!(carried, listed);
    }
}
