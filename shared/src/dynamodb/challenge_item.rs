//! The challenge item: see [`crate::domain::challenge`].
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `login`, `started_at` | S, N | which login; they are in the key too |
//! | `max_attempts`, `attempts` | N | the cap of this login, and what is used of it |
//! | `pending` | M | number asked for: `sealed`, `hash`, `hint`, `country`, `since` |
//! | `replaces` | S | keyed hash of the number that `pending` takes the place of |
//! | `old_proven` | N | when that number was proven |
//! | `phone_changes` | N | how often a number was asked for |
//! | `code_mac`, `nonce` | B | MAC of the code that is out, and what it was derived from (with a pepper that is not in the table) |
//! | `pepper` | S | id of that pepper |
//! | `sent_hash`, `sent_hint`, `sent_country` | S | where it went: keyed hash, masked form, ISO 3166-1 alpha-2 (absent before 0.2) |
//! | `sent_since` | N | which binding of that number: when it began |
//! | `sent_test` | S | that number is a test number, and what is played |
//! | `first_sent_at`, `sent_at`, `expires_at`, `resend_at` | N | epoch milliseconds |
//! | `sends`, `delivery`, `failures_before` | N, S, N | |
//! | `undelivered` | S | why the last message that failed did; it tells of the last one where `delivery` is `failed` |
//! | `guesses` | BS | MACs of the guesses at this code |
//! | `last_attempt` | S | id of the last guess's request: by it a lost answer is recognised |
//! | `judged` | L | every guess of the login, for the audit: maps of `macs`, `at`, `purpose`, `application`, `client_ip`, `request_id`; of a recovery code's attempt only `at` |
//! | `idempotency` | SS | hashes of the keys that sent something |
//! | `completed` | N | when a bind was committed or a recovery code was taken |
//! | `ttl` | N | epoch seconds: 72 h after the login's end |

use super::factor_item::PhoneItem;
use super::request::Item;
use crate::domain::challenge::{Challenge, Delivery, SentCode, SentTo, Undelivered};
use crate::domain::ids::LoginId;
use crate::domain::test_number::Scenario;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use aws_sdk_dynamodb::types::AttributeValue;

/// Reads attributes of one item; a missing or misshapen one is a fault that names it.
pub(super) struct Reader<'a>(pub &'a Item);

impl<'a> Reader<'a> {
    pub fn text(&self, name: &'static str) -> Option<&'a str> {
        self.0.get(name).and_then(|v| v.as_s().ok()).map(String::as_str)
    }

    pub fn number<N: std::str::FromStr>(&self, name: &'static str) -> Option<N> {
        self.count(name)
    }

    /// A number whose attribute's name is made up as we go.
    pub fn count<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.0.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok())
    }

    pub fn time(&self, name: &'static str) -> Option<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub fn bytes<const N: usize>(&self, name: &'static str) -> Option<[u8; N]> {
        self.0.get(name).and_then(|v| v.as_b().ok()).and_then(|b| b.as_ref().try_into().ok())
    }

    pub fn need<T>(value: Option<T>, name: &'static str) -> Result<T, Fault> {
        value.ok_or_else(|| Fault::new(format!("attribute {name} is missing or has another type")))
    }
}

/// Decodes a challenge.
pub(super) fn decode(item: &Item) -> Result<Challenge, Fault> {
    let read = Reader(item);
    let login = Reader::need(read.text("login").and_then(LoginId::parse), "login")?;
    let started_at = Reader::need(read.time("started_at"), "started_at")?;
    Ok(Challenge {
        login,
        started_at,
        pending: pending(item)?,
        replaces: read.text("replaces").map(str::to_owned),
        old_proven: read.time("old_proven"),
        phone_changes: read.number("phone_changes").unwrap_or(0),
        code: code(item)?,
        attempts: read.number("attempts").unwrap_or(0),
        max_attempts: Reader::need(read.number("max_attempts"), "max_attempts")?,
        sends: read.number("sends").unwrap_or(0),
        idempotency: item.get("idempotency").and_then(|v| v.as_ss().ok()).cloned().unwrap_or_default(),
        completed: read.time("completed"),
    })
}

fn pending(item: &Item) -> Result<Option<crate::domain::factor::FactorPhone>, Fault> {
    let Some(value) = item.get("pending") else { return Ok(None) };
    let phone: PhoneItem = serde_dynamo::from_attribute_value(value.clone()).map_err(Fault::new)?;
    Ok(Some(phone.into()))
}

fn code(item: &Item) -> Result<Option<SentCode>, Fault> {
    let read = Reader(item);
    let Some(mac) = read.bytes("code_mac") else { return Ok(None) };
    let delivery = Reader::need(read.text("delivery").and_then(Delivery::parse), "delivery")?;
    let undelivered = read.text("undelivered").filter(|_| delivery == Delivery::Failed);
    let guesses = item.get("guesses").and_then(|v| v.as_bs().ok());
    Ok(Some(SentCode {
        pepper: Reader::need(read.text("pepper"), "pepper")?.to_owned(),
        mac,
        nonce: Reader::need(read.bytes("nonce"), "nonce")?,
        sent_to: SentTo {
            hash: Reader::need(read.text("sent_hash"), "sent_hash")?.to_owned(),
            hint: Reader::need(read.text("sent_hint"), "sent_hint")?.to_owned(),
            // Items of before have none, and prove no binding in particular.
            since: read.time("sent_since").unwrap_or(Timestamp::from_millis(0)),
            test: read.text("sent_test").and_then(Scenario::parse),
            country: read.text("sent_country").map(str::to_owned),
        },
        first_sent_at: Reader::need(read.time("first_sent_at"), "first_sent_at")?,
        sent_at: Reader::need(read.time("sent_at"), "sent_at")?,
        expires_at: Reader::need(read.time("expires_at"), "expires_at")?,
        resend_at: Reader::need(read.time("resend_at"), "resend_at")?,
        delivery,
        undelivered: undelivered.and_then(Undelivered::parse),
        failures_before: read.number("failures_before").unwrap_or(0),
        spent: guesses.is_some_and(|all| all.iter().any(|guess| guess.as_ref() == mac.as_slice())),
    }))
}

/// A binary attribute.
pub(super) fn binary(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(aws_smithy_types::Blob::new(bytes))
}
