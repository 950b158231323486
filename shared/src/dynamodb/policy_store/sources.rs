//! Identity sources.

use super::super::policy_items::{decode_source, encode_source};
use super::super::request::number;
use super::super::{DynamoStore, keys};
use super::{EXISTS, Outcome, VERSION, updated};
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::{SourceId, TenantId};
use crate::ports::{Failure, Fault, IdentitySources, Page, PageRequest};
use async_trait::async_trait;

#[async_trait]
impl IdentitySources for DynamoStore {
    async fn create_source(&self, tenant: &TenantId, source: &IdentitySource) -> Result<(), Fault> {
        self.put_new(encode_source(tenant, source)?).await
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
    async fn delete_source(&self, tenant: &TenantId, id: &SourceId) -> Result<bool, Fault> {
        let switch = self
            .change(&keys::tenant(tenant))
            .update_expression("REMOVE #security.#switches.#source ADD #version :one")
            .condition_expression(EXISTS)
            .expression_attribute_names("#security", "security")
            .expression_attribute_names("#switches", "identity_sources")
            .expression_attribute_names("#source", id.as_str())
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":one", number(1));
        let actions = vec![self.remove_existing(&keys::source(tenant, id))?, updated(switch)?];
        Ok(matches!(self.commit(actions).await?, Outcome::Done))
    }
}
