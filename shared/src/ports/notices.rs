//! Notices: who is addressed how, and the messages that wait to be sent.

use super::Fault;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::{Addressee, Notice};
use crate::domain::test_number::Scenario;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeMap;

#[async_trait]
pub trait Addressees: Send + Sync {
    /// How this user of this tenant is addressed, and the tenant's test numbers, which nothing is sent to; one BatchGetItem. What isn't
    /// there is left empty.
    async fn addressee(&self, tenant: &TenantId, user: &UserId) -> Result<Addressed, Fault>;
}

/// See [`Addressees`].
#[derive(Clone, Debug, Default)]
pub struct Addressed {
    pub addressee: Addressee,
    pub test_numbers: BTreeMap<String, Scenario>,
}

/// Where a notice waits, in the words of the storage that has it: its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticePlace {
    pub partition: String,
    pub sort: String,
}

/// A notice that one sender has to itself.
#[derive(Clone, Debug)]
pub struct ClaimedNotice {
    pub place: NoticePlace,
    pub notice: Notice,
    /// How often it was claimed, with this time.
    pub tries: u8,
}

#[async_trait]
pub trait NoticeQueue: Send + Sync {
    /// Some that nobody has claimed, the oldest first; one Query for each shard. Only for a process that no stream calls.
    async fn waiting(&self) -> Result<Vec<NoticePlace>, Fault>;
    /// Takes a notice for the sender of the random id `claim`. `None` where none waits: somebody else has it or had it, or the place is no
    /// notice's. One UpdateItem, which recognises its own retry by `claim`.
    async fn claim(
        &self,
        place: &NoticePlace,
        claim: &str,
        now: Timestamp,
    ) -> Result<Option<ClaimedNotice>, Fault>;
    /// Gives a notice back, to be claimed again, if this claim is still the one that stands.
    async fn release(&self, place: &NoticePlace, claim: &str) -> Result<(), Fault>;
    /// Ends a notice, if this claim is the one that stands.
    async fn finish(&self, place: &NoticePlace, claim: &str) -> Result<(), Fault>;
}
