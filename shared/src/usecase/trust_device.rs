//! Makes the device that a login was completed on a trusted one (acceptance H7).

use super::TRIES;
use crate::auth::credential::{Credential, Holder};
use crate::domain::audit::{Actor, AuditedChange, Provenance};
use crate::domain::ids::{DeviceId, EventId};
use crate::domain::login::{Purpose, Ticket};
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
    /// Trusts the device of a sign-in that has just been completed with the number as it was bound in `proven`. `None` where the policy of
    /// the login's start trusts none, and where it did not come about: the login is done, and nothing here may take it away.
    pub(super) async fn trust(
        &self,
        ticket: &Ticket,
        proven: &BoundPhone,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Option<NewDevice> {
        if ticket.purpose != Purpose::SignIn || !ticket.trusted_devices.enabled {
            return None;
        }
        let trusted = self.write(ticket, proven, provenance, now).await;
        trusted.unwrap_or_else(|fault| {
            tracing::warn!(%fault, login = %ticket.login, "the device was not trusted");
            None
        })
    }

    async fn write(
        &self,
        ticket: &Ticket,
        proven: &BoundPhone,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<Option<NewDevice>, Fault> {
        let id = DeviceId::generate(|buffer| self.entropy.fill(buffer));
        let holder = Holder::Device { device: id.clone() };
        let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
        let device = TrustedDevice {
            id,
            hash: credential.hash(),
            application: ticket.application.clone(),
            created_at: now,
            expires_at: TrustedDevice::end(now, ticket.trusted_devices),
            bound: proven.clone(),
        };
        let event_id = EventId::generate(|buffer| self.entropy.fill(buffer));
        let event = AuditedChange::trusted_device_added(&ticket.user, &device).by(
            Actor::User(ticket.user.clone()),
            provenance.clone(),
            ticket.tenant.clone(),
            now,
            event_id,
        );
        for _ in 0..TRIES {
            let Some(facts) = self.store.device_facts(&ticket.tenant, &ticket.user).await? else {
                return Ok(None);
            };
            // The number has changed since it was proven: the device would be worth nothing.
            if !device.is_valid(&facts.factor, now) {
                return Ok(None);
            }
            let gone = make_room(&facts.devices, &facts.factor, now);
            if self.store.trust_device(&ticket.user, &facts.factor, &device, &gone, &event).await? {
                let TrustedDevice { id, expires_at, .. } = device;
                return Ok(Some(NewDevice { id, token: credential.text, expires_at }));
            }
        }
        Err(Fault::new("the user's factor kept changing"))
    }
}
