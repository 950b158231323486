//! The writes: each function is one conditional write of the service, all or nothing, with the same condition. The name of the service's
//! own stands above each, so that the two can be read side by side.

use super::items::{
    ChallengeItem, CodeItem, Delivered, Index, Mac, RULES, Second, factor, number, second, time,
};
use super::state::State;
use super::variant::Variant;
use shared::domain::challenge::{Effect, SendPlan, with_send};
use shared::domain::login::MAX_PHONE_CHANGES;

/// What a guess's charge found.
pub enum Charged {
    Judged(ChallengeItem),
    Refused,
}

pub enum BindRefused {
    Taken,
    FactorChanged,
    Completed,
    NumberChanged,
}

pub enum ReplaceRefused {
    Completed,
    CodeChanged,
    Taken,
    Stale,
}

/// `dynamodb/verify_store.rs`: `charge_guess`, one `UpdateItem`; and `challenge_write::charge`, which knows its own lost answer.
pub fn charge_guess(
    state: &mut State,
    variant: Variant,
    login: Index,
    macs: &[Mac],
    attempt: u8,
    now: Second,
) -> Charged {
    let Some(item) = &mut state.challenges[usize::from(login)] else { return Charged::Refused };
    let in_time =
        variant == Variant::ExpiryByTtl || item.code.as_ref().is_some_and(|code| code.expires_at > now);
    let counted_here = variant != Variant::CompareBeforeCounting;
    let may_repeat = item.pending.is_some() && variant != Variant::BindSpendsItsCode;
    let holds = item.code.is_some()
        && !item.completed
        && in_time
        && (item.attempts < RULES.max_attempts || !counted_here)
        && (may_repeat || !item.is_spent())
        && item.last_attempt != Some(attempt);
    if holds {
        item.guesses.extend(macs);
        item.attempts += 1;
        item.last_attempt = Some(attempt);
        return Charged::Judged(item.clone());
    }
    let ours = match variant {
        Variant::RetryKnownByItsGuess => macs.iter().any(|mac| item.guesses.contains(mac)),
        Variant::RetryUnknown => false,
        _ => item.last_attempt == Some(attempt),
    };
    if ours { Charged::Judged(item.clone()) } else { Charged::Refused }
}

/// `dynamodb/verify_store.rs`: `count_failure`, `UpdateItem`.
pub fn count_failure(state: &mut State, user: Index) {
    state.factors[usize::from(user)].failures += 1;
}

/// `dynamodb/verify_store.rs`: `clear_failures`, `UpdateItem`.
pub fn clear_failures(state: &mut State, user: Index) {
    state.factors[usize::from(user)].failures = 0;
    state.seen.wrong_answers[usize::from(user)] = 0;
}

/// `dynamodb/verify_store.rs`: `complete`, an action of two transactions.
fn may_complete(item: &ChallengeItem, number: Index, mac: Mac) -> bool {
    !item.completed && item.mac() == Some(mac) && item.guesses.contains(&mac) && item.pending == Some(number)
}

/// `dynamodb/verify_store.rs`: `commit_bind`, one `TransactWriteItems` {owner put if free, factor gets the number if it has none, challenge
/// `completed`}.
pub fn commit_bind(
    state: &mut State,
    variant: Variant,
    (login, user): (Index, Index),
    to_bind: Index,
    mac: Mac,
) -> Result<(), BindRefused> {
    let unconditional = variant == Variant::BindByReadThenWrite;
    let item = state.challenges[usize::from(login)].as_mut().expect("charged");
    if !may_complete(item, to_bind, mac) {
        return Err(if item.completed { BindRefused::Completed } else { BindRefused::NumberChanged });
    }
    let owner = &mut state.owners[usize::from(to_bind)];
    if !unconditional && owner.is_some_and(|owner| owner != user) {
        return Err(BindRefused::Taken);
    }
    let factor = &mut state.factors[usize::from(user)];
    if factor.phone.is_some() {
        return Err(BindRefused::FactorChanged);
    }
    item.completed = true;
    *owner = Some(user);
    factor.phone = Some(to_bind);
    factor.failures = 0;
    factor.revision += 1;
    state.seen.wrong_answers[usize::from(user)] = 0;
    Ok(())
}

/// `dynamodb/verify_store.rs`: `forget_number`, `UpdateItem`; whether it changes anything.
pub fn forget_number(state: &mut State, login: Index, number: Index) -> bool {
    if let Some(item) = &mut state.challenges[usize::from(login)]
        && !item.completed
        && item.pending == Some(number)
    {
        item.remove_pending();
        item.remove_code();
        return true;
    }
    false
}

/// What a proof of the old number found.
#[derive(PartialEq, Eq)]
pub enum Proven {
    Now,
    Before,
    No,
}

/// `dynamodb/replacement_store.rs`: `prove_old_number`, `UpdateItem`.
pub fn prove_old_number(state: &mut State, login: Index, mac: Mac, now: Second) -> Proven {
    let item = state.challenges[usize::from(login)].as_mut().expect("charged");
    if !item.completed && item.old_proven.is_none() && item.mac() == Some(mac) && item.guesses.contains(&mac)
    {
        item.old_proven = Some(now);
        item.remove_code();
        return Proven::Now;
    }
    if item.old_proven.is_some() { Proven::Before } else { Proven::No }
}

/// What `dynamodb/binding_store.rs`, `binding`, reads: the factor's revision, and whose codes are out. Logins of one user only.
pub fn live_challenges(state: &State, logins: &[Index]) -> Vec<Index> {
    let lives = |login: &&Index| {
        state.challenges[usize::from(**login)].as_ref().is_some_and(|item| {
            let binds = item.pending.is_some() || item.replaces.is_some();
            item.code.is_some() && !item.completed && (binds || !item.is_spent())
        })
    };
    logins.iter().filter(lives).copied().collect()
}

/// `dynamodb/replacement_store.rs`: `commit_replacement`, one `TransactWriteItems` {challenge `completed`, factor as it was read gets the
/// number, owners, the codes that are out}.
pub fn commit_replacement(
    state: &mut State,
    (login, user): (Index, Index),
    (old, new): (Index, Index),
    mac: Mac,
    revision: u8,
    live: &[Index],
) -> Result<(), ReplaceRefused> {
    let item = state.challenges[usize::from(login)].as_ref().expect("charged");
    if !may_complete(item, new, mac) {
        return Err(if item.completed { ReplaceRefused::Completed } else { ReplaceRefused::CodeChanged });
    }
    let (old, new) = (usize::from(old), usize::from(new));
    let mine = |owner: Option<Index>| owner.is_none_or(|owner| owner == user);
    if state.factors[usize::from(user)].revision != revision || !mine(state.owners[old]) {
        return Err(ReplaceRefused::Stale);
    }
    if !mine(state.owners[new]) {
        return Err(ReplaceRefused::Taken);
    }
    let others: Vec<_> =
        live.iter().filter(|other| **other != login).map(|other| usize::from(*other)).collect();
    let alive = |other: &usize| {
        state.challenges[*other]
            .as_ref()
            .is_some_and(|item| !item.completed && (item.pending.is_some() || !item.is_spent()))
    };
    if !others.iter().all(alive) {
        return Err(ReplaceRefused::Stale);
    }
    for other in others {
        // `REMOVE code_mac`: what is left of it is no code to anybody.
        state.challenges[other].as_mut().expect("alive").code = None;
        state.seen.current[other] = None;
    }
    state.challenges[usize::from(login)].as_mut().expect("charged").completed = true;
    (state.owners[old], state.owners[new]) = (None, Some(user));
    let factor = &mut state.factors[usize::from(user)];
    (factor.phone, factor.failures) = (Some(new.try_into().expect("small")), 0);
    factor.revision += 1;
    state.seen.wrong_answers[usize::from(user)] = 0;
    Ok(())
}

/// `dynamodb/login_store.rs`: `ask_for_number`, `UpdateItem`; whether it changes anything. Its own try before, whose answer was lost, it
/// takes for done.
pub fn ask_for_number(state: &mut State, variant: Variant, login: Index, number: Index, sealed: u8) -> bool {
    let slot = &mut state.challenges[usize::from(login)];
    let ours = slot.as_ref().is_some_and(|item| item.sealed == Some(sealed));
    let refused = slot.as_ref().is_some_and(|item| {
        item.completed || item.phone_changes >= MAX_PHONE_CHANGES || item.attempts >= RULES.max_attempts
    });
    if refused || (ours && variant != Variant::NumberRetryUnknown) {
        return false;
    }
    let item = slot.get_or_insert_default();
    item.phone_changes += 1;
    (item.pending, item.sealed) = (Some(number), Some(sealed));
    if variant != Variant::NumberKeepsTheCode {
        item.remove_code();
    }
    true
}

/// A code about to be reserved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reservation {
    pub seen: Option<ChallengeItem>,
    pub revision: u8,
    pub failures: u8,
    pub recent_sends: Vec<Second>,
    pub sends: u8,
    pub completes: bool,
    pub again: bool,
    pub code: CodeItem,
    pub key: Option<Index>,
}

impl Reservation {
    pub fn new(
        state: &State,
        (login, user): (Index, Index),
        plan: &SendPlan,
        text: Index,
        key: Option<Index>,
        now: Second,
    ) -> Self {
        let item = &state.factors[usize::from(user)];
        let again = plan.again.as_ref();
        let recent = with_send(&factor(item).recent_sends, time(now));
        Self {
            seen: state.challenges[usize::from(login)].clone(),
            revision: item.revision,
            failures: item.failures,
            recent_sends: recent.into_iter().map(second).collect(),
            sends: state.challenges[usize::from(login)].as_ref().map_or(0, |seen| seen.sends) + 1,
            completes: plan.effect == Effect::Completes,
            again: again.is_some(),
            code: CodeItem {
                text: again.map_or(text, |out| out.nonce[0]),
                pepper: again.map_or(state.pepper.current(), |out| out.pepper.parse().expect("a pepper")),
                sent_to: number(&plan.target.hash),
                first_sent_at: second(plan.first_sent_at),
                sent_at: now,
                expires_at: second(plan.expires_at),
                resend_at: second(plan.resend_at),
                delivered: Delivered::Accepted,
                failures_before: item.failures,
                before: None,
            },
            key,
        }
    }
}

/// `dynamodb/send_store.rs`: `reserve_send`, one `TransactWriteItems` {the factor's revision moved on, the challenge gets the code}, both as
/// they were read.
pub fn reserve_send(
    state: &mut State,
    variant: Variant,
    (login, user): (Index, Index),
    r: &Reservation,
) -> bool {
    let factor = &mut state.factors[usize::from(user)];
    let slot = &mut state.challenges[usize::from(login)];
    let unchanged = match (&r.seen, &*slot) {
        (None, None) => true,
        (Some(seen), Some(item)) => {
            !item.completed
                && item.sends == seen.sends
                && item.attempts == seen.attempts
                && item.mac() == seen.mac()
                && item.pending == seen.pending
                && item.old_proven == seen.old_proven
                && r.key.is_none_or(|key| !item.idempotency.contains(&key))
        }
        _ => false,
    };
    if variant != Variant::SendsWhatItOnceRead && (factor.revision != r.revision || !unchanged) {
        return false;
    }
    factor.revision = r.revision + 1;
    factor.recent_sends.clone_from(&r.recent_sends);
    let item = slot.get_or_insert_default();
    item.sends = r.sends;
    let before = item.code.replace(r.code.clone());
    if let (Variant::CodeBeforeStaysGood, false, Some(code)) = (variant, r.again, &mut item.code) {
        code.before = before.map(|before| before.mac());
    }
    if !r.again {
        item.guesses.clear();
    }
    if r.completes {
        item.remove_pending();
    }
    if variant == Variant::ResendGivesAttemptsBack {
        item.attempts = 0;
    }
    item.idempotency.extend(r.key);
    true
}

/// `dynamodb/send_store.rs`: `settle_send`, one `UpdateItem`, or the same in a transaction with what is counted of a refusal: which message
/// of the login it is about, what became of it, when another may follow, and the key that is free again.
pub fn settle_send(
    state: &mut State,
    variant: Variant,
    (login, send): (Index, u8),
    delivered: Delivered,
    resend_at: Second,
    free: Option<Index>,
) {
    let Some(item) = &mut state.challenges[usize::from(login)] else { return };
    if item.sends != send && variant != Variant::SettlesAnySend {
        return;
    }
    let Some(code) = &mut item.code else { return };
    (code.delivered, code.resend_at) = (delivered, resend_at);
    if let Some(key) = free {
        item.idempotency.remove(&key);
    }
}
