//! Signing in by a QR code (acceptance F2): one browser asks, and a device that is signed in says yes or no.
//!
//! The code carries the login's id only. What was approved is worth something to who has the secret that the asking browser alone was given,
//! for the application that it asked for, once, and within [`QR_SECONDS`] of the asking. The first user who scans it is the only one who may
//! decide: a second pair of eyes on the same screen changes nothing any more.

use super::browser::Browser;
use super::ids::{ApplicationId, QrLoginId, UserId};
use super::refusal::Refusal;
use super::time::Timestamp;
use std::net::IpAddr;

/// How long a QR login lives in all, in seconds: scanned, decided and used.
pub const QR_SECONDS: u32 = 120;

/// How many QR logins one network may ask for in an hour. A whole office may be behind an address, and each costs two small writes.
pub const PER_IP_HOUR: u32 = 300;
/// The rule's name in a refusal.
pub const PER_IP_HOUR_RULE: &str = "qr_per_ip_hour";

/// A QR login, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrLogin {
    pub id: QrLoginId,
    pub application: ApplicationId,
    pub asked: Asked,
    /// SHA-256 of the secret that the asking browser has.
    pub secret_hash: [u8; 32],
    pub expires_at: Timestamp,
    pub state: QrState,
}

/// Who asks, for the eyes of who is to approve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// As it was called at that moment.
    pub application_name: String,
    /// The address that the gateway saw; none where a back end asked.
    pub address: Option<IpAddr>,
    pub browser: Option<Browser>,
    pub at: Timestamp,
}

/// How far a QR login has come, and with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QrState {
    Pending,
    Scanned {
        by: UserId,
    },
    /// `proven_at` is when the user who approved had signed in.
    Approved {
        by: UserId,
        proven_at: Timestamp,
    },
    Rejected {
        by: UserId,
    },
    /// A login has been made of it.
    Spent {
        by: UserId,
    },
}

/// What a user does about a QR login, and what its browser does at the end. Each leads from one state to one other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrStep {
    Scan,
    Approve,
    Reject,
    Spend,
}

/// The names of the states, which are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrStage {
    Pending,
    Scanned,
    Approved,
    Rejected,
    Spent,
}

/// The `status` of a QR login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrStatus {
    Pending,
    Scanned,
    Approved,
    Rejected,
    /// Its time is over, or it has been used.
    Expired,
}

impl QrStage {
    const ALL: [QrStage; 5] =
        [QrStage::Pending, QrStage::Scanned, QrStage::Approved, QrStage::Rejected, QrStage::Spent];

    pub const fn as_str(self) -> &'static str {
        match self {
            QrStage::Pending => "pending",
            QrStage::Scanned => "scanned",
            QrStage::Approved => "approved",
            QrStage::Rejected => "rejected",
            QrStage::Spent => "spent",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

impl QrStep {
    /// The only state that the step can be taken from.
    pub const fn from(self) -> QrStage {
        match self {
            QrStep::Scan => QrStage::Pending,
            QrStep::Approve | QrStep::Reject => QrStage::Scanned,
            QrStep::Spend => QrStage::Approved,
        }
    }

    pub const fn to(self) -> QrStage {
        match self {
            QrStep::Scan => QrStage::Scanned,
            QrStep::Approve => QrStage::Approved,
            QrStep::Reject => QrStage::Rejected,
            QrStep::Spend => QrStage::Spent,
        }
    }
}

impl QrState {
    pub const fn stage(&self) -> QrStage {
        match self {
            QrState::Pending => QrStage::Pending,
            QrState::Scanned { .. } => QrStage::Scanned,
            QrState::Approved { .. } => QrStage::Approved,
            QrState::Rejected { .. } => QrStage::Rejected,
            QrState::Spent { .. } => QrStage::Spent,
        }
    }

    /// The user who scanned it.
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            QrState::Pending => None,
            QrState::Scanned { by }
            | QrState::Approved { by, .. }
            | QrState::Rejected { by }
            | QrState::Spent { by } => Some(by),
        }
    }
}

impl QrStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            QrStatus::Pending => "pending",
            QrStatus::Scanned => "scanned",
            QrStatus::Approved => "approved",
            QrStatus::Rejected => "rejected",
            QrStatus::Expired => "expired",
        }
    }
}

impl QrLogin {
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    pub fn status(&self, now: Timestamp) -> QrStatus {
        match self.state {
            _ if self.is_over(now) => QrStatus::Expired,
            QrState::Pending => QrStatus::Pending,
            QrState::Scanned { .. } => QrStatus::Scanned,
            QrState::Approved { .. } => QrStatus::Approved,
            QrState::Rejected { .. } => QrStatus::Rejected,
            QrState::Spent { .. } => QrStatus::Expired,
        }
    }

    /// Why a step of a user, which the store's condition let not happen, did not. `Ok`: it has happened before, by the same user.
    pub fn judge(&self, step: QrStep, user: &UserId, now: Timestamp) -> Result<(), Refusal> {
        let stage = self.state.stage();
        if self.is_over(now) || stage == QrStage::Spent {
            return Err(Refusal::QrLoginExpired);
        }
        if self.state.user().is_some_and(|by| by != user) {
            return Err(Refusal::Forbidden("somebody else has scanned this code"));
        }
        if stage == step.to() {
            return Ok(());
        }
        Err(match stage {
            QrStage::Pending => Refusal::NotPossible("the code has to be scanned first"),
            QrStage::Scanned | QrStage::Approved | QrStage::Rejected | QrStage::Spent => {
                Refusal::NotPossible("it has been decided already")
            }
        })
    }

    /// Whom the browser that shows the secret may sign in, and when that user had proven who it is.
    pub fn approved(
        &self,
        application: &ApplicationId,
        now: Timestamp,
    ) -> Result<(&UserId, Timestamp), Refusal> {
        if self.application != *application {
            return Err(Refusal::Forbidden("the QR code was asked for by another application"));
        }
        match &self.state {
            _ if self.is_over(now) => Err(Refusal::QrLoginExpired),
            QrState::Spent { .. } => Err(Refusal::QrLoginExpired),
            QrState::Approved { by, proven_at } => Ok((by, *proven_at)),
            QrState::Pending | QrState::Scanned { .. } | QrState::Rejected { .. } => {
                Err(Refusal::QrLoginNotApproved)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TenantId;

    const T0: Timestamp = Timestamp::from_secs(1000);
    const LAST: Timestamp = Timestamp::from_millis(1_119_999);
    const END: Timestamp = Timestamp::from_secs(1120);

    fn user(seed: u8) -> UserId {
        UserId::generate(|b| b.fill(seed))
    }

    fn application(seed: u8) -> ApplicationId {
        ApplicationId::generate(&TenantId::generate(|b| b.fill(1)), |b| b.fill(seed))
    }

    fn login(state: QrState) -> QrLogin {
        QrLogin {
            id: QrLoginId::generate(&TenantId::generate(|b| b.fill(1)), |b| b.fill(1)),
            application: application(1),
            asked: Asked { application_name: "Shop".into(), address: None, browser: None, at: T0 },
            secret_hash: [0; 32],
            expires_at: T0.plus_secs(QR_SECONDS),
            state,
        }
    }

    fn states() -> [QrState; 5] {
        [
            QrState::Pending,
            QrState::Scanned { by: user(1) },
            QrState::Approved { by: user(1), proven_at: T0 },
            QrState::Rejected { by: user(1) },
            QrState::Spent { by: user(1) },
        ]
    }

    #[test]
    fn f2_each_step_leads_from_one_state_to_one_other() {
        for stage in QrStage::ALL {
            assert_eq!(QrStage::parse(stage.as_str()), Some(stage));
        }
        for step in [QrStep::Scan, QrStep::Approve, QrStep::Reject, QrStep::Spend] {
            assert_ne!(step.from(), step.to());
        }
        let names: Vec<_> = states().map(|state| login(state).status(T0).as_str()).into();
        assert_eq!(
            names,
            ["pending", "scanned", "approved", "rejected", "expired"],
            "spent shows as expired"
        );
    }

    #[test]
    fn f2_it_ends_after_two_minutes_whatever_its_state() {
        for state in states() {
            let login = login(state);
            assert_eq!(login.status(END), QrStatus::Expired);
            for step in [QrStep::Scan, QrStep::Approve, QrStep::Reject] {
                assert_eq!(login.judge(step, &user(1), END), Err(Refusal::QrLoginExpired));
            }
            assert_eq!(login.approved(&application(1), END), Err(Refusal::QrLoginExpired));
        }
        let approved = login(QrState::Approved { by: user(1), proven_at: T0 });
        assert_eq!(approved.status(LAST), QrStatus::Approved);
        assert!(approved.approved(&application(1), LAST).is_ok());
    }

    #[test]
    fn f2_only_who_scanned_it_may_decide_and_once() {
        let forbidden = |result: Result<(), Refusal>| matches!(result, Err(Refusal::Forbidden(_)));
        let impossible = |result: Result<(), Refusal>| matches!(result, Err(Refusal::NotPossible(_)));
        let judge = |at: usize, step, who| login(states()[at].clone()).judge(step, &user(who), T0);
        for at in 1..4 {
            for step in [QrStep::Scan, QrStep::Approve, QrStep::Reject] {
                assert!(forbidden(judge(at, step, 2)), "{at} {step:?}");
            }
        }
        assert!(impossible(judge(0, QrStep::Approve, 1)) && impossible(judge(0, QrStep::Reject, 1)));
        assert!(impossible(judge(2, QrStep::Reject, 1)) && impossible(judge(3, QrStep::Approve, 1)));
        assert!(impossible(judge(2, QrStep::Scan, 1)) && impossible(judge(3, QrStep::Scan, 1)));
        for (at, step) in [(1, QrStep::Scan), (2, QrStep::Approve), (3, QrStep::Reject)] {
            assert_eq!(judge(at, step, 1), Ok(()), "said before");
        }
        assert_eq!(judge(4, QrStep::Approve, 1), Err(Refusal::QrLoginExpired));
    }

    #[test]
    fn f2_only_what_was_approved_signs_in_and_only_where_it_was_asked_for() {
        for (at, refused) in [
            (0, Refusal::QrLoginNotApproved),
            (1, Refusal::QrLoginNotApproved),
            (3, Refusal::QrLoginNotApproved),
            (4, Refusal::QrLoginExpired),
        ] {
            assert_eq!(login(states()[at].clone()).approved(&application(1), T0), Err(refused));
        }
        let approved = login(states()[2].clone());
        assert_eq!(approved.approved(&application(1), T0), Ok((&user(1), T0)));
        assert!(matches!(approved.approved(&application(2), T0), Err(Refusal::Forbidden(_))));
    }
}
