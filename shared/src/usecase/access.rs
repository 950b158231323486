//! Who calls `/v1/me`: the holder of an access token, and nobody else.

use crate::domain::access::VerifiedAccess;
use crate::domain::audit::{Actor, AuditEvent, AuditedChange, Provenance};
use crate::domain::ids::EventId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::authorization::GrantReader;
use crate::ports::{AccessTokens, ApplicationOrigins, Clock, Entropy, Failure};
use std::sync::Arc;

/// Where an `Origin` may read the answer.
pub type AllowOrigin<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Admits holders of access tokens.
#[derive(Clone)]
pub struct AccessGate {
    pub tokens: Arc<dyn AccessTokens>,
    pub origins: Arc<dyn ApplicationOrigins>,
    pub grants: Arc<dyn GrantReader>,
    pub clock: Arc<dyn Clock>,
}

/// The user who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub access: VerifiedAccess,
    pub provenance: Provenance,
}

impl AccessGate {
    /// The user of a live access token. A browser must be on one of the origins of the application that the token was issued to, which
    /// costs one read. `allow_origin` is called as soon as that is known, so that a page can read refusals too. A token that an
    /// authorization code was exchanged for costs another: it holds no longer once the code was used twice.
    pub async fn admit(
        &self,
        bearer: &str,
        origin: Option<&str>,
        provenance: Provenance,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Caller, Failure> {
        let access = self.tokens.verify(bearer, self.clock.now()).ok_or(Refusal::Unauthenticated)?;
        if let Some(origin) = origin {
            if !self.origins.application_has_origin(&access.application, origin).await? {
                return Err(Refusal::Forbidden("the origin is not one of the application's").into());
            }
            allow_origin(origin);
        }
        if let Some((grant, _)) = &access.granted
            && !self.grants.grant_holds(&access.tenant, grant).await?
        {
            return Err(Refusal::Unauthenticated.into());
        }
        Ok(Caller { access, provenance })
    }
}

impl Caller {
    /// The event of a change that this user makes now.
    pub(super) fn event(&self, change: AuditedChange, now: Timestamp, entropy: &dyn Entropy) -> AuditEvent {
        let id = EventId::generate(|buffer| entropy.fill(buffer));
        let VerifiedAccess { tenant, user, .. } = &self.access;
        change.by(Actor::User(user.clone()), self.provenance.clone(), tenant.clone(), now, id)
    }
}
