//! Identity sources.

use super::super::policy_items::{decode_source, encode_source};
use super::super::request::number;
use super::super::transaction::{Actions, Expression, delete, is_free, put, update};
use super::super::{DynamoStore, keys};
use super::{SECURITY, VERSION, exists};
use crate::domain::audit::AuditEvent;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::{SourceId, TenantId};
use crate::ports::{Failure, Fault, IdentitySources, Page, PageRequest};
use async_trait::async_trait;

#[async_trait]
impl IdentitySources for DynamoStore {
    async fn create_source(
        &self,
        tenant: &TenantId,
        source: &IdentitySource,
        event: &AuditEvent,
    ) -> Result<(), Fault> {
        let key = keys::source(tenant, &source.id);
        let mut actions = Actions::new();
        actions.add(put(self.directory(), &key, encode_source(source)?, is_free())?, ());
        self.record(&mut actions, event, ())?;
        let done = self.run(actions).await?;
        done.map_err(|_| Fault::new("an id that was just drawn is taken"))
    }

    async fn source(&self, tenant: &TenantId, id: &SourceId) -> Result<Option<IdentitySource>, Fault> {
        self.directory_item(&keys::source(tenant, id)).await?.map(decode_source).transpose()
    }

    async fn sources(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<IdentitySource>, Failure> {
        let partition = keys::policy_partition(tenant);
        self.directory_page(&partition, keys::SOURCE_PREFIX, page, decode_source).await
    }

    /// The tenant's version grows also where no switch was set: a settings change that still saw the source must not bring a switch of
    /// it back.
    async fn delete_source(
        &self,
        tenant: &TenantId,
        id: &SourceId,
        event: &AuditEvent,
    ) -> Result<bool, Fault> {
        let change = Expression::new("REMOVE #security.#switches.#source ADD #version :one")
            .name("#security", SECURITY)
            .name("#switches", "identity_sources")
            .name("#source", id.as_str())
            .name("#version", VERSION)
            .value(":one", number(1));
        let mut actions = Actions::new();
        actions.add(delete(self.directory(), &keys::source(tenant, id), Some(exists()))?, ());
        actions.add(update(self.directory(), &keys::tenant(tenant), change, exists())?, ());
        self.record(&mut actions, event, ())?;
        match self.run(actions).await? {
            Ok(()) => Ok(true),
            Err(failed) if failed.is_empty() => {
                Err(Fault::new("a transaction kept meeting others on its items"))
            }
            Err(_) => Ok(false),
        }
    }
}
