//! What a decision needs, in one request.

use super::super::policy_items::{decode_application, decode_tenant};
use super::super::{DynamoStore, keys};
use crate::domain::ids::{ApplicationId, SourceId, UserId};
use crate::ports::{Fault, PolicyFacts, PolicyReader};
use async_trait::async_trait;

#[async_trait]
impl PolicyReader for DynamoStore {
    async fn policy_facts(
        &self,
        application: &ApplicationId,
        source: Option<&SourceId>,
        user: Option<&UserId>,
    ) -> Result<Option<PolicyFacts>, Fault> {
        let tenant_id = application.tenant();
        let tenant_key = keys::tenant(&tenant_id);
        let application_key = keys::application(application);
        let source_key = source.map(|id| keys::source(&tenant_id, id));
        let user_key = user.map(|id| keys::user(&tenant_id, id));
        let mut wanted = vec![tenant_key.clone(), application_key.clone()];
        wanted.extend(source_key.clone());
        wanted.extend(user_key.clone());

        let mut items = self.batch(&wanted, &[]).await?;
        let (Some(tenant), Some(application)) = (items.take(&tenant_key), items.take(&application_key))
        else {
            return Ok(None);
        };
        Ok(Some(PolicyFacts {
            tenant: decode_tenant(tenant)?,
            application: decode_application(application)?,
            source_exists: source_key.is_some_and(|key| items.take(&key).is_some()),
            user_exists: user_key.is_some_and(|key| items.take(&key).is_some()),
        }))
    }
}
