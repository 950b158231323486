//! Storage of QR logins, each one item. Every step is one conditional write.

use super::Fault;
use super::limits::Reserved;
use crate::domain::audit::Provenance;
use crate::domain::ids::{ApplicationId, QrLoginId, UserId};
use crate::domain::qr_login::{QrLogin, QrStep};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// A step of the user who has scanned a QR login, or scans it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStep {
    Scan,
    /// `proven_at` is when this user had signed in on the device that approves.
    Approve {
        proven_at: Timestamp,
    },
    Reject,
}

impl UserStep {
    pub const fn kind(self) -> QrStep {
        match self {
            UserStep::Scan => QrStep::Scan,
            UserStep::Approve { .. } => QrStep::Approve,
            UserStep::Reject => QrStep::Reject,
        }
    }
}

/// Who takes a step, and when.
#[derive(Debug)]
pub struct StepBy<'a> {
    pub user: &'a UserId,
    /// For the audit of a decision.
    pub provenance: &'a Provenance,
    pub now: Timestamp,
}

/// What a login is made of, once.
#[derive(Debug)]
pub struct Spending<'a> {
    pub qr: &'a QrLoginId,
    pub secret_hash: &'a [u8; 32],
    pub application: &'a ApplicationId,
    pub user: &'a UserId,
    /// Drawn for this request, so that only the SDK's own retry of it repeats it.
    pub attempt: &'a str,
    pub now: Timestamp,
}

#[async_trait]
pub trait QrReader: Send + Sync {
    /// One strongly consistent GetItem.
    async fn qr_login(&self, qr: &QrLoginId) -> Result<Option<QrLogin>, Fault>;
}

#[async_trait]
pub trait QrStore: QrReader {
    /// Counts one more QR login of an address (a keyed hash) in this hour, if it has not had as many as it may.
    async fn count_qr_login(&self, address: &str, attempt: &str, now: Timestamp) -> Result<Reserved, Fault>;
    /// Puts a new one where nothing is.
    async fn put_qr_login(&self, qr: &QrLogin) -> Result<(), Fault>;
    /// Takes a step if it lives, is at the state that the step starts from, and nobody else has scanned it. `Err` holds it as it was where
    /// the condition did not hold.
    async fn step_qr_login(
        &self,
        qr: &QrLoginId,
        step: UserStep,
        by: &StepBy<'_>,
    ) -> Result<Result<QrLogin, Option<QrLogin>>, Fault>;
    /// Uses an approval up, if it lives and is this user's, this secret's and this application's. `false`: it isn't, or another request
    /// was quicker.
    async fn spend_qr_login(&self, spending: &Spending<'_>) -> Result<bool, Fault>;
}
