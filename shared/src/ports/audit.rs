//! Reading the audit, and keeping what logins tell. All else is written with the changes themselves, by the ports that make them.

use super::{Failure, Fault, Page};
use crate::domain::audit::{AuditEvent, EventKind};
use crate::domain::ids::{ApplicationId, TenantId, UserId};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which events are asked for; what is `None` doesn't matter.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    pub user: Option<UserId>,
    pub application: Option<ApplicationId>,
    pub kind: Option<EventKind>,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after.
    pub to: Timestamp,
    pub limit: u16,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

#[async_trait]
pub trait AuditReader: Send + Sync {
    /// Newest first. However much there is to look through, it costs a few requests at most: a page may have fewer events than asked
    /// for, or none, and still say where to go on. A broken cursor is refused.
    async fn audit_events(&self, tenant: &TenantId, query: &AuditQuery) -> Result<Page<AuditEvent>, Failure>;
}

/// An item as the table's stream has it: `{"pk": {"S": "…"}}`.
pub type ItemImage = BTreeMap<String, Value>;

#[async_trait]
pub trait LoginTrail: Send + Sync {
    /// Keeps what the change of an item of the logins table tells. A change may be told more than once.
    async fn keep_change(&self, old: Option<&ItemImage>, new: &ItemImage) -> Result<(), Fault>;
}
