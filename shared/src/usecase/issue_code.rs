//! `POST /v1/logins/{login}/code`: the first send and every resend.
//!
//! Reserve, then send: whatever may stop a message has been written before it leaves, so two requests at once send one, and a crash in
//! between sends none.

use super::LoginFailure;
use super::login_state::key;
use crate::domain::challenge::{Challenge, Delivery, SendPlan, plan_send};
use crate::domain::factor::phone_place;
use crate::domain::login::{LoginState, Ticket};
use crate::domain::message::{MessageParts, render};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::login::{Reservation, SendFacts, SendStore};
use crate::ports::sms::{OutgoingMessage, SendOutcome, SmsSender};
use crate::ports::{Clock, CodeScope, Codes, Entropy, Fault, PersonalData};
use std::sync::Arc;

/// How often a reservation that lost to another request is planned anew. Each time the other one got further, so a few are enough.
const TRIES: usize = 5;
/// The scope of a key's hash.
const IDEMPOTENCY_SCOPE: &str = "idempotency";

/// Sends codes.
#[derive(Clone)]
pub struct IssueCode {
    pub store: Arc<dyn SendStore>,
    pub codes: Arc<dyn Codes>,
    pub personal: Arc<dyn PersonalData>,
    pub sender: Arc<dyn SmsSender>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A code about to be sent: the one that is out, or a new one.
struct Code {
    text: Secret<String>,
    pepper: String,
    nonce: [u8; 16],
    mac: [u8; 32],
}

impl IssueCode {
    /// Sends, unless `idempotency_key` has sent before in this login: then the login as it is, and nothing is sent.
    pub async fn send(
        &self,
        ticket: Ticket,
        idempotency_key: Option<&str>,
    ) -> Result<LoginState, LoginFailure> {
        let now = self.clock.now();
        let key_hash = idempotency_key.map(|text| self.key_hash(&ticket, text));
        for _ in 0..TRIES {
            let SendFacts { factor, challenge, others } = self.store.send_facts(key(&ticket)).await?;
            let bound_hint = factor.as_ref().and_then(|f| f.phone.as_ref()).map(|phone| phone.hint.clone());
            let state = LoginState { ticket: ticket.clone(), bound_hint, challenge, now };
            if has_sent(state.challenge.as_ref(), key_hash.as_deref()) {
                return Ok(state);
            }
            // The user was deleted while this login was in flight.
            let Some(factor) = factor else { return Err(LoginFailure::new(Refusal::NotFound, state)) };
            let plan = match plan_send(&state, &factor, &others) {
                Ok(plan) => plan,
                Err(refusal) => return Err(LoginFailure::new(refusal, state)),
            };
            let code = self.code(&ticket, &plan)?;
            let reservation = Reservation {
                plan: &plan,
                factor: &factor,
                seen: state.challenge.as_ref(),
                max_attempts: ticket.code.max_attempts,
                pepper: &code.pepper,
                nonce: code.nonce,
                mac: code.mac,
                idempotency: key_hash.as_deref(),
                now,
            };
            if let Some(challenge) = self.store.reserve_send(key(&ticket), &reservation).await? {
                let state = LoginState { challenge: Some(challenge), ..state };
                return self.deliver(state, &plan, &code, now).await;
            }
        }
        Err(Fault::new("a send was overtaken by other requests every time").into())
    }

    /// Whether this key has sent before in this login: asked where a body is malformed, since a key with another body is a mismatch first.
    pub async fn key_was_used(&self, ticket: &Ticket, idempotency_key: &str) -> Result<bool, Fault> {
        let facts = self.store.send_facts(key(ticket)).await?;
        Ok(has_sent(facts.challenge.as_ref(), Some(&self.key_hash(ticket, idempotency_key))))
    }

    fn key_hash(&self, ticket: &Ticket, text: &str) -> String {
        self.personal.hash(IDEMPOTENCY_SCOPE, &format!("{}|{text}", ticket.login))
    }

    fn code(&self, ticket: &Ticket, plan: &SendPlan) -> Result<Code, Fault> {
        let again = plan
            .again
            .as_ref()
            .map(|out| (out.pepper.clone(), out.nonce))
            .unwrap_or_else(|| (self.codes.current_pepper().to_owned(), self.entropy.bytes()));
        let (pepper, nonce) = again;
        let scope = scope(ticket);
        let text = self.codes.derive(&pepper, scope, &nonce, ticket.code.length);
        let text = text.ok_or_else(|| Fault::new("the pepper of a live code is gone"))?;
        let mac = self.codes.mac(&pepper, scope, text.expose());
        let mac = mac.ok_or_else(|| Fault::new("the pepper of a live code is gone"))?;
        Ok(Code { text, pepper, nonce, mac })
    }

    async fn deliver(
        &self,
        mut state: LoginState,
        plan: &SendPlan,
        code: &Code,
        now: Timestamp,
    ) -> Result<LoginState, LoginFailure> {
        let ticket = &state.ticket;
        let place = phone_place(&ticket.tenant, &ticket.user);
        let message = OutgoingMessage {
            to: Secret::new(self.personal.open(&place, &plan.target.sealed)?),
            body: render(&MessageParts {
                code: &code.text,
                name: &ticket.sender_name,
                lifetime_seconds: ticket.code.lifetime_seconds,
                locale: ticket.locale.as_deref(),
                host: ticket.message_host.as_deref(),
            }),
            country: plan.target.country.clone(),
        };
        let delivery = match self.sender.send(&message).await {
            SendOutcome::Accepted { .. } => Delivery::Accepted,
            // It may have been sent: the cooldown stays and nothing is given back.
            SendOutcome::Unknown => Delivery::Unknown,
            SendOutcome::Refused { .. } | SendOutcome::NotSent => Delivery::Failed,
        };
        if delivery != Delivery::Accepted {
            let free_at = (delivery == Delivery::Failed).then_some(now);
            let sends = state.challenge.as_ref().map_or(0, |c| c.sends);
            self.store.settle_send(key(&state.ticket), sends, delivery, free_at).await?;
            if let Some(out) = state.challenge.as_mut().and_then(|c| c.code.as_mut()) {
                out.delivery = delivery;
                out.resend_at = free_at.unwrap_or(out.resend_at);
            }
        }
        if delivery == Delivery::Failed {
            return Err(LoginFailure::new(Refusal::DeliveryFailed, state));
        }
        Ok(state)
    }
}

fn has_sent(challenge: Option<&Challenge>, key_hash: Option<&str>) -> bool {
    key_hash.is_some_and(|hash| challenge.is_some_and(|c| c.idempotency.iter().any(|used| used == hash)))
}

/// What a login's codes are bound to.
pub(super) fn scope(ticket: &Ticket) -> CodeScope<'_> {
    CodeScope {
        tenant: &ticket.tenant,
        user: &ticket.user,
        login: &ticket.login,
        purpose: ticket.purpose.as_str(),
    }
}
