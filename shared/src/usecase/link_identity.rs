//! An administrator says which subject of an identity source is which user: what sources need that make no users by themselves
//! (`linked_only`).

use super::TRIES;
use super::authenticate::{Allowed, ReadUsers, WriteUsers};
use super::subjects::seal_subject;
use crate::domain::audit::AuditedChange;
use crate::domain::identity_source::ExternalSubject;
use crate::domain::ids::{SourceId, TenantId, UserId};
use crate::domain::refusal::Refusal;
use crate::domain::user::{User, identity_field, place};
use crate::ports::{
    Clock, Entropy, Failure, Fault, IdentityLinks, IdentitySources, PersonalData, UserStore, UserWrite,
};
use std::sync::Arc;

/// Links and unlinks subjects.
#[derive(Clone)]
pub struct LinkIdentities {
    pub users: Arc<dyn UserStore>,
    pub links: Arc<dyn IdentityLinks>,
    pub sources: Arc<dyn IdentitySources>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// Whom a source knows a user as, in clear.
pub struct LinkedIdentity {
    pub source: SourceId,
    pub subject: String,
}

impl LinkIdentities {
    /// In the order of the sources' ids.
    pub async fn list(
        &self,
        allowed: &Allowed<ReadUsers>,
        user: &UserId,
    ) -> Result<Vec<LinkedIdentity>, Failure> {
        let user = self.find(allowed.tenant(), user).await?;
        Ok(self.opened(&user)?)
    }

    pub async fn read(
        &self,
        allowed: &Allowed<ReadUsers>,
        user: &UserId,
        source: &SourceId,
    ) -> Result<LinkedIdentity, Failure> {
        let identities = self.list(allowed, user).await?;
        let found = identities.into_iter().find(|identity| identity.source == *source);
        Ok(found.ok_or(Refusal::NotFound)?)
    }

    /// Makes the subject the one that its source knows the user as, in the place of any other.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a source that the tenant does not have; [`Refusal::Duplicate`] where another user has the subject.
    pub async fn link(
        &self,
        allowed: &Allowed<WriteUsers>,
        user: &UserId,
        subject: &ExternalSubject,
    ) -> Result<LinkedIdentity, Failure> {
        let (tenant, source) = (allowed.tenant(), subject.source());
        // A source that is deleted at this moment leaves a link that no token finds: its id never comes back.
        self.sources.source(tenant, source).await?.ok_or(Refusal::NotFound)?;
        let sealed = seal_subject(&*self.personal, tenant, user, subject);
        let linked = || LinkedIdentity { source: source.clone(), subject: subject.sub().to_owned() };
        for _ in 0..TRIES {
            let before = self.find(tenant, user).await?;
            let after = before.with_identity(source, Some(&sealed));
            let Some(change) = AuditedChange::user_changed(&before, &after) else { return Ok(linked()) };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            match self.links.link_subject(&before, source, &sealed, &event).await? {
                UserWrite::Done => return Ok(linked()),
                UserWrite::Duplicate(field) => return Err(Refusal::Duplicate { field }.into()),
                UserWrite::LastIdentifier | UserWrite::Stale => {}
            }
        }
        Err(Refusal::Conflict.into())
    }

    /// Takes the subject away, also of a source that is gone. Nothing happens to a user who has none.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] when it is all that the user can sign in with.
    pub async fn unlink(
        &self,
        allowed: &Allowed<WriteUsers>,
        user: &UserId,
        source: &SourceId,
    ) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let before = self.find(allowed.tenant(), user).await?;
            let after = before.with_identity(source, None);
            let Some(change) = AuditedChange::user_changed(&before, &after) else { return Ok(()) };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            match self.links.unlink_subject(&before, source, &event).await? {
                UserWrite::Done => return Ok(()),
                UserWrite::LastIdentifier => {
                    return Err(
                        Refusal::NotPossible("the user would have nothing left to sign in with").into()
                    );
                }
                UserWrite::Duplicate(_) | UserWrite::Stale => {}
            }
        }
        Err(Refusal::Conflict.into())
    }

    async fn find(&self, tenant: &TenantId, user: &UserId) -> Result<User, Failure> {
        Ok(self.users.find_user(tenant, user).await?.ok_or(Refusal::NotFound)?.0)
    }

    fn opened(&self, user: &User) -> Result<Vec<LinkedIdentity>, Fault> {
        let open = |(source, sealed): (&SourceId, &crate::domain::user::SealedIdentifier)| {
            let place = place(&user.tenant, &user.id, &identity_field(source));
            let subject = self.personal.open(&place, &sealed.sealed)?;
            Ok(LinkedIdentity { source: source.clone(), subject })
        };
        user.identities.iter().map(open).collect()
    }
}
