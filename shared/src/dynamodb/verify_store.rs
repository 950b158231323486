//! Verifying a code: one write in every outcome.

use super::DynamoStore;
use super::challenge_item::{self, binary};
use super::challenge_write;
use super::factor_item::PhoneItem;
use super::keys;
use super::login_audit::{encode_failure, encode_guess};
use super::login_store::challenge_key;
use super::request::{CancelledBy, cancelled, condition_failed, number, string};
use super::transaction::{self, is_owned_by};
use super::user_item::encode_owner;
use crate::domain::audit::AuditEvent;
use crate::domain::challenge::Challenge;
use crate::domain::factor::FactorPhone;
use crate::domain::identifier::PHONE;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::login::{BindRefused, Charged, Guess, LoginKey, VerifyStore};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_smithy_types::Blob;

#[async_trait]
impl VerifyStore for DynamoStore {
    async fn charge_guess(&self, key: LoginKey<'_>, guess: &Guess<'_>) -> Result<Charged, Fault> {
        // A login that binds may be given its right code again until the bind is committed, so that a crash between the two costs no
        // code; each time is charged. Any other code is spent by its first right guess.
        let guesses = guess.macs.iter().map(|mac| Blob::new(*mac)).collect();
        let update = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression(
                "ADD guesses :guesses, attempts :one \
                 SET last_attempt = :attempt, judged = list_append(if_not_exists(judged, :none), :judged)",
            )
            .condition_expression(
                "attribute_exists(code_mac) AND attribute_not_exists(completed) AND expires_at > :now \
                 AND attempts < :max \
                 AND (attribute_exists(pending) OR NOT contains(guesses, code_mac)) \
                 AND (attribute_not_exists(last_attempt) OR last_attempt <> :attempt)",
            )
            .expression_attribute_values(":guesses", AttributeValue::Bs(guesses))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":attempt", string(guess.attempt))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":judged", AttributeValue::L(vec![encode_guess(guess)]))
            .expression_attribute_values(":now", number(guess.now.millis()))
            .expression_attribute_values(":max", number(guess.max_attempts));
        challenge_write::charge(update, guess.attempt).await
    }

    async fn look(&self, key: LoginKey<'_>) -> Result<Option<Challenge>, Fault> {
        let outcome = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression("REMOVE nothing")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match outcome {
            Ok(_) => Err(Fault::new("an impossible condition held")),
            Err(error) => condition_failed(error)?.map(|item| challenge_item::decode(&item)).transpose(),
        }
    }

    async fn count_failure(&self, key: LoginKey<'_>, guess: &Guess<'_>) -> Result<(), Fault> {
        let update = self
            .failures_update(key.tenant, key.user)
            .update_expression("ADD failures :one SET last_failure = :last")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":last", encode_failure(key, guess));
        update.send().await.map(drop).or_else(|error| condition_failed(error).map(drop))
    }

    async fn clear_failures(&self, tenant: &TenantId, user: &UserId) -> Result<(), Fault> {
        let update = self
            .failures_update(tenant, user)
            .update_expression("SET failures = :none")
            .expression_attribute_values(":none", number(0));
        update.send().await.map(drop).or_else(|error| condition_failed(error).map(drop))
    }

    async fn commit_bind(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        mac: &[u8; 32],
        recovery: Option<&[[u8; 32]]>,
        now: Timestamp,
        event: &AuditEvent,
    ) -> Result<Result<(), BindRefused>, Fault> {
        let mut actions = vec![
            self.take_number(key, phone)?,
            self.bind_factor(key, phone, now)?,
            self.complete(key, phone, mac, now)?,
        ];
        if let Some(macs) = recovery {
            actions.push(self.put_recovery_codes(key.tenant, key.user, macs, now, None)?);
        }
        actions.extend(self.event_puts(event)?);
        for wait in transaction::WAITS {
            let request = self.client().transact_write_items();
            let outcome = request.set_transact_items(Some(actions.clone())).send().await;
            let Err(error) = outcome else { return Ok(Ok(())) };
            let reasons = cancelled(error)?;
            let failed = |at: usize| matches!(reasons.get(at), Some(CancelledBy::Condition(_)));
            // The challenge first: a request that lost to its own twin sees all three conditions fail.
            if let Some(CancelledBy::Condition(old)) = reasons.get(2) {
                let done = old.as_ref().is_some_and(|item| item.contains_key("completed"));
                return Ok(Err(if done { BindRefused::Completed } else { BindRefused::NumberChanged }));
            }
            if failed(0) {
                return Ok(Err(BindRefused::Taken));
            }
            if failed(1) {
                return Ok(Err(BindRefused::FactorChanged));
            }
            tokio::time::sleep(wait).await;
        }
        Err(Fault::new("the bind's transaction kept meeting other transactions"))
    }

    async fn forget_number(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
    ) -> Result<Option<Challenge>, Fault> {
        let update = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression("REMOVE pending, code_mac, nonce, guesses, expires_at, first_sent_at")
            .condition_expression("attribute_not_exists(completed) AND pending.#hash = :hash")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":hash", string(&phone.hash));
        challenge_write::change(update).await
    }
}

impl DynamoStore {
    /// A change of a user's failures. A user who was deleted meanwhile must not come back as half an item.
    fn failures_update(&self, tenant: &TenantId, user: &UserId) -> UpdateItemFluentBuilder {
        self.client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(keys::factor(tenant, user).attributes()))
            .condition_expression("attribute_exists(pk)")
    }

    /// The number's owner item, if nobody has it (or this user does: a bind that is resumed).
    fn take_number(&self, key: LoginKey<'_>, phone: &FactorPhone) -> Result<TransactWriteItem, Fault> {
        let owner = keys::owner(key.tenant, PHONE, &phone.hash);
        transaction::put(self.directory(), &owner, encode_owner(key.user)?, is_owned_by(key.user.as_str()))
    }

    /// The user's factor, if it is there and has no number.
    fn bind_factor(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Fault> {
        let mut item = PhoneItem::from(phone);
        item.since = now.millis();
        let update = Update::builder()
            .table_name(self.logins())
            .set_key(Some(keys::factor(key.tenant, key.user).attributes()))
            .update_expression("SET phone = :phone, failures = :zero ADD revision :one")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(phone)")
            .expression_attribute_values(
                ":phone",
                serde_dynamo::to_attribute_value(item).map_err(Fault::new)?,
            )
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .build()
            .map_err(Fault::new)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The challenge, if this code for this number was the right guess and nobody completed it.
    pub(super) fn complete(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<TransactWriteItem, Fault> {
        let update = Update::builder()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression("SET completed = :now")
            .condition_expression(
                "attribute_not_exists(completed) AND code_mac = :mac AND contains(guesses, :mac) \
                 AND pending.#hash = :hash",
            )
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":mac", binary(mac))
            .expression_attribute_values(":hash", string(&phone.hash))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Fault::new)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
