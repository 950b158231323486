//! Makes the device that a login was completed on a trusted one (acceptance H7).

use super::TRIES;
use super::verify_code::Verified;
use crate::auth::credential::{Credential, Holder};
use crate::domain::audit::{Actor, AuditedChange, Provenance};
use crate::domain::ids::{DeviceId, EventId};
use crate::domain::login::{LoginState, Ticket};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::{BoundPhone, TrustedDevice, make_room};
use crate::ports::trusted_devices::TrustStore;
use crate::ports::{Entropy, Fault};
use std::sync::Arc;

#[derive(Clone)]
pub struct TrustDevice {
    pub store: Arc<dyn TrustStore>,
    pub entropy: Arc<dyn Entropy>,
}

/// What the device gets: the token is shown this once.
#[derive(Debug)]
pub struct NewDevice {
    pub id: DeviceId,
    pub token: Secret<String>,
    pub expires_at: Timestamp,
}

impl TrustDevice {
    /// Trusts the device of a sign-in that has just been completed, with the number that was proven; where it was none, but something in the
    /// place of its code, with the one that is bound. `None` where the policy of the login's start trusts none, and where it did not come
    /// about: the tokens are there, the login is done, and nothing here may take it away.
    pub async fn trust(&self, verified: &Verified, provenance: &Provenance) -> Option<NewDevice> {
        let LoginState { ticket, now, .. } = &verified.state;
        if verified.tokens.is_none() || !ticket.trusted_devices.enabled {
            return None;
        }
        let trusted = self.write(ticket, verified.proven.as_ref(), provenance, *now).await;
        trusted.unwrap_or_else(|fault| {
            tracing::warn!(%fault, login = %ticket.login, "the device was not trusted");
            None
        })
    }

    async fn write(
        &self,
        ticket: &Ticket,
        proven: Option<&BoundPhone>,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<Option<NewDevice>, Fault> {
        let id = DeviceId::generate(|buffer| self.entropy.fill(buffer));
        let holder = Holder::Device { device: id.clone() };
        let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
        for _ in 0..TRIES {
            let Some(facts) = self.store.device_facts(&ticket.tenant, &ticket.user).await? else {
                return Ok(None);
            };
            let Some(bound) = facts.factor.phone.as_ref().map(BoundPhone::from) else { return Ok(None) };
            // The number has changed since it was proven: the device would be worth nothing.
            if proven.is_some_and(|proven| *proven != bound) {
                return Ok(None);
            }
            let device = TrustedDevice {
                id: id.clone(),
                hash: credential.hash(),
                application: ticket.application.clone(),
                created_at: now,
                expires_at: TrustedDevice::end(now, ticket.trusted_devices),
                bound,
            };
            let added = AuditedChange::trusted_device_added(&ticket.user, &device);
            let event_id = EventId::generate(|buffer| self.entropy.fill(buffer));
            let actor = Actor::User(ticket.user.clone());
            let event = added.by(actor, provenance.clone(), ticket.tenant.clone(), now, event_id);
            let gone = make_room(&facts.devices, &facts.factor, now);
            if self.store.trust_device(&ticket.user, &facts.factor, &device, &gone, &event).await? {
                return Ok(Some(NewDevice { id, token: credential.text, expires_at: device.expires_at }));
            }
        }
        Err(Fault::new("the user's factor kept changing"))
    }
}
