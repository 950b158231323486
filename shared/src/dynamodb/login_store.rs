//! Reads of a login, and `/phone`.

use super::DynamoStore;
use super::challenge_item::{self, Reader};
use super::challenge_write;
use super::factor_item::{FactorItem, PhoneItem};
use super::keys::{self, Key};
use super::request::{Item, fault, from_item, number, string};
use crate::domain::challenge::{Challenge, KEPT_SECONDS};
use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::login::LOGIN_SECONDS;
use crate::domain::time::Timestamp;
use crate::ports::login::{
    BindFacts, BindStore, FactorStore, LoginKey, LoginStateStore, OwnerKey, SupportStore,
};
use crate::ports::{Failure, Fault, Page, PageRequest};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;

/// How often what a batch left unread is asked for again.
const BATCH_TRIES: usize = 3;

/// Items of one batch, by key.
pub(super) struct Batch(HashMap<Key, Item>);

impl Batch {
    pub fn take(&mut self, key: &Key) -> Option<Item> {
        self.0.remove(key)
    }

    pub fn factor(&mut self, key: &Key) -> Result<Option<Factor>, Fault> {
        self.take(key).map(|item| from_item::<FactorItem>(item).map(Factor::from)).transpose()
    }

    pub fn challenge(&mut self, key: &Key) -> Result<Option<Challenge>, Fault> {
        self.take(key).map(|item| challenge_item::decode(&item)).transpose()
    }

    pub fn owner(&mut self, key: &Key) -> Result<Option<UserId>, Fault> {
        let Some(item) = self.take(key) else { return Ok(None) };
        Reader::need(Reader(&item).text("user").and_then(UserId::parse), "user").map(Some)
    }
}

impl DynamoStore {
    /// One strongly consistent BatchGetItem over both tables. What the engine leaves unread is asked for again a few times.
    pub(super) async fn batch(&self, directory: &[Key], logins: &[Key]) -> Result<Batch, Fault> {
        let mut wanted = HashMap::new();
        for (table, keys) in [(self.directory(), directory), (self.logins(), logins)] {
            if !keys.is_empty() {
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(keys.iter().map(Key::attributes).collect()))
                    .consistent_read(true)
                    .build()
                    .map_err(Fault::new)?;
                wanted.insert(table.to_owned(), request);
            }
        }
        let mut found = HashMap::new();
        for _ in 0..BATCH_TRIES {
            let answer =
                self.client().batch_get_item().set_request_items(Some(wanted)).send().await.map_err(fault)?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                if let Some(key) = Key::of(&item) {
                    found.insert(key, item);
                }
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(Batch(found));
            }
        }
        Err(Fault::new("dynamodb left keys unprocessed"))
    }
}

/// The key of a login's challenge.
pub(super) fn challenge_key(key: LoginKey<'_>) -> Key {
    keys::challenge(key.tenant, key.user, key.started_at, key.login)
}

/// When a login's challenge may be tidied away, in epoch seconds.
pub(super) fn ttl(started_at: Timestamp) -> i64 {
    started_at.plus_secs(LOGIN_SECONDS + KEPT_SECONDS).secs()
}

#[async_trait]
impl LoginStateStore for DynamoStore {
    async fn login_state(&self, key: LoginKey<'_>) -> Result<(Option<Factor>, Option<Challenge>), Fault> {
        let (factor, challenge) = (keys::factor(key.tenant, key.user), challenge_key(key));
        let mut batch = self.batch(&[], &[factor.clone(), challenge.clone()]).await?;
        Ok((batch.factor(&factor)?, batch.challenge(&challenge)?))
    }
}

#[async_trait]
impl FactorStore for DynamoStore {
    async fn factor(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Factor>, Fault> {
        let key = keys::factor(tenant, user).attributes();
        let request = self.client().get_item().table_name(self.logins()).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(fault)?;
        answer.item.map(|item| from_item::<FactorItem>(item).map(Factor::from)).transpose()
    }
}

#[async_trait]
impl BindStore for DynamoStore {
    async fn bind_facts(&self, key: LoginKey<'_>, wanted: Option<&OwnerKey>) -> Result<BindFacts, Fault> {
        let owner = wanted.map(|wanted| keys::owner(key.tenant, wanted.kind, &wanted.hash));
        let (factor, challenge) = (keys::factor(key.tenant, key.user), challenge_key(key));
        let mut batch = self.batch(owner.as_slice(), &[factor.clone(), challenge.clone()]).await?;
        Ok(BindFacts {
            factor: batch.factor(&factor)?,
            challenge: batch.challenge(&challenge)?,
            owner: owner.map_or(Ok(None), |key| batch.owner(&key))?,
        })
    }

    async fn ask_for_number(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        max_attempts: u8,
        max_changes: u8,
    ) -> Result<Result<Challenge, Option<Challenge>>, Fault> {
        let pending = serde_dynamo::to_attribute_value(PhoneItem::from(phone)).map_err(Fault::new)?;
        let ask = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression(
                "SET v = :v, login = :login, started_at = :started, max_attempts = :max_attempts, #ttl = :ttl, \
                 attempts = if_not_exists(attempts, :zero), sends = if_not_exists(sends, :zero), \
                 phone_changes = if_not_exists(phone_changes, :zero) + :one, pending = :pending \
                 REMOVE code_mac, nonce, guesses, expires_at, first_sent_at",
            )
            .condition_expression(
                "attribute_not_exists(completed) \
                 AND (attribute_not_exists(phone_changes) OR phone_changes < :max_changes) \
                 AND (attribute_not_exists(attempts) OR attempts < :max_attempts) \
                 AND (attribute_not_exists(pending) OR pending.#sealed <> :sealed)",
            )
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_names("#sealed", "sealed")
            .expression_attribute_values(":sealed", string(&phone.sealed))
            .expression_attribute_values(":v", number(1))
            .expression_attribute_values(":login", string(key.login.as_str()))
            .expression_attribute_values(":started", number(key.started_at.millis()))
            .expression_attribute_values(":max_attempts", number(max_attempts))
            .expression_attribute_values(":max_changes", number(max_changes))
            .expression_attribute_values(":ttl", number(ttl(key.started_at)))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":pending", pending);
        match challenge_write::update(ask).await? {
            Ok(challenge) => Ok(Ok(challenge)),
            Err(old) => {
                let challenge = old.map(|old| challenge_item::decode(&old)).transpose()?;
                // No number is sealed the same way twice: it is our own try, whose answer was lost, and must not count as another change.
                let pending = challenge.as_ref().and_then(|challenge| challenge.pending.as_ref());
                let ours = pending.is_some_and(|pending| pending.sealed == phone.sealed);
                Ok(match challenge {
                    Some(challenge) if ours => Ok(challenge),
                    other => Err(other),
                })
            }
        }
    }
}

#[async_trait]
impl SupportStore for DynamoStore {
    async fn challenges(
        &self,
        tenant: &TenantId,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<Challenge>, Failure> {
        let partition = keys::login_partition(tenant, user);
        self.latest_logins_page(&partition, keys::CHALLENGE_PREFIX, page, |item| {
            challenge_item::decode(&item)
        })
        .await
    }
}
