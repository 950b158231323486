//! Recovery codes: hashes that go one by one, and all at once when new ones are made.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `hashes` | BS | keyed hashes of the codes that have not been used; absent after the last |
//! | `created_at` | N | epoch milliseconds |
//!
//! Nothing reads the item: a code is compared in the condition of the write that takes it, and is used up in that same write. There is nothing
//! to learn from how long the engine compares keyed hashes. It has no `ttl` and goes with its user.

use super::challenge_item::binary;
use super::challenge_write;
use super::login_audit::encode_recovery;
use super::login_store::{challenge_key, ttl};
use super::policy_items::decode_tenant;
use super::request::{Item, number, string};
use super::transaction::{self, Actions, Expression};
use super::{DynamoStore, keys};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::login::Purpose;
use crate::domain::recovery::RecoveryEffect;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::login::{Charged, LoginKey};
use crate::ports::recovery::{
    OwnRecoveryStore, RecoveryAttempt, RecoveryRefused, RecoveryStore, RecoveryUse, Renewal, RenewalRefused,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use aws_smithy_types::Blob;

/// That no code of a message has completed the login: one that binds nothing is complete once its code is among the guesses.
const CODE_NOT_SPENT: &str =
    "(attribute_exists(pending) OR attribute_not_exists(code_mac) OR NOT contains(guesses, code_mac))";
/// That a login that replaces a number waits for the old one's proof.
const OLD_NOT_PROVEN: &str = "attribute_exists(replaces) AND attribute_not_exists(old_proven)";

/// What the transaction's conditions mean, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Login,
    Code,
    Rest,
}

#[async_trait]
impl RecoveryStore for DynamoStore {
    async fn charge_recovery(
        &self,
        key: LoginKey<'_>,
        attempt: &RecoveryAttempt<'_>,
    ) -> Result<Charged, Fault> {
        let still_open = match attempt.purpose {
            Purpose::SignIn => CODE_NOT_SPENT,
            Purpose::ReplacePhone => OLD_NOT_PROVEN,
        };
        let update = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression(
                "SET v = :v, login = :login, started_at = :started, max_attempts = :max, #ttl = :ttl, \
                 sends = if_not_exists(sends, :zero), last_attempt = :attempt, \
                 judged = list_append(if_not_exists(judged, :none), :judged) ADD attempts :one",
            )
            .condition_expression(format!(
                "attribute_not_exists(completed) AND {still_open} \
                 AND (attribute_not_exists(attempts) OR attempts < :max) \
                 AND (attribute_not_exists(last_attempt) OR last_attempt <> :attempt)"
            ))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":v", number(1))
            .expression_attribute_values(":login", string(key.login.as_str()))
            .expression_attribute_values(":started", number(key.started_at.millis()))
            .expression_attribute_values(":max", number(attempt.max_attempts))
            .expression_attribute_values(":ttl", number(ttl(key.started_at)))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":judged", AttributeValue::L(vec![encode_recovery(attempt.now)]))
            .expression_attribute_values(":attempt", string(attempt.id));
        challenge_write::charge(update, attempt.id).await
    }

    async fn use_recovery_code(
        &self,
        key: LoginKey<'_>,
        code: &RecoveryUse<'_>,
    ) -> Result<Result<(), RecoveryRefused>, Fault> {
        let mut actions = Actions::new();
        // Its condition has to be the first: a request that lost to its own twin in one login sees both fail.
        actions.add(self.move_login_on(key, code)?, Part::Login);
        actions.add(self.take_code(key, code.macs)?, Part::Code);
        if let Some(notice) = code.notice {
            actions.add(self.put_notice(notice)?, Part::Rest);
        }
        self.record(&mut actions, code.event, Part::Rest)?;
        let Err(failed) = self.run(actions).await? else { return Ok(Ok(())) };
        match failed.first() {
            Some(Part::Login) => Ok(Err(RecoveryRefused::Overtaken)),
            Some(Part::Code) => Ok(Err(RecoveryRefused::Unknown)),
            Some(Part::Rest) | None => {
                Err(Fault::new("a recovery code's transaction kept meeting other transactions"))
            }
        }
    }

    async fn keep_rejection(&self, events: &[AuditEvent]) -> Result<(), Fault> {
        let mut actions = Actions::new();
        for event in events {
            self.record(&mut actions, event, ())?;
        }
        self.run(actions)
            .await?
            .map_err(|_| Fault::new("an event's transaction kept meeting other transactions"))
    }
}

#[async_trait]
impl OwnRecoveryStore for DynamoStore {
    async fn tenant_of_codes(&self, tenant: &TenantId) -> Result<Option<Tenant>, Fault> {
        let key = keys::tenant(tenant);
        self.batch(std::slice::from_ref(&key), &[]).await?.take(&key).map(decode_tenant).transpose()
    }

    async fn replace_recovery_codes(
        &self,
        tenant: &TenantId,
        user: &UserId,
        renewal: &Renewal<'_>,
    ) -> Result<Result<(), RenewalRefused>, Fault> {
        let Renewal { macs, number_before, made_before, event } = *renewal;
        let mut actions = Actions::new();
        // A deletion names the revision that it has seen, so one that is under way finds these codes too.
        let next =
            Expression::new("ADD #revision :one").name("#revision", "revision").value(":one", number(1));
        let known = match made_before {
            None => "#phone.#since < :before",
            Some(_) => "(attribute_not_exists(#phone) OR #phone.#since < :before)",
        };
        let known = Expression::new(format!("attribute_exists(#pk) AND {known}"))
            .name("#pk", keys::PK)
            .name("#phone", "phone")
            .name("#since", "since")
            .value(":before", number(number_before.millis()));
        let mut factor = transaction::update(self.logins(), &keys::factor(tenant, user), next, known)?;
        if let Some(update) = &mut factor.update {
            update.return_values_on_condition_check_failure = Some(AllOld);
        }
        actions.add(factor, Part::Login);
        let old = made_before.map(|at| {
            Expression::new("attribute_not_exists(#pk) OR #made < :made")
                .name("#pk", keys::PK)
                .name("#made", "created_at")
                .value(":made", number(at.millis()))
        });
        actions.add(self.put_recovery_codes(tenant, user, macs, event.at, old)?, Part::Code);
        self.record(&mut actions, event, Part::Rest)?;
        let Err(failed) = self.run_and_look(actions).await? else { return Ok(Ok(())) };
        match failed.first() {
            Some((Part::Login, None)) => Ok(Err(RenewalRefused::NoUser)),
            Some((Part::Login | Part::Code, _)) => Ok(Err(RenewalRefused::NotProven)),
            _ => Err(Fault::new("the transaction of new recovery codes kept meeting other transactions")),
        }
    }
}

impl DynamoStore {
    /// The part of a transaction that gives a user these codes and no others, if `condition` holds of those that are there.
    pub(super) fn put_recovery_codes(
        &self,
        tenant: &TenantId,
        user: &UserId,
        macs: &[[u8; 32]],
        now: Timestamp,
        condition: Option<Expression>,
    ) -> Result<TransactWriteItem, Fault> {
        let item = Item::from(
            [("v", number(1)), ("hashes", hashes(macs)), ("created_at", number(now.millis()))]
                .map(|(name, value)| (name.to_owned(), value)),
        );
        transaction::put(self.logins(), &keys::recovery(tenant, user), item, condition.unwrap_or_default())
    }

    /// The login's part: it is completed, or its old number proven, unless that has happened.
    fn move_login_on(&self, key: LoginKey<'_>, code: &RecoveryUse<'_>) -> Result<TransactWriteItem, Fault> {
        let (change, condition) = match code.effect {
            RecoveryEffect::Completes => ("SET completed = :now", CODE_NOT_SPENT),
            RecoveryEffect::ProvesOldNumber => (
                "SET old_proven = :now REMOVE code_mac, nonce, guesses, expires_at, first_sent_at",
                OLD_NOT_PROVEN,
            ),
        };
        let change = Expression::new(change).value(":now", number(code.now.millis()));
        // The attempt was charged to it, so it is there, unless its user was deleted since.
        let condition = Expression::new(format!(
            "attribute_exists(pk) AND attribute_not_exists(completed) AND {condition}"
        ));
        transaction::update(self.logins(), &challenge_key(key), change, condition)
    }

    /// The code's part: it is there, and is there no more.
    fn take_code(&self, key: LoginKey<'_>, macs: &[[u8; 32]]) -> Result<TransactWriteItem, Fault> {
        let names: Vec<_> = (0..macs.len()).map(|place| format!(":mac{place}")).collect();
        let any: Vec<_> = names.iter().map(|name| format!("contains(#hashes, {name})")).collect();
        let mut condition = Expression::new(any.join(" OR "));
        for (name, mac) in names.iter().zip(macs) {
            condition = condition.value(name, binary(mac));
        }
        let take =
            Expression::new("DELETE #hashes :macs").name("#hashes", "hashes").value(":macs", hashes(macs));
        transaction::update(self.logins(), &keys::recovery(key.tenant, key.user), take, condition)
    }
}

fn hashes(macs: &[[u8; 32]]) -> AttributeValue {
    AttributeValue::Bs(macs.iter().map(|mac| Blob::new(*mac)).collect())
}
