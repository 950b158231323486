//! The ports of policy on DynamoDB. Items: [`super::policy_items`].

mod admin_keys;
mod applications;
mod reader;
mod sources;
mod tenants;

use super::DynamoStore;
use super::keys::{Key, PK};
use super::request::{Item, condition_failed, fault, number};
use super::transaction::Expression;
use crate::ports::{Fault, Saved};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

/// The attribute that every optimistic write compares.
const VERSION: &str = "version";
/// The attribute with a tenant's settings.
const SECURITY: &str = "security";

impl DynamoStore {
    /// Reads one item of the directory, strongly consistent.
    async fn directory_item(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let answer = self
            .client()
            .get_item()
            .table_name(self.directory())
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(fault)?;
        Ok(answer.item)
    }

    /// Puts an item whose id was drawn just now. Finding exactly it there means that an earlier try's answer was lost.
    async fn put_new(&self, key: &Key, mut item: Item) -> Result<(), Fault> {
        key.add_to(&mut item);
        let sent = self
            .client()
            .put_item()
            .table_name(self.directory())
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match condition_failed(error)? {
                Some(there) if there == item => Ok(()),
                _ => Err(Fault::new("an id that was just drawn is taken")),
            },
        }
    }
}

/// That an item is still as it was read. False for one that is gone.
fn unchanged(seen: u64) -> Expression {
    Expression::new("#version = :seen").name("#version", VERSION).value(":seen", number(seen))
}

fn exists() -> Expression {
    Expression::new("attribute_exists(#pk)").name("#pk", PK)
}

/// What became of a transaction whose every condition says that nothing has changed since it was read. Other writes that stayed in
/// the way are read again as well.
fn saved<M>(outcome: Result<(), Vec<M>>) -> Saved {
    if outcome.is_ok() { Saved::Done } else { Saved::Stale }
}
