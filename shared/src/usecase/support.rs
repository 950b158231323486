//! The support view: why did this user get no code? States, times, the masked number and what the provider said; never a code.

use crate::domain::challenge::Challenge;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::login::SupportStore;
use crate::ports::{Clock, Failure, Page, PageRequest};
use std::sync::Arc;

/// Reads a user's challenges of the last 72 hours.
#[derive(Clone)]
pub struct SupportView {
    pub store: Arc<dyn SupportStore>,
    pub clock: Arc<dyn Clock>,
}

impl SupportView {
    /// Newest first, with the moment they were read at.
    pub async fn challenges(
        &self,
        tenant: &TenantId,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<(Page<Challenge>, Timestamp), Failure> {
        let page = self.store.challenges(tenant, user, page).await?;
        Ok((page, self.clock.now()))
    }
}
