//! Recovery codes: what is charged before one is compared, and what its transaction decides.

use crate::{Engine, RIGHT, Stage, at, fresh, judged, phone, refused};
use shared::domain::audit::{Actor, AuditEvent, AuditedChange, Provenance};
use shared::domain::challenge::Challenge;
use shared::domain::factor::Factor;
use shared::domain::ids::{ApplicationId, EventId, LoginId, UserId};
use shared::domain::login::Purpose;
use shared::domain::recovery::RecoveryEffect;
use shared::domain::user::User;
use shared::dynamodb::keys;
use shared::ports::UserStore;
use shared::ports::login::{Charged, LoginKey, VerifyStore};
use shared::ports::recovery::{
    OwnRecoveryStore, RecoveryAttempt, RecoveryRefused, RecoveryStore, RecoveryUse, Renewal, RenewalRefused,
};
use shared::ports::replacement::AskStore;
use std::collections::BTreeMap;

const ONE: [u8; 32] = [11; 32];
const TWO: [u8; 32] = [12; 32];
const NONE: [u8; 32] = [13; 32];

impl Stage {
    pub fn event(&self) -> AuditEvent {
        let application = ApplicationId::generate(&self.tenant, fresh());
        AuditedChange::recovery_code_used(&self.user, &application, &self.login, Purpose::SignIn).by(
            Actor::User(self.user.clone()),
            Provenance::default(),
            self.tenant.clone(),
            at(1),
            EventId::generate(fresh()),
        )
    }

    /// Makes codes by a login that knows the numbers bound before, and by codes made before where it proved no number; in seconds after the start.
    async fn renew(
        &self,
        user: &UserId,
        macs: &[[u8; 32]],
        number_before: u32,
        made_before: Option<u32>,
    ) -> Result<(), RenewalRefused> {
        let event = &self.event();
        let (number_before, made_before) = (at(number_before), made_before.map(at));
        let renewal = Renewal { macs, number_before, made_before, event };
        self.store.replace_recovery_codes(&self.tenant, user, &renewal).await.unwrap()
    }

    async fn has_codes(&self, macs: &[[u8; 32]]) -> bool {
        self.renew(&self.user, macs, 1, Some(2)).await.is_ok()
    }

    async fn charge(&self, key: LoginKey<'_>, purpose: Purpose, id: &str) -> Charged {
        let attempt = RecoveryAttempt { purpose, id, max_attempts: 5, now: at(1) };
        self.store.charge_recovery(key, &attempt).await.unwrap()
    }

    async fn spend(
        &self,
        key: LoginKey<'_>,
        macs: &[[u8; 32]],
        effect: RecoveryEffect,
    ) -> Result<(), RecoveryRefused> {
        let event = self.event();
        let code = RecoveryUse { macs, effect, notice: None, event: &event, now: at(2) };
        self.store.use_recovery_code(key, &code).await.unwrap()
    }

    /// Charges another login of the user and uses a code in it.
    async fn spend_elsewhere(&self, macs: &[[u8; 32]]) -> Result<(), RecoveryRefused> {
        let login = LoginId::generate(fresh());
        let key = LoginKey { login: &login, ..self.key() };
        judged(self.charge(key, Purpose::SignIn, "elsewhere").await);
        self.spend(key, macs, RecoveryEffect::Completes).await
    }

    async fn codes_left(&self) -> usize {
        let item = self.item(&keys::recovery(&self.tenant, &self.user)).await;
        item.and_then(|item| item.get("hashes").map(|all| all.as_bs().unwrap().len())).unwrap_or(0)
    }
}

contract!(
    h7_an_attempt_is_charged_where_nothing_was_sent_and_up_to_the_cap,
    h7_a_code_is_taken_once_whichever_pepper_it_is_of,
    h7_a_login_that_is_complete_takes_no_code,
    h7_a_login_whose_messages_code_was_given_takes_none,
    h7_codes_of_nobody_are_not_kept,
    h7_codes_are_made_anew_by_who_knows_the_number_and_not_by_their_own_kind_at_once,
    h7_a_deletion_does_not_miss_codes_that_are_made_beside_it,
    h7_a_code_proves_the_old_number_once,
    h7_a_bind_replaces_the_codes_or_leaves_them,
);

async fn h7_an_attempt_is_charged_where_nothing_was_sent_and_up_to_the_cap(stage: Stage) {
    let charge = |id: &'static str| stage.charge(stage.key(), Purpose::SignIn, id);
    let first = judged(charge("a").await);
    assert_eq!((first.attempts, first.sends, first.code), (1, 0, None));
    assert_eq!(judged(charge("a").await).attempts, 1, "its own lost answer");
    for id in ["b", "c", "d", "e"] {
        judged(charge(id).await);
    }
    assert_eq!(refused(charge("f").await).unwrap().attempts, 5);
    assert_eq!(stage.state().await.0.failures, 0, "the number's count is not touched");
    assert!(matches!(stage.guess(RIGHT, "g", at(1)).await, Charged::Refused(Some(_))));
}

async fn h7_a_code_is_taken_once_whichever_pepper_it_is_of(stage: Stage) {
    assert!(stage.has_codes(&[ONE, TWO]).await);
    judged(stage.charge(stage.key(), Purpose::SignIn, "a").await);
    let give = |macs: &'static [[u8; 32]]| stage.spend(stage.key(), macs, RecoveryEffect::Completes);
    assert_eq!(give(&[NONE]).await, Err(RecoveryRefused::Unknown));
    assert_eq!(stage.state().await.1.unwrap().completed, None, "all or nothing");
    assert_eq!(give(&[NONE, ONE]).await, Ok(()));
    assert_eq!(stage.state().await.1.unwrap().completed, Some(at(2)));
    assert_eq!(stage.spend_elsewhere(&[ONE]).await, Err(RecoveryRefused::Unknown));
    assert_eq!(stage.spend_elsewhere(&[TWO]).await, Ok(()));
    assert_eq!(stage.spend_elsewhere(&[TWO]).await, Err(RecoveryRefused::Unknown), "none is left");
}

async fn h7_a_login_that_is_complete_takes_no_code(stage: Stage) {
    assert!(stage.has_codes(&[ONE, TWO]).await);
    judged(stage.charge(stage.key(), Purpose::SignIn, "a").await);
    judged(stage.charge(stage.key(), Purpose::SignIn, "b").await);
    let give = |macs: &'static [[u8; 32]]| stage.spend(stage.key(), macs, RecoveryEffect::Completes);
    assert_eq!(give(&[ONE]).await, Ok(()));
    assert_eq!(give(&[TWO]).await, Err(RecoveryRefused::Overtaken));
    assert!(refused(stage.charge(stage.key(), Purpose::SignIn, "c").await).unwrap().is_complete());
    assert_eq!(stage.codes_left().await, 1, "the second is still good");
    let seen = stage.state().await;
    assert!(stage.send(&seen, false, None, at(3)).await.is_none(), "no message follows");
}

async fn h7_a_login_whose_messages_code_was_given_takes_none(stage: Stage) {
    assert!(stage.has_codes(&[ONE]).await);
    stage.sent(false).await;
    judged(stage.charge(stage.key(), Purpose::SignIn, "a").await);
    judged(stage.guess(RIGHT, "b", at(1)).await);
    let give = stage.spend(stage.key(), &[ONE], RecoveryEffect::Completes);
    assert_eq!(give.await, Err(RecoveryRefused::Overtaken));
    assert!(refused(stage.charge(stage.key(), Purpose::SignIn, "c").await).unwrap().is_complete());
    assert_eq!(stage.codes_left().await, 1);
}

async fn h7_codes_of_nobody_are_not_kept(stage: Stage) {
    let gone = UserId::generate(fresh());
    for made_before in [None, Some(2)] {
        assert_eq!(stage.renew(&gone, &[ONE], 1, made_before).await, Err(RenewalRefused::NoUser));
    }
    assert!(stage.item(&keys::recovery(&stage.tenant, &gone)).await.is_none());
    // Of a user who never had any, none is made up.
    judged(stage.charge(stage.key(), Purpose::SignIn, "a").await);
    let give = stage.spend(stage.key(), &[ONE], RecoveryEffect::Completes);
    assert_eq!(give.await, Err(RecoveryRefused::Unknown));
    assert_eq!(stage.codes_left().await, 0);
}

/// The codes' event, and so their making, is a second after the start.
async fn h7_codes_are_made_anew_by_who_knows_the_number_and_not_by_their_own_kind_at_once(stage: Stage) {
    let refused = Err(RenewalRefused::NotProven);
    assert_eq!(stage.renew(&stage.user, &[ONE], 1, None).await, refused, "no number is bound");
    assert_eq!(stage.renew(&stage.user, &[ONE], 0, Some(0)).await, Ok(()), "none and none");
    assert_eq!(stage.renew(&stage.user, &[TWO], 0, Some(1)).await, refused, "as old as they may be");
    assert_eq!(stage.renew(&stage.user, &[TWO], 0, Some(2)).await, Ok(()));
    stage.ask("42").await.unwrap();
    stage.sent(true).await;
    judged(stage.guess(RIGHT, "a", at(1)).await);
    stage.commit(&phone("42"), None, at(1)).await.unwrap();
    assert_eq!(stage.state().await.0.phone.unwrap().since, at(1));
    for made_before in [None, Some(9)] {
        assert_eq!(stage.renew(&stage.user, &[ONE], 1, made_before).await, refused, "of a login before it");
        assert_eq!(stage.renew(&stage.user, &[ONE], 2, made_before).await, Ok(()));
    }
}

async fn h7_a_deletion_does_not_miss_codes_that_are_made_beside_it(stage: Stage) {
    let user = User {
        id: stage.user.clone(),
        tenant: stage.tenant.clone(),
        username: None,
        email: None,
        identities: BTreeMap::new(),
        locale: None,
        password_hash: None,
        created_at: at(0),
        version: 1,
    };
    let seen = stage.state().await.0;
    assert!(stage.has_codes(&[ONE]).await);
    let delete = |factor: Factor| {
        let (stage, user) = (&stage, &user);
        async move { stage.store.delete_user(user, &factor, &[]).await.unwrap() }
    };
    assert_eq!(delete(seen).await, shared::ports::UserWrite::Stale, "it has not seen the codes");
    assert_eq!(stage.codes_left().await, 1);
    assert_eq!(delete(stage.state().await.0).await, shared::ports::UserWrite::Done);
    assert_eq!(stage.codes_left().await, 0);
    assert!(!stage.has_codes(&[ONE]).await);
}

async fn h7_a_code_proves_the_old_number_once(stage: Stage) {
    assert!(stage.has_codes(&[ONE, TWO]).await);
    let challenge = Challenge {
        login: stage.login.clone(),
        started_at: stage.key().started_at,
        pending: Some(phone("43")),
        replaces: Some("42".into()),
        old_proven: None,
        phone_changes: 1,
        code: None,
        attempts: 0,
        max_attempts: 5,
        sends: 0,
        idempotency: Vec::new(),
        completed: None,
    };
    let charge = |id: &'static str| stage.charge(stage.key(), Purpose::ReplacePhone, id);
    assert!(refused(charge("early").await).is_none(), "no such login has begun");
    stage.store.begin_replacement(stage.key(), &challenge).await.unwrap();
    judged(charge("a").await);
    judged(charge("b").await);
    let give = |macs: &'static [[u8; 32]]| stage.spend(stage.key(), macs, RecoveryEffect::ProvesOldNumber);
    assert_eq!(give(&[ONE]).await, Ok(()));
    assert_eq!(give(&[TWO]).await, Err(RecoveryRefused::Overtaken));
    let proven = stage.store.look(stage.key()).await.unwrap().unwrap();
    assert_eq!((proven.old_proven, proven.completed), (Some(at(2)), None));
    assert_eq!(proven.pending.map(|phone| phone.hash), Some("43".to_owned()));
    assert_eq!(refused(charge("c").await).unwrap().attempts, 2, "and nothing more is charged");
    assert_eq!(stage.codes_left().await, 1);
}

async fn h7_a_bind_replaces_the_codes_or_leaves_them(stage: Stage) {
    assert!(stage.has_codes(&[ONE]).await);
    stage.ask("42").await.unwrap();
    stage.sent(true).await;
    let number = phone("42");
    let commit = || stage.commit(&number, Some(&[TWO, NONE]), at(3));
    commit().await.unwrap_err();
    assert_eq!(stage.codes_left().await, 1, "a bind that is refused makes none");
    judged(stage.guess(RIGHT, "a", at(2)).await);
    assert_eq!(commit().await, Ok(()));
    assert_eq!(stage.codes_left().await, 2);
    assert_eq!(stage.spend_elsewhere(&[ONE]).await, Err(RecoveryRefused::Unknown));
    assert_eq!(stage.spend_elsewhere(&[TWO]).await, Ok(()));
}
