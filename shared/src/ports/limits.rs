//! Sending limits, each a small item of its own.

use super::Fault;
use crate::domain::ids::{ApplicationId, TenantId};
use crate::domain::price::MicroUsd;
use crate::domain::settings::Limits;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// One message that is about to be sent, by everything that it counts against.
#[derive(Debug)]
pub struct LimitRequest<'a> {
    pub tenant: &'a TenantId,
    pub application: &'a ApplicationId,
    pub country: &'a str,
    /// Keyed hash of the number, the same for every tenant.
    pub number: String,
    /// Keyed hash of all but its last four digits.
    pub range: String,
    /// Keyed hash of the client's address or its IPv6 /64; `None` where the caller is a back end.
    pub address: Option<String>,
    pub limits: &'a Limits,
    pub price: MicroUsd,
    /// Drawn for this request: by it a lost answer is recognised.
    pub attempt: &'a str,
    pub now: Timestamp,
}

/// What the limits said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Counted everywhere. `next_at` is when the number's own limit lets the next one pass.
    Granted {
        next_at: Timestamp,
    },
    Refused {
        rule: &'static str,
        retry_at: Timestamp,
    },
    /// The tenant's kill switch.
    Stopped,
}

#[async_trait]
pub trait LimitStore: Send + Sync {
    /// Counts the message against every limit at once, each in one conditional write, side by side. What the others counted when one
    /// refuses stays counted: that errs on the side of not sending.
    async fn reserve(&self, request: &LimitRequest<'_>) -> Result<Reserved, Fault>;
}
