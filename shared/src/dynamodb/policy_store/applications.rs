//! Applications, and the index from a browser's origin to them.

use super::super::policy_items::{decode_application, encode_application};
use super::super::request::{Item, number};
use super::super::transaction::{Actions, Expression, check, delete, is_free, put};
use super::super::{DynamoStore, keys};
use super::{saved, unchanged};
use crate::domain::application::Application;
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{ApplicationId, TenantId};
use crate::ports::{Applications, CopiedFrom, Failure, Fault, Page, PageRequest, Saved};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

#[async_trait]
impl Applications for DynamoStore {
    async fn create_application(
        &self,
        application: &Application,
        copied: Option<CopiedFrom>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault> {
        let key = keys::application(&application.id);
        let mut actions = Actions::new();
        actions.add(put(self.directory(), &key, encode_application(application)?, is_free())?, ());
        for origin in &application.origins {
            actions.add(self.list_origin(origin, &application.id)?, ());
        }
        self.hold_tenant(&mut actions, &application.id, copied)?;
        self.record(&mut actions, event, ())?;
        Ok(saved(self.run(actions).await?))
    }

    async fn application(&self, id: &ApplicationId) -> Result<Option<Application>, Fault> {
        self.directory_item(&keys::application(id)).await?.map(decode_application).transpose()
    }

    async fn applications(
        &self,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Page<Application>, Failure> {
        let partition = keys::policy_partition(tenant);
        self.directory_page(&partition, keys::APPLICATION_PREFIX, page, decode_application).await
    }

    async fn save_application(
        &self,
        before: &Application,
        after: &Application,
        copied: Option<CopiedFrom>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault> {
        let key = keys::application(&after.id);
        let next = Application { version: after.version + 1, ..after.clone() };
        let mut actions = Actions::new();
        let as_read = unchanged(after.version);
        actions.add(put(self.directory(), &key, encode_application(&next)?, as_read)?, ());
        for origin in before.origins.iter().filter(|origin| !after.origins.contains(origin)) {
            actions.add(self.unlist_origin(origin, &after.id)?, ());
        }
        for origin in after.origins.iter().filter(|origin| !before.origins.contains(origin)) {
            actions.add(self.list_origin(origin, &after.id)?, ());
        }
        self.hold_tenant(&mut actions, &after.id, copied)?;
        self.record(&mut actions, event, ())?;
        Ok(saved(self.run(actions).await?))
    }

    async fn delete_application(
        &self,
        application: &Application,
        event: &AuditEvent,
    ) -> Result<Saved, Fault> {
        let key = keys::application(&application.id);
        let mut actions = Actions::new();
        actions.add(delete(self.directory(), &key, Some(unchanged(application.version)))?, ());
        for origin in &application.origins {
            actions.add(self.unlist_origin(origin, &application.id)?, ());
        }
        self.record(&mut actions, event, ())?;
        Ok(saved(self.run(actions).await?))
    }
}

impl DynamoStore {
    /// Where the application's rules are a copy: only if the tenant still is what they were copied from.
    fn hold_tenant(
        &self,
        actions: &mut Actions<()>,
        application: &ApplicationId,
        copied: Option<CopiedFrom>,
    ) -> Result<(), Fault> {
        if let Some(from) = copied {
            let key = keys::tenant(&application.tenant());
            actions.add(check(self.directory(), &key, unchanged(from.tenant_version))?, ());
        }
        Ok(())
    }

    /// An entry of the index says all in its key.
    fn list_origin(&self, origin: &str, application: &ApplicationId) -> Result<TransactWriteItem, Fault> {
        let item = Item::from([("v".to_owned(), number(1))]);
        put(self.directory(), &keys::origin(origin, application), item, Expression::default())
    }

    fn unlist_origin(&self, origin: &str, application: &ApplicationId) -> Result<TransactWriteItem, Fault> {
        delete(self.directory(), &keys::origin(origin, application), None)
    }
}
