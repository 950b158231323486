//! Storage of what authorization codes are exchanged for, and what a client may learn of a user.

use super::Fault;
use crate::domain::factor::Factor;
use crate::domain::ids::{GrantId, LoginId, TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// A code that is being exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    pub tenant: &'a TenantId,
    pub grant: &'a GrantId,
    pub login: &'a LoginId,
    /// Drawn for this request, so that only the SDK's own retry of it repeats it.
    pub attempt: &'a str,
    pub now: Timestamp,
}

/// What became of a redemption.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    First,
    /// The code was exchanged before.
    Again,
}

#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Takes a code, if nobody has. One write, which decides.
    async fn redeem(&self, redemption: Redemption<'_>) -> Result<Redeemed, Fault>;
    /// Voids what a code was exchanged for. Nothing, where it never was.
    async fn void(&self, tenant: &TenantId, grant: &GrantId, now: Timestamp) -> Result<(), Fault>;
}

#[async_trait]
pub trait GrantReader: Send + Sync {
    /// Whether the tokens of a grant still hold: it exists and was not voided. One strongly consistent GetItem.
    async fn grant_holds(&self, tenant: &TenantId, grant: &GrantId) -> Result<bool, Fault>;
}

/// What the claims about a user are made of.
#[derive(Debug)]
pub struct ClaimFacts {
    pub grant_holds: bool,
    /// `None` for one who was deleted.
    pub user: Option<(User, Factor)>,
}

#[async_trait]
pub trait ClaimReader: Send + Sync {
    /// A grant and its user; one strongly consistent BatchGetItem over both tables.
    async fn claim_facts(
        &self,
        tenant: &TenantId,
        user: &UserId,
        grant: &GrantId,
    ) -> Result<ClaimFacts, Fault>;
}
