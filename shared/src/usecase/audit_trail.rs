//! The audit, as those see it who may.

use super::authenticate::{Allowed, ReadAudit};
use crate::domain::audit::{AuditEvent, EventKind};
use crate::domain::ids::{ApplicationId, UserId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{AuditQuery, AuditReader, Clock, Failure, Page, PageRequest, Tenants};
use std::sync::Arc;

/// How far back is looked where nobody says, in seconds.
const DEFAULT_SPAN_SECONDS: i64 = 90 * 86_400;
/// How far apart the functions' clocks may be, in seconds: an event may seem to come from the future.
const SKEW_SECONDS: u32 = 60;

pub struct AuditTrail {
    pub events: Arc<dyn AuditReader>,
    pub tenants: Arc<dyn Tenants>,
    pub clock: Arc<dyn Clock>,
}

/// Which events are looked for; what is `None` doesn't matter.
#[derive(Clone, Debug, Default)]
pub struct AuditSearch {
    pub user: Option<UserId>,
    pub application: Option<ApplicationId>,
    pub kind: Option<EventKind>,
    /// 90 days before the end.
    pub from: Option<Timestamp>,
    /// The first moment after; now.
    pub to: Option<Timestamp>,
}

impl AuditTrail {
    /// Newest first. A user need not exist any more.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for another tenant's application; [`Refusal::InvalidRequest`] where the time ends before it begins.
    pub async fn search(
        &self,
        allowed: &Allowed<ReadAudit>,
        search: AuditSearch,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>, Failure> {
        if let Some(application) = &search.application {
            allowed.own(application)?;
        }
        let now = self.clock.now();
        let latest = now.plus_secs(SKEW_SECONDS);
        let default = search.to.unwrap_or(now).millis() - DEFAULT_SPAN_SECONDS * 1000;
        let from = search.from.unwrap_or(Timestamp::from_millis(default));
        let to = search.to.unwrap_or(latest);
        if from >= to {
            return Err(Refusal::InvalidRequest("from must be before to".into()).into());
        }
        // Nothing happened before there was a tenant, however long ago somebody asks from.
        let tenant = self.tenants.tenant(allowed.tenant()).await?.ok_or(Refusal::NotFound)?;
        let query = AuditQuery {
            user: search.user,
            application: search.application,
            kind: search.kind,
            from: from.max(tenant.created_at),
            to: to.min(latest),
            limit: page.limit,
            cursor: page.cursor.clone(),
        };
        self.events.audit_events(&tenant.id, &query).await
    }
}
