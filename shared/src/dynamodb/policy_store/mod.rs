//! The ports of policy on DynamoDB. Items: [`super::policy_items`].

mod admin_keys;
mod applications;
mod reader;
mod sources;
mod tenants;

use super::DynamoStore;
use super::keys::Key;
use super::request::{CancelledBy, Item, cancelled, condition_failed, fault, number};
use crate::ports::{Fault, Saved};
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use std::time::Duration;

/// The attribute that every optimistic write compares.
const VERSION: &str = "version";
const NEW: &str = "attribute_not_exists(pk)";
const EXISTS: &str = "attribute_exists(pk)";
/// With `#version` and `:seen`. False for an item that is gone.
const UNCHANGED: &str = "#version = :seen";

/// How often a transaction is sent that meets another one on the same item.
const TRIES: u32 = 5;
/// The wait before the second try; it doubles from there. Administration is rare, so meeting twice in a row is rarer.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// What a transaction's conditions said.
enum Outcome {
    Done,
    /// The condition of the action at this place did not hold; nothing was written.
    Refused(usize),
}

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
    async fn put_new(&self, item: Item) -> Result<(), Fault> {
        let sent = self
            .client()
            .put_item()
            .table_name(self.directory())
            .set_item(Some(item.clone()))
            .condition_expression(NEW)
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

    /// Sends one transaction. The SDK gives it a client request token, so that its own retry after a lost answer is recognised by the
    /// engine; another transaction on the same items makes it wait and start again here.
    async fn commit(&self, actions: Vec<TransactWriteItem>) -> Result<Outcome, Fault> {
        let mut wait = FIRST_WAIT;
        for _ in 0..TRIES {
            let sent =
                self.client().transact_write_items().set_transact_items(Some(actions.clone())).send().await;
            let Err(error) = sent else { return Ok(Outcome::Done) };
            let reasons = cancelled(error)?;
            let refused = reasons.iter().position(|reason| matches!(reason, CancelledBy::Condition(_)));
            if let Some(place) = refused {
                return Ok(Outcome::Refused(place));
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Err(Fault::new("a transaction kept meeting others on its items"))
    }

    /// Puts an item that must not be there yet.
    fn add(&self, item: Item) -> Result<TransactWriteItem, Fault> {
        let put = Put::builder().table_name(self.directory()).set_item(Some(item)).condition_expression(NEW);
        Ok(TransactWriteItem::builder().put(put.build().map_err(Fault::new)?).build())
    }

    /// Puts an item, whatever is there.
    fn put(&self, item: Item) -> Result<TransactWriteItem, Fault> {
        let put = Put::builder().table_name(self.directory()).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put.build().map_err(Fault::new)?).build())
    }

    /// Puts an item in the place of the one that was read at version `seen`.
    fn replace(&self, item: Item, seen: u64) -> Result<TransactWriteItem, Fault> {
        let put = Put::builder()
            .table_name(self.directory())
            .set_item(Some(item))
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":seen", number(seen));
        Ok(TransactWriteItem::builder().put(put.build().map_err(Fault::new)?).build())
    }

    /// Deletes an item, also when it is not there.
    fn remove(&self, key: &Key) -> Result<TransactWriteItem, Fault> {
        let delete = Delete::builder().table_name(self.directory()).set_key(Some(key.attributes()));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(Fault::new)?).build())
    }

    /// Deletes an item that must be there.
    fn remove_existing(&self, key: &Key) -> Result<TransactWriteItem, Fault> {
        let delete = Delete::builder()
            .table_name(self.directory())
            .set_key(Some(key.attributes()))
            .condition_expression(EXISTS);
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(Fault::new)?).build())
    }

    /// Deletes the item that was read at version `seen`.
    fn remove_unchanged(&self, key: &Key, seen: u64) -> Result<TransactWriteItem, Fault> {
        let delete = Delete::builder()
            .table_name(self.directory())
            .set_key(Some(key.attributes()))
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":seen", number(seen));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(Fault::new)?).build())
    }

    /// Writes nothing, but refuses the transaction unless the item is still at version `seen`.
    fn check_unchanged(&self, key: &Key, seen: u64) -> Result<TransactWriteItem, Fault> {
        let check = ConditionCheck::builder()
            .table_name(self.directory())
            .set_key(Some(key.attributes()))
            .condition_expression(UNCHANGED)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":seen", number(seen));
        Ok(TransactWriteItem::builder().condition_check(check.build().map_err(Fault::new)?).build())
    }

    /// An update of the item at `key`, to be filled.
    fn change(&self, key: &Key) -> UpdateBuilder {
        Update::builder().table_name(self.directory()).set_key(Some(key.attributes()))
    }
}

impl Outcome {
    /// For a transaction whose every condition says that nothing has changed since it was read.
    fn saved(self) -> Saved {
        match self {
            Outcome::Done => Saved::Done,
            Outcome::Refused(_) => Saved::Stale,
        }
    }
}

fn updated(update: UpdateBuilder) -> Result<TransactWriteItem, Fault> {
    Ok(TransactWriteItem::builder().update(update.build().map_err(Fault::new)?).build())
}
