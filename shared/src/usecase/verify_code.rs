//! `POST /v1/logins/{login}/verification`: the guess is charged and recorded, then compared.

use super::issue_code::scope;
use super::login_state::key;
use super::recovery_codes::MakeRecoveryCodes;
use super::replace_number::ReplaceNumber;
use super::{LoginFailure, count};
use crate::domain::audit::{Actor, AuditedChange, Provenance};
use crate::domain::challenge::{Challenge, Effect, why_not_judged};
use crate::domain::ids::{EventId, base62};
use crate::domain::login::{LoginState, Proof, Purpose, SecondFactor, Ticket};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::BoundPhone;
use crate::ports::login::{BindRefused, Charged, Guess, VerifyStore};
use crate::ports::{Clock, Codes, Entropy, Failure, Fault, TokenClaims, TokenSigner, Tokens};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Judges guesses and finishes logins.
#[derive(Clone)]
pub struct VerifyCode {
    pub store: Arc<dyn VerifyStore>,
    pub replace: ReplaceNumber,
    pub recovery: MakeRecoveryCodes,
    pub codes: Arc<dyn Codes>,
    pub signer: Arc<dyn TokenSigner>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// What a right code brought about.
#[derive(Debug)]
pub struct Verified {
    pub state: LoginState,
    /// Only at the end of a sign-in.
    pub tokens: Option<Tokens>,
    /// Those of a user who has just bound a number. They are shown this once.
    pub recovery_codes: Option<Vec<Secret<String>>>,
    /// Which binding of which number the code has proven, at the end of a sign-in by one.
    pub proven: Option<BoundPhone>,
}

impl VerifyCode {
    pub async fn verify(
        &self,
        ticket: Ticket,
        code: &Secret<String>,
        provenance: &Provenance,
    ) -> Result<Verified, LoginFailure> {
        let now = self.clock.now();
        // The code may outlive its login, which takes nothing more.
        if ticket.is_over(now) {
            let state = self.look(ticket, now).await?;
            return Err(LoginFailure::new(why_not_judged(&state), state));
        }
        let macs = self.codes.guess_macs(scope(&ticket), code.expose());
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        let application = ticket.application.clone();
        let guess = Guess {
            macs: &macs,
            attempt: &attempt,
            max_attempts: ticket.code.max_attempts,
            now,
            purpose: ticket.purpose,
            application: &application,
            provenance,
        };
        let challenge = match self.store.charge_guess(key(&ticket), &guess).await? {
            Charged::Judged(challenge) => challenge,
            Charged::Refused(challenge) => {
                let state = at(ticket, challenge, now);
                return Err(LoginFailure::new(why_not_judged(&state), state));
            }
        };
        let Some(out) = &challenge.code else {
            return Err(LoginFailure::new(Refusal::NoCodeSent, at(ticket, Some(challenge), now)));
        };
        let mac = out.mac;
        if !macs.iter().any(|guess| bool::from(guess.ct_eq(&mac))) {
            // A wrong answer leaves only once it is counted (NIST SP 800-63B-4 §3.2.2).
            self.store.count_failure(key(&ticket), &guess).await?;
            return Err(LoginFailure::new(Refusal::WrongCode, at(ticket, Some(challenge), now)));
        }
        let proven = BoundPhone { hash: out.sent_to.hash.clone(), since: out.sent_to.since };
        let had_failures = out.failures_before > 0 || challenge.attempts > 1;
        match challenge.effect(ticket.purpose, now) {
            Ok(Effect::Completes) => {
                if had_failures {
                    self.clear_failures(&ticket).await;
                }
                self.finish(at(ticket, Some(challenge), now), proven)
            }
            Ok(Effect::Binds) => self.bind(ticket, challenge, provenance, now).await,
            Ok(Effect::ProvesOldNumber) => {
                let proven = match self.replace.prove_old(&ticket, &mac, now).await {
                    Ok(proven) => proven,
                    Err(failure) => return Err(failed(failure, at(ticket, Some(challenge), now))),
                };
                if had_failures {
                    self.clear_failures(&ticket).await;
                }
                let state = at(ticket, Some(proven), now);
                count::verified(&state);
                Ok(Verified { state, tokens: None, recovery_codes: None, proven: None })
            }
            Ok(Effect::Replaces) => self.replace(ticket, challenge, &mac, provenance, now).await,
            Err(refusal) => Err(LoginFailure::new(refusal, at(ticket, Some(challenge), now))),
        }
    }

    /// The refusal of a call that holds no guess, with the login as it stands.
    pub async fn refuse(&self, ticket: Ticket, refusal: Refusal) -> LoginFailure {
        match self.look(ticket, self.clock.now()).await {
            Ok(state) => LoginFailure::new(refusal, state),
            Err(fault) => fault.into(),
        }
    }

    async fn look(&self, ticket: Ticket, now: Timestamp) -> Result<LoginState, Fault> {
        let challenge = self.store.look(key(&ticket)).await?;
        Ok(at(ticket, challenge, now))
    }

    /// Commits the bind; the tokens are signed only after it.
    async fn bind(
        &self,
        ticket: Ticket,
        mut challenge: Challenge,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<Verified, LoginFailure> {
        let (Some(phone), Some(out)) = (challenge.pending.clone(), challenge.code.as_ref()) else {
            return Err(LoginFailure::new(Refusal::NoCodeSent, at(ticket, Some(challenge), now)));
        };
        let codes = ticket.recovery_codes.then(|| self.recovery.make(&ticket.tenant, &ticket.user));
        let macs = codes.as_ref().map(|codes| &*codes.macs);
        let bound = AuditedChange::phone_bound_at_login(&ticket.user, &ticket.application, &phone);
        let id = EventId::generate(|buffer| self.entropy.fill(buffer));
        let actor = Actor::User(ticket.user.clone());
        let event = bound.by(actor, provenance.clone(), ticket.tenant.clone(), now, id);
        let commit = self.store.commit_bind(key(&ticket), &phone, &out.mac, macs, now, &event);
        let committed = commit.await?;
        let refusal = match committed {
            Ok(()) => {
                challenge.completed = Some(now);
                let mut state = at(ticket, Some(challenge), now);
                state.bound_hint = Some(phone.hint);
                let done = self.finish(state, BoundPhone { hash: phone.hash, since: now })?;
                return Ok(Verified { recovery_codes: codes.map(|codes| codes.shown), ..done });
            }
            Err(BindRefused::Completed) => {
                challenge.completed = Some(now);
                return Err(LoginFailure::new(Refusal::LoginComplete, at(ticket, Some(challenge), now)));
            }
            Err(BindRefused::Taken) => Refusal::PhoneTaken,
            Err(BindRefused::FactorChanged) => Refusal::StepUpRequired,
            Err(BindRefused::NumberChanged) => Refusal::NoCodeSent,
        };
        let challenge = self.store.forget_number(key(&ticket), &phone).await?;
        Err(LoginFailure::new(refusal, at(ticket, challenge, now)))
    }

    /// Commits the replacement. One that is refused keeps its login as it was, with the same code: the user starts another for another number.
    async fn replace(
        &self,
        ticket: Ticket,
        mut challenge: Challenge,
        mac: &[u8; 32],
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<Verified, LoginFailure> {
        match self.replace.commit(&ticket, &challenge, mac, provenance, now).await {
            Ok(phone) => {
                challenge.completed = Some(now);
                let mut state = at(ticket, Some(challenge), now);
                state.bound_hint = Some(phone.hint);
                self.finish(state, BoundPhone { hash: phone.hash, since: now })
            }
            Err(failure) => {
                if matches!(failure, Failure::Refused(Refusal::LoginComplete)) {
                    challenge.completed = Some(now);
                }
                Err(failed(failure, at(ticket, Some(challenge), now)))
            }
        }
    }

    /// The code is spent: whatever happens here must not take the login away from its user. Failures that stay are the safe side.
    async fn clear_failures(&self, ticket: &Ticket) {
        if let Err(fault) = self.store.clear_failures(&ticket.tenant, &ticket.user).await {
            tracing::warn!(%fault, login = %ticket.login, "failures of a successful user were not cleared");
        }
    }

    fn finish(&self, state: LoginState, proven: BoundPhone) -> Result<Verified, LoginFailure> {
        let tokens = match state.ticket.purpose {
            Purpose::SignIn => {
                Some(self.signer.sign(&claims(&state.ticket, Some(SecondFactor::Sms), state.now))?)
            }
            // Its user is signed in already.
            Purpose::ReplacePhone => None,
        };
        count::verified(&state);
        let proven = tokens.is_some().then_some(proven);
        Ok(Verified { state, tokens, recovery_codes: None, proven })
    }
}

/// A login at one moment, as far as whoever verifies sees it: the number that a code went to because it was bound, which may have been bound
/// since the login started; before any code the one that was bound then.
pub(super) fn at(ticket: Ticket, challenge: Option<Challenge>, now: Timestamp) -> LoginState {
    let sent = challenge.as_ref().filter(|it| ticket.purpose == Purpose::SignIn && it.pending.is_none());
    let hint = sent.and_then(|it| it.code.as_ref()).map(|code| code.sent_to.hint.clone());
    LoginState { bound_hint: hint.or_else(|| ticket.bound_hint.clone()), challenge, now, ticket }
}

fn failed(failure: Failure, state: LoginState) -> LoginFailure {
    LoginFailure { failure, state: Some(Box::new(state)) }
}

/// The claims of a login that is done.
pub(super) fn claims(ticket: &Ticket, second: Option<SecondFactor>, now: Timestamp) -> TokenClaims {
    let proof = Proof { first: ticket.first, second };
    TokenClaims {
        tenant: ticket.tenant.clone(),
        application: ticket.application.clone(),
        user: ticket.user.clone(),
        login: ticket.login.clone(),
        auth_time: now,
        issued_at: now,
        amr: proof.amr(),
        acr: proof.acr(),
        code: None,
    }
}
