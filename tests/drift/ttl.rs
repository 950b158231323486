//! DynamoDB's own deletions. They come days after an item's `ttl`; here they come too early, in the middle of a request, and never.

use crate::world::World;
use crate::{NUMBER, code};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use std::collections::HashMap;
use tests::proxy::{Fault, Gate};
use tests::values::another_code;

impl World {
    /// Deletes what has a `ttl` and one of whose keys starts so, as the sweep does; answers how many.
    pub async fn sweeps(&self, kind: &str) -> usize {
        let client = self.engine_client();
        let mut swept = self.of_kind(kind).await;
        swept.retain(|item| item.contains_key("ttl"));
        for item in &swept {
            let delete = client.delete_item().table_name(&self.tables.logins);
            delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
        }
        swept.len()
    }

    /// How many items one of whose keys starts so, also half ones, which may have no `ttl`.
    pub async fn count(&self, kind: &str) -> usize {
        self.of_kind(kind).await.len()
    }

    async fn of_kind(&self, kind: &str) -> Vec<HashMap<String, AttributeValue>> {
        let mut items = self.items().await;
        items.retain(|item| ["pk", "sk"].iter().any(|key| item[*key].as_s().unwrap().starts_with(kind)));
        items
    }

    pub async fn items(&self) -> Vec<HashMap<String, AttributeValue>> {
        let scan = self.engine_client().scan().table_name(&self.tables.logins).send().await.unwrap();
        scan.items.unwrap_or_default()
    }

    async fn failures(&self, user: &str) -> u64 {
        let path = format!("/v1/tenants{}/users/{user}", self.tenant);
        self.call("GET", &path, Some(&self.admin), &[], None).await.1["failed_codes"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn h3_a_challenge_that_goes_early_takes_its_code_along_and_no_failure() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.sends(&login).await;
    let old = world.code();
    let guess = json!({ "code": another_code(&old) });
    assert_eq!(code(&world.does(&login, "verification", guess).await), (401, "wrong_code"));
    assert_eq!(world.sweeps("challenge#").await, 1);
    assert_eq!(code(&world.gives_code(&login).await), (409, "no_code_sent"));
    assert_eq!(world.failures(&user).await, 1, "failures have no ttl");
    assert_eq!(world.count("challenge#").await, 0, "a refused guess makes no item");
    // The number's own wait is in another item, which is still there.
    assert_eq!(code(&world.does(&login, "code", json!({})).await), (429, "rate_limited"));
    world.advance(31);
    world.sends(&login).await;
    assert_ne!(world.code(), old);
    assert_eq!(code(&world.gives_code(&login).await), (200, ""));
    assert_eq!(world.failures(&user).await, 0);
}

#[tokio::test]
async fn h3_limits_that_go_early_are_made_anew() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.sends(&login).await;
    assert!(world.sweeps("limit").await >= 3);
    assert_eq!(
        code(&world.does(&login, "code", json!({})).await),
        (429, "resend_too_soon"),
        "the login's own wait"
    );
    world.advance(31);
    world.sends(&login).await;
    assert_eq!(code(&world.gives_code(&login).await), (200, ""));
}

#[tokio::test]
async fn h3_what_is_never_swept_lets_nobody_in() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.sends(&login).await;
    world.advance(90 * 86_400);
    assert_eq!(code(&world.gives_code(&login).await), (410, "login_expired"));
    assert_eq!(code(&world.does(&login, "code", json!({})).await), (410, "login_expired"));
    let next = world.asserted(&user).await;
    world.sends(&next).await;
    assert_eq!(code(&world.gives_code(&next).await), (200, ""));
}

#[tokio::test]
async fn h3_a_challenge_that_goes_during_a_bind_binds_nothing_and_leaves_nothing() {
    let world = World::new().await;
    let user = world.user("ann", None).await;
    let login = world.asserted(&user).await;
    assert_eq!(code(&world.does(&login, "phone", json!({ "phone": NUMBER })).await), (200, ""));
    world.sends(&login).await;
    let gate = Gate::new();
    world.proxy.fail_next("TransactWriteItems", Fault::Held(gate.clone()));
    let meanwhile = async {
        gate.arrival().await;
        assert_eq!(world.sweeps("challenge#").await, 1);
        gate.open();
    };
    let (answer, ()) = futures::future::join(world.gives_code(&login), meanwhile).await;
    assert_eq!(code(&answer), (409, "no_code_sent"));
    assert_eq!(world.count("challenge#").await, 0, "nothing of it came back");
    let path = format!("/v1/tenants{}/users/{user}", world.tenant);
    assert!(world.call("GET", &path, Some(&world.admin), &[], None).await.1["phone"].is_null());
    // The number is free, and the same login binds it.
    world.advance(61);
    assert_eq!(code(&world.does(&login, "phone", json!({ "phone": NUMBER })).await), (200, ""));
    world.sends(&login).await;
    assert_eq!(code(&world.gives_code(&login).await), (200, ""));
}

#[tokio::test]
async fn h3_a_challenge_that_goes_while_its_message_is_sent_does_not_come_back_as_half_an_item() {
    let world = World::new().await;
    let user = world.user("ann", Some(NUMBER)).await;
    let login = world.asserted(&user).await;
    world.provider(shared::ports::SendOutcome::Unknown);
    let gate = Gate::new();
    let held = gate.clone();
    // The correction of what the reservation assumed.
    world.proxy.fail_when(move |record| {
        let settles = record.body["UpdateExpression"]
            .as_str()
            .is_some_and(|text| text.contains("delivery = :delivery"));
        (settles && record.operation == "UpdateItem").then(|| Fault::Held(held.clone()))
    });
    let meanwhile = async {
        gate.arrival().await;
        assert_eq!(world.sweeps("challenge#").await, 1);
        gate.open();
    };
    let (answer, ()) = futures::future::join(world.does(&login, "code", json!({})), meanwhile).await;
    assert_eq!(code(&answer), (200, ""));
    assert_eq!(world.count("challenge#").await, 0);
    assert_eq!(code(&world.gives_code(&login).await), (409, "no_code_sent"));
}
