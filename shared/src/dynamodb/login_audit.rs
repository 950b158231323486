//! What items of the logins table say for the audit: as it is written into them, and read out of their changes.
//!
//! A guess is judged by one write, so its event can't be written with it: the challenge notes who guessed, when and from where, and whoever
//! follows the table's changes makes the event of it ([`super::trail`]). Told again, an event has the same id and the same place.

use super::challenge_item::Reader;
use super::keys::{self, Key};
use super::request::{Item, number, string};
use super::transaction::Expression;
use crate::domain::audit::{
    AuditEvent, CountedFailure, DecidedQrLogin, EventKind, GuessedCode, JudgedGuess, LoginStep, Provenance,
    RefusedSend,
};
use crate::domain::ids::{ApplicationId, EventId, LoginId, QrLoginId, TenantId, UserId};
use crate::domain::login::Purpose;
use crate::domain::qr_login::QrStage;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::login::{Guess, LoginKey};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// How long a count of refusals is kept after its first, in seconds.
const KEPT_SECONDS: u32 = 72 * 3600;

/// An entry of a challenge's `judged`. There are no more of them than a login has attempts.
pub(super) fn encode_guess(guess: &Guess<'_>) -> AttributeValue {
    let macs = guess.macs.iter().map(|mac| Blob::new(*mac)).collect();
    let mut entry = Item::from([
        ("macs".to_owned(), AttributeValue::Bs(macs)),
        ("at".to_owned(), number(guess.now.millis())),
        ("purpose".to_owned(), string(guess.purpose.as_str())),
        ("application".to_owned(), string(guess.application.as_str())),
    ]);
    entry.extend(provenance_attributes(guess.provenance));
    AttributeValue::M(entry)
}

/// The entry of a recovery code's attempt, so that an entry's place in the list is the attempt's number.
pub(super) fn encode_recovery(at: Timestamp) -> AttributeValue {
    AttributeValue::M(Item::from([("at".to_owned(), number(at.millis()))]))
}

/// A factor's `last_failure`.
pub(super) fn encode_failure(key: LoginKey<'_>, guess: &Guess<'_>) -> AttributeValue {
    let mut failure = Item::from([
        ("login".to_owned(), string(key.login.as_str())),
        ("at".to_owned(), number(guess.now.millis())),
        ("application".to_owned(), string(guess.application.as_str())),
        ("max_attempts".to_owned(), number(guess.max_attempts)),
    ]);
    failure.extend(provenance_attributes(guess.provenance));
    AttributeValue::M(failure)
}

/// The item and the change that count a refusal: the first of its hour leaves who, when and from where.
pub(super) fn counted(refused: &RefusedSend) -> (Key, Expression) {
    let RefusedSend { step, rule } = refused;
    let mut first = Item::from(
        [
            ("v", number(1)),
            ("tenant", string(step.tenant.as_str())),
            ("user", string(step.user.as_str())),
            ("application", string(step.application.as_str())),
            ("rule", string(rule)),
            ("at", number(step.at.millis())),
            (keys::TTL, number(step.at.plus_secs(KEPT_SECONDS).secs())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    first.extend(provenance_attributes(&step.provenance));
    let mut count = Expression::default().name("#refusals", "refusals").value(":one", number(1));
    let mut set = Vec::new();
    for (name, value) in first {
        set.push(format!("#{name} = if_not_exists(#{name}, :{name})"));
        count = count.name(&format!("#{name}"), &name).value(&format!(":{name}"), value);
    }
    count.text = format!("SET {} ADD #refusals :one", set.join(", "));
    (keys::refusals(&step.tenant, &step.user, rule, step.at), count)
}

pub(super) fn provenance_attributes(provenance: &Provenance) -> HashMap<String, AttributeValue> {
    let client_ip = provenance.client_ip.map(|address| ("client_ip".to_owned(), string(address.to_string())));
    let request_id = provenance.request_id.as_ref().map(|id| ("request_id".to_owned(), string(id)));
    client_ip.into_iter().chain(request_id).collect()
}

/// What a change of an item tells. Without `old` it tells what the item still knows for certain, which repeats what was told before.
///
/// # Errors
/// An item that isn't as this service writes it.
pub(super) fn events_of(old: Option<&Item>, new: &Item) -> Result<Vec<AuditEvent>, Fault> {
    let key = Key::of(new).ok_or_else(|| Fault::new("an item without a key"))?;
    if keys::is_refusals(&key) {
        return Ok(if old.is_none() { vec![refusal(&key, new)?] } else { Vec::new() });
    }
    if keys::is_qr_login(&key) {
        return Ok(qr_decision(&key, old, new)?.into_iter().collect());
    }
    let Some((tenant, user)) = keys::login_partition_of(&key.pk) else { return Ok(Vec::new()) };
    if key.sk == keys::FACTOR {
        Ok(failure(&key, &tenant, &user, old, new)?.into_iter().collect())
    } else if key.sk.starts_with(keys::CHALLENGE_PREFIX) {
        guesses(&key, &tenant, &user, old, new)
    } else {
        Ok(Vec::new())
    }
}

fn guesses(
    key: &Key,
    tenant: &TenantId,
    user: &UserId,
    old: Option<&Item>,
    new: &Item,
) -> Result<Vec<AuditEvent>, Fault> {
    let judged = |item: &Item| item.get("judged").and_then(|v| v.as_l().ok()).cloned().unwrap_or_default();
    let told = old.map_or(0, |old| judged(old).len());
    let read = Reader(new);
    let code: Option<[u8; 32]> = read.bytes("code_mac");
    let mut events = Vec::new();
    for (index, entry) in judged(new).iter().enumerate().skip(told) {
        let entry = Reader::need(entry.as_m().ok(), "judged")?;
        // A recovery code's attempt: what came of it is kept with what it did.
        let Some(macs) = entry.get("macs").and_then(|macs| macs.as_bs().ok()) else { continue };
        let step = step(tenant, user, entry)?;
        // The change that added a guess has the code that it was at. Any other may have a newer one, or none.
        let same = old.is_some() || read.time("first_sent_at").is_some_and(|sent| sent <= step.at);
        let Some(code) = code.filter(|_| same) else { continue };
        let purpose = Reader(entry).text("purpose").and_then(Purpose::parse);
        let text = |name| Reader::need(read.text(name), name).map(str::to_owned);
        let guess = JudgedGuess {
            step,
            login: Reader::need(read.text("login").and_then(LoginId::parse), "login")?,
            purpose: Reader::need(purpose, "purpose")?,
            attempt: u32::try_from(index + 1).map_err(Fault::new)?,
            max_attempts: Reader::need(read.number("max_attempts"), "max_attempts")?,
            of: GuessedCode::Sms { hash: text("sent_hash")?, hint: text("sent_hint")? },
            right: macs.iter().any(|mac| mac.as_ref() == code),
        };
        events.extend(guess.told(|kind| derived_id(kind, key, index + 1)));
    }
    Ok(events)
}

fn failure(
    key: &Key,
    tenant: &TenantId,
    user: &UserId,
    old: Option<&Item>,
    new: &Item,
) -> Result<Option<AuditEvent>, Fault> {
    let failures = |item: &Item| -> u32 { Reader(item).number("failures").unwrap_or(0) };
    let after = failures(new);
    // One at a time, where nobody knows better.
    let before = old.map_or(after.saturating_sub(1), failures);
    let Some(last) = new.get("last_failure").and_then(|v| v.as_m().ok()).filter(|_| before < after) else {
        return Ok(None);
    };
    let read = Reader(last);
    let login = Reader::need(read.text("login").and_then(LoginId::parse), "login")?;
    // The same count comes back after a reset, but not in the same login.
    let id = format!("{login} {after}");
    let failure = CountedFailure {
        step: step(tenant, user, last)?,
        login,
        before,
        after,
        max_attempts: Reader::need(read.number("max_attempts"), "max_attempts")?,
    };
    Ok(failure.told(|kind| derived_id(kind, key, &id)))
}

/// Told of the one change that decides a QR login.
fn qr_decision(key: &Key, old: Option<&Item>, new: &Item) -> Result<Option<AuditEvent>, Fault> {
    let told = old.is_some_and(|old| old.contains_key("decision"));
    let read = Reader(new);
    let Some(decision) = read.text("decision").filter(|_| !told) else { return Ok(None) };
    let qr = Reader::need(read.text("id").and_then(QrLoginId::parse), "id")?;
    let user = Reader::need(read.text("user").and_then(UserId::parse), "user")?;
    let decided = DecidedQrLogin {
        step: step(&qr.tenant(), &user, new)?,
        qr,
        asked_from: read.text("asked_from").and_then(|text| text.parse().ok()),
        approved: decision == QrStage::Approved.as_str(),
    };
    Ok(Some(decided.told(|kind| derived_id(kind, key, ""))))
}

fn refusal(key: &Key, new: &Item) -> Result<AuditEvent, Fault> {
    let read = Reader(new);
    let tenant = Reader::need(read.text("tenant").and_then(TenantId::parse), "tenant")?;
    let user = Reader::need(read.text("user").and_then(UserId::parse), "user")?;
    let rule = Reader::need(read.text("rule"), "rule")?.to_owned();
    Ok(RefusedSend { step: step(&tenant, &user, new)?, rule }.told(|kind| derived_id(kind, key, "")))
}

fn step(tenant: &TenantId, user: &UserId, item: &Item) -> Result<LoginStep, Fault> {
    let read = Reader(item);
    Ok(LoginStep {
        tenant: tenant.clone(),
        user: user.clone(),
        application: Reader::need(read.text("application").and_then(ApplicationId::parse), "application")?,
        at: Reader::need(read.time("at"), "at")?,
        provenance: Provenance {
            client_ip: read.text("client_ip").and_then(|text| text.parse().ok()),
            request_id: read.text("request_id").map(str::to_owned),
        },
    })
}

/// The id of the event of one kind that an item's `which`th change tells, the same whenever it is told.
fn derived_id(kind: EventKind, key: &Key, which: impl std::fmt::Display) -> EventId {
    let seed = format!("{} {} {} {which}", kind.as_str(), key.pk, key.sk);
    let mut block = 0_u32;
    EventId::generate(|buffer| {
        for chunk in buffer.chunks_mut(32) {
            let digest = Sha256::digest(format!("{seed} {block}"));
            chunk.copy_from_slice(&digest[..chunk.len()]);
            block += 1;
        }
    })
}

#[cfg(test)]
#[path = "login_audit_tests.rs"]
mod tests;
