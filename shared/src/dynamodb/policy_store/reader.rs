//! What a decision needs, in one request.

use super::super::policy_items::{decode_application, decode_tenant};
use super::super::request::{Item, fault};
use super::super::{DynamoStore, keys};
use super::{FIRST_WAIT, TRIES};
use crate::domain::ids::{ApplicationId, SourceId};
use crate::ports::{Fault, PolicyFacts, PolicyReader};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;

#[async_trait]
impl PolicyReader for DynamoStore {
    async fn policy_facts(
        &self,
        application: &ApplicationId,
        source: Option<&SourceId>,
    ) -> Result<Option<PolicyFacts>, Fault> {
        let tenant_id = application.tenant();
        let tenant_key = keys::tenant(&tenant_id);
        let application_key = keys::application(application);
        let source_key = source.map(|id| keys::source(&tenant_id, id));
        let mut wanted = vec![tenant_key.clone(), application_key.clone()];
        wanted.extend(source_key.clone());

        let mut items = self.batch(&wanted).await?;
        let (Some(tenant), Some(application)) = (items.remove(&tenant_key), items.remove(&application_key))
        else {
            return Ok(None);
        };
        Ok(Some(PolicyFacts {
            tenant: decode_tenant(tenant)?,
            application: decode_application(application)?,
            source_exists: source_key.is_some_and(|key| items.contains_key(&key)),
        }))
    }
}

impl DynamoStore {
    /// Reads a few items of the directory at once, strongly consistent; what is not there is not in the answer.
    async fn batch(&self, wanted: &[keys::Key]) -> Result<HashMap<keys::Key, Item>, Fault> {
        let mut request = KeysAndAttributes::builder()
            .set_keys(Some(wanted.iter().map(keys::Key::attributes).collect()))
            .consistent_read(true)
            .build()
            .map_err(Fault::new)?;
        let mut found = HashMap::new();
        let mut wait = FIRST_WAIT;
        for _ in 0..TRIES {
            let answer = self
                .client()
                .batch_get_item()
                .request_items(self.directory(), request)
                .send()
                .await
                .map_err(fault)?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                let key = keys::Key::of(&item).ok_or_else(|| Fault::new("an item without a key"))?;
                found.insert(key, item);
            }
            // A busy engine leaves keys for later.
            match answer.unprocessed_keys.unwrap_or_default().into_values().next() {
                None => return Ok(found),
                Some(rest) => request = rest,
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Err(Fault::new("the engine kept leaving keys of a batch for later"))
    }
}
