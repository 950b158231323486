//! `POST /v1/logins/{login}/verification`: the guess is charged and recorded, then compared.

use super::issue_code::scope;
use super::login_state::key;
use super::{LoginFailure, count};
use crate::domain::challenge::Challenge;
use crate::domain::ids::base62;
use crate::domain::login::{LoginState, Proof, Ticket};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::login::{BindRefused, Charged, Guess, VerifyStore};
use crate::ports::{Clock, Codes, Entropy, Fault, TokenClaims, TokenSigner, Tokens};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Judges guesses and finishes logins.
#[derive(Clone)]
pub struct VerifyCode {
    pub store: Arc<dyn VerifyStore>,
    pub codes: Arc<dyn Codes>,
    pub signer: Arc<dyn TokenSigner>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl VerifyCode {
    pub async fn verify(
        &self,
        ticket: Ticket,
        code: &Secret<String>,
    ) -> Result<(LoginState, Tokens), LoginFailure> {
        let now = self.clock.now();
        let at = |ticket, challenge| at(ticket, challenge, now);
        // The code may outlive its login, which takes nothing more.
        if ticket.is_over(now) {
            let state = self.look(ticket, now).await?;
            return Err(LoginFailure::new(why_refused(&state), state));
        }
        let macs = self.codes.guess_macs(scope(&ticket), code.expose());
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        let guess = Guess { macs: &macs, attempt: &attempt, max_attempts: ticket.code.max_attempts, now };
        let challenge = match self.store.charge_guess(key(&ticket), &guess).await? {
            Charged::Judged(challenge) => challenge,
            Charged::Refused(challenge) => {
                let state = at(ticket, challenge);
                return Err(LoginFailure::new(why_refused(&state), state));
            }
        };
        let Some(out) = &challenge.code else {
            return Err(LoginFailure::new(Refusal::NoCodeSent, at(ticket, Some(challenge))));
        };
        let right = macs.iter().any(|mac| bool::from(mac.ct_eq(&out.mac)));
        if !right {
            // A wrong answer leaves only once it is counted (NIST SP 800-63B-4 §3.2.2).
            self.store.count_failure(&ticket.tenant, &ticket.user).await?;
            return Err(LoginFailure::new(Refusal::WrongCode, at(ticket, Some(challenge))));
        }
        let failures_before = out.failures_before;
        if challenge.pending.is_some() {
            self.bind(ticket, challenge, now).await
        } else {
            if failures_before > 0 || challenge.attempts > 1 {
                self.clear_failures(&ticket).await;
            }
            self.finish(at(ticket, Some(challenge)))
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
        now: Timestamp,
    ) -> Result<(LoginState, Tokens), LoginFailure> {
        let state = |ticket, challenge| at(ticket, challenge, now);
        let (Some(phone), Some(out)) = (challenge.pending.clone(), challenge.code.as_ref()) else {
            return Err(LoginFailure::new(Refusal::NoCodeSent, state(ticket, Some(challenge))));
        };
        let committed = self.store.commit_bind(key(&ticket), &phone, &out.mac, now).await?;
        let refusal = match committed {
            Ok(()) => {
                challenge.completed = Some(now);
                let mut state = state(ticket, Some(challenge));
                state.bound_hint = Some(phone.hint);
                return self.finish(state);
            }
            Err(BindRefused::Completed) => {
                challenge.completed = Some(now);
                return Err(LoginFailure::new(Refusal::LoginComplete, state(ticket, Some(challenge))));
            }
            Err(BindRefused::Taken) => Refusal::PhoneTaken,
            Err(BindRefused::FactorChanged) => Refusal::StepUpRequired,
            Err(BindRefused::NumberChanged) => Refusal::NoCodeSent,
        };
        let challenge = self.store.forget_number(key(&ticket), &phone).await?;
        Err(LoginFailure::new(refusal, state(ticket, challenge)))
    }

    /// The code is spent: whatever happens here must not take the login away from its user. Failures that stay are the safe side.
    async fn clear_failures(&self, ticket: &Ticket) {
        if let Err(fault) = self.store.clear_failures(&ticket.tenant, &ticket.user).await {
            tracing::warn!(%fault, login = %ticket.login, "failures of a successful user were not cleared");
        }
    }

    fn finish(&self, state: LoginState) -> Result<(LoginState, Tokens), LoginFailure> {
        let tokens = self.signer.sign(&claims(&state.ticket, true, state.now))?;
        count::verified(&state);
        Ok((state, tokens))
    }
}

/// A login at one moment, as far as whoever verifies sees it: the number that was bound at the start.
fn at(ticket: Ticket, challenge: Option<Challenge>, now: Timestamp) -> LoginState {
    LoginState { bound_hint: ticket.bound_hint.clone(), challenge, now, ticket }
}

/// Why a guess was not judged, from the challenge as it was. The order is the one in which an honest client can act on it.
fn why_refused(state: &LoginState) -> Refusal {
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

/// The claims of a login that is done.
pub(super) fn claims(ticket: &Ticket, code: bool, now: Timestamp) -> TokenClaims {
    let proof = Proof { first: ticket.first, code };
    TokenClaims {
        tenant: ticket.tenant.clone(),
        application: ticket.application.clone(),
        user: ticket.user.clone(),
        login: ticket.login.clone(),
        auth_time: now,
        issued_at: now,
        amr: proof.amr(),
        acr: proof.acr(),
    }
}
