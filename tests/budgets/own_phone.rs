//! `/v1/me/phone`: what users do about their own number.

use crate::NUMBER;
use crate::world::{Cost, Login, World, cost};
use serde_json::{Value, json};
use tests::values::text;

const OTHER: &str = "+12025550102";

impl World {
    /// Signs in with the code; answers the access token.
    async fn access(&self, account: &str) -> String {
        let login = self.login(account).await;
        self.step("send", &login, "code", json!({})).await;
        let body = json!({ "code": self.code() });
        let path = format!("/v1/logins/{}/verification", login.id);
        text(&self.call("POST", &path, Some(&login.token), &[], Some(body)).await.1, "/tokens/access_token")
    }

    async fn own(&self, what: &str, method: &str, access: &str, body: Option<Value>) -> (Cost, Value) {
        self.measure_as(what, (method, "/v1/me/phone"), Some(access), &[], body).await
    }

    async fn asks_for(&self, access: &str, number: &str) -> Login {
        let answer = self.own("replace", "PUT", access, Some(json!({ "phone": number }))).await.1;
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token") }
    }
}

#[tokio::test]
async fn a_look_at_ones_number_reads_once() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let access = world.access("ann").await;
    assert_eq!(world.own("own number", "GET", &access, None).await.0, cost("200", 1, 0));
    assert_eq!(world.own("own number, no token", "GET", "none", None).await.0, cost("unauthenticated", 0, 0));
}

#[tokio::test]
async fn h8_a_replacement_asks_in_two_reads_and_one_write_and_is_one_transaction() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    world.user("bob", Some("+12025550109")).await;
    let access = world.access("ann").await;
    let ask = |what, number: &str| {
        let body = Some(json!({ "phone": number }));
        let (world, access) = (&world, &access);
        async move { world.own(what, "PUT", access, body).await.0 }
    };
    assert_eq!(ask("replace by the same", NUMBER).await, cost("conflict", 2, 0));
    assert_eq!(ask("replace by a taken one", "+12025550109").await, cost("phone_taken", 2, 0));
    assert_eq!(ask("replace by no number", "+1 202").await, cost("invalid_phone", 0, 0));
    assert_eq!(ask("replace", OTHER).await, cost("202", 2, 1));

    world.advance(70);
    let login = world.asks_for(&access, OTHER).await;
    world.step("send to the old", &login, "code", json!({})).await;
    let old = json!({ "code": world.code() });
    assert_eq!(world.step("the old number's code", &login, "verification", old).await, cost("200", 0, 2));
    assert_eq!(world.step("send to the new", &login, "code", json!({})).await, cost("200", 1, 5));
    let new = json!({ "code": world.code() });
    assert_eq!(world.step("the new number's code", &login, "verification", new).await, cost("200", 1, 2));
}

#[tokio::test]
async fn h8_a_removal_reads_twice_and_is_one_transaction() {
    let world = World::new().await;
    world.user("ann", Some(NUMBER)).await;
    let access = world.access("ann").await;
    assert_eq!(world.own("remove", "DELETE", &access, None).await.0, cost("204", 2, 1));
    assert_eq!(world.own("remove again", "DELETE", &access, None).await.0, cost("204", 1, 0));
    world.advance(301);
    let stale = world.own("remove with an old token", "DELETE", &access, None).await;
    assert_eq!(stale.0, cost("step_up_required", 0, 0));
}
