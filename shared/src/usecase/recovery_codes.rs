//! Recovery codes are made here: when a number is bound, and anew at `POST /v1/me/recovery-codes`.

use super::access::Caller;
use crate::domain::audit::AuditedChange;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::recovery::{COUNT, RecoveryCode};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::recovery::{OwnRecoveryStore, Renewal, RenewalRefused};
use crate::ports::{Clock, Entropy, Failure, RecoveryMacs};
use std::sync::Arc;

/// How old a user's codes are, at the least, when a login that one of them completed makes new ones, in seconds. Each of them tells its user by a
/// message that no limit counts; without this, ten would make the next ten, for ever.
const RENEWAL_SECONDS: u32 = 86_400;

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
    /// [`Refusal::StepUpRequired`] unless two factors were proven just now: the number that is bound, or a recovery code while the ones
    /// that the user has are a day old; [`Refusal::Forbidden`] where the tenant has no recovery codes;
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
        let day_ago = Timestamp::from_millis(now.millis() - i64::from(RENEWAL_SECONDS) * 1000);
        let renewal = Renewal {
            macs: &codes.macs,
            number_before: me.access.numbers_before(),
            made_before: (!me.access.has_proven_a_number()).then_some(day_ago),
            event: &event,
        };
        match self.store.replace_recovery_codes(tenant, user, &renewal).await? {
            Ok(()) => Ok(codes.shown),
            Err(RenewalRefused::NoUser) => Err(Refusal::NotFound.into()),
            Err(RenewalRefused::NotProven) => Err(Refusal::StepUpRequired.into()),
        }
    }
}

/// What anything about recovery codes hears where the tenant has none.
pub(super) const fn switched_off() -> Refusal {
    Refusal::Forbidden("recovery codes are switched off")
}
