//! Administrator keys.

use super::super::policy_items::{decode_admin_key, encode_admin_key};
use super::super::request::number;
use super::super::{DynamoStore, keys};
use super::{EXISTS, Outcome, updated};
use crate::domain::admin_key::AdminKey;
use crate::domain::ids::{KeyId, TenantId};
use crate::ports::{AdminKeyLookup, AdminKeys, Failure, Fault, KeyDeletion, Page, PageRequest};
use async_trait::async_trait;

/// Attribute of the tenant's item: how many owner keys it has that never expire
/// ([`AdminKey::is_permanent_owner`]). Counted in the transactions that add and remove them, so that it never reaches zero.
pub(super) const PERMANENT_OWNERS: &str = "permanent_owners";

#[async_trait]
impl AdminKeyLookup for DynamoStore {
    async fn admin_key(&self, tenant: &TenantId, id: &KeyId) -> Result<Option<AdminKey>, Fault> {
        self.directory_item(&keys::admin_key(tenant, id)).await?.map(decode_admin_key).transpose()
    }
}

#[async_trait]
impl AdminKeys for DynamoStore {
    async fn create_admin_key(&self, key: &AdminKey) -> Result<(), Fault> {
        let item = encode_admin_key(key)?;
        if !key.is_permanent_owner() {
            return self.put_new(item).await;
        }
        let count = self
            .change(&keys::tenant(&key.tenant))
            .update_expression("ADD #owners :one")
            .condition_expression(EXISTS)
            .expression_attribute_names("#owners", PERMANENT_OWNERS)
            .expression_attribute_values(":one", number(1));
        match self.commit(vec![self.add(item)?, updated(count)?]).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(_) => Err(Fault::new("a key's tenant is gone, or its id is taken")),
        }
    }

    async fn admin_keys(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<AdminKey>, Failure> {
        let partition = keys::policy_partition(tenant);
        self.directory_page(&partition, keys::ADMIN_KEY_PREFIX, page, decode_admin_key).await
    }

    async fn delete_admin_key(&self, key: &AdminKey) -> Result<KeyDeletion, Fault> {
        let mut actions = vec![self.remove_existing(&keys::admin_key(&key.tenant, &key.id))?];
        if key.is_permanent_owner() {
            let count = self
                .change(&keys::tenant(&key.tenant))
                .update_expression("ADD #owners :minus_one")
                .condition_expression("#owners > :one")
                .expression_attribute_names("#owners", PERMANENT_OWNERS)
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":minus_one", number(-1));
            actions.push(updated(count)?);
        }
        Ok(match self.commit(actions).await? {
            Outcome::Done => KeyDeletion::Done,
            Outcome::Refused(0) => KeyDeletion::Missing,
            Outcome::Refused(_) => KeyDeletion::LastOwner,
        })
    }
}
