//! `POST /v1/logins/{login}/phone`: an unbound user names the number to bind. Nothing is sent and nothing is bound yet.

use super::LoginFailure;
use super::admin_binding::seal_number;
use super::login_state::key;
use crate::domain::identifier::PHONE;
use crate::domain::ids::UserId;
use crate::domain::login::{LoginState, MAX_PHONE_CHANGES, Status, Ticket};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::ports::login::{BindFacts, BindStore, OwnerKey};
use crate::ports::{Clock, Fault, PersonalData};
use std::sync::Arc;

/// Sets the number that the next code goes to and that the right code will bind.
#[derive(Clone)]
pub struct AskForNumber {
    pub store: Arc<dyn BindStore>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
}

impl AskForNumber {
    pub async fn ask(&self, ticket: Ticket, number: &str) -> Result<LoginState, LoginFailure> {
        let phone = PhoneNumber::parse(number)
            .and_then(|phone| phone.check_allowed(&ticket.countries).map(|()| phone))
            .map(|phone| {
                seal_number(&*self.personal, &ticket.tenant, &ticket.user, &phone, self.clock.now())
            });
        let owner = phone.as_ref().ok().map(|phone| OwnerKey { kind: PHONE, hash: phone.hash.clone() });
        let (state, known) = self.look(ticket, owner.as_ref()).await?;
        if let Err(refusal) = may_ask(&state, known.user_exists) {
            return Err(LoginFailure::new(refusal, state));
        }
        let wanted = match phone {
            Ok(phone) => phone,
            Err(refusal) => return Err(LoginFailure::new(refusal, state)),
        };
        // Refused before anything is sent (acceptance F9), and once more when the bind is committed.
        if known.owner.is_some_and(|owner| owner != state.ticket.user) {
            return Err(LoginFailure::new(Refusal::PhoneTaken, state));
        }
        let LoginState { ticket, bound_hint, now, .. } = state;
        let asked = self
            .store
            .ask_for_number(key(&ticket), &wanted, ticket.code.max_attempts, MAX_PHONE_CHANGES)
            .await?;
        match asked {
            Ok(challenge) => Ok(LoginState { ticket, bound_hint, challenge: Some(challenge), now }),
            Err(challenge) => {
                let state = LoginState { ticket, bound_hint, challenge, now };
                let refusal = may_ask(&state, true).err().unwrap_or(Refusal::Conflict);
                Err(LoginFailure::new(refusal, state))
            }
        }
    }

    /// The refusal of a call that names no number, with the login as it stands.
    pub async fn refuse(&self, ticket: Ticket, refusal: Refusal) -> LoginFailure {
        match self.look(ticket, None).await {
            Ok((state, _)) => LoginFailure::new(refusal, state),
            Err(fault) => fault.into(),
        }
    }

    async fn look(&self, ticket: Ticket, number: Option<&OwnerKey>) -> Result<(LoginState, Known), Fault> {
        let BindFacts { factor, challenge, owner } = self.store.bind_facts(key(&ticket), number).await?;
        let known = Known { user_exists: factor.is_some(), owner };
        let bound_hint = factor.and_then(|factor| factor.phone).map(|phone| phone.hint);
        Ok((LoginState { bound_hint, challenge, now: self.clock.now(), ticket }, known))
    }
}

/// What is known beside the login's state.
struct Known {
    /// Deleted users' logins may be in flight.
    user_exists: bool,
    /// Whom the number belongs to.
    owner: Option<UserId>,
}

/// Whether this login may name a number now.
fn may_ask(state: &LoginState, user_exists: bool) -> Result<(), Refusal> {
    state.open()?;
    if !user_exists {
        return Err(Refusal::NotFound);
    }
    if state.bound_hint.is_some() {
        return Err(Refusal::StepUpRequired);
    }
    if !state.ticket.self_service || state.status() == Status::ContactAdministrator {
        return Err(Refusal::SelfBindingDisabled);
    }
    if state.challenge.as_ref().is_some_and(|c| c.phone_changes >= MAX_PHONE_CHANGES) {
        return Err(Refusal::RateLimited { rule: "phone_changes", retry_at: state.ticket.expires_at });
    }
    Ok(())
}
