//! Trusted devices: what trusting one costs, and that showing one costs nothing more.

use crate::NUMBER;
use crate::world::{Cost, World, cost};
use serde_json::{Value, json};
use tests::proxy::{Fault, Gate, operations};
use tests::values::text;

impl World {
    async fn with_trust() -> Self {
        let world = Self::new().await;
        world.user("ann", Some(NUMBER)).await;
        world.admin("PATCH", "/security", json!({ "trusted_devices": { "enabled": true } })).await;
        world
    }

    /// A verification of Ann's that asks for trust.
    async fn trusts(&self, what: &str) -> (Cost, Value) {
        let login = self.login("ann").await;
        self.step("send", &login, "code", json!({})).await;
        let body = json!({ "code": self.code(), "trust_device": true });
        let path = format!("/v1/logins/{}/verification", login.id);
        let done = self.measure(what, &path, Some(&login.token), &[], Some(body)).await;
        self.advance(3600);
        done
    }

    async fn shows(&self, what: &str, device: &str) -> (Cost, Value) {
        let body = json!({
            "application": self.application,
            "password": { "account": "ann", "password": crate::world::PASSWORD },
            "trusted_device": device,
        });
        self.measure(what, "/v1/logins", None, &[], Some(body)).await
    }
}

#[tokio::test]
async fn h7_a_shown_device_costs_no_request() {
    let world = World::with_trust().await;
    let device = text(&world.trusts("right, trusted").await.1, "/trusted_device/token");
    let (spared, answer) = world.shows("password and device", &device).await;
    assert_eq!(spared, cost("200", 2, 0));
    assert!(answer["tokens"].is_object());
    let mut other = device.clone();
    other.replace_range(40..41, if &device[40..41] == "x" { "y" } else { "x" });
    for device in [other.as_str(), "", &world.secret] {
        let (asked, answer) = world.shows("password and no device", device).await;
        assert_eq!(asked, cost("200", 2, 0));
        assert!(answer["tokens"].is_null());
    }
    let user = text(&answer, "/login/user");
    let body = json!({
        "application": world.application, "assertion": { "user": user }, "trusted_device": device,
    });
    let secret = world.secret.clone();
    let (spared, answer) =
        world.measure("assertion and device", "/v1/logins", Some(&secret), &[], Some(body)).await;
    assert_eq!(spared, cost("200", 1, 0));
    assert!(answer["tokens"].is_object());
}

#[tokio::test]
async fn h7_trusting_a_device_is_one_read_and_one_transaction_more() {
    let world = World::with_trust().await;
    assert_eq!(world.trusts("right, trusted").await.0, cost("200", 1, 2));
    world.admin("PATCH", "/security", json!({ "trusted_devices": { "enabled": false } })).await;
    assert_eq!(world.trusts("right, not to be trusted").await.0, cost("200", 0, 1));
}

#[tokio::test]
async fn h7_devices_are_listed_in_one_read_and_revoked_in_one_transaction() {
    let world = World::with_trust().await;
    let first = text(&world.trusts("right, trusted").await.1, "/trusted_device/id");
    let done = world.trusts("right, trusted").await.1;
    let access =
        text(&world.shows("device", &text(&done, "/trusted_device/token")).await.1, "/tokens/access_token");
    let own = |what, method, rest: String| {
        let (world, access) = (&world, &access);
        let path = format!("/v1/me/trusted-devices{rest}");
        async move { world.measure_as(what, (method, &path), Some(access), &[], None).await.0 }
    };
    assert_eq!(own("list", "GET", String::new()).await, cost("200", 1, 0));
    assert_eq!(own("one", "GET", format!("/{first}")).await, cost("200", 1, 0));
    assert_eq!(own("revoke one", "DELETE", format!("/{first}")).await, cost("204", 1, 1));
    assert_eq!(own("revoke it again", "DELETE", format!("/{first}")).await, cost("not_found", 1, 0));
    assert_eq!(own("revoke all", "DELETE", String::new()).await, cost("204", 1, 1));
    assert_eq!(own("revoke none", "DELETE", String::new()).await, cost("204", 1, 0));
}

/// A lost answer is repeated by the SDK under the same token; a transaction that fails takes the login from nobody.
#[tokio::test]
async fn h7_whatever_becomes_of_the_device_the_login_is_done() {
    let world = World::with_trust().await;
    for fault in [Fault::LostAnswer, Fault::TransactionConflict] {
        let login = world.login("ann").await;
        world.step("send", &login, "code", json!({})).await;
        world.proxy.fail_next("TransactWriteItems", fault);
        let body = json!({ "code": world.code(), "trust_device": true });
        let path = format!("/v1/logins/{}/verification", login.id);
        world.proxy.take();
        let (status, answer) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
        let records = world.proxy.take();
        let asked = operations(&records);
        assert_eq!(asked, ["UpdateItem", "Query", "TransactWriteItems", "TransactWriteItems"]);
        assert_eq!((status, answer["tokens"].is_object()), (200, true), "{answer}");
        assert!(answer["trusted_device"].is_object(), "{answer}");
        world.advance(3600);
    }
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    for _ in 0..3 {
        world.proxy.fail_next("Query", Fault::InternalError);
    }
    let body = json!({ "code": world.code(), "trust_device": true });
    let path = format!("/v1/logins/{}/verification", login.id);
    let (status, answer) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
    assert_eq!((status, answer["tokens"].is_object()), (200, true), "{answer}");
    assert!(answer["trusted_device"].is_null(), "{answer}");
}

/// Both have read before either writes: each would find room for one.
#[tokio::test]
async fn h7_two_devices_trusted_at_once_are_never_one_too_many() {
    let world = World::with_trust().await;
    for _ in 0..19 {
        world.trusts("right, trusted").await;
    }
    let mut tries = Vec::new();
    for _ in 0..2 {
        let login = world.login("ann").await;
        world.step("send", &login, "code", json!({})).await;
        tries.push((login, json!({ "code": world.code(), "trust_device": true })));
        world.advance(130);
    }
    let gate = Gate::new();
    for _ in &tries {
        world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    }
    let both = futures::future::join_all(tries.into_iter().map(|(login, body)| {
        let world = &world;
        async move { world.step("right, trusted", &login, "verification", body).await.outcome }
    }));
    let open = async {
        gate.arrival().await;
        gate.arrival().await;
        gate.open();
    };
    let (outcomes, ()) = futures::future::join(both, open).await;
    assert_eq!(outcomes, ["200", "200"]);
    world.advance(130);
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let body = json!({ "code": world.code() });
    let path = format!("/v1/logins/{}/verification", login.id);
    let (_, done) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
    let access = text(&done, "/tokens/access_token");
    let (_, list) = world.call("GET", "/v1/me/trusted-devices", Some(&access), &[], None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 20, "{list}");
}

/// The number changes after its code was given and before the device is written.
#[tokio::test]
async fn h7_no_device_is_trusted_with_a_number_that_was_not_proven() {
    let world = World::with_trust().await;
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let body = json!({ "code": world.code(), "trust_device": true });
    let path = format!("/v1/logins/{}/verification", login.id);
    let gate = Gate::new();
    world.proxy.fail_next("Query", Fault::Held(gate.clone()));
    let verification = world.call("POST", &path, Some(&login.token), &[], Some(body));
    let change = async {
        gate.arrival().await;
        let (_, users) = world
            .call(
                "GET",
                &format!("/v1/tenants{}/users?username=ann", world.tenant),
                Some(&world.admin),
                &[],
                None,
            )
            .await;
        let user = text(&users, "/items/0/id");
        world.admin("PUT", &format!("/users/{user}/phone"), json!({ "phone": "+12025550102" })).await;
        gate.open();
    };
    let ((status, answer), ()) = futures::future::join(verification, change).await;
    assert_eq!((status, answer["tokens"].is_object()), (200, true), "{answer}");
    assert!(answer["trusted_device"].is_null(), "{answer}");
}
