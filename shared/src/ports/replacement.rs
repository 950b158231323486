//! Storage of logins that put another number in the place of the bound one.

use super::login::{LoginKey, OwnerKey};
use super::{Binding, BindingReader, Fault, NumberChange};
use crate::domain::application::Application;
use crate::domain::challenge::Challenge;
use crate::domain::factor::Factor;
use crate::domain::ids::{ApplicationId, UserId};
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// What asking for another number decides on.
#[derive(Debug, Default)]
pub struct AskFacts {
    pub tenant: Option<Tenant>,
    pub application: Option<Application>,
    pub factor: Option<Factor>,
    pub locale: Option<String>,
    /// Whom the number belongs to.
    pub owner: Option<UserId>,
    /// When the user's logins started that asked for a number within a login's life.
    pub asked: Vec<Timestamp>,
}

#[async_trait]
pub trait AskStore: Send + Sync {
    /// Two reads at once: a BatchGetItem over both tables, and a Query, since a list of logins can't be batched.
    async fn ask_facts(
        &self,
        application: &ApplicationId,
        user: &UserId,
        number: &OwnerKey,
        now: Timestamp,
    ) -> Result<AskFacts, Fault>;
    /// Writes the challenge of a login that has just begun, with the number that it asks for.
    async fn begin_replacement(&self, key: LoginKey<'_>, challenge: &Challenge) -> Result<(), Fault>;
}

/// Why a number was not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceRefused {
    /// The number belongs to somebody else by now.
    Taken,
    /// Something of the user's has changed since it was read: read again.
    Stale,
    /// Another request with the same code was first.
    Completed,
    /// The code that was judged is no longer the one that is out.
    CodeChanged,
}

#[async_trait]
pub trait ReplaceStore: BindingReader {
    /// Marks the old number as proven and takes its code away, in one write. `None`: the code that was judged is no longer the one that is
    /// out. A number that another request has proven meanwhile is proven.
    async fn prove_old_number(
        &self,
        key: LoginKey<'_>,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Challenge>, Fault>;
    /// One transaction: all of `change`, and the challenge `completed` if the code with this MAC was its right guess.
    async fn commit_replacement(
        &self,
        key: LoginKey<'_>,
        seen: &Binding,
        change: &NumberChange<'_>,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<Result<(), ReplaceRefused>, Fault>;
}
