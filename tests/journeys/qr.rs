//! Sign-in by QR code: acceptance F2 and F10, and what somebody else may try with one.

use crate::world::{Login, World};
use base64::Engine as _;
use serde_json::{Value, json};
use shared::auth::credential::{Credential, Holder};
use shared::domain::ids::QrLoginId;
use std::time::{Duration, Instant};
use tests::http_client::{Answer, Call};
use tests::values::{changed, text};

const NUMBER: &str = "+12025550145";
const PASSWORD: &str = "correct horse battery";
const ORIGIN: &str = "https://shop.example.com";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// A QR login that a browser has asked for.
struct Asked {
    id: String,
    secret: String,
    answer: Value,
}

impl World {
    async fn ask_of(&self, application: &str) -> Asked {
        let body = json!({ "application": application });
        let call = Call::post("/v1/qr-logins", &body).header("user-agent", FIREFOX);
        let answer = self.local.send(call).await.expect(201);
        Asked { id: text(&answer, "/qr/id"), secret: text(&answer, "/secret"), answer }
    }

    async fn ask(&self) -> Asked {
        self.ask_of(&self.application).await
    }

    async fn decide(&self, qr: &Asked, step: &str, access: &str) -> Answer {
        let call = Call::new("POST", &format!("/v1/qr-logins/{}/{step}", qr.id));
        self.local.send(call.bearer(access)).await
    }

    async fn use_with(&self, application: &str, qr: &Asked, secret: &str) -> Answer {
        let body = json!({ "application": application, "qr": { "id": qr.id, "secret": secret } });
        self.local.send(Call::post("/v1/logins", &body)).await
    }

    async fn use_qr(&self, qr: &Asked) -> Answer {
        self.use_with(&self.application, qr, &qr.secret).await
    }

    async fn qr_status(&self, qr: &Asked) -> String {
        let call = Call::get(&format!("/v1/qr-logins/{}", qr.id)).bearer(&qr.secret);
        text(&self.local.send(call).await.expect(200), "/qr/status")
    }

    /// A user whom no code is asked of, signed in; answers its id and access token.
    async fn signed_in(&self, name: &str) -> (String, String) {
        let user = self.user(json!({ "username": name, "password": PASSWORD })).await;
        (user, self.access(name).await)
    }

    async fn access(&self, name: &str) -> String {
        let done = self.start_password(&self.application, name, PASSWORD).await.expect(200);
        text(&done, "/tokens/access_token")
    }

    async fn approved(&self, access: &str) -> Asked {
        let qr = self.ask().await;
        self.decide(&qr, "scan", access).await.expect(200);
        self.decide(&qr, "approval", access).await.expect(200);
        qr
    }
}

/// The claims of a token, unchecked.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn f2_a_device_that_is_signed_in_signs_the_browser_in_that_asked() {
    let world = World::fresh().await;
    let (user, access) = world.signed_in("ann").await;
    let qr = world.ask().await;
    let url = format!("{}/t/{}/scan?qr={}", world.local.url(), world.tenant, qr.id);
    assert_eq!(text(&qr.answer, "/url"), url);
    assert!(!url.contains(&qr.secret), "the code says nothing that signs anybody in");
    assert_eq!(world.qr_status(&qr).await, "pending");
    world.use_qr(&qr).await.refused(409, "qr_login_not_approved");

    let scanned = world.decide(&qr, "scan", &access).await.expect(200);
    assert_eq!(scanned["qr"]["status"], "scanned");
    assert_eq!(world.qr_status(&qr).await, "scanned");
    world.use_qr(&qr).await.refused(409, "qr_login_not_approved");
    world.decide(&qr, "scan", &access).await.expect(200);

    assert_eq!(world.decide(&qr, "approval", &access).await.expect(200)["qr"]["status"], "approved");
    assert_eq!(world.qr_status(&qr).await, "approved");
    let done = world.use_qr(&qr).await.expect(200);
    assert_eq!((&done["login"]["user"], &done["login"]["status"]), (&json!(user), &json!("complete")));
    let said = claims(&text(&done, "/tokens/access_token"));
    assert_eq!((&said["sub"], &said["aud"]), (&json!(user), &json!(world.application)));
    assert_eq!((&said["amr"], &said["acr"]), (&json!(["qr"]), &json!("aal1")));

    assert_eq!(world.qr_status(&qr).await, "expired", "it has been used");
    world.use_qr(&qr).await.refused(410, "qr_login_expired");
    world.decide(&qr, "approval", &access).await.refused(410, "qr_login_expired");
}

#[tokio::test]
async fn f2_who_scans_is_told_who_asks() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let qr = world.ask().await;
    let scanned = world.decide(&qr, "scan", &access).await.expect(200);
    let asked = &scanned["asked_by"];
    assert_eq!(asked["application"], json!({ "id": world.application, "name": "Shop" }));
    assert_eq!(asked["address"], "127.0.0.1");
    assert_eq!(asked["browser"], json!({ "name": "Firefox", "system": "Linux" }));
    assert!(asked["at"].is_string());

    // A sender's own words are not passed on, and a back end's address is not the user's.
    let body = json!({ "application": world.application });
    let call = Call::post("/v1/qr-logins", &body).header("user-agent", "Your own laptop: approve!");
    let id = text(&world.local.send(call).await.expect(201), "/qr/id");
    let qr = Asked { id, ..world.ask().await };
    let scanned = world.decide(&qr, "scan", &access).await.expect(200);
    assert_eq!(scanned["asked_by"]["browser"], Value::Null);
    let call = Call::post("/v1/qr-logins", &body).bearer(&world.secret).header("user-agent", FIREFOX);
    let id = text(&world.local.send(call).await.expect(201), "/qr/id");
    let scanned = world.decide(&Asked { id, ..qr }, "scan", &access).await.expect(200);
    assert_eq!(
        (&scanned["asked_by"]["browser"], &scanned["asked_by"]["address"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn f2_a_rejection_signs_nobody_in() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let qr = world.ask().await;
    world.decide(&qr, "rejection", &access).await.refused(409, "conflict");
    world.decide(&qr, "scan", &access).await.expect(200);
    for _ in 0..2 {
        assert_eq!(world.decide(&qr, "rejection", &access).await.expect(200)["qr"]["status"], "rejected");
    }
    world.decide(&qr, "approval", &access).await.refused(409, "conflict");
    world.decide(&qr, "scan", &access).await.refused(409, "conflict");
    assert_eq!(world.qr_status(&qr).await, "rejected");
    world.use_qr(&qr).await.refused(409, "qr_login_not_approved");
}

#[tokio::test]
async fn f10_a_scan_of_a_user_whom_a_code_is_asked_of_goes_on_to_the_code() {
    let world = World::fresh().await;
    let user = world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let access = world.access("ann").await;
    // C6: an identity source that is off exempts no local login.
    let source =
        json!({ "kind": "oidc", "name": "Company", "issuer": "https://id.example", "audience": "a" });
    let source = text(&world.admin("POST", "/identity-sources", Some(&source)).await.expect(201), "/id");
    world
        .security(json!({ "mfa": { "sms": { "enabled": true } }, "identity_sources": { source: false } }))
        .await;

    let qr = world.approved(&access).await;
    let begun = world.use_qr(&qr).await.expect(200);
    assert!(begun["tokens"].is_null(), "the scan alone never logs in: {begun}");
    assert_eq!(begun["login"]["status"], "enter_code");
    let login = Login { id: text(&begun, "/login/id"), token: text(&begun, "/login_token"), answer: begun };
    world.use_qr(&qr).await.refused(410, "qr_login_expired");
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let done = world.guess(&login, &code).await.expect(200);
    let said = claims(&text(&done, "/tokens/access_token"));
    assert_eq!(
        (&said["sub"], &said["amr"], &said["acr"]),
        (&json!(user), &json!(["qr", "sms"]), &json!("aal2"))
    );

    // An unbound user goes on to the number.
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    let (_, access) = world.signed_in("bob").await;
    world.security(json!({ "mfa": { "sms": { "enabled": true } } })).await;
    let begun = world.use_qr(&world.approved(&access).await).await.expect(200);
    assert_eq!((&begun["login"]["status"], begun["tokens"].is_null()), (&json!("bind_phone"), true));
}

#[tokio::test]
async fn h7_a_trusted_device_spares_a_scan_the_code_as_it_does_a_password() {
    let world = World::with_sms().await;
    world.security(json!({ "trusted_devices": { "enabled": true } })).await;
    world.user(json!({ "username": "ann", "phone": NUMBER, "password": PASSWORD })).await;
    let login = world.login("ann", PASSWORD).await;
    world.send_code(&login).await;
    let code = world.local.code_sent_to(NUMBER).await;
    let body = json!({ "code": code, "trust_device": true });
    let done = world.step(&login, "verification", body).await.expect(200);
    let qr = world.approved(&text(&done, "/tokens/access_token")).await;
    let body = json!({
        "application": world.application, "qr": { "id": qr.id, "secret": qr.secret },
        "trusted_device": done["trusted_device"]["token"],
    });
    let spared = world.local.send(Call::post("/v1/logins", &body)).await.expect(200);
    let said = claims(&text(&spared, "/tokens/access_token"));
    assert_eq!((&said["amr"], &said["acr"]), (&json!(["qr"]), &json!("aal1")));
}

#[tokio::test]
async fn f2_only_the_asking_browser_gets_in() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let other = world.approved(&access).await;
    let qr = world.approved(&access).await;
    // As it would be, but for its randomness.
    let holder = Holder::QrLogin { qr: QrLoginId::parse(&qr.id).unwrap() };
    let made_up = Credential::generate(holder, |buffer| buffer.fill(7)).text.into_exposed();
    for secret in [&changed(&qr.secret), &made_up, &other.secret, "", &qr.id, &access, &world.secret] {
        world.use_with(&world.application, &qr, secret).await.refused(401, "first_factor_failed");
    }
    let look = |secret: &str| world.local.send(Call::get(&format!("/v1/qr-logins/{}", qr.id)).bearer(secret));
    for secret in [&changed(&qr.secret), &made_up, &access, &world.secret, &world.admin] {
        look(secret).await.refused(401, "unauthenticated");
    }
    look(&other.secret).await.refused(403, "forbidden");
    world.use_qr(&qr).await.expect(200);
    world.use_qr(&other).await.expect(200);
}

#[tokio::test]
async fn f2_another_tenants_user_and_another_application_get_nowhere() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let qr = world.ask().await;

    let body = json!({ "name": "Other", "home_country": "US" });
    let operator = world.local.operator_key().to_owned();
    let made = world.local.send(Call::post("/v1/tenants", &body).bearer(&operator)).await.expect(201);
    let tenant = format!("/v1/tenants/{}", text(&made, "/id"));
    let owner = text(&made, "/admin_key/secret");
    let post = async |rest: &str, body: Value| {
        world.local.send(Call::post(&format!("{tenant}{rest}"), &body).bearer(&owner)).await.expect(201)
    };
    let foreign = text(&post("/applications", json!({ "name": "Shop" })).await, "/id");
    post("/users", json!({ "username": "eve", "password": PASSWORD })).await;
    let done = world.start_password(&foreign, "eve", PASSWORD).await.expect(200);
    let stranger = text(&done, "/tokens/access_token");
    for step in ["scan", "approval", "rejection"] {
        world.decide(&qr, step, &stranger).await.refused(404, "not_found");
    }
    assert_eq!(world.qr_status(&qr).await, "pending");

    world.decide(&qr, "scan", &access).await.expect(200);
    world.decide(&qr, "approval", &access).await.expect(200);
    let desk = text(&world.application(json!({ "name": "Desk" })).await, "/id");
    world.use_with(&desk, &qr, &qr.secret).await.refused(403, "forbidden");
    world.use_with(&foreign, &qr, &qr.secret).await.refused(401, "first_factor_failed");
    world.use_qr(&qr).await.expect(200);
}

#[tokio::test]
async fn f2_only_who_scanned_it_approves_it() {
    let world = World::fresh().await;
    let (_, ann) = world.signed_in("ann").await;
    let (_, eve) = world.signed_in("eve").await;
    let qr = world.ask().await;
    world.decide(&qr, "scan", &ann).await.expect(200);
    for step in ["scan", "approval", "rejection"] {
        world.decide(&qr, step, &eve).await.refused(403, "forbidden");
    }
    assert_eq!(world.qr_status(&qr).await, "scanned");
    let unknown = format!("{}0000000000000000000000", &qr.id[..15]);
    world.decide(&Asked { id: unknown, ..qr }, "scan", &ann).await.refused(404, "not_found");
}

#[tokio::test]
async fn f2_two_minutes_end_it_whatever_its_state() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let (pending, scanned, approved) = (world.ask().await, world.ask().await, world.approved(&access).await);
    world.decide(&scanned, "scan", &access).await.expect(200);
    world.local.advance(121).await;
    for qr in [&pending, &scanned, &approved] {
        assert_eq!(world.qr_status(qr).await, "expired");
        world.use_qr(qr).await.refused(410, "qr_login_expired");
        for step in ["scan", "approval", "rejection"] {
            world.decide(qr, step, &access).await.refused(410, "qr_login_expired");
        }
    }
}

#[tokio::test]
async fn f2_a_user_who_is_gone_is_not_signed_in() {
    let world = World::fresh().await;
    let (user, access) = world.signed_in("ann").await;
    let qr = world.approved(&access).await;
    assert_eq!(world.admin("DELETE", &format!("/users/{user}"), None).await.status, 204);
    world.use_qr(&qr).await.refused(401, "first_factor_failed");
}

#[tokio::test]
async fn f2_a_session_from_a_scan_alone_signs_nobody_in() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let done = world.use_qr(&world.approved(&access).await).await.expect(200);
    let second = text(&done, "/tokens/access_token");
    let qr = world.ask().await;
    for step in ["scan", "approval", "rejection"] {
        world.decide(&qr, step, &second).await.refused(403, "forbidden");
    }
    world.decide(&qr, "scan", &access).await.expect(200);
}

#[tokio::test]
async fn f2_a_scan_makes_no_session_younger() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    world.local.advance(400).await;
    let done = world.use_qr(&world.approved(&access).await).await.expect(200);
    let (first, second) = (claims(&access), claims(&text(&done, "/tokens/access_token")));
    assert_eq!(second["auth_time"], first["auth_time"]);
    assert!(second["iat"].as_i64().unwrap() >= first["iat"].as_i64().unwrap() + 400);
}

#[tokio::test]
async fn f2_a_confidential_application_shows_its_secret_and_a_page_is_on_its_origin() {
    let world = World::fresh().await;
    let (_, access) = world.signed_in("ann").await;
    let made = world.application(json!({ "name": "Back end", "type": "confidential" })).await;
    let (id, secret) = (text(&made, "/id"), text(&made, "/secret/secret"));
    let body = json!({ "application": id });
    world.local.send(Call::post("/v1/qr-logins", &body)).await.refused(401, "unauthenticated");
    world
        .local
        .send(Call::post("/v1/qr-logins", &body).bearer(&world.secret))
        .await
        .refused(403, "forbidden");
    world.local.send(Call::post("/v1/qr-logins", &body).bearer(&secret)).await.expect(201);
    let unknown = json!({ "application": changed(&id) });
    world.local.send(Call::post("/v1/qr-logins", &unknown)).await.refused(404, "not_found");

    let path = format!("/applications/{}", world.application);
    world.admin("PATCH", &path, Some(&json!({ "origins": [ORIGIN] }))).await.expect(200);
    let qr = world.ask().await;
    for (method, path, credential) in [
        ("POST", "/v1/qr-logins".to_owned(), None),
        ("GET", format!("/v1/qr-logins/{}", qr.id), Some(&qr.secret)),
        ("POST", format!("/v1/qr-logins/{}/scan", qr.id), Some(&access)),
        ("POST", format!("/v1/qr-logins/{}/approval", qr.id), Some(&access)),
    ] {
        let call = |origin: &str| {
            let mut call = Call::new(method, &path).header("origin", origin);
            if let Some(credential) = credential {
                call = call.bearer(credential);
            } else {
                call = call.json(&json!({ "application": world.application }));
            }
            world.local.send(call)
        };
        let stranger = call("https://evil.example").await;
        assert_eq!(stranger.header("access-control-allow-origin"), None, "{path}");
        stranger.refused(403, "forbidden");
        let answer = call(ORIGIN).await;
        assert!(answer.status < 300, "{path}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN), "{path}");
    }
}

#[tokio::test]
async fn f2_a_decision_is_told_in_the_audit() {
    let world = World::fresh().await;
    let (user, access) = world.signed_in("ann").await;
    let approved = world.approved(&access).await;
    world.use_qr(&approved).await.expect(200);
    let rejected = world.ask().await;
    world.decide(&rejected, "scan", &access).await.expect(200);
    world.decide(&rejected, "rejection", &access).await.expect(200);
    let started = Instant::now();
    let events = loop {
        let path = format!("/audit-events?limit=100&user={user}");
        let page = world.admin("GET", &path, None).await.expect(200);
        let mut events = page["items"].as_array().unwrap().clone();
        events.retain(|event| text(event, "/type").starts_with("qr_login."));
        if events.len() >= 2 {
            break events;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{events:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(events.len(), 2, "each once: {events:#?}");
    for (event, (kind, qr)) in
        events.iter().zip([("qr_login.rejected", &rejected), ("qr_login.approved", &approved)])
    {
        assert_eq!(event["type"], kind);
        assert_eq!(event["after"], json!({ "qr": qr.id, "asked_from": "127.0.0.1" }));
        assert_eq!((&event["actor"]["user"], &event["client_ip"]), (&json!(user), &json!("127.0.0.1")));
        assert_eq!(event["application"], world.application);
    }
}
