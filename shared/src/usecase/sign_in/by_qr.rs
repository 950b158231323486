//! The first factor by an approved QR login (acceptance F2): the browser that asked shows its secret, and the approval is used up.
//!
//! It takes two read requests, as a password does, and one write, whose condition is what makes a login of an approval once. Policy then decides
//! as for any local login (C6): a scan alone never passes a user whom a code is asked of (F10). The secret has 256 random bits, so nothing
//! throttles wrong ones.

use super::{Begun, Proven, SignIn, Start, admit, known};
use crate::auth::credential::{Credential, Holder};
use crate::domain::ids::{ApplicationId, QrLoginId, base62};
use crate::domain::login::FirstFactor;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::ports::login::SignInQuery;
use crate::ports::qr_login::Spending;
use crate::usecase::LoginFailure;
use crate::usecase::access::AllowOrigin;

impl SignIn {
    pub(super) async fn by_qr(
        &self,
        start: &Start<'_>,
        application: &ApplicationId,
        id: &str,
        secret: &Secret<String>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Begun, LoginFailure> {
        let now = self.clock.now();
        // Another tenant's id, or another QR login's secret, reads nothing and ends like an unknown one.
        let id = QrLoginId::parse(id).filter(|id| id.tenant() == application.tenant());
        let secret = Credential::parse(secret.expose())
            .filter(|secret| matches!(&secret.holder, Holder::QrLogin { qr } if Some(qr) == id.as_ref()));
        let query = SignInQuery {
            tenant: &application.tenant(),
            application: Some(application),
            source: None,
            owner: None,
            user: None,
            device: None,
            qr: id.as_ref().filter(|_| secret.is_some()),
            throttles: Vec::new(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let (tenant, application) = known(facts.tenant, facts.application)?;
        let by = admit(&application, start.caller, allow_origin)?;
        let known = facts.qr.zip(secret).filter(|(qr, secret)| secret.matches(&qr.secret_hash));
        let (qr, secret) = known.ok_or(Refusal::FirstFactorFailed)?;
        let (user, proven_at) = qr.approved(&application.id, now)?;

        let device = start.shown_device();
        let (signed_in, factor, device) =
            self.signed_in(&tenant.id, user, &device, Refusal::FirstFactorFailed).await?;
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        let spending = Spending {
            qr: &qr.id,
            secret_hash: &secret.hash(),
            application: &application.id,
            user,
            attempt: &attempt,
            now,
        };
        if !self.qr.spend_qr_login(&spending).await? {
            return Err(Refusal::QrLoginExpired.into());
        }
        // Whoever signs in here has proven as much as the device that approved, and not later than there.
        let first = Proven { factor: FirstFactor::Qr, at: proven_at };
        self.begin(&tenant, &application, None, first, by, signed_in, factor, device, now)
    }
}
