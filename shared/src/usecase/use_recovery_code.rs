//! `POST /v1/logins/{login}/verification` with a recovery code: the attempt is charged, then the code is taken.

use super::LoginFailure;
use super::login_state::key;
use super::notices::notice;
use super::recovery_codes::switched_off;
use super::verify_code::{Verified, at, claims};
use crate::domain::audit::{
    Actor, AuditEvent, AuditedChange, GuessedCode, JudgedGuess, LoginStep, Provenance,
};
use crate::domain::challenge::Challenge;
use crate::domain::factor::Factor;
use crate::domain::ids::{EventId, base62};
use crate::domain::login::{LoginState, Purpose, SecondFactor, Ticket};
use crate::domain::notice::{Addressee, Notice, NoticeKind};
use crate::domain::recovery::{RecoveryCode, RecoveryEffect, effect, may_prove_old};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::login::Charged;
use crate::ports::recovery::{RecoveryAttempt, RecoveryRefused, RecoveryStore, RecoveryUse};
use crate::ports::{Clock, Entropy, RecoveryMacs, TokenSigner};
use std::sync::Arc;

/// Takes recovery codes.
#[derive(Clone)]
pub struct UseRecoveryCode {
    pub store: Arc<dyn RecoveryStore>,
    pub macs: Arc<dyn RecoveryMacs>,
    pub signer: Arc<dyn TokenSigner>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl UseRecoveryCode {
    /// One write, one read (whom to tell) and one transaction, right or wrong.
    pub async fn take(
        &self,
        ticket: Ticket,
        code: &RecoveryCode,
        provenance: &Provenance,
    ) -> Result<Verified, LoginFailure> {
        let now = self.clock.now();
        if ticket.is_over(now) || !ticket.recovery_codes {
            return Err(self.refuse(ticket, now).await);
        }
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        let attempt = RecoveryAttempt {
            purpose: ticket.purpose,
            id: &attempt,
            max_attempts: ticket.code.max_attempts,
            now,
        };
        let mut challenge = match self.store.charge_recovery(key(&ticket), &attempt).await? {
            Charged::Judged(challenge) => challenge,
            Charged::Refused(challenge) => return Err(why_refused(at(ticket, challenge, now))),
        };
        let seen = self.store.binding(&ticket.tenant, &ticket.user, now).await?;
        let Some(factor) = seen.map(|seen| seen.factor) else {
            return Err(LoginFailure::new(Refusal::NotFound, at(ticket, Some(challenge), now)));
        };
        let effect = match effect(ticket.purpose, &challenge, &factor, now) {
            Ok(effect) => effect,
            Err(refusal) => return Err(LoginFailure::new(refusal, at(ticket, Some(challenge), now))),
        };
        let told = self.notice(&ticket, &factor, now);
        let event = self.event(&ticket, provenance, now);
        let macs = self.macs.guess_macs(&ticket.tenant, &ticket.user, code);
        let code = RecoveryUse { macs: &macs, effect, notice: told.as_ref(), event: &event, now };
        match self.store.use_recovery_code(key(&ticket), &code).await? {
            Ok(()) => {}
            Err(RecoveryRefused::Unknown) => {
                self.store.keep_rejection(&self.rejected(&ticket, &challenge, provenance, now)).await?;
                return Err(LoginFailure::new(Refusal::WrongCode, at(ticket, Some(challenge), now)));
            }
            Err(RecoveryRefused::Overtaken) => {
                let challenge = self.store.look(key(&ticket)).await?;
                return Err(why_refused(at(ticket, challenge, now)));
            }
        }
        match effect {
            RecoveryEffect::Completes => {
                challenge.completed = Some(now);
                let tokens = self.signer.sign(&claims(&ticket, Some(SecondFactor::RecoveryCode), now))?;
                let mut state = at(ticket, Some(challenge), now);
                state.bound_hint = factor.phone.map(|phone| phone.hint);
                Ok(Verified { state, tokens: Some(tokens), recovery_codes: None, proven: None })
            }
            RecoveryEffect::ProvesOldNumber => {
                challenge.old_proven = Some(now);
                challenge.code = None;
                Ok(Verified {
                    state: at(ticket, Some(challenge), now),
                    tokens: None,
                    recovery_codes: None,
                    proven: None,
                })
            }
        }
    }

    /// Nothing is charged where no recovery code is taken at all.
    async fn refuse(&self, ticket: Ticket, now: Timestamp) -> LoginFailure {
        match self.store.look(key(&ticket)).await {
            Ok(challenge) => {
                let state = at(ticket, challenge, now);
                let refusal = state.open().err().unwrap_or(switched_off());
                LoginFailure::new(refusal, state)
            }
            Err(fault) => fault.into(),
        }
    }

    /// To the number that is bound, if there is one and it is no test number.
    fn notice(&self, ticket: &Ticket, factor: &Factor, now: Timestamp) -> Option<Notice> {
        let is_test = |hash: &str| ticket.test_numbers.scenario(hash).is_some();
        let to = factor.phone.as_ref().filter(|phone| !is_test(&phone.hash))?;
        let addressee = Addressee { sender_name: ticket.sender_name.clone(), locale: ticket.locale.clone() };
        let whose = (&ticket.tenant, &ticket.user);
        Some(notice(&*self.entropy, NoticeKind::RecoveryCodeUsed, whose, to, addressee, now))
    }

    fn rejected(
        &self,
        ticket: &Ticket,
        challenge: &Challenge,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Vec<AuditEvent> {
        let guess = JudgedGuess {
            step: LoginStep {
                tenant: ticket.tenant.clone(),
                user: ticket.user.clone(),
                application: ticket.application.clone(),
                at: now,
                provenance: provenance.clone(),
            },
            login: ticket.login.clone(),
            purpose: ticket.purpose,
            of: GuessedCode::Recovery,
            attempt: challenge.attempts,
            max_attempts: u32::from(ticket.code.max_attempts),
            right: false,
        };
        guess.told(|_| EventId::generate(|buffer| self.entropy.fill(buffer)))
    }

    fn event(&self, ticket: &Ticket, provenance: &Provenance, now: Timestamp) -> AuditEvent {
        let change = AuditedChange::recovery_code_used(
            &ticket.user,
            &ticket.application,
            &ticket.login,
            ticket.purpose,
        );
        let id = EventId::generate(|buffer| self.entropy.fill(buffer));
        change.by(Actor::User(ticket.user.clone()), provenance.clone(), ticket.tenant.clone(), now, id)
    }
}

/// Why a login took no recovery code, from the challenge as it is.
fn why_refused(state: LoginState) -> LoginFailure {
    let refusal = state.open().err().unwrap_or_else(|| match (&state.challenge, state.ticket.purpose) {
        // It was there when the attempt was charged: its user is gone.
        (None, _) => Refusal::NotFound,
        (Some(_), Purpose::SignIn) => Refusal::Conflict,
        (Some(challenge), Purpose::ReplacePhone) => {
            may_prove_old(challenge, state.now).err().unwrap_or(Refusal::Conflict)
        }
    });
    LoginFailure::new(refusal, state)
}
