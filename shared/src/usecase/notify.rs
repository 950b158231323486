//! Sends the notices that changes of a second factor have left.
//!
//! Claim, then send: a notice whose sender died in between stays claimed, and is never sent. That is the lesser evil; a second message
//! would tell of a second change. What is known not to have been sent goes back and is tried again, three times in all.

use crate::domain::factor::phone_place;
use crate::domain::ids::base62;
use crate::domain::notice::{Next, after_try, text};
use crate::domain::secret::Secret;
use crate::ports::notices::{ClaimedNotice, NoticePlace, NoticeQueue};
use crate::ports::sms::{OutgoingMessage, SendOutcome, SmsSender};
use crate::ports::{Clock, Entropy, Fault, PersonalData};
use std::sync::Arc;

/// Random characters of a claim.
const CLAIM_LENGTH: usize = 22;

/// Sends notices.
#[derive(Clone)]
pub struct Notify {
    pub queue: Arc<dyn NoticeQueue>,
    pub personal: Arc<dyn PersonalData>,
    pub sender: Arc<dyn SmsSender>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Notify {
    /// Sends the notice at `place`, unless somebody else has it.
    ///
    /// # Errors
    /// It was not sent, and waits to be asked for again.
    pub async fn send(&self, place: &NoticePlace) -> Result<(), Fault> {
        let claim = base62(CLAIM_LENGTH, |buffer| self.entropy.fill(buffer));
        let Some(claimed) = self.queue.claim(place, &claim, self.clock.now()).await? else { return Ok(()) };
        let outcome = match self.message(&claimed) {
            Ok(message) => self.sender.send(&message).await,
            Err(fault) => {
                tracing::error!(%fault, "a notice's number does not open");
                SendOutcome::NotSent
            }
        };
        let known_unsent = matches!(outcome, SendOutcome::Refused { .. } | SendOutcome::NotSent);
        let kind = claimed.notice.kind.as_str();
        let (tenant, user) = (claimed.notice.tenant.as_str(), claimed.notice.user.as_str());
        match after_try(known_unsent, claimed.tries) {
            Next::Done => {
                if outcome == SendOutcome::Unknown {
                    tracing::warn!(kind, tenant, user, "whether a notice was sent is unknown");
                }
                self.queue.finish(place, &claim).await
            }
            Next::Again => {
                self.queue.release(place, &claim).await?;
                Err(Fault::new("a notice was not sent, and waits"))
            }
            Next::GivenUp => {
                tracing::error!(kind, tenant, user, "a notice could not be sent");
                self.queue.finish(place, &claim).await
            }
        }
    }

    /// Sends what waits. One that fails keeps no other from being sent.
    ///
    /// # Errors
    /// The last one's.
    pub async fn sweep(&self) -> Result<(), Fault> {
        let mut outcome = Ok(());
        for place in self.queue.waiting().await? {
            if let Err(fault) = self.send(&place).await {
                outcome = Err(fault);
            }
        }
        outcome
    }

    fn message(&self, claimed: &ClaimedNotice) -> Result<OutgoingMessage, Fault> {
        let notice = &claimed.notice;
        let number = self.personal.open(&phone_place(&notice.tenant, &notice.user), &notice.to)?;
        Ok(OutgoingMessage {
            to: Secret::new(number),
            body: text(notice.kind, &notice.addressee),
            country: notice.country.clone(),
        })
    }
}
