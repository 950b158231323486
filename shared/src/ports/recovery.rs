//! Recovery codes: their keyed hashes, and where those are kept.

use super::login::{Charged, LoginKey, VerifyStore};
use super::{BindingReader, Fault};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::login::Purpose;
use crate::domain::notice::Notice;
use crate::domain::recovery::{RecoveryCode, RecoveryEffect};
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Keyed hashes of recovery codes. The user goes into each, so that one user's is nothing in another's place.
pub trait RecoveryMacs: Send + Sync {
    /// As it is kept: under the current pepper.
    fn mac(&self, tenant: &TenantId, user: &UserId, code: &RecoveryCode) -> [u8; 32];
    /// Of a code that somebody gives: under every pepper in the ring, since it may have been made under any.
    fn guess_macs(&self, tenant: &TenantId, user: &UserId, code: &RecoveryCode) -> Vec<[u8; 32]>;
}

/// An attempt with a recovery code, which the login pays for as it does for a guess.
#[derive(Debug)]
pub struct RecoveryAttempt<'a> {
    pub purpose: Purpose,
    /// Drawn for this request, so that only the SDK's own retry of it repeats it.
    pub id: &'a str,
    pub max_attempts: u8,
    pub now: Timestamp,
}

/// A recovery code about to be used up.
#[derive(Debug)]
pub struct RecoveryUse<'a> {
    /// Its MAC under each pepper in the ring.
    pub macs: &'a [[u8; 32]],
    pub effect: RecoveryEffect,
    /// `None` where no number is bound that could be told.
    pub notice: Option<&'a Notice>,
    pub event: &'a AuditEvent,
    pub now: Timestamp,
}

/// Why a recovery code did nothing. It is still good, if it ever was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryRefused {
    /// The user has no such code, or not any more.
    Unknown,
    /// Another request has completed the login, or proven the old number.
    Overtaken,
}

#[async_trait]
pub trait RecoveryStore: VerifyStore + BindingReader {
    /// Charges an attempt to a login in ONE write, before anything is compared; a login that nothing was sent in yet gets its item by it.
    async fn charge_recovery(
        &self,
        key: LoginKey<'_>,
        attempt: &RecoveryAttempt<'_>,
    ) -> Result<Charged, Fault>;
    /// One transaction: the code is taken from the user's, the login moves on, the user is told, and the audit keeps it.
    async fn use_recovery_code(
        &self,
        key: LoginKey<'_>,
        code: &RecoveryUse<'_>,
    ) -> Result<Result<(), RecoveryRefused>, Fault>;
    /// Keeps in the audit, in one transaction, that a code was no code of the user's, and what comes of it. Only then its sender hears so.
    async fn keep_rejection(&self, events: &[AuditEvent]) -> Result<(), Fault>;
}

/// New codes, and what has to hold for them to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Renewal<'a> {
    pub macs: &'a [[u8; 32]],
    /// The number that is bound was bound before this: the login that asks has proven it, or knew of it.
    pub number_before: Timestamp,
    /// `None`: the login proved the number, which has to be bound still. Else the codes that are there were made before this, if there are any.
    pub made_before: Option<Timestamp>,
    pub event: &'a AuditEvent,
}

/// Why codes were not made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalRefused {
    /// There is no such user any more.
    NoUser,
    /// The number is another one, or gone; or the codes are too new for a login that proved no number.
    NotProven,
}

#[async_trait]
pub trait OwnRecoveryStore: Send + Sync {
    /// One strongly consistent read.
    async fn tenant_of_codes(&self, tenant: &TenantId) -> Result<Option<Tenant>, Fault>;
    /// Puts new codes in the place of all that the user has, in one transaction.
    async fn replace_recovery_codes(
        &self,
        tenant: &TenantId,
        user: &UserId,
        renewal: &Renewal<'_>,
    ) -> Result<Result<(), RenewalRefused>, Fault>;
}
