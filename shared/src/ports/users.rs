//! Users and what an administrator does to their number. Every write takes the events that the audit keeps of it, in the same transaction.

use super::{Failure, Fault, Page, PageRequest};
use crate::domain::audit::AuditEvent;
use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::Notice;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// How a write to a user ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserWrite {
    Done,
    /// Another user of the tenant has this identifier: `username`, `email`, `phone` or `subject`.
    Duplicate(&'static str),
    /// It would have left the user with nothing to sign in with.
    LastIdentifier,
    /// Somebody else has written the user since it was read, or is writing it: read again.
    Stale,
}

/// The users of a tenant. A user and its factor live and die together.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Writes the user, its factor and the owners of its identifiers, all or nothing. Never [`UserWrite::LastIdentifier`].
    async fn create_user(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<UserWrite, Fault>;

    /// Both in one read.
    async fn find_user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<(User, Factor)>, Fault>;

    /// Two reads, one after the other: a page of users, then their factors. Refuses a cursor that no page of this tenant gave.
    async fn list_users(
        &self,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Page<(User, Factor)>, Failure>;

    /// Whose identifier it is. `hash` is its keyed hash, `kind` one of [`crate::domain::identifier`]'s.
    async fn identifier_owner(
        &self,
        tenant: &TenantId,
        kind: &str,
        hash: &str,
    ) -> Result<Option<UserId>, Fault>;

    /// Makes `before`, as it was read, into `after`; owners of identifiers move along.
    async fn change_user(&self, before: &User, after: &User, event: &AuditEvent) -> Result<UserWrite, Fault>;

    /// Deletes the user, its owners, its factor and all its challenges, so that no login in flight can finish. `factor` as it was read
    /// with the user. First a read of the challenges, and one more transaction for each 100 of them that do not fit. Only `Done` or `Stale`.
    async fn delete_user(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<UserWrite, Fault>;
}

/// A user's factor, with the logins that have a code out.
#[derive(Clone, Debug)]
pub struct Binding {
    pub factor: Factor,
    /// Where the challenges are that a code could still complete: the store's own names.
    pub live_challenges: Vec<String>,
}

/// How a change of a number ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingWrite {
    Done,
    /// Another user of the tenant has the number.
    PhoneTaken,
    /// It would have left the user with nothing to sign in with.
    LastIdentifier,
    /// The factor has changed since it was read, or is being changed: read again.
    Stale,
}

/// What becomes of a user's number.
#[derive(Clone, Copy, Debug)]
pub struct NumberChange<'a> {
    /// The number from now on.
    pub phone: Option<&'a FactorPhone>,
    /// What the number that was bound is told.
    pub notice: Option<&'a Notice>,
    pub event: &'a AuditEvent,
}

/// Who is bound to what, with all that a change of it touches.
#[async_trait]
pub trait BindingReader: Send + Sync {
    /// `None`: no such user. `now` bounds how old a login can be that is still alive.
    async fn binding(
        &self,
        tenant: &TenantId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Option<Binding>, Fault>;
}

/// A change of a user's number from outside a login: by an administrator, or by the user who removes it.
#[async_trait]
pub trait BindingStore: BindingReader {
    /// Replaces the number of `seen`, moves its owner, clears the failures, leaves the notice and takes the code from every live challenge,
    /// all or nothing: no code that went to the old number completes anything afterwards.
    async fn change_number(
        &self,
        tenant: &TenantId,
        user: &UserId,
        seen: &Binding,
        change: &NumberChange<'_>,
    ) -> Result<BindingWrite, Fault>;
}
