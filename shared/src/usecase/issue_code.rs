//! `POST /v1/logins/{login}/code`: the first send and every resend.
//!
//! Reserve, then send: whatever may stop a message has been written before it leaves, so two requests at once send one, and a crash in
//! between sends none.

use super::login_state::key;
use super::{LoginFailure, count};
use crate::domain::audit::{LoginStep, Provenance, RefusedSend};
use crate::domain::challenge::{Challenge, Delivery, SendPlan, Sent, Undelivered, plan_send};
use crate::domain::factor::phone_place;
use crate::domain::ids::base62;
use crate::domain::limits::network;
use crate::domain::login::{LoginState, Ticket};
use crate::domain::message::{MessageParts, parts, render};
use crate::domain::price::{MicroUsd, estimate};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::test_number::Scenario;
use crate::domain::time::Timestamp;
use crate::ports::limits::{LimitRequest, LimitStore, Reserved};
use crate::ports::login::{Reservation, SendFacts, SendStore, SettledSend};
use crate::ports::sms::{OutgoingMessage, SendOutcome, SmsSender};
use crate::ports::{Clock, CodeScope, Codes, Entropy, Fault, PersonalData};
use std::net::IpAddr;
use std::sync::Arc;

/// How often a reservation that lost to another request is planned anew. Each time the other one got further, so a few are enough.
const TRIES: usize = 5;
/// The scope of a key's hash.
const IDEMPOTENCY_SCOPE: &str = "idempotency";

/// Sends codes.
#[derive(Clone)]
pub struct IssueCode {
    pub store: Arc<dyn SendStore>,
    pub limits: Arc<dyn LimitStore>,
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
    /// Sends, unless `idempotency_key` has sent before in this login: then the login as it is, and nothing is sent. A key under which nothing
    /// has left, because a limit or the provider refused, is free again.
    pub async fn send(
        &self,
        ticket: Ticket,
        idempotency_key: Option<&str>,
        provenance: &Provenance,
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
                Err(refusal) => {
                    if let Some(refused) = refused_by(&ticket, &refusal, provenance, now) {
                        self.store.count_refusal(&refused).await?;
                    }
                    return Err(LoginFailure::new(refusal, state));
                }
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
                return self.deliver(state, &plan, &code, key_hash.as_deref(), provenance).await;
            }
        }
        Err(Fault::new("a send was overtaken by other requests every time").into())
    }

    /// The refusal of a call whose body is malformed, with the login as it stands. The only body there is is `{}`: a key that sent with it
    /// and comes back with another one is a client's mix-up, and that is what it hears.
    pub async fn refuse(
        &self,
        ticket: Ticket,
        idempotency_key: Option<&str>,
        refusal: Refusal,
    ) -> LoginFailure {
        let SendFacts { factor, challenge, .. } = match self.store.send_facts(key(&ticket)).await {
            Ok(facts) => facts,
            Err(fault) => return fault.into(),
        };
        let key_hash = idempotency_key.map(|text| self.key_hash(&ticket, text));
        let mixed_up = has_sent(challenge.as_ref(), key_hash.as_deref());
        let bound_hint = factor.and_then(|factor| factor.phone).map(|phone| phone.hint);
        let state = LoginState { ticket, bound_hint, challenge, now: self.clock.now() };
        LoginFailure::new(if mixed_up { Refusal::IdempotencyMismatch } else { refusal }, state)
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
        if let Some(scenario) = plan.test {
            return self.test_code(ticket, plan, scenario, (pepper, nonce));
        }
        let text = self.codes.derive(&pepper, scope, &nonce, ticket.code.length);
        let text = text.ok_or_else(|| Fault::new("the pepper of a live code is gone"))?;
        let mac = self.codes.mac(&pepper, scope, text.expose());
        let mac = mac.ok_or_else(|| Fault::new("the pepper of a live code is gone"))?;
        Ok(Code { text, pepper, nonce, mac })
    }

    /// The code of a test number: the documented one or, where none is to be right, none that anybody could give.
    fn test_code(
        &self,
        ticket: &Ticket,
        plan: &SendPlan,
        scenario: Scenario,
        (pepper, nonce): (String, [u8; 16]),
    ) -> Result<Code, Fault> {
        let text = scenario.code(ticket.code.length);
        let mac = match &text {
            Some(text) => self.codes.mac(&pepper, scope(ticket), text),
            None => Some(plan.again.as_ref().map_or_else(|| self.entropy.bytes(), |out| out.mac)),
        };
        let mac = mac.ok_or_else(|| Fault::new("the pepper of a live code is gone"))?;
        Ok(Code { text: Secret::new(text.unwrap_or_default()), pepper, nonce, mac })
    }

    /// Counts the message against every limit, sends it, and corrects what the reservation assumed where it came out differently.
    async fn deliver(
        &self,
        mut state: LoginState,
        plan: &SendPlan,
        code: &Code,
        key_hash: Option<&str>,
        provenance: &Provenance,
    ) -> Result<LoginState, LoginFailure> {
        let published = match plan.test {
            // Nothing is sent and nothing is counted.
            Some(scenario) => Ok(scenario.played(plan.resend_at, state.ticket.expires_at, state.now)),
            None => self.publish(&state, plan, code, provenance.client_ip).await,
        };
        let (delivery, resend_at, refused) = match published {
            Ok(published) => published,
            Err(fault) => return Err(self.note_unsent(&state, key_hash, fault).await.into()),
        };
        if delivery != Delivery::Accepted || resend_at != plan.resend_at {
            let sends = state.challenge.as_ref().map_or(0, |c| c.sends);
            let undelivered = refused.as_ref().map(|(_, why)| *why);
            let rule = refused.as_ref().filter(|_| plan.test.is_none());
            let rule = rule.and_then(|(it, _)| refused_by(&state.ticket, it, provenance, state.now));
            let free = key_hash.filter(|_| delivery == Delivery::Failed);
            let settled =
                SettledSend { sends, delivery, undelivered, resend_at, free, refused: rule.as_ref() };
            self.store.settle_send(key(&state.ticket), &settled).await?;
            if let Some(out) = state.challenge.as_mut().and_then(|c| c.code.as_mut()) {
                (out.delivery, out.undelivered, out.resend_at) = (delivery, undelivered, resend_at);
            }
        }
        match refused {
            Some((refusal, _)) => Err(LoginFailure::new(refusal, state)),
            None => Ok(state),
        }
    }

    /// A limit could not be counted, so nothing has left: whoever asks again, be it under the same key, need not wait.
    async fn note_unsent(&self, state: &LoginState, key_hash: Option<&str>, fault: Fault) -> Fault {
        let sends = state.challenge.as_ref().map_or(0, |c| c.sends);
        let settled = SettledSend {
            sends,
            delivery: Delivery::Failed,
            undelivered: Some(Undelivered::NotCounted),
            resend_at: state.now,
            free: key_hash,
            refused: None,
        };
        if let Err(second) = self.store.settle_send(key(&state.ticket), &settled).await {
            tracing::warn!(fault = %second, login = %state.ticket.login, "a message that never left stays accepted");
        }
        fault
    }

    /// Counts the message and sends it.
    async fn publish(
        &self,
        state: &LoginState,
        plan: &SendPlan,
        code: &Code,
        client: Option<IpAddr>,
    ) -> Result<Sent, Fault> {
        let now = state.now;
        let place = phone_place(&state.ticket.tenant, &state.ticket.user);
        let number = self.personal.open(&place, &plan.target.sealed)?;
        let message = message(&state.ticket, plan, code, number);
        let price = estimate(&plan.target.country) * parts(message.body.expose());
        let reserved = self.reserve(&state.ticket, plan, &message, price, client, now).await?;
        Ok(match reserved {
            Reserved::Refused { rule, retry_at } => {
                let refusal = Refusal::RateLimited { rule, retry_at };
                (Delivery::Failed, retry_at, Some((refusal, Undelivered::Limit)))
            }
            Reserved::Stopped => {
                let retry_at = now.plus_secs(60);
                let refusal = Refusal::SendingDisabled { retry_at };
                (Delivery::Failed, retry_at, Some((refusal, Undelivered::SendingDisabled)))
            }
            Reserved::Granted { next_at } => {
                let resend_at = plan.resend_at.max(next_at);
                let outcome = self.sender.send(&message).await;
                count::message(&state.ticket, &plan.target.country, price, &outcome, now);
                log(&state.ticket, &outcome);
                match outcome {
                    SendOutcome::Accepted { .. } => (Delivery::Accepted, resend_at, None),
                    // It may have been sent: the cooldown stays and nothing is given back.
                    SendOutcome::Unknown => (Delivery::Unknown, resend_at, None),
                    // The login's own cooldown is lifted; the number's wait, which counted it, is not.
                    SendOutcome::Refused { reason } => failed(now.max(next_at), reason),
                    SendOutcome::NotSent => failed(now.max(next_at), Undelivered::NotReached),
                }
            }
        })
    }

    async fn reserve(
        &self,
        ticket: &Ticket,
        plan: &SendPlan,
        message: &OutgoingMessage,
        price: MicroUsd,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Reserved, Fault> {
        let number = message.to.expose().as_str();
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        let range = number.get(..number.len().saturating_sub(4)).unwrap_or(number);
        let address = client.filter(|_| ticket.sees_client).map(network);
        let request = LimitRequest {
            tenant: &ticket.tenant,
            application: &ticket.application,
            country: &plan.target.country,
            number: self.personal.hash("limit|number", number),
            range: self.personal.hash("limit|range", range),
            address: address.map(|network| self.personal.hash("limit|address", &network)),
            limits: &ticket.limits,
            price,
            attempt: &attempt,
            now,
        };
        self.limits.reserve(&request).await
    }
}

/// Ties what the provider said to the login: by its id of the message, its own logs tell what became of it after that.
fn log(ticket: &Ticket, outcome: &SendOutcome) {
    let (outcome, reason, message_id) = match outcome {
        SendOutcome::Accepted { message_id } => ("accepted", None, Some(message_id.as_str())),
        SendOutcome::Unknown => ("unknown", None, None),
        SendOutcome::Refused { reason } => ("refused", Some(reason.as_str()), None),
        SendOutcome::NotSent => ("not_sent", None, None),
    };
    tracing::info!(login = %ticket.login, outcome, reason, message_id, "send");
}

fn failed(resend_at: Timestamp, why: Undelivered) -> Sent {
    (Delivery::Failed, resend_at, Some((Refusal::DeliveryFailed, why)))
}

/// What a refusal counts as, where a rule refused the message and not merely the state of its login.
fn refused_by(
    ticket: &Ticket,
    refusal: &Refusal,
    provenance: &Provenance,
    now: Timestamp,
) -> Option<RefusedSend> {
    let rule = match refusal {
        Refusal::RateLimited { rule, .. } => *rule,
        Refusal::FactorDisabled | Refusal::SendingDisabled { .. } | Refusal::CountryNotAllowed => {
            refusal.code()
        }
        _ => return None,
    };
    let step = LoginStep {
        tenant: ticket.tenant.clone(),
        user: ticket.user.clone(),
        application: ticket.application.clone(),
        at: now,
        provenance: provenance.clone(),
    };
    Some(RefusedSend { step, rule: rule.to_owned() })
}

fn message(ticket: &Ticket, plan: &SendPlan, code: &Code, number: String) -> OutgoingMessage {
    OutgoingMessage {
        to: Secret::new(number),
        body: render(&MessageParts {
            code: &code.text,
            name: &ticket.sender_name,
            lifetime_seconds: ticket.code.lifetime_seconds,
            template: ticket.template.as_deref(),
            locale: ticket.locale.as_deref(),
            host: ticket.message_host.as_deref(),
        }),
        country: plan.target.country.clone(),
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
