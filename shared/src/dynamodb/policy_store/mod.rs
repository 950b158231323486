//! The ports of policy on DynamoDB. Items: [`super::policy_items`].

mod admin_keys;
mod applications;
mod reader;
mod sources;
mod tenants;

use super::DynamoStore;
use super::keys::{Key, PK};
use super::request::{Item, fault, number};
use super::transaction::Expression;
use crate::ports::{Fault, Saved};

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
