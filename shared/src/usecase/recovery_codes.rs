//! Recovery codes are made here: when a number is bound, and anew at `POST /v1/me/recovery-codes`.

use super::access::Caller;
use crate::domain::audit::AuditedChange;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::recovery::{COUNT, RecoveryCode};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::ports::recovery::OwnRecoveryStore;
use crate::ports::{Clock, Entropy, Failure, RecoveryMacs};
use std::sync::Arc;

/// Makes codes.
#[derive(Clone)]
pub struct MakeRecoveryCodes {
    pub macs: Arc<dyn RecoveryMacs>,
    pub entropy: Arc<dyn Entropy>,
}

/// New codes, to be shown once, and what is kept of them.
#[derive(Debug)]
pub(super) struct NewRecoveryCodes {
    pub shown: Vec<Secret<String>>,
    pub macs: Vec<[u8; 32]>,
}

impl MakeRecoveryCodes {
    pub(super) fn make(&self, tenant: &TenantId, user: &UserId) -> NewRecoveryCodes {
        let codes: Vec<_> =
            (0..COUNT).map(|_| RecoveryCode::generate(|buffer| self.entropy.fill(buffer))).collect();
        NewRecoveryCodes {
            shown: codes.iter().map(RecoveryCode::text).collect(),
            macs: codes.iter().map(|code| self.macs.mac(tenant, user, code)).collect(),
        }
    }
}

/// Makes a user's codes anew.
#[derive(Clone)]
pub struct RenewRecoveryCodes {
    pub store: Arc<dyn OwnRecoveryStore>,
    pub make: MakeRecoveryCodes,
    pub clock: Arc<dyn Clock>,
}

impl RenewRecoveryCodes {
    /// One read and one transaction. From then on none of the old codes works.
    ///
    /// # Errors
    /// [`Refusal::StepUpRequired`] unless two factors were proven just now; [`Refusal::Forbidden`] where the tenant has no recovery codes;
    /// [`Refusal::NotFound`] for a user who was deleted.
    pub async fn renew(&self, me: &Caller) -> Result<Vec<Secret<String>>, Failure> {
        let now = self.clock.now();
        if !me.access.has_fresh_second_factor(now) {
            return Err(Refusal::StepUpRequired.into());
        }
        let (tenant, user) = (&me.access.tenant, &me.access.user);
        let settings = self.store.tenant_of_codes(tenant).await?.ok_or(Refusal::NotFound)?.security;
        if !settings.recovery_codes_enabled {
            return Err(switched_off().into());
        }
        let codes = self.make.make(tenant, user);
        let event = me.event(AuditedChange::recovery_codes_made(user, COUNT), now, &*self.make.entropy);
        let done = self.store.replace_recovery_codes(tenant, user, &codes.macs, &event).await?;
        if done { Ok(codes.shown) } else { Err(Refusal::NotFound.into()) }
    }
}

/// What anything about recovery codes hears where the tenant has none.
pub(super) const fn switched_off() -> Refusal {
    Refusal::Forbidden("recovery codes are switched off")
}
