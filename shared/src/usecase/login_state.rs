//! `GET /v1/logins/{login}`: a look at a login.

use super::LoginFailure;
use crate::domain::login::{LoginState, Ticket};
use crate::domain::refusal::Refusal;
use crate::ports::Clock;
use crate::ports::login::{LoginKey, LoginStateStore};
use std::sync::Arc;

/// Reads a login's state; it changes nothing, and a login that is over may still be looked at.
#[derive(Clone)]
pub struct ReadLogin {
    pub store: Arc<dyn LoginStateStore>,
    pub clock: Arc<dyn Clock>,
}

impl ReadLogin {
    pub async fn read(&self, ticket: Ticket) -> Result<LoginState, LoginFailure> {
        let (factor, challenge) = self.store.login_state(key(&ticket)).await?;
        // A user has a factor from its creation to its deletion.
        let user_exists = factor.is_some();
        let bound_hint = factor.and_then(|factor| factor.phone).map(|phone| phone.hint);
        let state = LoginState { bound_hint, challenge, now: self.clock.now(), ticket };
        if user_exists { Ok(state) } else { Err(LoginFailure::new(Refusal::NotFound, state)) }
    }
}

/// Where a ticket's items are.
pub(super) fn key(ticket: &Ticket) -> LoginKey<'_> {
    LoginKey {
        tenant: &ticket.tenant,
        user: &ticket.user,
        login: &ticket.login,
        started_at: ticket.started_at,
    }
}
