//! Applications, and the index from a browser's origin to them.

use super::super::keys::Key;
use super::super::policy_items::{decode_application, encode_application};
use super::super::request::{Item, number};
use super::super::{DynamoStore, keys};
use crate::domain::application::Application;
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
    ) -> Result<Saved, Fault> {
        let mut actions = vec![self.add(encode_application(application)?)?];
        for origin in &application.origins {
            actions.push(self.put(origin_item(&keys::origin(origin, &application.id)))?);
        }
        actions.extend(self.tenant_unchanged(&application.id, copied)?);
        Ok(self.commit(actions).await?.saved())
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
    ) -> Result<Saved, Fault> {
        let next = Application { version: after.version + 1, ..after.clone() };
        let mut actions = vec![self.replace(encode_application(&next)?, after.version)?];
        for origin in before.origins.iter().filter(|origin| !after.origins.contains(origin)) {
            actions.push(self.remove(&keys::origin(origin, &after.id))?);
        }
        for origin in after.origins.iter().filter(|origin| !before.origins.contains(origin)) {
            actions.push(self.put(origin_item(&keys::origin(origin, &after.id)))?);
        }
        actions.extend(self.tenant_unchanged(&after.id, copied)?);
        Ok(self.commit(actions).await?.saved())
    }

    async fn delete_application(&self, application: &Application) -> Result<Saved, Fault> {
        let key = keys::application(&application.id);
        let mut actions = vec![self.remove_unchanged(&key, application.version)?];
        for origin in &application.origins {
            actions.push(self.remove(&keys::origin(origin, &application.id))?);
        }
        Ok(self.commit(actions).await?.saved())
    }
}

impl DynamoStore {
    /// Where the application's rules are a copy: that the tenant still is what they were copied from.
    fn tenant_unchanged(
        &self,
        application: &ApplicationId,
        copied: Option<CopiedFrom>,
    ) -> Result<Option<TransactWriteItem>, Fault> {
        let key = keys::tenant(&application.tenant());
        copied.map(|from| self.check_unchanged(&key, from.tenant_version)).transpose()
    }
}

/// An entry of the index says all in its key.
fn origin_item(key: &Key) -> Item {
    let mut item = Item::from([("v".to_owned(), number(1))]);
    key.add_to(&mut item);
    item
}
