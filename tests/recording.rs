//! The login that tests/bench/counts counts: made here on the embedded engine, and the same as the one that is kept.
//! `UPDATE_RECORDING=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bench_counts::{Recorded, Recorder, Recording, World, call};
use serde_json::{Value, json};
use shared::dynamodb::tables;
use shared::http::Edge;
use std::cell::OnceCell;
use tests::engine::Engine;
use tests::repository;
use tests::values::text;

const KEPT: &str = "tests/bench/counts/recording.json";

/// The service, with what it asks the engine written down.
struct Studio {
    world: World,
    recorder: Recorder,
    calls: Recording,
    _engine: Engine,
}

impl Studio {
    async fn new() -> Self {
        let engine = Engine::dynoxide().await;
        let made = OnceCell::new();
        let record = |inner: Option<SharedHttpClient>| {
            let recorder = Recorder::new(inner.expect("the SDK has a client"));
            let _ = made.set(recorder.clone());
            SharedHttpClient::new(recorder)
        };
        let world = World::new(record, Some(engine.url()));
        let recorder = made.into_inner().unwrap();
        let store = &world.base.store;
        tables::create_missing(store.client(), store.directory(), store.logins()).await.unwrap();
        Self { world, recorder, calls: Recording::default(), _engine: engine }
    }

    /// A call that isn't kept and has to succeed.
    async fn unkept(&self, edge: &Edge, method: &str, path: &str, bearer: &str, body: Value) -> Value {
        self.world.draws.start(&format!("{path} {body}"));
        let (status, answer) = World::answer(edge, call(method, path, Some(bearer), &body)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    async fn keep(&mut self, name: &str, edge: &Edge, path: &str, bearer: &str, body: Value) -> Value {
        self.recorder.take();
        self.world.draws.start(name);
        let event = call("POST", path, Some(bearer), &body);
        let (status, answer) = World::answer(edge, event.clone()).await;
        let exchanges = self.recorder.take();
        assert!(!exchanges.is_empty());
        self.calls.0.insert(name.to_owned(), Recorded { event, status, exchanges });
        answer
    }

    /// The six digits in the last message.
    fn code(&self) -> String {
        let form = self.recorder.message();
        let message = form.split('&').find_map(|pair| pair.strip_prefix("Message=")).unwrap();
        let words: Vec<_> = message.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        words
            .into_iter()
            .find(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit()))
            .unwrap()
            .to_owned()
    }
}

#[tokio::test]
async fn the_login_whose_instructions_are_counted_is_the_one_of_today() {
    let mut studio = Studio::new().await;
    studio.world.draws.start("operator");
    let (administration, operator) = studio.world.administration();
    let tenant = json!({ "name": "Example Shop", "home_country": "US" });
    let tenant = studio.unkept(&administration, "POST", "/v1/tenants", &operator, tenant).await;
    let admin = text(&tenant, "/admin_key/secret");
    let tenant = format!("/v1/tenants/{}", text(&tenant, "/id"));
    let on = json!({ "mfa": { "sms": { "enabled": true } } });
    studio.unkept(&administration, "PATCH", &format!("{tenant}/security"), &admin, on).await;
    let shop = json!({ "name": "Shop" });
    let shop = studio.unkept(&administration, "POST", &format!("{tenant}/applications"), &admin, shop).await;
    let (application, secret) = (text(&shop, "/id"), text(&shop, "/secret/secret"));
    let users = format!("{tenant}/users");
    let mut bodies = Vec::new();
    for (username, phone) in [("ann", "+12025550101"), ("bob", "+12025550102")] {
        let user = json!({ "username": username, "password": "correct horse battery", "phone": phone });
        let user = studio.unkept(&administration, "POST", &users, &admin, user).await;
        bodies.push(json!({ "application": application, "assertion": { "user": text(&user, "/id") } }));
    }
    let [ann, bob] = bodies.try_into().unwrap();

    let (sign_in, issuance) = (studio.world.sign_in(), studio.world.code_issuance());
    let verification = studio.world.code_verification();
    let login = studio.keep("sign in", &sign_in, "/v1/logins", &secret, ann).await;
    let (path, token) = login_of(&login);
    studio.keep("issue", &issuance, &format!("{path}/code"), &token, json!({})).await;
    let right = json!({ "code": studio.code() });
    let path = format!("{path}/verification");
    let done = studio.keep("verify right", &verification, &path, &token, right).await;
    assert!(done["tokens"]["access_token"].is_string(), "{done}");
    assert_eq!(studio.calls.call("verify right").exchanges.len(), 1, "nothing but the guess's write");

    // Somebody else's, so that no failure is left for the right code to clear.
    let login = studio.unkept(&sign_in, "POST", "/v1/logins", &secret, bob).await;
    let (path, token) = login_of(&login);
    studio.unkept(&issuance, "POST", &format!("{path}/code"), &token, json!({})).await;
    let wrong = (studio.code().parse::<u32>().unwrap() + 1) % 1_000_000;
    let wrong = json!({ "code": format!("{wrong:06}") });
    let path = format!("{path}/verification");
    let refused = studio.keep("verify wrong", &verification, &path, &token, wrong).await;
    assert_eq!(refused["code"], "wrong_code", "{refused}");

    let kept = repository::path(KEPT);
    if std::env::var_os("UPDATE_RECORDING").is_some() {
        let mut written = serde_json::to_string_pretty(&studio.calls).unwrap();
        written.push('\n');
        std::fs::write(kept, written).unwrap();
    } else {
        let then: Recording = serde_json::from_str(&std::fs::read_to_string(kept).unwrap()).unwrap();
        assert_eq!(studio.calls, then, "UPDATE_RECORDING=1 writes it, and its counts are another's");
    }
}

/// Where a login is, and its token.
fn login_of(answer: &Value) -> (String, String) {
    (format!("/v1/logins/{}", text(answer, "/login/id")), text(answer, "/login_token"))
}
