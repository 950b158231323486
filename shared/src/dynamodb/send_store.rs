//! Sending a code: read once, reserve in one transaction, correct only what went wrong.

use super::DynamoStore;
use super::challenge_item::{self, binary};
use super::factor_item::FactorItem;
use super::keys::{self, Key};
use super::login_audit::counted;
use super::login_store::{challenge_key, ttl};
use super::request::{CancelledBy, cancelled, condition_failed, fault, from_item, number, string};
use super::transaction::{self, Actions};
use crate::domain::audit::RefusedSend;
use crate::domain::challenge::{Challenge, Delivery, Effect, SentCode, SentTo, with_send};
use crate::domain::factor::Factor;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::login::LOGIN_SECONDS;
use crate::domain::test_number::Scenario;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::login::{LoginKey, Reservation, SendFacts, SendStore, SettledSend};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use std::collections::HashMap;
use std::time::Duration;

#[async_trait]
impl SendStore for DynamoStore {
    async fn send_facts(&self, key: LoginKey<'_>) -> Result<SendFacts, Fault> {
        let (factor, challenges) = self.recent_logins(key.tenant, key.user, key.started_at).await?;
        let (own, others) = challenges.into_iter().partition::<Vec<_>, _>(|c| c.login == *key.login);
        Ok(SendFacts { factor, challenge: own.into_iter().next(), others })
    }

    async fn reserve_send(
        &self,
        key: LoginKey<'_>,
        reservation: &Reservation<'_>,
    ) -> Result<Option<Challenge>, Fault> {
        let challenge = challenge_update(self.logins(), key, reservation)?;
        let outcome = self
            .client()
            .transact_write_items()
            .transact_items(factor_update(self.logins(), key, reservation.factor, reservation.now)?)
            .transact_items(TransactWriteItem::builder().update(challenge).build())
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Some(after(key, reservation))),
            Err(error) => {
                let reasons = cancelled(error)?;
                if reasons.iter().any(|reason| matches!(reason, CancelledBy::Contention)) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(None)
            }
        }
    }

    async fn settle_send(&self, key: LoginKey<'_>, settled: &SettledSend<'_>) -> Result<(), Fault> {
        let mut change = transaction::Expression::new("SET delivery = :delivery, resend_at = :resend")
            .value(":delivery", string(settled.delivery.as_str()))
            .value(":resend", number(settled.resend_at.millis()));
        if let Some(why) = settled.undelivered {
            change.text += ", undelivered = :why";
            change = change.value(":why", string(why.as_str()));
        }
        if let Some(hash) = settled.free {
            change.text += " DELETE idempotency :free";
            change = change.value(":free", AttributeValue::Ss(vec![hash.to_owned()]));
        }
        let unchanged = transaction::Expression::new("sends = :sends AND attribute_exists(code_mac)")
            .value(":sends", number(settled.sends));
        let Some(refused) = settled.refused else {
            let values = change.values.into_iter().chain(unchanged.values).collect();
            let request = self
                .client()
                .update_item()
                .table_name(self.logins())
                .set_key(Some(challenge_key(key).attributes()))
                .update_expression(change.text)
                .condition_expression(unchanged.text)
                .set_expression_attribute_values(Some(values));
            return request.send().await.map(drop).or_else(|error| condition_failed(error).map(drop));
        };
        let (counter, count) = counted(refused);
        let mut actions = Actions::new();
        actions.add(transaction::update(self.logins(), &challenge_key(key), change, unchanged)?, ());
        let always = transaction::Expression::default();
        actions.add(transaction::update(self.logins(), &counter, count, always)?, ());
        match self.run(actions).await? {
            Ok(()) => Ok(()),
            // Another send came after it, or others stayed in the way: the refusal counts all the same.
            Err(_) => self.count_refusal(refused).await,
        }
    }

    async fn count_refusal(&self, refused: &RefusedSend) -> Result<(), Fault> {
        let (key, count) = counted(refused);
        let request = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(key.attributes()))
            .update_expression(count.text)
            .set_expression_attribute_names(Some(count.names.into_iter().collect()))
            .set_expression_attribute_values(Some(count.values.into_iter().collect()));
        request.send().await.map(drop).map_err(fault)
    }
}

impl DynamoStore {
    /// A user's factor, and the challenges of all logins that may be alive at `now`: one strongly consistent Query.
    pub(super) async fn recent_logins(
        &self,
        tenant: &TenantId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<(Option<Factor>, Vec<Challenge>), Fault> {
        // A login that started longer ago than a login lives has nothing live.
        let since = now.millis() - i64::from(LOGIN_SECONDS) * 1000;
        let answer = self
            .client()
            .query()
            .table_name(self.logins())
            .key_condition_expression("pk = :pk AND sk BETWEEN :since AND :factor")
            .expression_attribute_values(":pk", string(keys::login_partition(tenant, user)))
            .expression_attribute_values(
                ":since",
                string(keys::challenges_since(Timestamp::from_millis(since))),
            )
            .expression_attribute_values(":factor", string(keys::FACTOR))
            // The factor first, and then the newest: what does not fit into an answer of a megabyte is the oldest of very many.
            .scan_index_forward(false)
            .consistent_read(true)
            .send()
            .await
            .map_err(fault)?;
        let (mut factor, mut challenges) = (None, Vec::new());
        for item in answer.items.unwrap_or_default() {
            match Key::of(&item) {
                Some(at) if at.sk == keys::FACTOR => factor = Some(from_item::<FactorItem>(item)?.into()),
                Some(at) if at.sk.starts_with(keys::CHALLENGE_PREFIX) => {
                    challenges.push(challenge_item::decode(&item)?);
                }
                _ => {}
            }
        }
        Ok((factor, challenges))
    }
}

/// Moves the factor's revision on, if nobody else did since it was read.
fn factor_update(
    table: &str,
    key: LoginKey<'_>,
    factor: &Factor,
    now: Timestamp,
) -> Result<TransactWriteItem, Fault> {
    let sends = with_send(&factor.recent_sends, now).into_iter().map(|at| number(at.millis())).collect();
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(keys::factor(key.tenant, key.user).attributes()))
        .update_expression("SET revision = :next, recent_sends = :sends")
        .expression_attribute_values(":sends", AttributeValue::L(sends))
        .condition_expression("revision = :seen")
        .expression_attribute_values(":seen", number(factor.revision))
        .expression_attribute_values(":next", number(factor.revision + 1))
        .build()
        .map_err(Fault::new)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// An update expression with its values.
#[derive(Default)]
struct Expression {
    set: Vec<&'static str>,
    remove: Vec<&'static str>,
    condition: Vec<&'static str>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    fn value(&mut self, name: &str, value: AttributeValue) {
        self.values.insert(name.to_owned(), value);
    }

    fn set(&mut self, clause: &'static str, name: &str, value: AttributeValue) {
        self.set.push(clause);
        self.value(name, value);
    }
}

/// Writes the send into the challenge, if it still is as the plan saw it: no other send, guess, number or key came between.
fn challenge_update(table: &str, key: LoginKey<'_>, r: &Reservation<'_>) -> Result<Update, Fault> {
    let mut e = Expression::default();
    e.names.insert("#ttl".to_owned(), keys::TTL.to_owned());
    e.set("v = :v", ":v", number(1));
    e.set("login = :login", ":login", string(key.login.as_str()));
    e.set("started_at = :started", ":started", number(key.started_at.millis()));
    e.set("max_attempts = :max", ":max", number(r.max_attempts));
    e.set("#ttl = :ttl", ":ttl", number(ttl(key.started_at)));
    e.set("code_mac = :mac", ":mac", binary(&r.mac));
    e.set("nonce = :nonce", ":nonce", binary(&r.nonce));
    e.set("pepper = :pepper", ":pepper", string(r.pepper));
    e.set("sent_hash = :hash", ":hash", string(&r.plan.target.hash));
    e.set("sent_hint = :hint", ":hint", string(&r.plan.target.hint));
    e.set("sent_since = :since", ":since", number(r.plan.target.since.millis()));
    e.set("sent_country = :country", ":country", string(&r.plan.target.country));
    e.set("first_sent_at = :first", ":first", number(r.plan.first_sent_at.millis()));
    e.set("sent_at = :now", ":now", number(r.now.millis()));
    e.set("expires_at = :expires", ":expires", number(r.plan.expires_at.millis()));
    e.set("resend_at = :resend", ":resend", number(r.plan.resend_at.millis()));
    e.set("sends = :sends", ":sends", number(r.seen.map_or(0, |c| c.sends) + 1));
    e.set("delivery = :delivery", ":delivery", string(Delivery::Accepted.as_str()));
    e.set("failures_before = :failures", ":failures", number(r.factor.failures));
    match r.plan.test {
        Some(scenario) => e.set("sent_test = :test", ":test", string(scenario.as_str())),
        None => e.remove.push("sent_test"),
    }
    if r.plan.again.is_none() {
        // Guesses are those at one code; attempts are the login's and stay.
        e.remove.push("guesses");
    }
    if r.plan.effect == Effect::Completes {
        e.remove.push("pending");
    }
    match r.seen {
        None => {
            e.condition.push("attribute_not_exists(pk)");
            e.set("attempts = :attempts", ":attempts", number(attempts(r)));
        }
        Some(seen) => {
            e.condition.push(
                "attribute_not_exists(completed) AND sends = :seen_sends AND attempts = :seen_attempts",
            );
            e.value(":seen_sends", number(seen.sends));
            e.value(":seen_attempts", number(seen.attempts));
            if attempts(r) != seen.attempts {
                e.set("attempts = :attempts", ":attempts", number(attempts(r)));
            }
            match &seen.code {
                Some(code) => {
                    e.condition.push("code_mac = :seen_mac");
                    e.value(":seen_mac", binary(&code.mac));
                }
                None => e.condition.push("attribute_not_exists(code_mac)"),
            }
            match &seen.pending {
                Some(pending) => {
                    e.condition.push("pending.#hash = :seen_pending");
                    e.names.insert("#hash".to_owned(), "hash".to_owned());
                    e.value(":seen_pending", string(&pending.hash));
                }
                None => e.condition.push("attribute_not_exists(pending)"),
            }
            match seen.old_proven {
                Some(at) => {
                    e.condition.push("old_proven = :seen_proof");
                    e.value(":seen_proof", number(at.millis()));
                }
                None => e.condition.push("attribute_not_exists(old_proven)"),
            }
        }
    }
    let mut add = String::new();
    if let Some(hash) = r.idempotency {
        add = " ADD idempotency :keys".to_owned();
        e.condition.push("NOT contains(idempotency, :key)");
        e.value(":keys", AttributeValue::Ss(vec![hash.to_owned()]));
        e.value(":key", string(hash));
    }
    let remove = if e.remove.is_empty() { String::new() } else { format!(" REMOVE {}", e.remove.join(", ")) };
    Update::builder()
        .table_name(table)
        .set_key(Some(challenge_key(key).attributes()))
        .update_expression(format!("SET {}{remove}{add}", e.set.join(", ")))
        .condition_expression(e.condition.join(" AND "))
        .set_expression_attribute_names(Some(e.names))
        .set_expression_attribute_values(Some(e.values))
        .build()
        .map_err(Fault::new)
}

/// The attempts that are used once the send is reserved: all of them, where a test number says so.
fn attempts(r: &Reservation<'_>) -> u32 {
    let used = r.seen.map_or(0, |c| c.attempts);
    if r.plan.test == Some(Scenario::Blocked) { used.max(u32::from(r.max_attempts)) } else { used }
}

/// The challenge as the transaction left it: a transaction answers no items, and reading it again would cost a request.
fn after(key: LoginKey<'_>, r: &Reservation<'_>) -> Challenge {
    let mut idempotency = r.seen.map_or_else(Vec::new, |c| c.idempotency.clone());
    idempotency.extend(r.idempotency.map(str::to_owned));
    Challenge {
        login: key.login.clone(),
        started_at: key.started_at,
        pending: r.seen.filter(|_| r.plan.effect != Effect::Completes).and_then(|c| c.pending.clone()),
        replaces: r.seen.and_then(|c| c.replaces.clone()),
        old_proven: r.seen.and_then(|c| c.old_proven),
        phone_changes: r.seen.map_or(0, |c| c.phone_changes),
        code: Some(SentCode {
            pepper: r.pepper.to_owned(),
            mac: r.mac,
            nonce: r.nonce,
            sent_to: SentTo {
                hash: r.plan.target.hash.clone(),
                hint: r.plan.target.hint.clone(),
                since: r.plan.target.since,
                test: r.plan.test,
                country: Some(r.plan.target.country.clone()),
            },
            first_sent_at: r.plan.first_sent_at,
            sent_at: r.now,
            expires_at: r.plan.expires_at,
            resend_at: r.plan.resend_at,
            delivery: Delivery::Accepted,
            undelivered: None,
            failures_before: r.factor.failures,
            spent: false,
        }),
        attempts: attempts(r),
        max_attempts: r.max_attempts,
        sends: r.seen.map_or(0, |c| c.sends) + 1,
        idempotency,
        completed: None,
    }
}
