//! QR logins: which step may be taken from where, by whom and until when, and what a refused one leaves.

use crate::{Engine, Stage, at, fresh};
use shared::domain::audit::Provenance;
use shared::domain::browser::Browser;
use shared::domain::ids::{ApplicationId, QrLoginId, UserId};
use shared::domain::qr_login::{Asked, PER_IP_HOUR, QR_SECONDS, QrLogin, QrState};
use shared::domain::time::Timestamp;
use shared::dynamodb::keys;
use shared::ports::limits::Reserved;
use shared::ports::qr_login::{QrReader, QrStore, Spending, StepBy, UserStep};

const SECRET: [u8; 32] = [7; 32];
const NOBODY: &Provenance = &Provenance { client_ip: None, request_id: None };
const APPROVE: UserStep = UserStep::Approve { proven_at: Timestamp::from_millis(4_102_494_400_000) };

impl Stage {
    /// One that was asked for at the start.
    async fn asked(&self) -> QrLogin {
        let qr = QrLogin {
            id: QrLoginId::generate(&self.tenant, fresh()),
            application: ApplicationId::generate(&self.tenant, fresh()),
            asked: Asked {
                application_name: "Shop".into(),
                address: "192.0.2.7".parse().ok(),
                browser: Browser::of_parts(Some("Firefox"), None),
                at: at(0),
            },
            secret_hash: SECRET,
            expires_at: at(QR_SECONDS),
            state: QrState::Pending,
        };
        self.store.put_qr_login(&qr).await.unwrap();
        qr
    }

    async fn kept(&self, qr: &QrLogin) -> QrLogin {
        self.store.qr_login(&qr.id).await.unwrap().unwrap()
    }

    async fn take(
        &self,
        qr: &QrLogin,
        step: UserStep,
        user: &UserId,
        now: Timestamp,
    ) -> Result<QrState, Option<QrState>> {
        let by = StepBy { user, provenance: NOBODY, now };
        let outcome = self.store.step_qr_login(&qr.id, step, &by).await.unwrap();
        outcome.map(|qr| qr.state).map_err(|old| old.map(|old| old.state))
    }

    async fn spend_qr(&self, spending: Spending<'_>) -> bool {
        self.store.spend_qr_login(&spending).await.unwrap()
    }

    /// One that the user of the stage has approved.
    async fn approved(&self) -> QrLogin {
        let qr = self.asked().await;
        self.take(&qr, UserStep::Scan, &self.user, at(1)).await.unwrap();
        self.take(&qr, APPROVE, &self.user, at(2)).await.unwrap();
        qr
    }
}

fn spending<'a>(qr: &'a QrLogin, user: &'a UserId, attempt: &'a str, now: Timestamp) -> Spending<'a> {
    Spending { qr: &qr.id, secret_hash: &SECRET, application: &qr.application, user, attempt, now }
}

contract!(
    f2_what_is_asked_for_is_read_as_it_was_put_and_never_put_over_another,
    f2_a_step_is_taken_once_from_its_own_state_and_before_the_end,
    f2_the_first_who_scans_is_the_only_one_who_decides,
    f2_an_approval_is_spent_once_by_its_own_browser_application_and_user,
    f2_a_lost_answer_is_recognised_when_an_approval_is_spent,
    f2_an_address_asks_for_so_many_an_hour,
);

async fn f2_what_is_asked_for_is_read_as_it_was_put_and_never_put_over_another(stage: Stage) {
    let qr = stage.asked().await;
    assert_eq!(stage.kept(&qr).await, qr);
    stage.store.put_qr_login(&qr).await.expect("its own lost answer");
    let other = QrLogin { secret_hash: [8; 32], ..qr.clone() };
    assert!(stage.store.put_qr_login(&other).await.is_err());
    assert_eq!(stage.kept(&qr).await, qr);
    let bare = QrLogin {
        id: QrLoginId::generate(&stage.tenant, fresh()),
        asked: Asked { address: None, browser: None, ..qr.asked.clone() },
        ..qr
    };
    stage.store.put_qr_login(&bare).await.unwrap();
    assert_eq!(stage.kept(&bare).await, bare);
    let unknown = QrLogin { id: QrLoginId::generate(&stage.tenant, fresh()), ..bare };
    assert_eq!(stage.store.qr_login(&unknown.id).await.unwrap(), None);
    for step in [UserStep::Scan, APPROVE, UserStep::Reject] {
        assert_eq!(
            stage.take(&unknown, step, &stage.user, at(1)).await,
            Err(None),
            "nothing is made by a step"
        );
    }
    assert!(stage.item(&keys::qr_login(&qr_key(&unknown))).await.is_none());
}

fn qr_key(qr: &QrLogin) -> QrLoginId {
    qr.id.clone()
}

async fn f2_a_step_is_taken_once_from_its_own_state_and_before_the_end(stage: Stage) {
    let me = &stage.user;
    let qr = stage.asked().await;
    for step in [APPROVE, UserStep::Reject] {
        assert_eq!(stage.take(&qr, step, me, at(1)).await, Err(Some(QrState::Pending)), "not scanned yet");
    }
    assert!(!stage.spend_qr(spending(&qr, me, "a", at(1))).await);
    let scanned = QrState::Scanned { by: me.clone() };
    assert_eq!(
        stage.take(&qr, UserStep::Scan, me, at(QR_SECONDS)).await,
        Err(Some(QrState::Pending)),
        "at the end"
    );
    let last = Timestamp::from_millis(at(QR_SECONDS).millis() - 1);
    assert_eq!(stage.take(&qr, UserStep::Scan, me, last).await, Ok(scanned.clone()));
    assert_eq!(
        stage.take(&qr, UserStep::Scan, me, last).await,
        Err(Some(scanned.clone())),
        "scanned already"
    );
    for step in [APPROVE, UserStep::Reject] {
        assert_eq!(stage.take(&qr, step, me, at(QR_SECONDS)).await, Err(Some(scanned.clone())), "at the end");
    }
    assert_eq!(stage.take(&qr, UserStep::Reject, me, last).await, Ok(QrState::Rejected { by: me.clone() }));
    for step in [UserStep::Scan, APPROVE, UserStep::Reject] {
        assert_eq!(stage.take(&qr, step, me, last).await, Err(Some(QrState::Rejected { by: me.clone() })));
    }
    assert!(!stage.spend_qr(spending(&qr, me, "a", at(1))).await);

    let qr = stage.approved().await;
    let UserStep::Approve { proven_at } = APPROVE else { unreachable!() };
    let approved = QrState::Approved { by: me.clone(), proven_at };
    for step in [UserStep::Scan, APPROVE, UserStep::Reject] {
        assert_eq!(stage.take(&qr, step, me, at(3)).await, Err(Some(approved.clone())));
    }
}

async fn f2_the_first_who_scans_is_the_only_one_who_decides(stage: Stage) {
    let other = UserId::generate(fresh());
    let qr = stage.asked().await;
    stage.take(&qr, UserStep::Scan, &stage.user, at(1)).await.unwrap();
    let scanned = QrState::Scanned { by: stage.user.clone() };
    for step in [UserStep::Scan, APPROVE, UserStep::Reject] {
        assert_eq!(stage.take(&qr, step, &other, at(1)).await, Err(Some(scanned.clone())));
    }
    assert_eq!(stage.kept(&qr).await.state, scanned);
}

async fn f2_an_approval_is_spent_once_by_its_own_browser_application_and_user(stage: Stage) {
    let me = &stage.user;
    let qr = stage.approved().await;
    let (other_user, other_application) =
        (UserId::generate(fresh()), ApplicationId::generate(&stage.tenant, fresh()));
    let right = || spending(&qr, me, "a", at(3));
    assert!(!stage.spend_qr(Spending { secret_hash: &[8; 32], ..right() }).await);
    assert!(!stage.spend_qr(Spending { application: &other_application, ..right() }).await);
    assert!(!stage.spend_qr(Spending { user: &other_user, ..right() }).await);
    assert!(!stage.spend_qr(Spending { now: at(QR_SECONDS), ..right() }).await);
    assert!(stage.spend_qr(right()).await);
    assert!(!stage.spend_qr(Spending { attempt: "b", ..right() }).await, "it was spent");
    let spent = QrState::Spent { by: me.clone() };
    assert_eq!(stage.take(&qr, APPROVE, me, at(3)).await, Err(Some(spent)));
}

async fn f2_a_lost_answer_is_recognised_when_an_approval_is_spent(stage: Stage) {
    let qr = stage.approved().await;
    for _ in 0..2 {
        assert!(stage.spend_qr(spending(&qr, &stage.user, "a", at(3))).await);
    }
    assert!(!stage.spend_qr(spending(&qr, &stage.user, "b", at(3))).await);
}

async fn f2_an_address_asks_for_so_many_an_hour(stage: Stage) {
    let subject = stage.user.as_str();
    let count = async |attempt: &str, now| stage.store.count_qr_login(subject, attempt, now).await.unwrap();
    for n in 0..PER_IP_HOUR {
        assert!(matches!(count(&format!("{n}"), at(1)).await, Reserved::Granted { .. }), "{n}");
    }
    let last = format!("{}", PER_IP_HOUR - 1);
    assert!(matches!(count(&last, at(1)).await, Reserved::Granted { .. }), "its own lost answer");
    let refused = Reserved::Refused { rule: "qr_per_ip_hour", retry_at: at(3600) };
    assert_eq!(count("one more", at(2)).await, refused);
    assert!(matches!(count("the next hour", at(3600)).await, Reserved::Granted { .. }));
}
