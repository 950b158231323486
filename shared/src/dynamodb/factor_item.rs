//! The factor item: see [`crate::domain::factor`].

use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// As it is kept. An unbound user's has no `phone`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FactorItem {
    /// Version of the item's format.
    pub v: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phone: Option<PhoneItem>,
    pub failures: u32,
    pub revision: u64,
    /// Epoch milliseconds, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub recent_sends: Vec<i64>,
}

/// A number, in a factor (bound) or in a challenge (asked for).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PhoneItem {
    pub sealed: String,
    pub hash: String,
    pub hint: String,
    pub country: String,
    /// Epoch milliseconds.
    pub since: i64,
}

impl From<&FactorPhone> for PhoneItem {
    fn from(phone: &FactorPhone) -> Self {
        Self {
            sealed: phone.sealed.clone(),
            hash: phone.hash.clone(),
            hint: phone.hint.clone(),
            country: phone.country.clone(),
            since: phone.since.millis(),
        }
    }
}

impl From<PhoneItem> for FactorPhone {
    fn from(item: PhoneItem) -> Self {
        Self {
            sealed: item.sealed,
            hash: item.hash,
            hint: item.hint,
            country: item.country,
            since: Timestamp::from_millis(item.since),
        }
    }
}

impl From<&Factor> for FactorItem {
    fn from(factor: &Factor) -> Self {
        Self {
            v: 1,
            phone: factor.phone.as_ref().map(PhoneItem::from),
            failures: factor.failures,
            revision: factor.revision,
            recent_sends: factor.recent_sends.iter().map(|at| at.millis()).collect(),
        }
    }
}

impl From<FactorItem> for Factor {
    fn from(item: FactorItem) -> Self {
        Self {
            phone: item.phone.map(FactorPhone::from),
            failures: item.failures,
            revision: item.revision,
            recent_sends: item.recent_sends.into_iter().map(Timestamp::from_millis).collect(),
        }
    }
}
