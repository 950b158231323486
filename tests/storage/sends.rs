//! Sends: what a reservation leaves is what it answers, and it holds for all logins of its user.

use crate::{Engine, RIGHT, Stage, T0, at, fresh, guessed, judged, phone, refused};
use aws_sdk_dynamodb::types::AttributeValue;
use shared::domain::challenge::{Challenge, Effect, SendPlan};
use shared::domain::factor::Factor;
use shared::domain::ids::{ApplicationId, LoginId};
use shared::domain::test_number::Scenario;
use shared::domain::time::Timestamp;
use shared::dynamodb::keys;
use shared::ports::login::{LoginKey, Reservation, SendStore, VerifyStore};

impl Stage {
    /// Reserves a send of one of the user's logins, from a snapshot; to a test number where it plays one.
    pub async fn reserve(
        &self,
        login: LoginKey<'_>,
        seen: &(Factor, Option<Challenge>),
        effect: Effect,
        test: Option<Scenario>,
        key: Option<&str>,
        now: Timestamp,
    ) -> Option<Challenge> {
        let plan = SendPlan {
            target: phone("42"),
            effect,
            test,
            again: None,
            first_sent_at: now,
            expires_at: now.plus_secs(300),
            resend_at: now.plus_secs(30),
        };
        let reservation = Reservation {
            plan: &plan,
            factor: &seen.0,
            seen: seen.1.as_ref(),
            max_attempts: 5,
            pepper: "p1",
            nonce: [3; 16],
            mac: RIGHT,
            idempotency: key,
            now,
        };
        self.store.reserve_send(login, &reservation).await.unwrap()
    }
}

contract!(
    one_send_of_a_user_at_a_time_in_whichever_login,
    what_a_send_answers_is_what_it_left,
    h6_a_blocked_numbers_login_has_no_attempts_left_whatever_came_before,
    items_of_other_kinds_are_no_challenges,
);

async fn one_send_of_a_user_at_a_time_in_whichever_login(stage: Stage) {
    let other = LoginId::generate(fresh());
    let other = LoginKey { login: &other, ..stage.key() };
    let seen = stage.state().await;
    stage.reserve(stage.key(), &seen, Effect::Completes, None, None, T0).await.expect("reserved");
    assert_eq!(stage.state().await.0.revision, seen.0.revision + 1);
    // It has read the user's sends before that one, and may have found room that isn't there any more.
    let late = (seen.0, None);
    assert!(stage.reserve(other, &late, Effect::Completes, None, None, T0).await.is_none());
    let now = (stage.state().await.0, None);
    assert!(stage.reserve(other, &now, Effect::Completes, None, None, T0).await.is_some());
}

async fn what_a_send_answers_is_what_it_left(stage: Stage) {
    stage.ask("42").await.unwrap();
    for effect in [Effect::Binds, Effect::Completes] {
        let seen = stage.state().await;
        let answered = stage.reserve(stage.key(), &seen, effect, None, None, T0).await.expect("reserved");
        assert_eq!(answered.pending.is_some(), effect == Effect::Binds, "{effect:?}");
        assert_eq!(stage.state().await.1, Some(answered));
    }
}

async fn h6_a_blocked_numbers_login_has_no_attempts_left_whatever_came_before(stage: Stage) {
    stage.ask("42").await.unwrap();
    let seen = stage.state().await;
    let answered = stage.reserve(stage.key(), &seen, Effect::Binds, Some(Scenario::Blocked), None, T0).await;
    assert_eq!(answered.as_ref().map(|challenge| challenge.attempts), Some(5));
    assert_eq!(stage.state().await.1, answered);
    let application = ApplicationId::generate(&stage.tenant, fresh());
    let guess = guessed(&[RIGHT], "a", at(1), &application);
    assert!(refused(stage.store.charge_guess(stage.key(), &guess).await.unwrap()).is_some());
    // Any other number's login goes on with what it has used.
    let other = LoginId::generate(fresh());
    let other = LoginKey { login: &other, ..stage.key() };
    let first = (stage.state().await.0, None);
    stage.reserve(other, &first, Effect::Completes, None, None, T0).await.expect("reserved");
    judged(stage.store.charge_guess(other, &guessed(&[[9; 32]], "b", at(1), &application)).await.unwrap());
    let facts = stage.store.send_facts(other).await.unwrap();
    let seen = (facts.factor.unwrap(), facts.challenge);
    let again = stage.reserve(other, &seen, Effect::Completes, None, None, T0).await.expect("reserved");
    assert_eq!((again.attempts, again.sends), (1, 2));
}

/// What a later version keeps beside a user's challenges is not for this one to read.
async fn items_of_other_kinds_are_no_challenges(stage: Stage) {
    stage.sent(false).await;
    let mut item = keys::factor(&stage.tenant, &stage.user).attributes();
    item.insert("sk".to_owned(), AttributeValue::S("email-factor".to_owned()));
    let put = stage.store.client().put_item().table_name(stage.store.logins());
    put.set_item(Some(item)).send().await.unwrap();
    let facts = stage.store.send_facts(stage.key()).await.unwrap();
    assert!(facts.factor.is_some() && facts.challenge.is_some() && facts.others.is_empty());
}
