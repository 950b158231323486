//! Storage of logins, a verb for each step.

use super::{Failure, Fault, Page, PageRequest};
use crate::domain::application::Application;
use crate::domain::audit::{AuditEvent, Provenance, RefusedSend};
use crate::domain::challenge::{Challenge, Delivery, SendPlan, Undelivered};
use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::first_factor::Throttle;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::{ApplicationId, DeviceId, LoginId, QrLoginId, SourceId, TenantId, UserId};
use crate::domain::login::Purpose;
use crate::domain::qr_login::QrLogin;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::TrustedDevice;
use async_trait::async_trait;

/// Where one login's items are: everything that a step needs to reach its challenge without reading anything first.
#[derive(Clone, Copy, Debug)]
pub struct LoginKey<'a> {
    pub tenant: &'a TenantId,
    pub user: &'a UserId,
    pub login: &'a LoginId,
    pub started_at: Timestamp,
}

/// An identifier by its keyed hash.
#[derive(Clone, Debug)]
pub struct OwnerKey {
    /// `username`, `phone`, `email` or `subject`.
    pub kind: &'static str,
    pub hash: String,
}

/// What sign-in wants to read in one request. Absent parts are not read.
#[derive(Clone, Debug)]
pub struct SignInQuery<'a> {
    pub tenant: &'a TenantId,
    pub application: Option<&'a ApplicationId>,
    pub source: Option<&'a SourceId>,
    pub owner: Option<&'a OwnerKey>,
    pub user: Option<&'a UserId>,
    /// A trusted device of `user`.
    pub device: Option<&'a DeviceId>,
    pub qr: Option<&'a QrLoginId>,
    /// Throttles by subject (a keyed hash).
    pub throttles: Vec<&'a str>,
}

/// What was there.
#[derive(Debug, Default)]
pub struct SignInFacts {
    pub tenant: Option<Tenant>,
    pub application: Option<Application>,
    pub source: Option<IdentitySource>,
    pub owner: Option<UserId>,
    pub user: Option<SignInUser>,
    pub factor: Option<Factor>,
    pub device: Option<TrustedDevice>,
    pub qr: Option<QrLogin>,
    /// By subject, in the order asked for; a subject without an item has failed nothing.
    pub throttles: Vec<Throttle>,
}

/// What sign-in needs of a user.
#[derive(Debug)]
pub struct SignInUser {
    pub id: UserId,
    pub password_hash: Option<String>,
    pub locale: Option<String>,
}

#[async_trait]
pub trait SignInStore: Send + Sync {
    /// One strongly consistent BatchGetItem over both tables.
    async fn sign_in_facts(&self, query: &SignInQuery<'_>) -> Result<SignInFacts, Fault>;
    /// Writes one more failed first factor of a subject.
    /// `seen` is the throttle as it was read: a count that is out of date starts afresh.
    async fn count_failed_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        now: Timestamp,
    ) -> Result<(), Fault>;
    /// Counts a try of a subject as failed before it is judged, in ONE write, if nobody else has since `seen`. `attempt` is its own, by
    /// which a lost answer is recognised. `false`: another was counted.
    async fn charge_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        attempt: &str,
        now: Timestamp,
    ) -> Result<bool, Fault>;
    /// Puts back what was charged for a try that was right, unless another was counted since.
    async fn uncharge_first_factor(&self, subject: &str, seen: Throttle, attempt: &str) -> Result<(), Fault>;
}

#[async_trait]
pub trait LoginStateStore: Send + Sync {
    /// The factor and this login's challenge; one strongly consistent BatchGetItem.
    async fn login_state(&self, key: LoginKey<'_>) -> Result<(Option<Factor>, Option<Challenge>), Fault>;
}

#[async_trait]
pub trait FactorStore: Send + Sync {
    /// A user's factor; one strongly consistent GetItem.
    async fn factor(&self, tenant: &TenantId, user: &UserId) -> Result<Option<Factor>, Fault>;
}

/// What `/phone` decides on.
#[derive(Debug)]
pub struct BindFacts {
    pub factor: Option<Factor>,
    pub challenge: Option<Challenge>,
    /// Whom the number belongs to.
    pub owner: Option<UserId>,
}

#[async_trait]
pub trait BindStore: Send + Sync {
    /// One strongly consistent BatchGetItem over both tables. `number` is the one that is asked for, where it is one.
    async fn bind_facts(&self, key: LoginKey<'_>, number: Option<&OwnerKey>) -> Result<BindFacts, Fault>;
    /// Sets the number asked for and takes away any code and its guesses, in one write, at most `max_changes` times a login.
    /// `Err` holds the challenge as it was where the condition did not hold.
    async fn ask_for_number(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        max_attempts: u8,
        max_changes: u8,
    ) -> Result<Result<Challenge, Option<Challenge>>, Fault>;
}

/// What sending decides on.
#[derive(Debug)]
pub struct SendFacts {
    pub factor: Option<Factor>,
    pub challenge: Option<Challenge>,
    /// Challenges of the same user's other logins that started within a login's life.
    pub others: Vec<Challenge>,
}

/// A send that is about to be reserved.
#[derive(Debug)]
pub struct Reservation<'a> {
    pub plan: &'a SendPlan,
    pub factor: &'a Factor,
    /// The challenge that the plan was made from.
    pub seen: Option<&'a Challenge>,
    pub max_attempts: u8,
    /// Pepper, nonce and MAC of the code; those of the plan's `again` on a resend.
    pub pepper: &'a str,
    pub nonce: [u8; 16],
    pub mac: [u8; 32],
    /// Hash of the `Idempotency-Key`.
    pub idempotency: Option<&'a str>,
    pub now: Timestamp,
}

/// What became of a send that was reserved.
#[derive(Debug)]
pub struct SettledSend<'a> {
    /// How many sends its login has had with it.
    pub sends: u8,
    pub delivery: Delivery,
    /// Why, where it failed.
    pub undelivered: Option<Undelivered>,
    /// When the next may follow.
    pub resend_at: Timestamp,
    /// Hash of its `Idempotency-Key`, where that may be used again.
    pub free: Option<&'a str>,
    /// The rule that refused it.
    pub refused: Option<&'a RefusedSend>,
}

#[async_trait]
pub trait SendStore: Send + Sync {
    /// One strongly consistent Query: the factor, this login's challenge and the recent others stand next to each other.
    async fn send_facts(&self, key: LoginKey<'_>) -> Result<SendFacts, Fault>;
    /// Writes factor and challenge in one transaction, if both still are as they were read. `None`: they aren't.
    async fn reserve_send(
        &self,
        key: LoginKey<'_>,
        reservation: &Reservation<'_>,
    ) -> Result<Option<Challenge>, Fault>;
    /// Corrects what the reservation assumed: that the message was accepted, and when the next may follow. Does nothing if another
    /// send came after it. A refusal is counted in the same request.
    async fn settle_send(&self, key: LoginKey<'_>, settled: &SettledSend<'_>) -> Result<(), Fault>;
    /// Counts a refusal in the item of its user, rule and hour. The first of them is told in the audit.
    async fn count_refusal(&self, refused: &RefusedSend) -> Result<(), Fault>;
}

/// One guess.
#[derive(Debug)]
pub struct Guess<'a> {
    /// Its MAC under each pepper that is in use: which of them the code was made with is only known after the write.
    pub macs: &'a [[u8; 32]],
    /// Drawn for this request, so that only the SDK's own retry of it repeats it.
    pub attempt: &'a str,
    pub max_attempts: u8,
    pub now: Timestamp,
    /// This and the rest for the audit.
    pub purpose: Purpose,
    pub application: &'a ApplicationId,
    pub provenance: &'a Provenance,
}

/// What became of a guess.
#[derive(Debug)]
pub enum Charged {
    /// Counted and recorded: it may now be compared with the code's MAC.
    Judged(Challenge),
    /// Refused, not counted; with the challenge as it was. `None`: nothing was ever asked or sent.
    Refused(Option<Challenge>),
}

/// Why a bind was not committed.
#[derive(Debug, PartialEq, Eq)]
pub enum BindRefused {
    /// The number belongs to somebody else by now.
    Taken,
    /// The user has a number by now, or is gone.
    FactorChanged,
    /// Another request with the same code was first.
    Completed,
    /// Another number was asked for meanwhile: this code binds nothing.
    NumberChanged,
}

#[async_trait]
pub trait VerifyStore: Send + Sync {
    /// Charges the guess and records it in ONE write, whatever the outcome.
    async fn charge_guess(&self, key: LoginKey<'_>, guess: &Guess<'_>) -> Result<Charged, Fault>;
    /// How the login stands, where there is nothing to judge: a write that is always refused, since who verifies may not read.
    async fn look(&self, key: LoginKey<'_>) -> Result<Option<Challenge>, Fault>;
    /// Adds one to the user's failures, for a guess that was wrong.
    async fn count_failure(&self, key: LoginKey<'_>, guess: &Guess<'_>) -> Result<(), Fault>;
    /// Sets the user's failures to zero.
    async fn clear_failures(&self, tenant: &TenantId, user: &UserId) -> Result<(), Fault>;
    /// One transaction: the number's owner, the user's factor, the challenge `completed`, the event; and the user's recovery codes, where
    /// there are to be any, in the place of all that a number of before left.
    async fn commit_bind(
        &self,
        key: LoginKey<'_>,
        phone: &FactorPhone,
        mac: &[u8; 32],
        recovery: Option<&[[u8; 32]]>,
        now: Timestamp,
        event: &AuditEvent,
    ) -> Result<Result<(), BindRefused>, Fault>;
    /// Takes the number that could not be bound and its code away, so that another can be asked for.
    async fn forget_number(&self, key: LoginKey<'_>, phone: &FactorPhone)
    -> Result<Option<Challenge>, Fault>;
}

#[async_trait]
pub trait SupportStore: Send + Sync {
    /// A user's challenges, newest first; one Query. A cursor that this list did not give out is refused.
    async fn challenges(
        &self,
        tenant: &TenantId,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<Challenge>, Failure>;
}
