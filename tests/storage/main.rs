//! The storage contract of a login, through its ports, on both engines: what each write decides in its condition, and what stays as it
//! was when it refuses. Tenants, applications, users and the audit have theirs in shared/tests.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use aws_sdk_dynamodb::types::AttributeValue;
use shared::domain::audit::Provenance;
use shared::domain::challenge::{Challenge, Delivery, Effect, Undelivered};
use shared::domain::factor::{Factor, FactorPhone};
use shared::domain::first_factor::Throttle;
use shared::domain::ids::{ApplicationId, LoginId, TenantId, UserId};
use shared::domain::login::Purpose;
use shared::domain::time::Timestamp;
use shared::domain::user::User;
use shared::dynamodb::DynamoStore;
use shared::dynamodb::keys::Key;
use shared::ports::login::{
    BindRefused, BindStore, Charged, Guess, LoginKey, LoginStateStore, OwnerKey, SendStore, SettledSend,
    SignInQuery, SignInStore, VerifyStore,
};
use shared::ports::{UserStore, UserWrite};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use tests::engine::Engine;
use tests::sdk;
use tests::tables::Tables;

/// In 2100: DynamoDB Local deletes within seconds what has expired by the real clock.
const T0: Timestamp = Timestamp::from_millis(4_102_495_200_000);
const RIGHT: [u8; 32] = [1; 32];
const WRONG: [u8; 32] = [2; 32];

fn at(seconds: u32) -> Timestamp {
    T0.plus_secs(seconds)
}

/// Different bytes at every call, so that no two tests share an item.
fn fresh() -> impl FnMut(&mut [u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    |buffer| {
        let mut state = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in buffer {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    }
}

fn phone(hash: &str) -> FactorPhone {
    FactorPhone {
        sealed: format!("sealed {hash}"),
        hash: hash.into(),
        hint: "+1 ••• ••• ••42".into(),
        country: "US".into(),
        since: T0,
    }
}

/// A store with one user in it.
struct Stage {
    store: DynamoStore,
    tenant: TenantId,
    user: UserId,
    login: LoginId,
    _engine: Engine,
}

impl Stage {
    async fn on(engine: Engine) -> Self {
        let tables = Tables::made_up(&engine).await;
        let store = DynamoStore::new(sdk::client(engine.url()), tables.directory, tables.logins);
        let stage = Self {
            store,
            tenant: TenantId::generate(fresh()),
            user: UserId::generate(fresh()),
            login: LoginId::generate(fresh()),
            _engine: engine,
        };
        let user = User {
            id: stage.user.clone(),
            tenant: stage.tenant.clone(),
            username: None,
            email: None,
            identities: BTreeMap::new(),
            locale: None,
            password_hash: None,
            created_at: T0,
            version: 1,
        };
        let made =
            stage.store.create_user(&user, &Factor { revision: 1, ..Factor::default() }, &[]).await.unwrap();
        assert_eq!(made, UserWrite::Done);
        stage
    }

    fn key(&self) -> LoginKey<'_> {
        LoginKey { tenant: &self.tenant, user: &self.user, login: &self.login, started_at: T0 }
    }

    async fn state(&self) -> (Factor, Option<Challenge>) {
        let (factor, challenge) = self.store.login_state(self.key()).await.unwrap();
        (factor.unwrap(), challenge)
    }

    async fn ask(&self, hash: &str) -> Result<Challenge, Option<Challenge>> {
        self.store.ask_for_number(self.key(), &phone(hash), 5, 3).await.unwrap()
    }

    /// Reserves a send from a snapshot; `binds` as a login of an unbound user does.
    async fn send(
        &self,
        seen: &(Factor, Option<Challenge>),
        binds: bool,
        key: Option<&str>,
        now: Timestamp,
    ) -> Option<Challenge> {
        let effect = if binds { Effect::Binds } else { Effect::Completes };
        self.reserve(self.key(), seen, effect, None, key, now).await
    }

    /// An item of the logins table.
    async fn item(&self, key: &Key) -> Option<HashMap<String, AttributeValue>> {
        let get = self.store.client().get_item().table_name(self.store.logins());
        get.set_key(Some(key.attributes())).consistent_read(true).send().await.unwrap().item
    }

    async fn sent(&self, binds: bool) -> Challenge {
        let seen = self.state().await;
        self.send(&seen, binds, None, T0).await.expect("reserved")
    }

    async fn guess(&self, mac: [u8; 32], attempt: &str, now: Timestamp) -> Charged {
        let application = ApplicationId::generate(&self.tenant, fresh());
        self.store.charge_guess(self.key(), &guessed(&[mac], attempt, now, &application)).await.unwrap()
    }

    async fn fail(&self, user: &UserId) {
        let application = ApplicationId::generate(&self.tenant, fresh());
        let key = LoginKey { user, ..self.key() };
        self.store.count_failure(key, &guessed(&[WRONG], "failed", T0, &application)).await.unwrap();
    }

    async fn commit(
        &self,
        number: &FactorPhone,
        recovery: Option<&[[u8; 32]]>,
        now: Timestamp,
    ) -> Result<(), BindRefused> {
        self.store.commit_bind(self.key(), number, &RIGHT, recovery, now, &self.event()).await.unwrap()
    }
}

fn guessed<'a>(
    macs: &'a [[u8; 32]],
    attempt: &'a str,
    now: Timestamp,
    application: &'a ApplicationId,
) -> Guess<'a> {
    const NOBODY: &Provenance = &Provenance { client_ip: None, request_id: None };
    Guess { macs, attempt, max_attempts: 5, now, purpose: Purpose::SignIn, application, provenance: NOBODY }
}

fn judged(charged: Charged) -> Challenge {
    match charged {
        Charged::Judged(challenge) => challenge,
        Charged::Refused(old) => panic!("refused: {old:?}"),
    }
}

fn refused(charged: Charged) -> Option<Challenge> {
    match charged {
        Charged::Refused(old) => old,
        Charged::Judged(new) => panic!("judged: {new:?}"),
    }
}

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod dynoxide {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Stage::on(super::Engine::dynoxide().await).await).await;
            })*
        }
        mod dynamodb_local {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Stage::on(super::Engine::dynamodb_local().await).await).await;
            })*
        }
    };
}

mod grants;
mod limits;
mod qr;
mod recovery;
mod sends;

contract!(
    a_number_is_asked_for_three_times_and_takes_code_and_guesses_away,
    a_send_is_reserved_only_on_what_was_read,
    a_guess_is_charged_until_the_end_or_the_right_one,
    no_guess_is_judged_beyond_the_cap_not_even_the_right_one,
    a_lost_answer_is_known_by_its_attempt,
    failures_are_counted_for_users_that_are_there,
    a_bind_commits_once_for_the_number_that_its_code_was_sent_to,
    a_bind_finds_the_number_or_the_user_taken,
    only_recent_challenges_of_one_user_are_read_for_a_send,
    failed_first_factors_count_together_and_start_afresh,
);

async fn a_number_is_asked_for_three_times_and_takes_code_and_guesses_away(stage: Stage) {
    assert_eq!(stage.ask("42").await.unwrap().phone_changes, 1);
    stage.sent(true).await;
    judged(stage.guess(WRONG, "a", at(1)).await);
    let second = stage.ask("43").await.unwrap();
    assert_eq!((second.phone_changes, second.attempts, second.sends, second.code), (2, 1, 1, None));
    assert!(refused(stage.guess(RIGHT, "b", at(2)).await).unwrap().code.is_none());
    stage.ask("44").await.unwrap();
    let old = stage.ask("45").await.unwrap_err().unwrap();
    assert_eq!(old.pending.map(|phone| phone.hash), Some("44".to_owned()), "the fourth changes nothing");
}

async fn a_send_is_reserved_only_on_what_was_read(stage: Stage) {
    let nothing = stage.state().await;
    let first = stage.send(&nothing, false, Some("k"), T0).await.expect("reserved");
    assert_eq!((first.sends, first.attempts), (1, 0));
    assert!(stage.send(&nothing, false, None, at(1)).await.is_none(), "another send came between");
    let seen = stage.state().await;
    assert_eq!(seen.1.as_ref().unwrap().idempotency, ["k"]);
    assert!(stage.send(&seen, false, Some("k"), at(31)).await.is_none(), "this key has sent");
    judged(stage.guess(WRONG, "a", at(2)).await);
    assert!(stage.send(&seen, false, None, at(31)).await.is_none(), "a guess came between");
    let seen = stage.state().await;
    let second = stage.send(&seen, false, None, at(31)).await.expect("reserved");
    assert_eq!((second.sends, second.attempts), (2, 1), "attempts are the login's");
    assert_eq!(stage.state().await.1, Some(second.clone()), "as the transaction left it");
    assert_eq!(stage.state().await.0.recent_sends, [at(31), T0]);
    let settle = async |sends, delivery, resend_at, free| {
        let undelivered = (delivery == Delivery::Failed).then_some(Undelivered::OptedOut);
        let settled = SettledSend { sends, delivery, undelivered, resend_at, free, refused: None };
        stage.store.settle_send(stage.key(), &settled).await.unwrap();
        stage.state().await.1.unwrap()
    };
    assert_eq!(settle(1, Delivery::Failed, at(5), Some("k")).await, second, "of an older send: does nothing");
    let unknown = settle(2, Delivery::Unknown, at(99), None).await;
    let code = unknown.code.unwrap();
    assert_eq!((code.delivery, code.resend_at), (Delivery::Unknown, at(99)));
    assert_eq!(unknown.idempotency, ["k"]);
    let third = stage.send(&stage.state().await, false, Some("l"), at(99)).await.expect("reserved");
    assert_eq!(settle(3, Delivery::Failed, at(99), Some("m")).await.idempotency.len(), 2, "another key");
    let failed = settle(third.sends, Delivery::Failed, at(99), Some("l")).await;
    assert_eq!(failed.idempotency, ["k"], "nothing has left under this key");
    assert_eq!(failed.code.unwrap().undelivered, Some(Undelivered::OptedOut));
    assert!(stage.send(&stage.state().await, false, Some("l"), at(99)).await.is_some(), "so it sends again");
    let again = stage.state().await.1.unwrap().code.unwrap();
    assert_eq!(
        (again.delivery, again.undelivered),
        (Delivery::Accepted, None),
        "an earlier message's reason is not its own"
    );
}

async fn a_guess_is_charged_until_the_end_or_the_right_one(stage: Stage) {
    assert!(refused(stage.guess(RIGHT, "a", T0).await).is_none(), "nothing was sent");
    let sent = stage.sent(false).await;
    let end = sent.code.unwrap().expires_at;
    // Nothing has deleted it: the condition itself knows when a code ends.
    refused(stage.guess(RIGHT, "b", end).await);
    for i in 0..3 {
        let charged = judged(stage.guess(WRONG, &format!("c{i}"), at(1)).await);
        assert_eq!(charged.attempts, i + 1);
        assert!(!charged.code.unwrap().spent);
    }
    let last = Timestamp::from_millis(end.millis() - 1);
    let right = judged(stage.guess(RIGHT, "d", last).await);
    assert!(right.is_complete() && right.attempts == 4);
    assert!(refused(stage.guess(RIGHT, "e", last).await).unwrap().is_complete(), "a code is spent once");
}

async fn no_guess_is_judged_beyond_the_cap_not_even_the_right_one(stage: Stage) {
    stage.sent(false).await;
    for i in 0..5 {
        judged(stage.guess(WRONG, &format!("c{i}"), at(1)).await);
    }
    assert_eq!(refused(stage.guess(RIGHT, "d", at(1)).await).unwrap().attempts, 5);
}

async fn a_lost_answer_is_known_by_its_attempt(stage: Stage) {
    stage.sent(false).await;
    judged(stage.guess(WRONG, "mine", at(1)).await);
    assert_eq!(judged(stage.guess(WRONG, "mine", at(1)).await).attempts, 1, "wrong, once");
    judged(stage.guess(RIGHT, "mine too", at(2)).await);
    assert_eq!(judged(stage.guess(RIGHT, "mine too", at(2)).await).attempts, 2, "right, once");
    refused(stage.guess(RIGHT, "another", at(2)).await);
}

async fn failures_are_counted_for_users_that_are_there(stage: Stage) {
    for _ in 0..3 {
        stage.fail(&stage.user).await;
    }
    assert_eq!(stage.state().await.0.failures, 3);
    stage.store.clear_failures(&stage.tenant, &stage.user).await.unwrap();
    assert_eq!(stage.state().await.0.failures, 0);
    let gone = UserId::generate(fresh());
    stage.fail(&gone).await;
    let key = LoginKey { user: &gone, ..stage.key() };
    assert_eq!(
        stage.store.login_state(key).await.unwrap(),
        (None, None),
        "nobody comes back as half an item"
    );
}

async fn a_bind_commits_once_for_the_number_that_its_code_was_sent_to(stage: Stage) {
    stage.ask("42").await.unwrap();
    stage.sent(true).await;
    let number = phone("42");
    let commit = || stage.commit(&number, None, at(3));
    assert_eq!(commit().await, Err(BindRefused::NumberChanged), "nothing was guessed yet");
    stage.fail(&stage.user).await;
    judged(stage.guess(RIGHT, "a", at(1)).await);
    judged(stage.guess(RIGHT, "b", at(2)).await);
    let other = stage.commit(&phone("43"), None, at(3)).await;
    assert_eq!(other, Err(BindRefused::NumberChanged), "another number than the one asked for");
    assert_eq!(commit().await, Ok(()));
    assert_eq!(commit().await, Err(BindRefused::Completed));
    let (factor, challenge) = stage.state().await;
    assert_eq!(factor.phone.map(|phone| (phone.hash, phone.since)), Some(("42".to_owned(), at(3))));
    assert_eq!((factor.failures, challenge.unwrap().completed), (0, Some(at(3))));
    let owner = OwnerKey { kind: "phone", hash: "42".into() };
    assert_eq!(
        stage.store.bind_facts(stage.key(), Some(&owner)).await.unwrap().owner,
        Some(stage.user.clone())
    );
}

async fn a_bind_finds_the_number_or_the_user_taken(stage: Stage) {
    stage.ask("42").await.unwrap();
    stage.sent(true).await;
    judged(stage.guess(RIGHT, "a", at(1)).await);
    let rival = Stage {
        store: stage.store.clone(),
        user: UserId::generate(fresh()),
        login: LoginId::generate(fresh()),
        tenant: stage.tenant.clone(),
        _engine: Engine::dynoxide().await,
    };
    let user = User {
        id: rival.user.clone(),
        tenant: rival.tenant.clone(),
        username: None,
        email: None,
        identities: BTreeMap::new(),
        locale: None,
        password_hash: None,
        created_at: T0,
        version: 1,
    };
    let bound = Factor { phone: Some(phone("42")), revision: 1, ..Factor::default() };
    assert_eq!(stage.store.create_user(&user, &bound, &[]).await.unwrap(), UserWrite::Done);
    let number = phone("42");
    let taken = stage.commit(&number, None, at(2)).await;
    assert_eq!(taken, Err(BindRefused::Taken));
    assert!(stage.state().await.0.phone.is_none(), "all or nothing");
    let back = stage.store.forget_number(stage.key(), &number).await.unwrap().unwrap();
    assert_eq!((back.pending, back.code, back.attempts), (None, None, 1));
}

async fn only_recent_challenges_of_one_user_are_read_for_a_send(stage: Stage) {
    let logins: Vec<LoginId> = (0..3).map(|_| LoginId::generate(fresh())).collect();
    // Started 700 s before, 500 s before, and 10 s after this one.
    for (login, start) in logins.iter().zip([-700, -500, 10]) {
        let started_at = Timestamp::from_millis(T0.millis() + start * 1000);
        let key = LoginKey { login, started_at, ..stage.key() };
        stage.store.ask_for_number(key, &phone("42"), 5, 3).await.unwrap().unwrap();
    }
    stage.ask("42").await.unwrap();
    let facts = stage.store.send_facts(stage.key()).await.unwrap();
    assert_eq!(facts.challenge.unwrap().login, stage.login);
    let mut others: Vec<_> = facts.others.into_iter().map(|challenge| challenge.login).collect();
    others.sort();
    let mut expected = logins[1..].to_vec();
    expected.sort();
    assert_eq!(others, expected);
    assert!(facts.factor.is_some());
}

async fn failed_first_factors_count_together_and_start_afresh(stage: Stage) {
    let subject = stage.user.to_string();
    let read = async || {
        let query = SignInQuery {
            tenant: &stage.tenant,
            application: None,
            source: None,
            owner: None,
            user: None,
            device: None,
            qr: None,
            throttles: vec![&subject],
        };
        stage.store.sign_in_facts(&query).await.unwrap().throttles[0]
    };
    assert_eq!(read().await, Throttle::default());
    // Both have read nothing: neither may start the count anew over the other.
    for _ in 0..2 {
        stage.store.count_failed_first_factor(&subject, Throttle::default(), T0).await.unwrap();
    }
    let seen = read().await;
    assert_eq!(seen, Throttle { failures: 2, last_failure: Some(T0) });
    for _ in 0..2 {
        stage.store.count_failed_first_factor(&subject, seen, at(2000)).await.unwrap();
    }
    assert_eq!(read().await.failures, 2, "a new window starts once");

    // Counted before it is judged: one of several, and its own lost answer is no second.
    let seen = read().await;
    let charge =
        async |attempt| stage.store.charge_first_factor(&subject, seen, attempt, at(2001)).await.unwrap();
    assert_eq!([charge("a").await, charge("b").await, charge("a").await], [true, false, true]);
    let charged = Throttle { failures: 3, last_failure: Some(at(2001)) };
    assert_eq!(read().await, charged);
    let put_back = async |attempt| stage.store.uncharge_first_factor(&subject, seen, attempt).await.unwrap();
    put_back("b").await;
    assert_eq!(read().await, charged, "of another attempt");
    put_back("a").await;
    assert_eq!(read().await, seen);
    // What failed meanwhile stays.
    assert!(charge("c").await);
    stage.store.count_failed_first_factor(&subject, read().await, at(2002)).await.unwrap();
    put_back("c").await;
    assert_eq!(read().await, Throttle { failures: 4, last_failure: Some(at(2002)) });
}
