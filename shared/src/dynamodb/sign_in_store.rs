//! Sign-in: one read for what the policy says, one for whom it is about.

use super::DynamoStore;
use super::challenge_item::Reader;
use super::device_store;
use super::keys::{self, Key};
use super::policy_items::{decode_application, decode_source, decode_tenant};
use super::qr_store;
use super::request::{Item, condition_failed, fault, number, string};
use crate::domain::first_factor::{Throttle, WINDOW_SECONDS};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::login::{SignInFacts, SignInQuery, SignInStore, SignInUser};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

/// The kind of the throttles' items.
const THROTTLE: &str = "first-factor";

#[async_trait]
impl SignInStore for DynamoStore {
    async fn sign_in_facts(&self, query: &SignInQuery<'_>) -> Result<SignInFacts, Fault> {
        let tenant = query.application.map(|_| keys::tenant(query.tenant));
        let application = query.application.map(keys::application);
        let source = query.source.map(|id| keys::source(query.tenant, id));
        let owner = query.owner.map(|owner| keys::owner(query.tenant, owner.kind, &owner.hash));
        let user = query.user.map(|id| keys::user(query.tenant, id));
        let factor = query.user.map(|id| keys::factor(query.tenant, id));
        let device =
            query.user.zip(query.device).map(|(user, id)| keys::trusted_device(query.tenant, user, id));
        let qr = query.qr.map(keys::qr_login);
        let throttles: Vec<Key> =
            query.throttles.iter().map(|subject| keys::limit(THROTTLE, subject)).collect();

        let directory = [&tenant, &application, &source, &owner, &user];
        let directory: Vec<Key> = directory.into_iter().flatten().cloned().collect();
        let logins: Vec<Key> = factor.iter().chain(&device).chain(&qr).chain(&throttles).cloned().collect();
        let mut batch = self.batch(&directory, &logins).await?;

        Ok(SignInFacts {
            tenant: take(&tenant, |key| batch.take(key)).map(decode_tenant).transpose()?,
            application: take(&application, |key| batch.take(key)).map(decode_application).transpose()?,
            source: take(&source, |key| batch.take(key)).map(decode_source).transpose()?,
            owner: owner.as_ref().map_or(Ok(None), |key| batch.owner(key))?,
            user: take(&user, |key| batch.take(key)).map(decode_sign_in_user).transpose()?,
            factor: factor.as_ref().map_or(Ok(None), |key| batch.factor(key))?,
            device: take(&device, |key| batch.take(key))
                .map(|item| device_store::decode(&item))
                .transpose()?,
            qr: take(&qr, |key| batch.take(key)).map(|item| qr_store::decode(&item)).transpose()?,
            throttles: throttles.iter().map(|key| decode_throttle(batch.take(key))).collect(),
        })
    }

    async fn count_failed_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let update = || {
            self.throttle_update(subject)
                .expression_attribute_names("#ttl", keys::TTL)
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":now", number(now.millis()))
                .expression_attribute_values(":ttl", number(now.plus_secs(2 * WINDOW_SECONDS).secs()))
        };
        if let Some(stale) = seen.last_failure.filter(|_| seen.after_failure(now) == 1) {
            // A new window starts at one, but only the first of several failures at once may start it.
            let outcome = update()
                .update_expression(
                    "SET v = :one, failures = :one, last_failure = :now, #ttl = :ttl REMOVE attempt",
                )
                .condition_expression("last_failure = :stale")
                .expression_attribute_values(":stale", number(stale.millis()))
                .send()
                .await;
            match outcome {
                Ok(_) => return Ok(()),
                Err(error) => condition_failed(error)?,
            };
        }
        update()
            .update_expression(
                "SET v = :one, last_failure = :now, #ttl = :ttl REMOVE attempt ADD failures :one",
            )
            .send()
            .await
            .map_err(fault)?;
        Ok(())
    }

    async fn charge_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        attempt: &str,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let outcome = self
            .throttle_update(subject)
            .update_expression("SET failures = :next, last_failure = :now, attempt = :attempt, #ttl = :ttl")
            .condition_expression("failures = :seen AND last_failure = :last")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":next", number(seen.after_failure(now)))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":attempt", string(attempt))
            .expression_attribute_values(":ttl", number(now.plus_secs(2 * WINDOW_SECONDS).secs()))
            .expression_attribute_values(":seen", number(seen.failures))
            .expression_attribute_values(":last", number(seen.last_failure.map_or(0, Timestamp::millis)))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(true),
            Err(error) => {
                Ok(condition_failed(error)?.is_some_and(|old| Reader(&old).text("attempt") == Some(attempt)))
            }
        }
    }

    async fn uncharge_first_factor(&self, subject: &str, seen: Throttle, attempt: &str) -> Result<(), Fault> {
        let outcome = self
            .throttle_update(subject)
            .update_expression("SET failures = :seen, last_failure = :last REMOVE attempt")
            .condition_expression("attempt = :attempt")
            .expression_attribute_values(":seen", number(seen.failures))
            .expression_attribute_values(":last", number(seen.last_failure.map_or(0, Timestamp::millis)))
            .expression_attribute_values(":attempt", string(attempt))
            .send()
            .await;
        outcome.map(drop).or_else(|error| condition_failed(error).map(drop))
    }
}

impl DynamoStore {
    fn throttle_update(&self, subject: &str) -> UpdateItemFluentBuilder {
        let update = self.client().update_item().table_name(self.logins());
        update.set_key(Some(keys::limit(THROTTLE, subject).attributes()))
    }
}

fn take(key: &Option<Key>, from: impl FnOnce(&Key) -> Option<Item>) -> Option<Item> {
    key.as_ref().and_then(from)
}

/// Nothing that identifies the user is opened for a sign-in.
fn decode_sign_in_user(item: Item) -> Result<SignInUser, Fault> {
    let read = Reader(&item);
    Ok(SignInUser {
        id: Reader::need(read.text(keys::SK).and_then(UserId::parse), keys::SK)?,
        password_hash: read.text("password_hash").map(str::to_owned),
        locale: read.text("locale").map(str::to_owned),
    })
}

fn decode_throttle(item: Option<Item>) -> Throttle {
    let Some(item) = item else { return Throttle::default() };
    let read = Reader(&item);
    Throttle { failures: read.number("failures").unwrap_or(0), last_failure: read.time("last_failure") }
}
