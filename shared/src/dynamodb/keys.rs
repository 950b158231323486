//! The only place that spells a key.
//!
//! A partition key starts with its kind, so that an IAM policy's `dynamodb:LeadingKeys` can grant a function just its kinds, and
//! the tenant comes right after it: a read of another tenant's item cannot be spelled with one's own tenant.
//!
//! | table | `pk` | `sk` | what |
//! |---|---|---|---|
//! | directory | `policy#TENANT` | `tenant` | tenant and its settings |
//! | directory | `policy#TENANT` | `application#ID` | application, its settings and hashed secrets |
//! | directory | `policy#TENANT` | `source#ID` | identity source |
//! | directory | `policy#TENANT` | `key#ID` | administrator key (hash) |
//! | directory | `policy#TENANT` | `console#KEY` | the sessions of the console that a key opened (hashes) |
//! | directory | `policy#origin#ORIGIN` | `application#ID` | which applications a browser origin belongs to (CORS preflight) |
//! | directory | `user#TENANT` | `USER` | user |
//! | directory | `owner#TENANT#KIND#HASH` | `owner` | which user an identifier belongs to |
//! | directory | `audit#TENANT#YYYY-MM` | `MILLIS#EVENT` | one event of the audit |
//! | directory | `audit#TENANT#USER` | `MILLIS#EVENT` | the same event once more, where it is about a user |
//! | logins | `login#TENANT#USER` | `factor` | bound number, failures |
//! | logins | `login#TENANT#USER` | `challenge#START#LOGIN` | challenge of one login |
//! | logins | `login#TENANT#USER` | `recovery` | recovery codes (hashes) |
//! | logins | `login#TENANT#USER` | `trusted-device#ID` | a device that the user trusts |
//! | logins | `grant#TENANT#ID` | `grant` | what an authorization code was exchanged for |
//! | logins | `qr#TENANT#ID` | `qr` | a QR login |
//! | logins | `limit#…` | `limit` | one limit |
//! | logins | `limit#refused#TENANT#USER#RULE#HOUR` | `limit` | what one rule refused of a user's messages in an hour |
//! | logins | `notice#SHARD` | `MILLIS#USER#RANDOM` | a message that is still to be sent |

use super::request::{Item, string};
use crate::domain::ids::{
    ApplicationId, DeviceId, EventId, GrantId, KeyId, LoginId, QrLoginId, SourceId, TenantId, UserId,
};
use crate::domain::limits::Window;
use crate::domain::time::Timestamp;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// Partition key attribute of both tables.
pub const PK: &str = "pk";
/// Sort key attribute of both tables.
pub const SK: &str = "sk";
/// TTL attribute of the logins table, in epoch seconds. It only tidies: no decision ever trusts a deletion to have happened.
pub const TTL: &str = "ttl";

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// As the `Key` of a request.
    pub fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([(PK.to_owned(), string(&self.pk)), (SK.to_owned(), string(&self.sk))])
    }

    /// Puts the key into an item that is about to be written.
    pub fn add_to(&self, item: &mut Item) {
        item.insert(PK.to_owned(), string(&self.pk));
        item.insert(SK.to_owned(), string(&self.sk));
    }

    /// The key of an item that was read.
    pub fn of(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }
}

/// Partition of everything that policy-admin keeps of a tenant.
pub fn policy_partition(tenant: &TenantId) -> String {
    format!("policy#{tenant}")
}

/// Sort key of the tenant itself. It sorts right after its identity sources, so that one query reads both.
pub const TENANT: &str = "tenant";

pub fn tenant(tenant: &TenantId) -> Key {
    Key::new(policy_partition(tenant), TENANT)
}

/// What every application's sort key starts with.
pub const APPLICATION_PREFIX: &str = "application#";
/// What every identity source's sort key starts with.
pub const SOURCE_PREFIX: &str = "source#";
/// What every administrator key's sort key starts with.
pub const ADMIN_KEY_PREFIX: &str = "key#";

pub fn application(id: &ApplicationId) -> Key {
    Key::new(policy_partition(&id.tenant()), format!("{APPLICATION_PREFIX}{id}"))
}

pub fn source(tenant: &TenantId, id: &SourceId) -> Key {
    Key::new(policy_partition(tenant), format!("{SOURCE_PREFIX}{id}"))
}

pub fn admin_key(tenant: &TenantId, id: &KeyId) -> Key {
    Key::new(policy_partition(tenant), format!("{ADMIN_KEY_PREFIX}{id}"))
}

/// The sessions of the console that a key opened. Beside the key, so that one request reads both.
pub fn console_sessions(tenant: &TenantId, key: &KeyId) -> Key {
    Key::new(policy_partition(tenant), format!("console#{key}"))
}

/// Partition that lists the applications of one browser origin.
pub fn origin_partition(origin: &str) -> String {
    format!("policy#origin#{origin}")
}

pub fn origin(origin: &str, application: &ApplicationId) -> Key {
    Key::new(origin_partition(origin), format!("{APPLICATION_PREFIX}{application}"))
}

/// Partition of a tenant's users.
pub fn user_partition(tenant: &TenantId) -> String {
    format!("user#{tenant}")
}

pub fn user(tenant: &TenantId, user: &UserId) -> Key {
    Key::new(user_partition(tenant), user.as_str())
}

/// The owner item of one identifier. `kind` is `username`, `phone`, `email` or `subject`; `hash` is the keyed hash of its canonical form, in
/// base64url: neither a number nor a name stands in a key.
pub fn owner(tenant: &TenantId, kind: &str, hash: &str) -> Key {
    Key::new(format!("owner#{tenant}#{kind}#{hash}"), "owner")
}

/// Partition of a tenant's events in one month (UTC).
pub fn audit_partition(tenant: &TenantId, at: Timestamp) -> String {
    format!("audit#{tenant}#{}", month(at))
}

/// The first moment of the month that [`audit_partition`] has for `at`.
pub fn audit_month_start(at: Timestamp) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{}-01T00:00:00Z", month(at))).unwrap_or(Timestamp::from_millis(0))
}

fn month(at: Timestamp) -> String {
    let mut text = Timestamp::from_millis(at.millis().max(0)).rfc3339();
    text.truncate("YYYY-MM".len());
    text
}

/// Partition of the events about a user.
pub fn user_audit_partition(tenant: &TenantId, user: &UserId) -> String {
    format!("audit#{tenant}#{user}")
}

/// Sort key before any event of this moment, and after any earlier one's.
pub fn events_since(at: Timestamp) -> String {
    format!("{:013}", at.millis().max(0))
}

/// Sort key of an event: in the order of time, then of ids.
pub fn event(at: Timestamp, id: &EventId) -> String {
    format!("{}#{id}", events_since(at))
}

/// Where an event is: in its month, and with its user if it has one.
pub fn audit(tenant: &TenantId, at: Timestamp, id: &EventId, user: Option<&UserId>) -> Vec<Key> {
    let partitions = [Some(audit_partition(tenant, at)), user.map(|user| user_audit_partition(tenant, user))];
    partitions.into_iter().flatten().map(|pk| Key::new(pk, event(at, id))).collect()
}

/// Partition of a user's factor and challenges.
pub fn login_partition(tenant: &TenantId, user: &UserId) -> String {
    format!("login#{tenant}#{user}")
}

/// Whose [`login_partition`] it is.
pub fn login_partition_of(pk: &str) -> Option<(TenantId, UserId)> {
    let (tenant, user) = pk.strip_prefix("login#")?.split_once('#')?;
    Some((TenantId::parse(tenant)?, UserId::parse(user)?))
}

/// Sort key of the factor. It sorts right after the challenges, so that one query reads the recent challenges and the factor.
pub const FACTOR: &str = "factor";

pub fn factor(tenant: &TenantId, user: &UserId) -> Key {
    Key::new(login_partition(tenant, user), FACTOR)
}

/// What every challenge's sort key starts with.
pub const CHALLENGE_PREFIX: &str = "challenge#";

/// Sort key before any challenge of a login that started at `start` or later. Thirteen digits hold every millisecond until 2286, so
/// text order is time order.
pub fn challenges_since(start: Timestamp) -> String {
    format!("{CHALLENGE_PREFIX}{:013}", start.millis().max(0))
}

pub fn challenge(tenant: &TenantId, user: &UserId, started_at: Timestamp, login: &LoginId) -> Key {
    Key::new(login_partition(tenant, user), format!("{}#{login}", challenges_since(started_at)))
}

/// A user's recovery codes. They sort after the factor, outside of what is read for a login.
pub fn recovery(tenant: &TenantId, user: &UserId) -> Key {
    Key::new(login_partition(tenant, user), "recovery")
}

/// What every trusted device's sort key starts with. It sorts after the factor, so that one query reads the factor and the devices.
pub const TRUSTED_DEVICE_PREFIX: &str = "trusted-device#";

pub fn trusted_device(tenant: &TenantId, user: &UserId, device: &DeviceId) -> Key {
    Key::new(login_partition(tenant, user), format!("{TRUSTED_DEVICE_PREFIX}{device}"))
}

/// Sort key after any trusted device: ids are of ASCII letters and digits.
pub fn after_trusted_devices() -> String {
    format!("{TRUSTED_DEVICE_PREFIX}~")
}

/// What an authorization code was exchanged for.
pub fn grant(tenant: &TenantId, grant: &GrantId) -> Key {
    Key::new(format!("grant#{tenant}#{grant}"), "grant")
}

/// One QR login.
pub fn qr_login(id: &QrLoginId) -> Key {
    Key::new(format!("{QR_PREFIX}{}#{id}", id.tenant()), "qr")
}

const QR_PREFIX: &str = "qr#";

/// Whether a key is one of [`qr_login`].
pub fn is_qr_login(key: &Key) -> bool {
    key.pk.starts_with(QR_PREFIX)
}

/// A limit; `subject` never holds a number or an address in clear, only a keyed hash of it.
pub fn limit(rule: &str, subject: &str) -> Key {
    Key::new(format!("limit#{rule}#{subject}"), "limit")
}

/// A limit of the hour of `at`, counted since 1970.
pub fn hourly(rule: &str, subject: &str, at: Timestamp) -> Key {
    limit(rule, &format!("{subject}#{}", Window::Hour.index(at)))
}

/// What one rule refused of a user's messages in the hour of `at`.
pub fn refusals(tenant: &TenantId, user: &UserId, rule: &str, at: Timestamp) -> Key {
    hourly(REFUSED, &format!("{tenant}#{user}#{rule}"), at)
}

const REFUSED: &str = "refused";

/// Whether a key is one of [`refusals`].
pub fn is_refusals(key: &Key) -> bool {
    let kind = limit(REFUSED, "");
    key.pk.starts_with(&kind.pk) && key.sk == kind.sk
}

/// One shard of what a tenant sends in a day (days since 1970).
pub fn tenant_day(tenant: &TenantId, day: i64, shard: u32) -> Key {
    limit("tenant", &format!("{tenant}#{day}#{shard}"))
}

/// How many partitions the notices are spread over.
pub const NOTICE_SHARDS: u32 = 4;

/// What every notice's partition key starts with.
pub const NOTICE_PREFIX: &str = "notice#";

pub fn notice_partition(shard: u32) -> String {
    format!("{NOTICE_PREFIX}{shard}")
}

/// `id` is random: it tells notices of one millisecond apart. In text order they stand in the order of their making.
pub fn notice(user: &UserId, created_at: Timestamp, id: &str) -> Key {
    let sum = user.as_str().bytes().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(byte)));
    let sk = format!("{:013}#{user}#{id}", created_at.millis().max(0));
    Key::new(notice_partition(sum % NOTICE_SHARDS), sk)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
