//! Hosted logins: what a request, a code and a look at the claims cost, and what becomes of lost answers.

use crate::NUMBER;
use crate::world::{Cost, World, cost};
use serde_json::{Value, json};
use shared::domain::authorization::AuthorizationCode;
use shared::ports::Clock;
use tests::hosted::{CHALLENGE, code, encode, exchange};
use tests::http_client::Call;
use tests::proxy::Fault;
use tests::values::text;

const CALLBACK: &str = "https://shop.example/callback";
const ORIGIN: &str = "https://shop.example";

struct Shop {
    world: World,
    user: String,
}

impl Shop {
    async fn open() -> Self {
        let world = World::new().await;
        let path = format!("/applications/{}", world.application);
        world.admin("PATCH", &path, json!({ "redirect_uris": [CALLBACK], "origins": [ORIGIN] })).await;
        let user = world.user("ann", Some(NUMBER)).await;
        Self { world, user }
    }

    fn tenant(&self) -> &str {
        self.world.tenant.trim_start_matches('/')
    }

    fn code(&self) -> AuthorizationCode {
        code(&self.world.application, &self.user, CALLBACK, self.world.clock.now())
    }

    async fn exchange(&self, what: &str, code: &str) -> (Cost, Value) {
        let call = exchange(self.tenant(), &self.world.application, CALLBACK, code);
        let (cost, answer) = self.world.measure_call(what, call).await;
        (cost, answer.json)
    }

    async fn userinfo(&self, what: &str, access: &str, origin: Option<&str>) -> Cost {
        let call = Call::get(&format!("/t/{}/userinfo", self.tenant())).bearer(access);
        let call = match origin {
            Some(origin) => call.header("origin", origin),
            None => call,
        };
        self.world.measure_call(what, call).await.0
    }
}

#[tokio::test]
async fn e1_a_request_reads_once_and_writes_nothing() {
    let shop = Shop::open().await;
    let ask = |what: &'static str, application: &str, redirect: &str| {
        let fields = [
            ("client_id", application),
            ("redirect_uri", redirect),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let call = Call::get(&format!("/t/{}/authorize?{}", shop.tenant(), encode(&fields)));
        let world = &shop.world;
        async move { world.measure_call(what, call).await.0 }
    };
    let application = &shop.world.application;
    assert_eq!(ask("authorize", application, CALLBACK).await, cost("303", 1, 0));
    assert_eq!(ask("authorize, wrong redirect", application, ORIGIN).await, cost("400", 1, 0));
    assert_eq!(ask("authorize, no client", "nobody", CALLBACK).await, cost("400", 0, 0));
}

#[tokio::test]
async fn h11_a_code_costs_a_read_and_a_write_and_one_that_comes_again_another() {
    let shop = Shop::open().await;
    let code = shop.world.seals.code(&shop.code());
    let (first, tokens) = shop.exchange("code", &code).await;
    assert_eq!(first, cost("200", 1, 1));
    let access = text(&tokens, "/access_token");
    assert_eq!(shop.userinfo("claims", &access, None).await, cost("200", 1, 0));
    assert_eq!(shop.userinfo("claims, in a browser", &access, Some(ORIGIN)).await, cost("200", 2, 0));
    let me = shop.world.measure("own number, hosted", "/v1/me/phone", Some(&access), &[], None).await.0;
    assert_eq!(me, cost("200", 2, 0));
    assert_eq!(shop.exchange("code again", &code).await.0, cost("invalid_grant", 1, 2));
    assert_eq!(shop.userinfo("claims, void", &access, None).await, cost("unauthenticated", 1, 0));
    let me = shop.world.measure("own number, void", "/v1/me/phone", Some(&access), &[], None).await.0;
    assert_eq!(me, cost("unauthenticated", 1, 0));
    assert_eq!(shop.exchange("no code", "nonsense").await.0, cost("invalid_grant", 1, 0));
    let late = shop.world.seals.code(&shop.code());
    shop.world.advance(60);
    assert_eq!(shop.exchange("late code", &late).await.0, cost("invalid_grant", 1, 1));
}

/// The engine did it, and its answer was lost: the SDK asks again, and must not take itself for a thief.
#[tokio::test]
async fn h11_a_lost_answer_is_no_second_use() {
    let shop = Shop::open().await;
    let code = shop.world.seals.code(&shop.code());
    shop.world.proxy.fail_next("PutItem", Fault::LostAnswer);
    let (lost, tokens) = shop.exchange("code, answer lost", &code).await;
    assert_eq!(lost, cost("200", 1, 2));
    let access = text(&tokens, "/access_token");
    assert_eq!(shop.userinfo("claims", &access, None).await, cost("200", 1, 0));
}
