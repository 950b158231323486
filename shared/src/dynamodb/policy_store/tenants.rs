//! Tenants.

use super::super::policy_items::{decode_source, decode_tenant, encode_admin_key, encode_tenant};
use super::super::request::{fault, number, string};
use super::super::settings_item::SecurityItem;
use super::super::{DynamoStore, keys};
use super::admin_keys::PERMANENT_OWNERS;
use super::{Outcome, UNCHANGED, VERSION, updated};
use crate::domain::admin_key::AdminKey;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::TenantId;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::ports::{Fault, Saved, Tenants};
use async_trait::async_trait;

#[async_trait]
impl Tenants for DynamoStore {
    async fn create_tenant(&self, tenant: &Tenant, owner: &AdminKey) -> Result<(), Fault> {
        let mut item = encode_tenant(tenant)?;
        item.insert(PERMANENT_OWNERS.to_owned(), number(1));
        match self.commit(vec![self.add(item)?, self.add(encode_admin_key(owner)?)?]).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(_) => Err(Fault::new("an id that was just drawn is taken")),
        }
    }

    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Fault> {
        self.directory_item(&keys::tenant(id)).await?.map(decode_tenant).transpose()
    }

    async fn tenant_with_sources(
        &self,
        id: &TenantId,
    ) -> Result<Option<(Tenant, Vec<IdentitySource>)>, Fault> {
        let mut tenant = None;
        let mut sources = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client()
                .query()
                .table_name(self.directory())
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", string(keys::policy_partition(id)))
                .expression_attribute_values(":first", string(keys::SOURCE_PREFIX))
                .expression_attribute_values(":last", string(keys::TENANT))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(fault)?;
            for item in answer.items.unwrap_or_default() {
                match keys::Key::of(&item) {
                    Some(key) if key.sk == keys::TENANT => tenant = Some(decode_tenant(item)?),
                    _ => sources.push(decode_source(item)?),
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(tenant.map(|tenant| (tenant, sources)));
            }
        }
    }

    /// An update rather than a put: the count of owners belongs to the keys, and changes without a version.
    async fn save_tenant(&self, tenant: &Tenant, switched_at: Option<Timestamp>) -> Result<Saved, Fault> {
        let security = serde_dynamo::to_attribute_value(SecurityItem::from(&tenant.security));
        let update = self
            .change(&keys::tenant(&tenant.id))
            .update_expression(
                "SET #name = :name, home_country = :home_country, #security = :security, #version = :next",
            )
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#security", "security")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":name", string(&tenant.name))
            .expression_attribute_values(":home_country", string(&tenant.home_country))
            .expression_attribute_values(":security", security.map_err(Fault::new)?)
            .expression_attribute_values(":next", number(tenant.version + 1))
            .expression_attribute_values(":seen", number(tenant.version));
        let mut actions = vec![updated(update)?];
        if let Some(now) = switched_at {
            actions.extend(self.switch_sending(&tenant.id, tenant.security.sending_enabled, now)?);
        }
        Ok(self.commit(actions).await?.saved())
    }
}
