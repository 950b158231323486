//! Transactions: all or nothing, tried again where only another write was in the way.

use super::request::{CancelledBy, Item, cancelled, string};
use super::{DynamoStore, keys};
use crate::ports::Fault;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use keys::Key;
use std::time::Duration;

/// What one transaction may hold (a limit of DynamoDB).
pub(super) const MAX_ACTIONS: usize = 100;
/// The waits before a transaction is tried again where another write was in the way.
pub(super) const WAITS: [Duration; 4] = [
    Duration::from_millis(15),
    Duration::from_millis(30),
    Duration::from_millis(60),
    Duration::from_millis(120),
];

/// An expression with its names (`#name`) and values (`:value`).
#[derive(Clone, Debug, Default)]
pub(super) struct Expression {
    pub text: String,
    pub names: Vec<(String, String)>,
    pub values: Vec<(String, AttributeValue)>,
}

impl Expression {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    #[must_use]
    pub fn name(mut self, alias: &str, attribute: &str) -> Self {
        self.names.push((alias.to_owned(), attribute.to_owned()));
        self
    }

    #[must_use]
    pub fn value(mut self, alias: &str, value: AttributeValue) -> Self {
        self.values.push((alias.to_owned(), value));
        self
    }
}

/// Writes a whole item if `condition` holds of what is there; with an empty one in any case.
pub(super) fn put(
    table: &str,
    key: &Key,
    mut item: Item,
    condition: Expression,
) -> Result<TransactWriteItem, Fault> {
    key.add_to(&mut item);
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression((!condition.text.is_empty()).then_some(condition.text))
        .set_expression_attribute_names(map(condition.names))
        .set_expression_attribute_values(map(condition.values))
        .build()
        .map_err(Fault::new)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Deletes an item if `condition` holds; with `None` in any case.
pub(super) fn delete(
    table: &str,
    key: &Key,
    condition: Option<Expression>,
) -> Result<TransactWriteItem, Fault> {
    let condition = condition.unwrap_or_default();
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .set_condition_expression((!condition.text.is_empty()).then_some(condition.text))
        .set_expression_attribute_names(map(condition.names))
        .set_expression_attribute_values(map(condition.values))
        .build()
        .map_err(Fault::new)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Changes an item if `condition` holds, with an empty one in any case; the names and values of both expressions go together.
pub(super) fn update(
    table: &str,
    key: &Key,
    change: Expression,
    condition: Expression,
) -> Result<TransactWriteItem, Fault> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .update_expression(change.text)
        .set_condition_expression((!condition.text.is_empty()).then_some(condition.text))
        .set_expression_attribute_names(map([change.names, condition.names].concat()))
        .set_expression_attribute_values(map([change.values, condition.values].concat()))
        .build()
        .map_err(Fault::new)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Changes nothing, but fails the transaction unless `condition` holds.
pub(super) fn check(table: &str, key: &Key, condition: Expression) -> Result<TransactWriteItem, Fault> {
    let check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .condition_expression(condition.text)
        .set_expression_attribute_names(map(condition.names))
        .set_expression_attribute_values(map(condition.values))
        .build()
        .map_err(Fault::new)?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

/// That nothing is at a key yet.
pub(super) fn is_free() -> Expression {
    Expression::new("attribute_not_exists(#pk)").name("#pk", keys::PK)
}

/// That an owner item is this user's, or nobody's.
pub(super) fn is_owned_by(user: &str) -> Expression {
    Expression::new("attribute_not_exists(#pk) OR #user = :user")
        .name("#pk", keys::PK)
        .name("#user", "user")
        .value(":user", string(user))
}

/// Whether nothing but another write was in the way. A condition that did not hold is an answer, whatever else there was.
fn is_worth_another_try(reasons: &[CancelledBy]) -> bool {
    let contended = reasons.iter().any(|reason| matches!(reason, CancelledBy::Contention));
    contended && !reasons.iter().any(|reason| matches!(reason, CancelledBy::Condition(_)))
}

/// An empty map is an error to DynamoDB; none at all is not.
fn map<T>(entries: Vec<(String, T)>) -> Option<std::collections::HashMap<String, T>> {
    (!entries.is_empty()).then(|| entries.into_iter().collect())
}

/// The actions of a transaction, each with what its failed condition means.
#[derive(Debug)]
pub(super) struct Actions<M> {
    actions: Vec<TransactWriteItem>,
    meanings: Vec<M>,
}

impl<M> Actions<M> {
    pub fn new() -> Self {
        Self { actions: Vec::new(), meanings: Vec::new() }
    }

    pub fn add(&mut self, action: TransactWriteItem, meaning: M) {
        self.actions.push(action);
        self.meanings.push(meaning);
    }

    /// How many more fit.
    pub fn room(&self) -> usize {
        MAX_ACTIONS.saturating_sub(self.actions.len())
    }
}

impl DynamoStore {
    /// Runs a transaction. The inner error is what the failed conditions mean, in order; none where other writes stayed in the way.
    ///
    /// The SDK repeats a request whose answer was lost under the same client token, so that it isn't applied twice; a try of ours is a
    /// new request with a token of its own.
    pub(super) async fn run<M>(&self, actions: Actions<M>) -> Result<Result<(), Vec<M>>, Fault> {
        let outcome = self.run_and_look(actions).await?;
        Ok(outcome.map_err(|failed| failed.into_iter().map(|(meaning, _)| meaning).collect()))
    }

    /// As [`DynamoStore::run`], with the items as they were of those actions that ask for them.
    pub(super) async fn run_and_look<M>(
        &self,
        actions: Actions<M>,
    ) -> Result<Result<(), Vec<(M, Option<Item>)>>, Fault> {
        let mut waits = WAITS.into_iter();
        loop {
            let request = self.client.transact_write_items();
            let request = request.set_transact_items(Some(actions.actions.clone()));
            let Err(error) = request.send().await else { return Ok(Ok(())) };
            let reasons = cancelled(error)?;
            let Some(wait) = waits.next().filter(|_| is_worth_another_try(&reasons)) else {
                let judged = reasons.into_iter().zip(actions.meanings);
                let failed = judged.filter_map(|(reason, meaning)| match reason {
                    CancelledBy::Condition(item) => Some((meaning, item)),
                    CancelledBy::Nothing | CancelledBy::Contention => None,
                });
                return Ok(Err(failed.collect()));
            };
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_condition_is_an_answer_and_another_write_is_not() {
        use CancelledBy::{Condition, Contention, Nothing};
        assert!(is_worth_another_try(&[Nothing, Contention]));
        assert!(!is_worth_another_try(&[Nothing, Condition(None)]));
        assert!(!is_worth_another_try(&[Contention, Condition(None)]));
        assert!(!is_worth_another_try(&[Nothing]));
    }

    #[test]
    fn a_transaction_has_room_for_a_hundred() {
        let key = keys::limit("warm", "none");
        let mut actions = Actions::new();
        for used in 0..MAX_ACTIONS {
            assert_eq!(actions.room(), MAX_ACTIONS - used);
            actions.add(put("table", &key, Item::new(), is_free()).expect("an action"), ());
        }
        assert_eq!(actions.room(), 0);
    }

    #[test]
    fn what_has_to_be_free_is_put_only_where_nothing_is() {
        let action = put("table", &keys::limit("warm", "none"), Item::new(), is_free()).expect("an action");
        let put = action.put.expect("a put");
        assert_eq!(put.condition_expression.as_deref(), Some("attribute_not_exists(#pk)"));
        assert_eq!(put.expression_attribute_names.expect("its name")["#pk"], keys::PK);
    }
}
