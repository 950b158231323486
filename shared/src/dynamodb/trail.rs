//! Keeps in the audit what changes of the logins table's items tell.
//!
//! The changes come from the table's stream, in the order of each item, any of them perhaps more than once; in `local` from the writes'
//! own answers. An event is put where only it can be, if nothing is there: whoever tells it again, or after a crash between its two
//! places, changes nothing that is there and adds what is missing.

use super::DynamoStore;
use super::audit_item::encode_event;
use super::keys;
use super::login_audit::events_of;
use super::request::{Item, condition_failed};
use crate::domain::audit::AuditEvent;
use crate::ports::{Fault, ItemImage, LoginTrail};
use async_trait::async_trait;
use serde_json::Value;

impl DynamoStore {
    /// Keeps what one change tells. `old`, where it is known, spares telling again what was told of earlier changes.
    ///
    /// # Errors
    /// The storage's. An item that can't be read is none: it would be the same the next time, and stop all that follows it.
    pub async fn keep_told(&self, old: Option<&Item>, new: &Item) -> Result<(), Fault> {
        let events = events_of(old, new).unwrap_or_else(|fault| {
            tracing::error!(%fault, "what an item tells is missing in the audit");
            Vec::new()
        });
        for event in &events {
            self.keep_event(event).await?;
        }
        Ok(())
    }

    async fn keep_event(&self, event: &AuditEvent) -> Result<(), Fault> {
        let item = encode_event(event)?;
        for key in keys::audit(&event.tenant, event.at, &event.id, event.user.as_ref()) {
            let mut item = item.clone();
            key.add_to(&mut item);
            let put = self.client().put_item().table_name(self.directory()).set_item(Some(item));
            let kept = put.condition_expression("attribute_not_exists(pk)").send().await;
            kept.map(drop).or_else(|error| condition_failed(error).map(drop))?;
        }
        Ok(())
    }
}

#[async_trait]
impl LoginTrail for DynamoStore {
    async fn keep_change(&self, old: Option<&ItemImage>, new: &ItemImage) -> Result<(), Fault> {
        match (old.map(item).transpose(), item(new)) {
            (Ok(old), Ok(new)) => self.keep_told(old.as_ref(), &new).await,
            _ => {
                tracing::error!("an item is not as a stream has them, and is missing in the audit");
                Ok(())
            }
        }
    }
}

fn item(image: &ItemImage) -> Result<Item, serde_json::Error> {
    let attributes = image.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::from_value::<serde_dynamo::Item>(Value::Object(attributes)).map(Item::from)
}
