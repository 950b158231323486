//! Identity sources of a tenant.

use super::authenticate::{Allowed, ReadPolicy, WritePolicy};
use crate::domain::audit::AuditedChange;
use crate::domain::identity_source::{IdentitySource, SourceDetails};
use crate::domain::ids::SourceId;
use crate::domain::refusal::Refusal;
use crate::ports::{Clock, Entropy, Failure, IdentitySources, Page, PageRequest};
use std::sync::Arc;

pub struct ManageSources {
    pub sources: Arc<dyn IdentitySources>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl ManageSources {
    /// The new source's MFA switch is unset (C3).
    pub async fn create(
        &self,
        allowed: &Allowed<WritePolicy>,
        details: SourceDetails,
    ) -> Result<IdentitySource, Failure> {
        let id = SourceId::generate(|buffer| self.entropy.fill(buffer));
        let source = details.into_source(id, self.clock.now())?;
        let change = AuditedChange::identity_source_created(&source);
        let event = allowed.event(change, &*self.clock, &*self.entropy);
        self.sources.create_source(allowed.tenant(), &source, &event).await?;
        Ok(source)
    }

    pub async fn read(
        &self,
        allowed: &Allowed<ReadPolicy>,
        id: &SourceId,
    ) -> Result<IdentitySource, Failure> {
        Ok(self.sources.source(allowed.tenant(), id).await?.ok_or(Refusal::NotFound)?)
    }

    pub async fn list(
        &self,
        allowed: &Allowed<ReadPolicy>,
        page: &PageRequest,
    ) -> Result<Page<IdentitySource>, Failure> {
        self.sources.sources(allowed.tenant(), page).await
    }

    /// A source never changes, so what the audit says of it is what was deleted.
    pub async fn delete(&self, allowed: &Allowed<WritePolicy>, id: &SourceId) -> Result<(), Failure> {
        let source = self.sources.source(allowed.tenant(), id).await?.ok_or(Refusal::NotFound)?;
        let change = AuditedChange::identity_source_deleted(&source);
        let event = allowed.event(change, &*self.clock, &*self.entropy);
        let deleted = self.sources.delete_source(allowed.tenant(), id, &event).await?;
        if deleted { Ok(()) } else { Err(Refusal::NotFound.into()) }
    }
}
