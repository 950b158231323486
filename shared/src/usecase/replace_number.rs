//! The two proofs that replace a number: first the old one's, then the new one's, which commits it (acceptance H8).

use super::TRIES;
use super::login_state::key;
use super::notices::notice;
use crate::domain::audit::{Actor, AuditedChange, Provenance};
use crate::domain::challenge::Challenge;
use crate::domain::factor::FactorPhone;
use crate::domain::ids::EventId;
use crate::domain::login::Ticket;
use crate::domain::notice::{Addressee, NoticeKind};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::replacement::{ReplaceRefused, ReplaceStore};
use crate::ports::{Entropy, Failure, NumberChange};
use std::sync::Arc;

#[derive(Clone)]
pub struct ReplaceNumber {
    pub store: Arc<dyn ReplaceStore>,
    pub entropy: Arc<dyn Entropy>,
}

impl ReplaceNumber {
    /// The right code of the bound number was given.
    pub(super) async fn prove_old(
        &self,
        ticket: &Ticket,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<Challenge, Failure> {
        let proven = self.store.prove_old_number(key(ticket), mac, now).await?;
        Ok(proven.ok_or(Refusal::NoCodeSent)?)
    }

    /// The right code of the new number was given: it is bound from now on. The user's other codes are taken away in the same transaction,
    /// so what is alive has to be read first.
    pub(super) async fn commit(
        &self,
        ticket: &Ticket,
        challenge: &Challenge,
        mac: &[u8; 32],
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<FactorPhone, Failure> {
        let (Some(pending), Some(replaces)) = (&challenge.pending, &challenge.replaces) else {
            return Err(Refusal::NoCodeSent.into());
        };
        let phone = FactorPhone { since: now, ..pending.clone() };
        let whose = (&ticket.tenant, &ticket.user);
        for _ in 0..TRIES {
            let seen = self.store.binding(&ticket.tenant, &ticket.user, now).await?;
            let seen = seen.ok_or(Refusal::NotFound)?;
            let Some(old) = seen.factor.phone.as_ref().filter(|old| old.hash == *replaces) else {
                // What was proven was another number. Or a request with the same code was first.
                let ours = seen.factor.phone.as_ref().is_some_and(|bound| bound.hash == phone.hash);
                return Err(if ours { Refusal::LoginComplete } else { Refusal::StepUpRequired }.into());
            };
            let addressee =
                Addressee { sender_name: ticket.sender_name.clone(), locale: ticket.locale.clone() };
            let told = notice(&*self.entropy, NoticeKind::PhoneReplaced, whose, old, addressee, now);
            let told = ticket.test_numbers.scenario(&old.hash).is_none().then_some(told);
            let Some(change) = AuditedChange::phone_changed(&ticket.user, &seen.factor, Some(&phone)) else {
                return Err(Refusal::LoginComplete.into());
            };
            let id = EventId::generate(|buffer| self.entropy.fill(buffer));
            let actor = Actor::User(ticket.user.clone());
            let event = change.by(actor, provenance.clone(), ticket.tenant.clone(), now, id);
            let change = NumberChange { phone: Some(&phone), notice: told.as_ref(), event: &event };
            match self.store.commit_replacement(key(ticket), &seen, &change, mac, now).await? {
                Ok(()) => return Ok(phone),
                Err(ReplaceRefused::Taken) => return Err(Refusal::PhoneTaken.into()),
                Err(ReplaceRefused::Completed) => return Err(Refusal::LoginComplete.into()),
                Err(ReplaceRefused::CodeChanged) => return Err(Refusal::NoCodeSent.into()),
                Err(ReplaceRefused::Stale) => {}
            }
        }
        Err(Refusal::Conflict.into())
    }
}
