//! Calls to the whole service on the embedded engine. Whatever a client sends, its answer is the client's: nothing ends the process, and
//! nothing is a fault of the service while its engine is well.

use super::super::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::http::lambda;
use std::cell::RefCell;
use tests::values::text;
use tokio::runtime::Runtime;

/// After so many inputs the world is made anew: changed events switch things off and fill tables.
const INPUTS_OF_A_WORLD: usize = 3_000;

struct Service {
    runtime: Runtime,
    world: World,
    /// Another tenant's, whose lists have cursors of their own.
    other: String,
    user: String,
    login: (String, String),
    /// Somebody else who is signed in.
    access: String,
    inputs: usize,
}

thread_local! {
    static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) };
}

fn with_service(run: impl FnOnce(&mut Service)) {
    SERVICE.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|service| service.inputs >= INPUTS_OF_A_WORLD) {
            *slot = Some(Service::start());
        }
        let service = slot.as_mut().expect("just made");
        service.inputs += 1;
        run(service);
    });
}

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (world, other, user, login, access) = runtime.block_on(async {
            let world = World::new().await;
            let user = world.user("ann", Some("+12025550147")).await;
            for name in ["bob", "cem", "dan"] {
                world.user(name, None).await;
            }
            let operator = world.operator();
            let body = json!({ "name": "Other", "home_country": "US" });
            let made = world.call("POST", "/v1/tenants", Some(&operator), &[], Some(body)).await.1;
            let other = text(&made, "/id");
            let access = signed_in(&world, "eve", "+12025550148").await;
            let login = world.login("ann").await;
            (world, other, user, (login.id, login.token), access)
        });
        Self { runtime, world, other, user, login, access, inputs: 0 }
    }

    /// What an event's `{{name}}` stands for. What would take the ground away (the operator's key) is not given.
    fn value(&self, name: &str) -> &str {
        match name {
            "tenant" => self.world.tenant.trim_start_matches('/'),
            "admin_key" => &self.world.admin,
            "application" => &self.world.application,
            "application_secret" => &self.world.secret,
            "user" => &self.user,
            "login" => &self.login.0,
            "login_token" => &self.login.1,
            "username" => "ann",
            "password" => super::super::world::PASSWORD,
            "phone" => "+12025550147",
            "code" => "123456",
            _ => "none",
        }
    }

    fn filled(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            match after.split_once("}}") {
                Some((name, after)) => {
                    filled.push_str(self.value(name));
                    rest = after;
                }
                None => {
                    filled.push_str("{{");
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// An access token of a new user.
async fn signed_in(world: &World, name: &str, number: &str) -> String {
    world.user(name, Some(number)).await;
    let login = world.login(name).await;
    world.step("a code", &login, "code", json!({})).await;
    let path = format!("/v1/logins/{}/verification", login.id);
    let code = json!({ "code": world.code() });
    text(&world.call("POST", &path, Some(&login.token), &[], Some(code)).await.1, "/tokens/access_token")
}

/// Every list that has pages: those of a tenant, and one's own devices.
const LISTS: [&str; 9] = [
    "{tenant}/users",
    "{tenant}/applications",
    "{tenant}/audit-events",
    "{tenant}/identity-sources",
    "{tenant}/admin-keys",
    "{tenant}/users/{user}/trusted-devices",
    "{tenant}/users/{user}/challenges",
    "{tenant}/message-templates",
    OWN_DEVICES,
];
const OWN_DEVICES: &str = "/v1/me/trusted-devices";

/// Text that becomes an event of the gateway once its placeholders are filled.
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    with_service(|service| {
        let Ok(event) = serde_json::from_str::<Value>(&service.filled(text)) else { return };
        let answered = service.runtime.block_on(lambda::answer(service.world.edge(), event));
        // What is no event of a gateway fails its invocation, in words of our own.
        let answer = match answered {
            Ok(answer) => serde_json::to_value(answer).expect("an answer is JSON"),
            Err(why) => {
                assert!(!why.is_empty());
                return;
            }
        };
        let status = answer["statusCode"].as_u64().expect("a status");
        assert!((200..500).contains(&status), "{answer}");
        let kind = answer["headers"]["content-type"].as_str().unwrap_or_default();
        let body = answer["body"].as_str().unwrap_or_default();
        if kind == "application/problem+json" {
            let problem: Value = serde_json::from_str(body).expect("a problem is JSON");
            assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()), "{answer}");
            assert_eq!(problem["status"].as_u64(), Some(status), "{answer}");
        }
        for secret in [&service.world.secret, &service.world.admin] {
            assert!(!answer.to_string().contains(secret.as_str()), "{answer}");
        }
    });
}

/// A list's number and a cursor, or with `=` in front the text that the cursor encodes. A list shows what is its tenant's, or says no.
pub fn cursor(data: &[u8]) {
    let Some((list, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    with_service(|service| {
        let world = &service.world;
        let text = service.filled(text).replace("{{other}}", &service.other);
        let cursor = match text.strip_prefix('=') {
            Some(plain) => URL_SAFE_NO_PAD.encode(plain),
            None => url_encoded(&text),
        };
        let list = LISTS[usize::from(*list) % LISTS.len()];
        let bearer = if list == OWN_DEVICES { &service.access } else { &world.admin };
        let list = list.replace("{tenant}", &format!("/v1/tenants{}", world.tenant));
        let path = format!("{}?limit=2&cursor={cursor}", list.replace("{user}", &service.user));
        let (status, answer) = service.runtime.block_on(world.call("GET", &path, Some(bearer), &[], None));
        assert!([200, 400].contains(&status), "{path}: {answer}");
        assert!(!answer.to_string().contains(&service.other), "{path}: {answer}");
        if status == 400 {
            assert_eq!(answer["code"], "invalid_request", "{answer}");
        }
    });
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
