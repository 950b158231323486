//! Changes of a bound number, with all that hangs on it.

use super::challenge_item;
use super::factor_item::{FactorItem, PhoneItem};
use super::request::{fault, from_item, number, string, to_item};
use super::transaction::{self, Actions, Expression, is_owned_by};
use super::user_item::encode_owner;
use super::{DynamoStore, keys};
use crate::domain::factor::FactorPhone;
use crate::domain::identifier::PHONE;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::login::LOGIN_SECONDS;
use crate::domain::time::Timestamp;
use crate::ports::{Binding, BindingReader, BindingStore, BindingWrite, Fault, NumberChange};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

/// A login that started longer ago has ended, even where clocks differ by some minutes.
const OLDEST_LIVE_SECONDS: i64 = 2 * LOGIN_SECONDS as i64;

#[async_trait]
impl BindingReader for DynamoStore {
    async fn binding(
        &self,
        tenant: &TenantId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Option<Binding>, Fault> {
        let since = Timestamp::from_millis(now.millis() - OLDEST_LIVE_SECONDS * 1000);
        let mut items = self
            .client
            .query()
            .table_name(&self.logins)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :since AND :factor")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":pk", string(keys::login_partition(tenant, user)))
            .expression_attribute_values(":since", string(keys::challenges_since(since)))
            .expression_attribute_values(":factor", string(keys::FACTOR))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut factor, mut live_challenges) = (None, Vec::new());
        while let Some(item) = items.next().await {
            let item = item.map_err(fault)?;
            let Some(key) = keys::Key::of(&item) else { continue };
            if key.sk == keys::FACTOR {
                factor = Some(from_item::<FactorItem>(item)?.into());
                continue;
            }
            let challenge = challenge_item::decode(&item)?;
            if challenge.code.is_some() && !challenge.is_complete() {
                live_challenges.push(key.sk);
            }
        }
        Ok(factor.map(|factor| Binding { factor, live_challenges }))
    }
}

#[async_trait]
impl BindingStore for DynamoStore {
    async fn change_number(
        &self,
        tenant: &TenantId,
        user: &UserId,
        seen: &Binding,
        change: &NumberChange<'_>,
    ) -> Result<BindingWrite, Fault> {
        let mut actions = Actions::new();
        self.add_number_change(tenant, user, seen, change, |write| write, &mut actions)?;
        if change.phone.is_none() && seen.factor.phone.is_some() {
            let named = Expression::new(
                "attribute_exists(#username) OR attribute_exists(#email) OR attribute_exists(#identities)",
            )
            .name("#username", "username")
            .name("#email", "email")
            .name("#identities", "identities");
            actions.add(
                transaction::check(&self.directory, &keys::user(tenant, user), named)?,
                BindingWrite::LastIdentifier,
            );
        }
        let Err(failed) = self.run(actions).await? else { return Ok(BindingWrite::Done) };
        let stale = failed.contains(&BindingWrite::Stale);
        Ok(failed.into_iter().next().filter(|_| !stale).unwrap_or(BindingWrite::Stale))
    }
}

impl DynamoStore {
    /// The factor, both numbers' owners, the codes that are out, the notice, the audit. `meaning` is what a failed condition means to the caller.
    pub(super) fn add_number_change<M: Clone>(
        &self,
        tenant: &TenantId,
        user: &UserId,
        seen: &Binding,
        change: &NumberChange<'_>,
        meaning: impl Fn(BindingWrite) -> M,
        actions: &mut Actions<M>,
    ) -> Result<(), Fault> {
        let phone = change.phone;
        let (old, new) = (seen.factor.phone.as_ref().map(|p| &p.hash), phone.map(|p| &p.hash));
        actions.add(self.change_factor(tenant, user, seen, phone)?, meaning(BindingWrite::Stale));
        if let Some(new) = new.filter(|_| old != new) {
            let key = keys::owner(tenant, PHONE, new);
            let put =
                transaction::put(&self.directory, &key, encode_owner(user)?, is_owned_by(user.as_str()))?;
            actions.add(put, meaning(BindingWrite::PhoneTaken));
        }
        if let Some(old) = old.filter(|_| old != new) {
            let key = keys::owner(tenant, PHONE, old);
            let delete = transaction::delete(&self.directory, &key, Some(is_owned_by(user.as_str())))?;
            actions.add(delete, meaning(BindingWrite::Stale));
        }
        for challenge in &seen.live_challenges {
            let key = keys::Key { pk: keys::login_partition(tenant, user), sk: challenge.clone() };
            let take = Expression::new("REMOVE code_mac");
            // One that has gone must not come back as half an item, and one that has completed stays complete.
            let alive = Expression::new(
                "attribute_exists(pk) AND attribute_not_exists(completed) \
                 AND (attribute_exists(pending) OR NOT contains(guesses, code_mac))",
            );
            actions.add(transaction::update(&self.logins, &key, take, alive)?, meaning(BindingWrite::Stale));
        }
        if let Some(notice) = change.notice {
            actions.add(self.put_notice(notice)?, meaning(BindingWrite::Stale));
        }
        self.record(actions, change.event, meaning(BindingWrite::Stale))
    }

    /// The factor's part: the number, no failures, the next revision.
    fn change_factor(
        &self,
        tenant: &TenantId,
        user: &UserId,
        seen: &Binding,
        phone: Option<&FactorPhone>,
    ) -> Result<TransactWriteItem, Fault> {
        let mut change = Expression::new("SET #failures = :none, #revision = :next")
            .name("#failures", "failures")
            .name("#revision", "revision")
            .name("#phone", "phone")
            .value(":none", number(0))
            .value(":next", number(seen.factor.revision + 1));
        match phone {
            Some(phone) => {
                change.text.push_str(", #phone = :phone");
                change = change.value(":phone", AttributeValue::M(to_item(&PhoneItem::from(phone))?));
            }
            None => change.text.push_str(" REMOVE #phone"),
        }
        let unchanged = Expression::new("#revision = :seen").value(":seen", number(seen.factor.revision));
        transaction::update(&self.logins, &keys::factor(tenant, user), change, unchanged)
    }
}
