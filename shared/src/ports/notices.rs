//! Notices: who is addressed how, and the messages that wait to be sent.

use super::Fault;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::Addressee;
use async_trait::async_trait;

#[async_trait]
pub trait Addressees: Send + Sync {
    /// How this user of this tenant is addressed; one BatchGetItem. What isn't there is left empty.
    async fn addressee(&self, tenant: &TenantId, user: &UserId) -> Result<Addressee, Fault>;
}
