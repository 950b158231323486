//! The SMS factor of one user: the bound number and what counts against it.
//!
//! Every user has one from the start, bound or not. It carries no expiry: NIST SP 800-63B-4 §3.2.2 asks that failures are never
//! forgotten except by a success or a new binding.

use super::ids::{TenantId, UserId};
use super::time::Timestamp;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factor {
    pub phone: Option<FactorPhone>,
    /// Wrong codes in a row, over all logins. Only a success or a new binding clears it.
    pub failures: u32,
    /// Grows by one with every binding change and every reserved send; a write names the revision it was made from.
    pub revision: u64,
    /// When codes were sent to this user in the last hour, newest first.
    pub recent_sends: Vec<Timestamp>,
}

/// A number as it is kept: sealed, with a keyed hash to compare by and a hint to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorPhone {
    /// The E.164 number, encrypted for this user (`ports::PersonalData::seal`).
    pub sealed: String,
    /// Keyed hash of the E.164 number within the tenant: the key of its owner item.
    pub hash: String,
    /// Country code and last two digits, e.g. `+1 ••• ••• ••42`: all that a login ever shows.
    pub hint: String,
    /// ISO 3166-1 alpha-2 of the number.
    pub country: String,
    /// When it was bound, or, in a challenge, when it was asked for.
    pub since: Timestamp,
}

/// The place that a user's sealed number is authenticated for (`ports::PersonalData::seal`): the same in a challenge that asks for it
/// and in the factor that has it, so that a bind moves it without opening it.
pub fn phone_place(tenant: &TenantId, user: &UserId) -> String {
    format!("{tenant}|{user}|phone")
}

/// The scope of an identifier's keyed hash (`ports::PersonalData::hash`): equal values of two tenants can't be matched.
pub fn owner_scope(tenant: &TenantId, kind: &str) -> String {
    format!("owner|{tenant}|{kind}")
}
