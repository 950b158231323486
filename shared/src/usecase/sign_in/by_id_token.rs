//! The first factor by an external identity source (acceptance F2b): its id token says who it is, and the tenant's policy says what that is
//! worth (C4, C5).
//!
//! It takes three read requests, one more than a password: whose account it is stands in the token, and a token is believed only once
//! the source, which is in the first read, has been asked for. A first login that makes its user writes one transaction in the place of the
//! third read. A failed token is not throttled as a password is: signatures are not guessed.

use super::{Begun, Proven, ShownDevice, SignIn, Start, admit, known};
use crate::domain::audit::{Actor, AuditEvent, AuditedChange, Provenance};
use crate::domain::factor::Factor;
use crate::domain::identifier::SUBJECT;
use crate::domain::identity_source::{ExternalSubject, Provisioning};
use crate::domain::ids::{ApplicationId, EventId, SourceId, TenantId, UserId};
use crate::domain::login::FirstFactor;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::TrustedDevice;
use crate::domain::user::User;
use crate::ports::login::{OwnerKey, SignInQuery, SignInUser};
use crate::ports::{Fault, Provisioned};
use crate::usecase::LoginFailure;
use crate::usecase::access::AllowOrigin;
use crate::usecase::subjects::{seal_subject, subject_hash};
use std::collections::BTreeMap;

/// What the caller says that a source has said.
pub(super) struct OfferedToken<'a> {
    pub source: &'a str,
    pub token: &'a Secret<String>,
    /// What the caller put into its request to the source; the token must have it.
    pub nonce: Option<&'a str>,
}

impl SignIn {
    pub(super) async fn by_id_token(
        &self,
        start: &Start<'_>,
        application: &ApplicationId,
        offered: OfferedToken<'_>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Begun, LoginFailure> {
        let now = self.clock.now();
        let source = SourceId::parse(offered.source);
        let query = SignInQuery {
            tenant: &application.tenant(),
            application: Some(application),
            source: source.as_ref(),
            owner: None,
            user: None,
            device: None,
            qr: None,
            throttles: Vec::new(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let (tenant, application) = known(facts.tenant, facts.application)?;
        let by = admit(&application, start.caller, allow_origin)?;
        let source = facts.source.ok_or(Refusal::NotFound)?;
        let subject = self.id_tokens.verify(&source, offered.token, offered.nonce, now).await?;
        let subject = subject.map_err(|refused| Refusal::IdTokenRefused(refused.detail()))?;

        let owner = self.subject_owner(&tenant.id, &subject).await?;
        let device = start.shown_device();
        let (user, factor, device) = match owner {
            Some(user) => {
                self.signed_in(&tenant.id, &user, &device, Refusal::IdTokenRefused(NO_USER)).await?
            }
            None if source.provisioning == Provisioning::JustInTime => {
                let (user, factor) = self.provision(&tenant.id, &subject, &start.provenance, now).await?;
                (user, factor, None)
            }
            None => return Err(Refusal::IdTokenRefused(NO_USER).into()),
        };
        let first = Proven::now(FirstFactor::IdToken, now);
        self.begin(&tenant, &application, Some(source.id), first, by, user, factor, device, now)
    }

    async fn subject_owner(
        &self,
        tenant: &TenantId,
        subject: &ExternalSubject,
    ) -> Result<Option<UserId>, Fault> {
        let hash = subject_hash(&*self.personal, tenant, subject);
        let query = SignInQuery {
            tenant,
            application: None,
            source: None,
            owner: Some(&OwnerKey { kind: SUBJECT, hash }),
            user: None,
            device: None,
            qr: None,
            throttles: Vec::new(),
        };
        Ok(self.store.sign_in_facts(&query).await?.owner)
    }

    /// Whom the first factor proved, with what stands beside them; `gone` where they were deleted since that was read.
    pub(super) async fn signed_in(
        &self,
        tenant: &TenantId,
        user: &UserId,
        device: &ShownDevice,
        gone: Refusal,
    ) -> Result<(SignInUser, Option<Factor>, Option<TrustedDevice>), LoginFailure> {
        let query = SignInQuery {
            tenant,
            application: None,
            source: None,
            owner: None,
            user: Some(user),
            device: device.id(),
            qr: None,
            throttles: Vec::new(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let user = facts.user.ok_or(gone)?;
        Ok((user, facts.factor, device.recognise(facts.device)))
    }

    /// Makes a user that is known by its subject only, or finds the one that another first login has just made.
    async fn provision(
        &self,
        tenant: &TenantId,
        subject: &ExternalSubject,
        provenance: &Provenance,
        now: Timestamp,
    ) -> Result<(SignInUser, Option<Factor>), LoginFailure> {
        let id = UserId::generate(|buffer| self.entropy.fill(buffer));
        let sealed = seal_subject(&*self.personal, tenant, &id, subject);
        let user = User {
            id,
            tenant: tenant.clone(),
            username: None,
            email: None,
            identities: BTreeMap::from([(subject.source().clone(), sealed)]),
            locale: None,
            password_hash: None,
            created_at: now,
            version: 1,
        };
        let factor = Factor { revision: 1, ..Factor::default() };
        // Nobody else had a hand in it.
        let event = |change: AuditedChange| -> AuditEvent {
            let id = EventId::generate(|buffer| self.entropy.fill(buffer));
            change.by(Actor::User(user.id.clone()), provenance.clone(), tenant.clone(), now, id)
        };
        let events: Vec<_> = AuditedChange::user_created(&user, &factor).into_iter().map(event).collect();
        match self.provision.create_from_subject(&user, &factor, &events).await? {
            Provisioned::Created => {
                let user = SignInUser { id: user.id, password_hash: None, locale: None };
                Ok((user, Some(factor)))
            }
            Provisioned::Known(user) => {
                let gone = Refusal::IdTokenRefused(NO_USER);
                let (user, factor, _) =
                    self.signed_in(tenant, &user, &ShownDevice::parse(None), gone).await?;
                Ok((user, factor))
            }
        }
    }
}

/// Its holder has shown that the subject is its own, so this gives nothing away.
const NO_USER: &str =
    "The id token is good, but no user of this tenant is linked to its subject, and the source makes none.";
