//! Which users are which subjects of external identity sources.

use super::DynamoStore;
use crate::domain::audit::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::identifier::SUBJECT;
use crate::domain::ids::SourceId;
use crate::domain::user::{SealedIdentifier, User};
use crate::ports::{Fault, IdentityLinks, ProvisionStore, Provisioned, UserStore, UserWrite};
use async_trait::async_trait;

#[async_trait]
impl ProvisionStore for DynamoStore {
    /// The owners' conditions decide who is first. A try of our own whose answer was lost looks like somebody else's, and is found as such.
    async fn create_from_subject(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<Provisioned, Fault> {
        if self.create_user(user, factor, events).await? == UserWrite::Done {
            return Ok(Provisioned::Created);
        }
        for subject in user.identities.values() {
            if let Some(known) = self.identifier_owner(&user.tenant, SUBJECT, &subject.hash).await? {
                return Ok(Provisioned::Known(known));
            }
        }
        Err(Fault::new("a subject's user was made and deleted meanwhile, or other writes stayed in the way"))
    }
}

#[async_trait]
impl IdentityLinks for DynamoStore {
    async fn link_subject(
        &self,
        user: &User,
        source: &SourceId,
        subject: &SealedIdentifier,
        event: &AuditEvent,
    ) -> Result<UserWrite, Fault> {
        self.change_user(user, &user.with_identity(source, Some(subject)), event).await
    }

    async fn unlink_subject(
        &self,
        user: &User,
        source: &SourceId,
        event: &AuditEvent,
    ) -> Result<UserWrite, Fault> {
        self.change_user(user, &user.with_identity(source, None), event).await
    }
}
