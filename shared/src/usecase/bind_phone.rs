//! `POST /v1/logins/{login}/phone`: an unbound user names the number to bind. Nothing is sent and nothing is bound yet.

use super::LoginFailure;
use super::login_state::key;
use crate::domain::factor::{FactorPhone, owner_scope, phone_place};
use crate::domain::login::{LoginState, MAX_PHONE_CHANGES, Status, Ticket};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::ports::login::{BindStore, OwnerKey};
use crate::ports::{Clock, PersonalData};
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
        let now = self.clock.now();
        if ticket.is_over(now) {
            let state = LoginState { bound_hint: ticket.bound_hint.clone(), challenge: None, now, ticket };
            return Err(LoginFailure::new(Refusal::LoginExpired, state));
        }
        let phone = match PhoneNumber::parse(number)
            .and_then(|phone| phone.check_allowed(&ticket.countries).map(|()| phone))
        {
            Ok(phone) => phone,
            Err(refusal) => {
                let state =
                    LoginState { bound_hint: ticket.bound_hint.clone(), challenge: None, now, ticket };
                return Err(LoginFailure::new(refusal, state));
            }
        };
        let hash = self.personal.hash(&owner_scope(&ticket.tenant, "phone"), phone.e164());
        let owner = OwnerKey { kind: "phone", hash: hash.clone() };
        let facts = self.store.bind_facts(key(&ticket), &owner).await?;
        let bound_hint = facts.factor.as_ref().and_then(|f| f.phone.as_ref()).map(|phone| phone.hint.clone());
        let state = LoginState { bound_hint, challenge: facts.challenge, now, ticket };
        if let Err(refusal) = may_ask(&state, facts.factor.is_some()) {
            return Err(LoginFailure::new(refusal, state));
        }
        // Refused before anything is sent (acceptance F9), and once more when the bind is committed.
        if facts.owner.is_some_and(|owner| owner != state.ticket.user) {
            return Err(LoginFailure::new(Refusal::PhoneTaken, state));
        }
        let LoginState { ticket, bound_hint, .. } = state;
        let wanted = FactorPhone {
            sealed: self.personal.seal(&phone_place(&ticket.tenant, &ticket.user), phone.e164()),
            hash,
            hint: phone.hint(),
            country: phone.country().to_owned(),
            since: now,
        };
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
