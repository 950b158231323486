//! DynamoDB's own deletions of what a plain login does not have: trusted devices, grants, QR logins, notices, password throttles.

use crate::code;
use crate::flows::new_number;
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use shared::config::OsEntropy;
use shared::dynamodb::DynamoStore;
use shared::ports::{Fault as StoreFault, PersonalData, SendOutcome};
use shared::usecase::notify::Notify;
use std::sync::Arc;
use tests::proxy::{Fault, Gate};
use tests::values::text;

const NEVER_SWEPT: i64 = 90 * 86_400;

/// Opens whatever it is given: what a notice says is another suite's.
struct OpensAll;

impl PersonalData for OpensAll {
    fn hash(&self, _: &str, value: &str) -> String {
        value.to_owned()
    }

    fn seal(&self, _: &str, value: &str) -> String {
        value.to_owned()
    }

    fn open(&self, _: &str, _: &str) -> Result<String, StoreFault> {
        Ok("+12025550199".to_owned())
    }
}

impl World {
    /// What sends the notices that wait, through the proxy.
    pub fn notifier(&self) -> Notify {
        let client = tests::sdk::client(&self.proxy.url());
        Notify {
            queue: Arc::new(DynamoStore::new(client, &self.tables.directory, &self.tables.logins)),
            personal: Arc::new(OpensAll),
            sender: self.sender.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(OsEntropy),
        }
    }

    /// Somebody whose number is another now: the old one is to be told.
    pub async fn leaves_notice(&self) {
        let user = self.person(Some(&new_number())).await;
        self.admin("DELETE", &format!("/users/{user}/phone"), json!({})).await;
        assert_eq!(self.count("notice#").await, 1);
    }

    pub async fn by_password(&self, password: &str) -> (u16, Value) {
        let proof = json!({ "account": "ann", "password": password });
        let body = json!({ "application": self.application, "password": proof });
        self.call("POST", "/v1/logins", None, &[], Some(body)).await
    }

    /// Wrong passwords, as many as may come without a wait.
    pub async fn is_throttled(&self) {
        self.user("ann", None).await;
        for _ in 0..5 {
            assert_eq!(code(&self.by_password("wrong").await), (401, "first_factor_failed"));
        }
    }

    /// A call, with a sweep while its next request of this kind is on its way.
    async fn swept_during<T>(&self, operation: &'static str, kind: &str, call: impl Future<Output = T>) -> T {
        let gate = Gate::new();
        self.proxy.fail_next(operation, Fault::Held(gate.clone()));
        let meanwhile = async {
            gate.arrival().await;
            assert!(self.sweeps(kind).await > 0);
            gate.open();
        };
        futures::future::join(call, meanwhile).await.0
    }
}

#[tokio::test]
async fn h3_h7_a_device_that_goes_early_or_never_is_asked_for_a_code() {
    let world = World::new().await;
    world.allows("trusted_devices").await;
    let user = world.person(Some(&new_number())).await;
    let device = text(&world.signs_in(&user, json!({ "trust_device": true })).await, "/trusted_device/token");
    let (_, spared) = world.shows(&user, &device).await;
    let access = text(&spared, "/tokens/access_token");
    assert_eq!(world.sweeps("login#").await, 2, "its login's challenge and the device");
    let asked = world.shows(&user, &device).await;
    assert_eq!((code(&asked), asked.1["tokens"].is_null()), ((200, ""), true), "{asked:?}");
    let list = world.get("/v1/me/trusted-devices", &access).await;
    assert_eq!((list.0, &list.1["items"]), (200, &json!([])));
    // Another one, which stays for ever.
    world.advance(3600);
    let device = text(&world.signs_in(&user, json!({ "trust_device": true })).await, "/trusted_device/token");
    world.advance(NEVER_SWEPT);
    let asked = world.shows(&user, &device).await;
    assert_eq!((code(&asked), asked.1["tokens"].is_null()), ((200, ""), true), "{asked:?}");
}

#[tokio::test]
async fn h3_h7_a_device_that_goes_during_its_revocation_is_revoked() {
    let world = World::new().await;
    world.allows("trusted_devices").await;
    let user = world.person(Some(&new_number())).await;
    let done = world.signs_in(&user, json!({ "trust_device": true })).await;
    let (access, id) = (text(&done, "/tokens/access_token"), text(&done, "/trusted_device/id"));
    let path = format!("/v1/me/trusted-devices/{id}");
    let revoked = world.call("DELETE", &path, Some(&access), &[], None);
    let revoked = world.swept_during("TransactWriteItems", "login#", revoked).await;
    assert_eq!(code(&revoked), (404, "not_found"));
    assert_eq!(world.count("trusted-device#").await, 0, "nothing of it came back");
    // Another one is over, and is swept while the next takes its place.
    world.advance(3600);
    let trusting = json!({ "trust_device": true });
    assert!(world.signs_in(&user, trusting.clone()).await["trusted_device"].is_object());
    world.advance(NEVER_SWEPT);
    let trusts = world.signs_in(&user, trusting);
    let done = world.swept_during("TransactWriteItems", "trusted-device#", trusts).await;
    assert!(done["trusted_device"].is_object(), "{done}");
    assert_eq!(world.sweeps("trusted-device#").await, 1);
}

#[tokio::test]
async fn h3_h11_a_grant_that_goes_early_gives_no_code_a_second_time() {
    let world = World::new().await;
    world.has_redirect().await;
    let user = world.person(Some(&new_number())).await;
    let code_of_login = world.authorization_code(&user);
    let first = world.exchanges(&code_of_login).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let access = text(&first.json, "/access_token");
    // It is to stay far beyond its code, so that no clock that is ahead takes it away in time: the code is over a minute after its login.
    let grants = world.items().await;
    let grant = grants.iter().find(|item| item["sk"].as_s().unwrap() == "grant").unwrap();
    let number = |name: &str| grant[name].as_n().unwrap().parse::<i64>().unwrap();
    assert!(number("ttl") * 1000 - number("redeemed_at") >= 24 * 3_600_000, "{grant:?}");
    // Earlier than that by nearly a day.
    world.advance(60);
    assert_eq!(world.sweeps("grant").await, 1);
    for _ in 0..2 {
        let again = world.exchanges(&code_of_login).await;
        assert_eq!((again.status, &again.json["error"]), (400, &json!("invalid_grant")));
        assert_eq!(world.count("grant#").await, 0, "nothing of it came back");
    }
    // Whether its code came twice, nobody knows any more.
    assert_eq!(code(&world.claims(&access).await), (401, "unauthenticated"));
    assert_eq!(code(&world.get("/v1/me/phone", &access).await), (401, "unauthenticated"));
}

#[tokio::test]
async fn h3_h11_a_grant_that_goes_while_it_is_voided_or_never_holds_nothing() {
    let world = World::new().await;
    world.has_redirect().await;
    let user = world.person(Some(&new_number())).await;
    let sealed = world.authorization_code(&user);
    let first = world.exchanges(&sealed).await;
    let access = text(&first.json, "/access_token");
    let again = world.swept_during("UpdateItem", "grant", world.exchanges(&sealed)).await;
    assert_eq!((again.status, &again.json["error"]), (400, &json!("invalid_grant")));
    assert_eq!(world.count("grant#").await, 0, "nothing of it came back");
    assert_eq!(code(&world.claims(&access).await), (401, "unauthenticated"));

    let sealed = world.authorization_code(&user);
    let first = world.exchanges(&sealed).await;
    let access = text(&first.json, "/access_token");
    assert_eq!(code(&world.claims(&access).await), (200, ""));
    world.advance(NEVER_SWEPT);
    assert_eq!(world.exchanges(&sealed).await.status, 400);
    assert_eq!(code(&world.claims(&access).await), (401, "unauthenticated"));
}

#[tokio::test]
async fn h3_f2_a_qr_login_that_goes_early_or_never_lets_nobody_in() {
    let world = World::new().await;
    world.sms(false).await;
    let user = world.person(Some(&new_number())).await;
    let access = world.access_of(&user).await;
    // After each step of it.
    for steps in 0..3 {
        let qr = world.asks_qr().await;
        for step in ["scan", "approval"].into_iter().take(steps) {
            assert_eq!(world.steps_qr(&qr, step, &access).await.0, 200);
        }
        assert_eq!(world.sweeps("qr#").await, 1);
        assert_eq!(code(&world.looks_at_qr(&qr).await), (401, "unauthenticated"), "after {steps}");
        for step in ["scan", "approval", "rejection"] {
            assert_eq!(code(&world.steps_qr(&qr, step, &access).await), (404, "not_found"), "after {steps}");
        }
        assert_eq!(code(&world.uses_qr(&qr).await), (401, "first_factor_failed"), "after {steps}");
        assert_eq!(world.count("qr#").await, 0, "nothing of it came back");
    }
    // While it is used.
    let qr = world.asks_qr().await;
    for step in ["scan", "approval"] {
        assert_eq!(world.steps_qr(&qr, step, &access).await.0, 200);
    }
    let used = world.swept_during("UpdateItem", "qr#", world.uses_qr(&qr)).await;
    assert_eq!(code(&used), (410, "qr_login_expired"));
    assert_eq!(world.count("qr#").await, 0, "nothing of it came back");
    // While it is approved.
    let qr = world.asks_qr().await;
    assert_eq!(world.steps_qr(&qr, "scan", &access).await.0, 200);
    let approved = world.swept_during("UpdateItem", "qr#", world.steps_qr(&qr, "approval", &access)).await;
    assert_eq!(code(&approved), (404, "not_found"));
    assert_eq!(world.count("qr#").await, 0, "nothing of it came back");
    // Approved, and there for ever.
    let qr = world.asks_qr().await;
    for step in ["scan", "approval"] {
        assert_eq!(world.steps_qr(&qr, step, &access).await.0, 200);
    }
    world.advance(NEVER_SWEPT);
    assert_eq!(code(&world.uses_qr(&qr).await), (410, "qr_login_expired"));
}

#[tokio::test]
async fn h3_h8_a_notice_that_goes_early_or_never_is_sent_once_at_most() {
    let world = World::new().await;
    let notifier = world.notifier();
    world.leaves_notice().await;
    assert_eq!(world.sweeps("notice#").await, 1);
    notifier.sweep().await.unwrap();
    assert_eq!((world.messages(), world.count("notice#").await), (0, 0));
    // While it is claimed: nobody has it then.
    world.leaves_notice().await;
    world.swept_during("UpdateItem", "notice#", notifier.sweep()).await.unwrap();
    assert_eq!((world.messages(), world.count("notice#").await), (0, 0), "nothing of it came back");
    // Once it was sent.
    world.leaves_notice().await;
    world.swept_during("DeleteItem", "notice#", notifier.sweep()).await.unwrap();
    assert_eq!((world.messages(), world.count("notice#").await), (1, 0));
    // As it is given back.
    world.leaves_notice().await;
    world.provider(SendOutcome::NotSent);
    let gate = Gate::new();
    let held = gate.clone();
    world.proxy.fail_when(move |record| {
        let gives_back =
            record.body["UpdateExpression"].as_str().is_some_and(|text| text.starts_with("REMOVE"));
        gives_back.then(|| Fault::Held(held.clone()))
    });
    let meanwhile = async {
        gate.arrival().await;
        assert_eq!(world.sweeps("notice#").await, 1);
        gate.open();
    };
    let (given_back, ()) = futures::future::join(notifier.sweep(), meanwhile).await;
    assert!(given_back.is_err(), "it was not sent, and whoever called is told");
    world.proxy.heal();
    assert_eq!((world.messages(), world.count("notice#").await), (2, 0), "nothing of it came back");
    // There for ever: told late rather than never, and once.
    world.provider(SendOutcome::Accepted { message_id: "m".into() });
    world.leaves_notice().await;
    world.advance(NEVER_SWEPT);
    notifier.sweep().await.unwrap();
    notifier.sweep().await.unwrap();
    assert_eq!((world.messages(), world.count("notice#").await), (3, 0));
}

#[tokio::test]
async fn h3_t29_a_throttle_that_goes_early_or_never_judges_the_password_all_the_same() {
    let world = World::new().await;
    world.is_throttled().await;
    assert_eq!(code(&world.by_password(PASSWORD).await), (429, "rate_limited"));
    // The account's and the address's: the wait is over, and the password has its say.
    assert_eq!(world.sweeps("limit#first-factor").await, 2);
    assert_eq!(code(&world.by_password("wrong").await), (401, "first_factor_failed"));
    assert_eq!(code(&world.by_password(PASSWORD).await), (200, ""));
    for _ in 0..4 {
        assert_eq!(code(&world.by_password("wrong").await), (401, "first_factor_failed"));
    }
    assert_eq!(code(&world.by_password(PASSWORD).await), (429, "rate_limited"), "they count anew");
    // While a try is counted that has a wait after it: it isn't judged, not even a right one, and makes no item.
    world.advance(2);
    let held = world.swept_during("UpdateItem", "limit#first-factor", world.by_password(PASSWORD)).await;
    assert_eq!(code(&held), (429, "rate_limited"));
    assert_eq!(world.count("limit#first-factor").await, 0);
    assert_eq!(code(&world.by_password(PASSWORD).await), (200, ""));
}

#[tokio::test]
async fn h3_t29_a_throttle_that_is_never_swept_starts_anew_after_its_time() {
    let world = World::new().await;
    world.is_throttled().await;
    world.advance(NEVER_SWEPT);
    assert_eq!(code(&world.by_password("wrong").await), (401, "first_factor_failed"));
    assert_eq!(code(&world.by_password(PASSWORD).await), (200, ""));
}
