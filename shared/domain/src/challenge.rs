//! The challenge of one login: which number is asked for, which code was sent, what was guessed.
//!
//! Attempts and sends belong to the login: a resend or another number never gives them back. A guess is charged before it is compared
//! (the store does both in one write), so N guesses at once are never compared before the first is counted.

use super::factor::{Factor, FactorPhone};
use super::ids::LoginId;
use super::login::{LoginState, Purpose, Ticket};
use super::refusal::Refusal;
use super::test_number::Scenario;
use super::time::Timestamp;

/// How many logins of one user may have a live code at once: a second tab or a thief of the password cannot end the first one's code.
pub const MAX_LIVE: usize = 3;
/// NIST SP 800-63B-4 §3.2.2: after at most 100 failures in a row the factor is disabled and must be bound again.
pub const MAX_FAILURES: u32 = 100;
/// NIST SP 800-63B-4 §3.1.3.2: no code is accepted later than 10 minutes after it was first sent.
pub const MAX_CODE_SECONDS: u32 = 600;
/// How many of a user's sends are remembered: `per_user_hour` can't be higher.
pub const MAX_RECENT: usize = 100;
/// How long the proof of the old number permits replacing it, in seconds (acceptance H8).
pub const OLD_PROOF_SECONDS: u32 = 300;
/// How long a challenge is kept after its login's end, for support and receipts, in seconds.
pub const KEPT_SECONDS: u32 = 72 * 3600;

/// One login's challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub login: LoginId,
    pub started_at: Timestamp,
    /// The number that was asked for and that its own right code will bind.
    pub pending: Option<FactorPhone>,
    /// Keyed hash of the number that `pending` takes the place of. `None` where there is nothing to replace.
    pub replaces: Option<String>,
    /// When the number in `replaces` was proven, by its code or by a recovery code.
    pub old_proven: Option<Timestamp>,
    pub phone_changes: u8,
    pub code: Option<SentCode>,
    pub attempts: u32,
    /// The cap of its own login: another login may have another policy.
    pub max_attempts: u8,
    pub sends: u8,
    /// Hashes of the `Idempotency-Key`s that sent something, or may have.
    pub idempotency: Vec<String>,
    /// When a bind was committed or a recovery code was taken. A login with neither is complete once its code is spent.
    pub completed: Option<Timestamp>,
}

/// The code that is out, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCode {
    /// Id of the pepper that it was derived with.
    pub pepper: String,
    pub mac: [u8; 32],
    pub nonce: [u8; 16],
    pub sent_to: SentTo,
    pub first_sent_at: Timestamp,
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub resend_at: Timestamp,
    pub delivery: Delivery,
    /// Where it failed. Items of before 0.2 don't tell.
    pub undelivered: Option<Undelivered>,
    /// The user's failures when it was sent: a success clears them where there were any.
    pub failures_before: u32,
    /// The right code was among the guesses.
    pub spent: bool,
}

impl SentCode {
    pub fn was_accepted(&self) -> bool {
        self.delivery == Delivery::Accepted
    }

    /// Whether any message with it may have arrived: false where its only send failed.
    pub fn may_be_with_the_user(&self) -> bool {
        self.delivery != Delivery::Failed || self.sent_at != self.first_sent_at
    }
}

/// Where a code went: enough to compare and to show, not enough to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentTo {
    pub hash: String,
    pub hint: String,
    /// [`FactorPhone::since`]: which binding of the number it proves.
    pub since: Timestamp,
    /// The number is a test number: nothing went anywhere.
    pub test: Option<Scenario>,
    /// ISO 3166-1 alpha-2, for what is counted by country.
    pub country: Option<String>,
}

/// What the right code of a challenge does. [`plan_send`] and [`Challenge::effect`] are the only places that decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It completes the login.
    Completes,
    /// It binds the pending number to a user who has none, and so completes the login.
    Binds,
    /// It proves the number that is bound: another may now be proven and take its place.
    ProvesOldNumber,
    /// It puts the pending number in the place of the one that was proven before, and so completes the login.
    Replaces,
}

/// What the provider said of the last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Accepted,
    Unknown,
    Failed,
}

impl Delivery {
    pub const fn as_str(self) -> &'static str {
        match self {
            Delivery::Accepted => "accepted",
            Delivery::Unknown => "unknown",
            Delivery::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Delivery::Accepted, Delivery::Unknown, Delivery::Failed].into_iter().find(|d| d.as_str() == text)
    }
}

/// Why the last message did not leave, for support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// A limit of the tenant's or of a number refused it; the audit names the rule.
    Limit,
    /// Sending is stopped, for the tenant or for all.
    SendingDisabled,
    /// It could not be counted, so it was not sent.
    NotCounted,
    /// The provider was never reached, or too busy.
    NotReached,
    /// Whoever has the number has asked the provider for no more messages.
    OptedOut,
    /// The provider takes no such number or text.
    InvalidParameter,
    /// The provider does not take messages from us.
    NotAuthorized,
    /// The provider says no for a reason that has no name here.
    Rejected,
}

impl Undelivered {
    const ALL: [Self; 8] = [
        Self::Limit,
        Self::SendingDisabled,
        Self::NotCounted,
        Self::NotReached,
        Self::OptedOut,
        Self::InvalidParameter,
        Self::NotAuthorized,
        Self::Rejected,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::SendingDisabled => "sending_disabled",
            Self::NotCounted => "not_counted",
            Self::NotReached => "not_reached",
            Self::OptedOut => "opted_out",
            Self::InvalidParameter => "invalid_parameter",
            Self::NotAuthorized => "not_authorized",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// How a send came out: when the next may follow, and of one that failed what the caller hears and why.
pub type Sent = (Delivery, Timestamp, Option<(Refusal, Undelivered)>);

impl Challenge {
    /// A login is complete when its bind is committed or, where there is nothing to bind, when its code is spent.
    pub fn is_complete(&self) -> bool {
        let binds = self.pending.is_some() || self.replaces.is_some();
        self.completed.is_some() || (!binds && self.code.as_ref().is_some_and(|code| code.spent))
    }

    /// What the code that is out does, now that it was given right.
    ///
    /// # Errors
    /// [`Refusal::NoCodeSent`] where it went to a number that this step isn't about; [`Refusal::StepUpRequired`] where the old number's
    /// proof is too old by now.
    pub fn effect(&self, purpose: Purpose, now: Timestamp) -> Result<Effect, Refusal> {
        let code = self.code.as_ref().ok_or(Refusal::NoCodeSent)?;
        let went_to = |hash: &str| code.sent_to.hash == hash;
        match (&self.pending, &self.replaces) {
            (None, None) if purpose == Purpose::SignIn => Ok(Effect::Completes),
            (Some(pending), None) if went_to(&pending.hash) => Ok(Effect::Binds),
            (Some(_), Some(old)) if self.old_proven.is_none() && went_to(old) => Ok(Effect::ProvesOldNumber),
            (Some(pending), Some(_)) if self.old_proven.is_some() && went_to(&pending.hash) => {
                self.old_proof_holds(now)?;
                Ok(Effect::Replaces)
            }
            _ => Err(Refusal::NoCodeSent),
        }
    }

    /// Whether the old number was proven recently enough to be replaced now.
    pub(super) fn old_proof_holds(&self, now: Timestamp) -> Result<(), Refusal> {
        let holds = self.old_proven.is_some_and(|at| now < at.plus_secs(OLD_PROOF_SECONDS));
        holds.then_some(()).ok_or(Refusal::StepUpRequired)
    }

    /// In one word, for support.
    pub fn stage(&self, now: Timestamp) -> &'static str {
        match &self.code {
            _ if self.is_complete() => "complete",
            _ if self.attempts >= u32::from(self.max_attempts) => "blocked",
            // An attempt with a recovery code, before anything was sent.
            None if self.pending.is_none() => "started",
            None => "number_given",
            Some(code) if now >= code.expires_at => "expired",
            Some(_) => "sent",
        }
    }

    /// Whether a code is out that could still be guessed.
    fn is_live(&self, now: Timestamp) -> bool {
        !self.is_complete()
            && self.attempts < u32::from(self.max_attempts)
            && self.code.as_ref().is_some_and(|code| !code.spent && now < code.expires_at)
    }
}

/// What is about to be sent and stored, decided from a snapshot; the write repeats the snapshot as its condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendPlan {
    pub target: FactorPhone,
    /// What the right code will do.
    pub effect: Effect,
    /// The target is a test number: nothing is sent, and this is played.
    pub test: Option<Scenario>,
    /// The code that is out and is sent again; `None`: a new one has to be made.
    pub again: Option<SentCode>,
    pub first_sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub resend_at: Timestamp,
}

/// Decides whether a code may be sent now, to which number, and whether it is a new one.
///
/// `others` are the user's challenges of other logins.
pub fn plan_send(state: &LoginState, factor: &Factor, others: &[Challenge]) -> Result<SendPlan, Refusal> {
    let LoginState { ticket, challenge, now, .. } = state;
    let (now, challenge) = (*now, challenge.as_ref());
    state.open()?;
    let (target, effect) = target(ticket, factor, challenge, now)?;
    if !ticket.sending_enabled {
        return Err(Refusal::SendingDisabled { retry_at: now.plus_secs(60) });
    }
    if !ticket.countries.contains(&target.country) {
        return Err(Refusal::CountryNotAllowed);
    }
    if state.sends_left() == 0 {
        return Err(Refusal::TooManySends { retry_at: ticket.expires_at });
    }
    let out = challenge.and_then(|c| c.code.as_ref());
    if let Some(code) = out.filter(|code| now < code.resend_at) {
        return Err(Refusal::ResendTooSoon { retry_at: code.resend_at });
    }
    user_has_room(ticket, factor, now)?;
    let again = out.filter(|code| now < code.expires_at && !code.spent && code.sent_to.hash == target.hash);
    if again.is_none() {
        room_for_another(ticket, factor, others, now)?;
    }
    let first_sent_at = again.map_or(now, |code| code.first_sent_at);
    let expires_at =
        now.plus_secs(ticket.code.lifetime_seconds).min(first_sent_at.plus_secs(MAX_CODE_SECONDS));
    let test = ticket.test_numbers.scenario(&target.hash);
    let expires_at = test.map_or(expires_at, |scenario| scenario.expires_at(expires_at, now));
    Ok(SendPlan {
        target: target.clone(),
        effect,
        test,
        again: again.cloned(),
        first_sent_at,
        expires_at,
        resend_at: now.plus_secs(ticket.code.resend_cooldown_seconds),
    })
}

/// Why a guess was not judged, from the login as it was. The order is the one in which an honest client can act on it.
pub fn why_not_judged(state: &LoginState) -> Refusal {
    if let Err(refusal) = state.open() {
        return refusal;
    }
    let code = state.challenge.as_ref().and_then(|c| c.code.as_ref());
    match code {
        None if state.phone_hint().is_none() => Refusal::PhoneRequired,
        None => Refusal::NoCodeSent,
        Some(code) if state.now >= code.expires_at => Refusal::CodeExpired,
        Some(_) => Refusal::CodeAlreadyUsed,
    }
}

/// Which number the next code goes to, and what that code does.
fn target<'a>(
    ticket: &Ticket,
    factor: &'a Factor,
    challenge: Option<&'a Challenge>,
    now: Timestamp,
) -> Result<(&'a FactorPhone, Effect), Refusal> {
    let pending = challenge.and_then(|c| c.pending.as_ref());
    let replaces = challenge.and_then(|c| c.replaces.as_ref());
    match (ticket.purpose, &factor.phone, pending) {
        (Purpose::SignIn, Some(bound), _) => Ok((bound, Effect::Completes)),
        (Purpose::ReplacePhone, Some(bound), Some(pending)) if replaces == Some(&bound.hash) => {
            let Some(challenge) = challenge.filter(|c| c.old_proven.is_some()) else {
                return Ok((bound, Effect::ProvesOldNumber));
            };
            challenge.old_proof_holds(now)?;
            Ok((pending, Effect::Replaces))
        }
        // The number has changed since: what was asked for, and proven, was about another one.
        (Purpose::ReplacePhone, Some(_), _) => Err(Refusal::StepUpRequired),
        (_, None, _) if replaces.is_some() => Err(Refusal::StepUpRequired),
        (_, None, Some(pending)) => Ok((pending, Effect::Binds)),
        (_, None, None) if ticket.self_service => Err(Refusal::PhoneRequired),
        (_, None, None) => Err(Refusal::SelfBindingDisabled),
    }
}

/// The user's own limit, over all logins: exact, since the factor remembers the sends of the last hour.
fn user_has_room(ticket: &Ticket, factor: &Factor, now: Timestamp) -> Result<(), Refusal> {
    let limit = usize::try_from(ticket.limits.per_user_hour).unwrap_or(usize::MAX).clamp(1, MAX_RECENT);
    let Some(oldest) = factor.recent_sends.get(limit - 1) else { return Ok(()) };
    let free_at = oldest.plus_secs(3600);
    if now < free_at {
        return Err(Refusal::RateLimited { rule: "per_user_hour", retry_at: free_at });
    }
    Ok(())
}

/// The user's sends of the last hour with one more, as the factor will remember them.
pub fn with_send(recent: &[Timestamp], now: Timestamp) -> Vec<Timestamp> {
    let old = recent.iter().copied().filter(|at| now < at.plus_secs(3600));
    std::iter::once(now).chain(old).take(MAX_RECENT).collect()
}

/// Whether the user has failed so often that no more code is sent, and none may be spared.
pub fn is_disabled(factor: &Factor, max_attempts: u8) -> bool {
    factor.failures + u32::from(max_attempts) > MAX_FAILURES
}

/// Whether one more code may be out for this user: neither more than [`MAX_LIVE`] at once, nor so many that all their guesses together
/// could pass [`MAX_FAILURES`].
fn room_for_another(
    ticket: &Ticket,
    factor: &Factor,
    others: &[Challenge],
    now: Timestamp,
) -> Result<(), Refusal> {
    let live: Vec<_> = others.iter().filter(|c| c.is_live(now)).collect();
    let guesses_out: u32 = live.iter().map(|c| u32::from(c.max_attempts)).sum();
    if factor.failures + guesses_out + u32::from(ticket.code.max_attempts) > MAX_FAILURES {
        return Err(Refusal::FactorDisabled);
    }
    let with_user =
        live.iter().filter(|c| c.code.as_ref().is_some_and(SentCode::may_be_with_the_user)).count();
    if with_user >= MAX_LIVE {
        let soonest = live.iter().filter_map(|c| c.code.as_ref()).map(|code| code.expires_at).min();
        return Err(Refusal::RateLimited {
            rule: "live_codes",
            retry_at: soonest.unwrap_or(now.plus_secs(MAX_CODE_SECONDS)),
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
