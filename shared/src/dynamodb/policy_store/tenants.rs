//! Tenants.

use super::super::policy_items::{
    BrandingItem, TemplatesItem, decode_source, decode_tenant, encode_admin_key, encode_tenant,
};
use super::super::request::{fault, number, string};
use super::super::settings_item::SecurityItem;
use super::super::transaction::{Actions, Expression, is_free, put, update};
use super::super::{DynamoStore, keys};
use super::admin_keys::PERMANENT_OWNERS;
use super::{SECURITY, saved, unchanged};
use crate::domain::admin_key::AdminKey;
use crate::domain::audit::AuditEvent;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::TenantId;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::ports::{Fault, Saved, Tenants};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

#[async_trait]
impl Tenants for DynamoStore {
    async fn create_tenant(
        &self,
        tenant: &Tenant,
        owner: &AdminKey,
        events: &[AuditEvent],
    ) -> Result<(), Fault> {
        let mut item = encode_tenant(tenant)?;
        item.insert(PERMANENT_OWNERS.to_owned(), number(1));
        let owner_key = keys::admin_key(&owner.tenant, &owner.id);
        let mut actions = Actions::new();
        actions.add(put(self.directory(), &keys::tenant(&tenant.id), item, is_free())?, ());
        actions.add(put(self.directory(), &owner_key, encode_admin_key(owner)?, is_free())?, ());
        for event in events {
            self.record(&mut actions, event, ())?;
        }
        let done = self.run(actions).await?;
        done.map_err(|_| Fault::new("an id that was just drawn is taken"))
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
    async fn save_tenant(
        &self,
        tenant: &Tenant,
        switched_at: Option<Timestamp>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault> {
        let security = serde_dynamo::to_attribute_value(SecurityItem::from(&tenant.security));
        let branding = serde_dynamo::to_attribute_value(BrandingItem::from(&tenant.branding));
        let templates = TemplatesItem::from(&tenant.message_templates);
        let words = if templates.is_empty() {
            " REMOVE message_templates"
        } else {
            ", message_templates = :templates"
        };
        let mut change = Expression::new(format!(
            "SET #name = :name, home_country = :home_country, production = :production, \
             branding = :branding, #security = :security, #version = :next{words}"
        ))
        .name("#name", "name")
        .name("#security", SECURITY)
        .value(":name", string(&tenant.name))
        .value(":home_country", string(&tenant.home_country))
        .value(":production", AttributeValue::Bool(tenant.production))
        .value(":branding", branding.map_err(Fault::new)?)
        .value(":security", security.map_err(Fault::new)?)
        .value(":next", number(tenant.version + 1));
        if !templates.is_empty() {
            let templates = serde_dynamo::to_attribute_value(templates).map_err(Fault::new)?;
            change = change.value(":templates", templates);
        }
        let key = keys::tenant(&tenant.id);
        let mut actions = Actions::new();
        actions.add(update(self.directory(), &key, change, unchanged(tenant.version))?, ());
        if let Some(now) = switched_at {
            for action in self.switch_sending(&tenant.id, tenant.security.sending_enabled, now)? {
                actions.add(action, ());
            }
        }
        self.record(&mut actions, event, ())?;
        Ok(saved(self.run(actions).await?))
    }
}
