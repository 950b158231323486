//! QR logins: asked for, looked at, decided, used.

use crate::NUMBER;
use crate::world::{Cost, PASSWORD, World, cost};
use serde_json::{Value, json};
use tests::values::text;

const ORIGIN: &[(&str, &str)] = &[("origin", "https://shop.example.com")];

/// A QR login that a browser has asked for.
struct Asked {
    id: String,
    secret: String,
}

impl World {
    async fn ask(&self) -> Asked {
        let body = json!({ "application": self.application });
        let (cost_of, answer) = self.measure("QR login", "/v1/qr-logins", None, &[], Some(body)).await;
        assert_eq!(cost_of, cost("201", 1, 2));
        Asked { id: text(&answer, "/qr/id"), secret: text(&answer, "/secret") }
    }

    async fn decide(
        &self,
        what: &str,
        qr: &Asked,
        step: &str,
        access: &str,
        headers: &[(&str, &str)],
    ) -> Cost {
        let path = format!("/v1/qr-logins/{}/{step}", qr.id);
        self.measure(what, &path, Some(access), headers, Some(json!({}))).await.0
    }

    async fn use_qr(&self, what: &str, qr: &Asked) -> (Cost, Value) {
        let body = json!({ "application": self.application, "qr": { "id": qr.id, "secret": qr.secret } });
        self.measure(what, "/v1/logins", None, &[], Some(body)).await
    }
}

#[tokio::test]
async fn f2_a_qr_login_is_one_write_a_step_and_signs_in_with_two_reads_and_one_write() {
    let world = World::new().await;
    let application = format!("/applications/{}", world.application);
    world.admin("PATCH", &application, json!({ "origins": ["https://shop.example.com"] })).await;
    world.admin("PATCH", "/security", json!({ "mfa": { "sms": { "enabled": false } } })).await;
    world.user("ann", Some(NUMBER)).await;
    let access = text(&world.sign_in("sign-in", "ann", PASSWORD).await.1, "/tokens/access_token");

    let qr = world.ask().await;
    let path = format!("/v1/qr-logins/{}", qr.id);
    let look = |what, secret: &str, headers| {
        let (world, path, secret) = (&world, &path, secret.to_owned());
        async move { world.measure(what, path, Some(&secret), headers, None).await.0 }
    };
    assert_eq!(look("QR login: look", &qr.secret, &[]).await, cost("200", 1, 0));
    assert_eq!(look("QR login: look from a page", &qr.secret, ORIGIN).await, cost("200", 2, 0));
    assert_eq!(look("QR login: look, no secret", "none", &[]).await, cost("unauthenticated", 0, 0));

    assert_eq!(world.use_qr("QR login: use, pending", &qr).await.0, cost("qr_login_not_approved", 1, 0));
    assert_eq!(
        world.decide("QR login: approve, not scanned", &qr, "approval", &access, &[]).await,
        cost("conflict", 0, 1)
    );
    assert_eq!(world.decide("QR login: scan", &qr, "scan", &access, &[]).await, cost("200", 0, 1));
    assert_eq!(
        world.decide("QR login: scan from a page", &qr, "scan", &access, ORIGIN).await,
        cost("200", 1, 1)
    );
    assert_eq!(world.decide("QR login: approve", &qr, "approval", &access, &[]).await, cost("200", 0, 1));
    assert_eq!(
        world.decide("QR login: reject, approved", &qr, "rejection", &access, &[]).await,
        cost("conflict", 0, 1)
    );
    assert_eq!(world.use_qr("QR login: use", &qr).await.0, cost("200", 2, 1));
    assert_eq!(world.use_qr("QR login: use again", &qr).await.0, cost("qr_login_expired", 1, 0));

    let rejected = world.ask().await;
    world.decide("QR login: scan", &rejected, "scan", &access, &[]).await;
    assert_eq!(
        world.decide("QR login: reject", &rejected, "rejection", &access, &[]).await,
        cost("200", 0, 1)
    );
    assert_eq!(
        world.use_qr("QR login: use, rejected", &rejected).await.0,
        cost("qr_login_not_approved", 1, 0)
    );
    let wrong = Asked { secret: qr.secret.clone(), ..world.ask().await };
    assert_eq!(
        world.use_qr("QR login: use, wrong secret", &wrong).await.0,
        cost("first_factor_failed", 1, 0)
    );

    // With a code asked, it is begun as by a password.
    world.admin("PATCH", "/security", json!({ "mfa": { "sms": { "enabled": true } } })).await;
    let qr = world.ask().await;
    world.decide("QR login: scan", &qr, "scan", &access, &[]).await;
    world.decide("QR login: approve", &qr, "approval", &access, &[]).await;
    let (cost_of, begun) = world.use_qr("QR login: use, code asked", &qr).await;
    assert_eq!((cost_of, begun["tokens"].is_null()), (cost("200", 2, 1), true));
}
