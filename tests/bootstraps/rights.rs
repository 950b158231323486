//! Each function asks the tables for what template.yaml lets it, and for all of that: every call of the contract is made, and what
//! the functions ask for is held against their rights.

mod provider;
mod qr;

use crate::deployment::Deployment;
use provider::Provider;
use serde_json::{Value, json};
use shared::config::SystemClock;
use shared::ports::Clock;
use std::collections::BTreeSet;
use std::sync::Mutex;
use tests::events;
use tests::hosted;
use tests::http_client::{Answer, Call};
use tests::proxy::{Fault, Gate};
use tests::rights::{lacking, unused};
use tests::template::{Route, Template};
use tests::values::text;

const PASSWORD: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_stays_within_the_rights_of_its_function_and_every_right_is_used() {
    let world = World::start().await;
    world.administer().await;
    world.use_the_console().await;
    world.keep_users().await;
    world.log_in().await;
    world.mind_own_number().await;
    world.mind_devices().await;
    world.log_in_by_id_token().await;
    world.log_in_hosted().await;
    world.notify().await;
    world.keep_the_trail().await;

    let template = Template::load();
    for (name, function) in &template.functions {
        let done = world.deployment.asked(name);
        let lacking = lacking(function, &done);
        assert!(lacking.is_empty(), "{name} may not: {lacking:#?}");
        let unused = unused(function, &done);
        assert!(unused.is_empty(), "{name} never uses: {unused:#?}");
    }
    let routes = template.functions.values().flat_map(|function| &function.routes);
    let called = world.called.lock().unwrap();
    let not_called: Vec<_> =
        routes.filter(|route| route.path.starts_with("/v1") && !called.contains(route)).collect();
    assert!(not_called.is_empty(), "nobody has called {not_called:#?}");
    world.deployment.assert_quiet();
}

struct World {
    deployment: Deployment,
    tenant: String,
    admin_key: String,
    application: String,
    /// Every route that was taken.
    called: Mutex<BTreeSet<Route>>,
}

impl World {
    async fn start() -> Self {
        let deployment = Deployment::start().await;
        let mut world = Self {
            admin_key: deployment.operator_key.clone(),
            deployment,
            tenant: String::new(),
            application: String::new(),
            called: Mutex::default(),
        };
        let body = json!({ "name": "Acme", "home_country": "US" });
        let call = Call::post("/v1/tenants", &body).bearer(&world.admin_key);
        let made = world.send(call).await.expect(201);
        world.tenant = text(&made, "/id");
        world.admin_key = text(&made, "/admin_key/secret");
        let body = json!({ "name": "Shop", "origins": ["https://shop.example.com"] });
        world.application = text(&world.admin("POST", "/applications", body).await.expect(201), "/id");
        world
    }

    async fn send(&self, call: Call) -> Answer {
        let path = call.target.split('?').next().unwrap();
        let route = self.deployment.gateway.route(call.method.as_str(), path).expect("a route");
        self.called.lock().unwrap().insert(route);
        self.deployment.gateway.send(call).await
    }

    /// A call below the tenant, as its owner.
    async fn admin(&self, method: &str, rest: &str, body: Value) -> Answer {
        let call = Call::new(method, &format!("/v1/tenants/{}{rest}", self.tenant)).bearer(&self.admin_key);
        self.send(if body.is_null() { call } else { call.json(&body) }).await
    }

    async fn get(&self, rest: &str) -> Value {
        self.admin("GET", rest, Value::Null).await.expect(200)
    }

    async fn delete(&self, rest: &str) {
        self.admin("DELETE", rest, Value::Null).await.expect(204);
    }

    /// Everything of policy-admin.
    async fn administer(&self) {
        self.get("").await;
        self.admin("PATCH", "", json!({ "name": "Acme Corporation" })).await.expect(200);
        for on in [false, true] {
            self.admin("PATCH", "/security", json!({ "sending": { "enabled": on } })).await.expect(200);
        }
        self.get("/security").await;

        let made =
            self.admin("POST", "/applications", json!({ "name": "Desk", "customize_security": true })).await;
        let made = made.expect(201);
        let desk = format!("/applications/{}", text(&made, "/id"));
        self.get("/applications").await;
        self.get(&desk).await;
        self.get(&format!("{desk}/security")).await;
        let on = json!({ "mfa": { "sms": { "enabled": true } } });
        self.admin("PATCH", &format!("{desk}/security"), on).await.expect(200);
        self.admin("PATCH", &desk, json!({ "origins": ["https://desk.example.com"] })).await.expect(200);
        let secret = self.admin("POST", &format!("{desk}/secrets"), Value::Null).await.expect(201);
        self.delete(&format!("{desk}/secrets/{}", text(&secret, "/id"))).await;
        let body = json!({ "application": text(&made, "/id") });
        self.admin("POST", "/policy/explain", body).await.expect(200);
        let body = json!({ "text": "{code} for {name}", "application": text(&made, "/id") });
        self.admin("POST", "/message-templates/lint", body).await.expect(200);
        self.delete(&desk).await;

        let words = "/message-templates/de";
        self.admin("PUT", words, json!({ "text": "Ihr Code: {code}" })).await.expect(200);
        self.get("/message-templates").await;
        self.get(words).await;
        self.delete(words).await;

        let body = json!({
            "kind": "oidc", "name": "Staff", "issuer": "https://login.example.com", "audience": "mfa",
        });
        let source = text(&self.admin("POST", "/identity-sources", body).await.expect(201), "/id");
        self.get("/identity-sources").await;
        self.get(&format!("/identity-sources/{source}")).await;
        self.delete(&format!("/identity-sources/{source}")).await;

        let body = json!({ "role": "owner", "name": "second" });
        let key = text(&self.admin("POST", "/admin-keys", body).await.expect(201), "/id");
        self.get("/admin-keys").await;
        self.get(&format!("/admin-keys/{key}")).await;
        self.delete(&format!("/admin-keys/{key}")).await;
        self.get("/audit-events").await;
    }

    /// A session of the console, at both functions that take one.
    async fn use_the_console(&self) {
        let own_page = |call: Call| call.header("x-console", "1").header("sec-fetch-site", "same-origin");
        let path = "/v1/console/session";
        let begun = self.send(own_page(Call::new("POST", path).bearer(&self.admin_key))).await;
        let cookie = begun.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
        for path in [path.to_owned(), format!("/v1/tenants/{}/users", self.tenant)] {
            self.send(own_page(Call::get(&path).header("cookie", &cookie))).await.expect(200);
        }
        self.send(own_page(Call::new("DELETE", path).header("cookie", &cookie))).await.expect(204);
    }

    async fn user(&self, body: Value) -> String {
        let made = self.admin("POST", "/users", body).await.expect(201);
        format!("/users/{}", text(&made, "/id"))
    }

    /// Everything of user-directory.
    async fn keep_users(&self) {
        let ann =
            self.user(json!({ "username": "ann", "email": "ann@example.com", "password": PASSWORD })).await;
        self.get("/users").await;
        self.get("/users?username=ann").await;
        self.get(&ann).await;
        self.admin("PATCH", &ann, json!({ "username": "anna" })).await.expect(200);
        self.admin("PUT", &format!("{ann}/phone"), json!({ "phone": "+12025550101" })).await.expect(200);
        self.admin("PATCH", &ann, json!({ "username": null, "email": null })).await.expect(200);
        self.admin("PATCH", &ann, json!({ "username": "ann" })).await.expect(200);
        self.delete(&format!("{ann}/phone")).await;
        self.get(&format!("{ann}/challenges")).await;
        let body = json!({
            "kind": "oidc", "name": "Partners", "issuer": "https://partners.example.com", "audience": "mfa",
        });
        let source = text(&self.admin("POST", "/identity-sources", body).await.expect(201), "/id");
        let identity = format!("{ann}/identities/{source}");
        self.admin("PUT", &identity, json!({ "subject": "248289761001" })).await.expect(200);
        self.get(&format!("{ann}/identities")).await;
        self.get(&identity).await;
        self.delete(&identity).await;
        let id = ann.rsplit('/').next().unwrap();
        let question = json!({ "application": self.application, "user": id });
        self.admin("POST", "/policy/explain", question).await.expect(200);
        self.delete(&ann).await;
        // The operator reads every tenant.
        let call =
            Call::get(&format!("/v1/tenants/{}/users", self.tenant)).bearer(&self.deployment.operator_key);
        self.send(call).await.expect(200);
    }

    /// Starts a login; answers its path and token.
    async fn start_login(&self, account: &str) -> (String, String) {
        let body = json!({
            "application": self.application,
            "password": { "account": account, "password": PASSWORD },
        });
        let begun = self.send(Call::post("/v1/logins", &body)).await.expect(200);
        (format!("/v1/logins/{}", text(&begun, "/login/id")), text(&begun, "/login_token"))
    }

    async fn step(&self, login: &(String, String), step: &str, body: Value) -> Answer {
        self.send(Call::post(&format!("{}/{step}", login.0), &body).bearer(&login.1)).await
    }

    /// Everything that a login by password may meet: a preflight request, a wrong password, a bind, wrong and right codes.
    async fn log_in(&self) {
        let preflight = Call::new("OPTIONS", "/v1/logins")
            .header("origin", "https://shop.example.com")
            .header("access-control-request-method", "POST");
        self.send(preflight).await.expect(204);
        let on = json!({ "mfa": { "sms": { "enabled": true } }, "recovery_codes": { "enabled": true } });
        self.admin("PATCH", "/security", on).await.expect(200);
        let bob = self.user(json!({ "username": "bob", "password": PASSWORD })).await;
        let body = json!({
            "application": self.application,
            "password": { "account": "bob", "password": "not his" },
        });
        self.send(Call::post("/v1/logins", &body)).await.refused(401, "first_factor_failed");

        let number = "+12025550102";
        let login = self.start_login("bob").await;
        self.step(&login, "phone", json!({ "phone": number })).await.expect(200);
        self.step(&login, "code", json!({})).await.expect(200);
        let code = self.deployment.sns.code_sent_to(number);
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        self.step(&login, "verification", json!({ "code": wrong })).await.refused(401, "wrong_code");
        self.step(&login, "verification", json!({ "code": code })).await.expect(200);
        self.send(Call::get(&login.0).bearer(&login.1)).await.expect(200);

        // Somebody else was quicker with the number, between its code and its bind.
        let (first, second) = ("+12025550103", "+12025550104");
        let eve = self.user(json!({ "username": "eve", "password": PASSWORD })).await;
        let login = self.start_login("eve").await;
        self.step(&login, "phone", json!({ "phone": first })).await.expect(200);
        self.step(&login, "code", json!({})).await.expect(200);
        self.admin("PUT", &format!("{bob}/phone"), json!({ "phone": first })).await.expect(200);
        let code = self.deployment.sns.code_sent_to(first);
        self.step(&login, "verification", json!({ "code": code })).await.refused(409, "phone_taken");
        self.step(&login, "phone", json!({ "phone": second })).await.expect(200);
        self.delete(&eve).await;
        // The number that is his now has just had a message.
        let login = self.start_login("bob").await;
        self.step(&login, "code", json!({})).await.refused(429, "rate_limited");
    }

    /// Everything of `/v1/me`: a number is replaced and removed by its user, who makes recovery codes and uses one.
    async fn mind_own_number(&self) {
        let (old, new) = ("+12025550105", "+12025550106");
        let dan = self.user(json!({ "username": "dan", "password": PASSWORD })).await;
        self.admin("PUT", &format!("{dan}/phone"), json!({ "phone": old })).await.expect(200);
        let login = self.start_login("dan").await;
        let done = self.pass(&login, old).await;
        let access = text(&done, "/tokens/access_token");
        let me = |method: &str, access: &str| {
            Call::new(method, "/v1/me/phone").bearer(access).header("origin", "https://shop.example.com")
        };
        self.send(me("GET", &access)).await.expect(200);
        let renew = Call::new("POST", "/v1/me/recovery-codes").bearer(&access);
        let codes = self.send(renew).await.expect(201);
        let recover = |place: usize| json!({ "recovery_code": codes["recovery_codes"][place] });
        let asked = self.send(me("PUT", &access).json(&json!({ "phone": new }))).await.expect(202);
        let login = (format!("/v1/logins/{}", text(&asked, "/login/id")), text(&asked, "/login_token"));
        // The old number has just had a message, and waits for its next.
        self.step(&login, "verification", recover(0)).await.expect(200);
        self.pass(&login, new).await;
        // A login from before the new number does not remove it.
        let login = self.start_login("dan").await;
        self.step(&login, "verification", recover(0)).await.refused(401, "wrong_code");
        let done = self.step(&login, "verification", recover(1)).await.expect(200);
        self.send(me("DELETE", &text(&done, "/tokens/access_token"))).await.expect(204);
    }

    /// The stream shows the notices that the changes have left, and shows them again.
    async fn notify(&self) {
        let waiting = self.deployment.logins("notice#").await;
        let told = || {
            let published = self.deployment.sns.published();
            let notices =
                published.into_iter().filter(|it| it.body.ends_with("contact your administrator now."));
            notices.map(|message| message.to).collect::<Vec<_>>()
        };
        assert_eq!(told(), Vec::<String>::new());
        let notifications = self.deployment.gateway.function("notifications");
        for _ in 0..2 {
            let answer = notifications.invoke(&events::inserted(&waiting)).await.unwrap();
            assert_eq!(answer, json!({ "batchItemFailures": [] }));
            assert_eq!(told().len(), waiting.len(), "each is sent once");
        }
        for number in ["+12025550101", "+12025550102", "+12025550105", "+12025550106"] {
            assert!(told().iter().any(|to| to == number), "a number that a user had is told");
        }
        assert!(self.deployment.logins("notice#").await.is_empty());
    }

    /// Everything of trusted devices, by their user and by an administrator.
    async fn mind_devices(&self) {
        self.admin("PATCH", "/security", json!({ "trusted_devices": { "enabled": true } })).await.expect(200);
        let fay = self.user(json!({ "username": "fay", "password": PASSWORD })).await;
        let mut done = Value::Null;
        // The second device takes the place of the first, whose number is gone.
        for number in ["+12025550107", "+12025550108"] {
            self.admin("PUT", &format!("{fay}/phone"), json!({ "phone": number })).await.expect(200);
            let login = self.start_login("fay").await;
            self.step(&login, "code", json!({})).await.expect(200);
            let body = json!({ "code": self.deployment.sns.code_sent_to(number), "trust_device": true });
            done = self.step(&login, "verification", body).await.expect(200);
        }
        let device = text(&done, "/trusted_device/id");
        let body = json!({
            "application": self.application,
            "password": { "account": "fay", "password": PASSWORD },
            "trusted_device": done["trusted_device"]["token"],
        });
        let spared = self.send(Call::post("/v1/logins", &body)).await.expect(200);
        let access = text(&spared, "/tokens/access_token");
        let devices = format!("{fay}/trusted-devices");
        assert_eq!(self.get(&devices).await["items"].as_array().unwrap().len(), 1);
        self.get(&format!("{devices}/{device}")).await;
        let own = |method: &str, rest: &str| {
            Call::new(method, &format!("/v1/me/trusted-devices{rest}")).bearer(&access)
        };
        let one = format!("/{device}");
        self.send(own("GET", "")).await.expect(200);
        self.send(own("GET", &one)).await.expect(200);
        self.send(own("DELETE", &one)).await.expect(204);
        self.send(own("DELETE", "")).await.expect(204);
        self.admin("DELETE", &format!("{devices}/{device}"), Value::Null).await.refused(404, "not_found");
        self.delete(&devices).await;
    }

    /// The stream shows how the logins went, and shows it again.
    async fn keep_the_trail(&self) {
        let event = self.deployment.streamed("audit-trail").await;
        let function = self.deployment.gateway.function("audit-trail");
        let told = async |kind: &str| {
            let page = self.get(&format!("/audit-events?limit=100&type={kind}")).await;
            page["items"].as_array().unwrap().len()
        };
        assert_eq!((told("code.accepted").await, told("qr_login.approved").await), (0, 0));
        let mut counts = Vec::new();
        for _ in 0..2 {
            let answer = function.invoke(&event).await.unwrap();
            assert_eq!(answer, json!({ "batchItemFailures": [] }));
            counts.push((
                told("code.rejected").await,
                told("code.accepted").await,
                told("send.refused").await,
                told("qr_login.approved").await + told("qr_login.rejected").await,
            ));
        }
        assert_eq!(counts[0], counts[1], "told twice, it is kept once");
        assert!(counts[0].0 > 0 && counts[0].1 > 2 && counts[0].2 > 0 && counts[0].3 == 2, "{counts:?}");
    }

    /// Has a code sent and gives it.
    async fn pass(&self, login: &(String, String), number: &str) -> Value {
        self.step(login, "code", json!({})).await.expect(200);
        let code = self.deployment.sns.code_sent_to(number);
        self.step(login, "verification", json!({ "code": code })).await.expect(200)
    }

    /// Everything of a hosted login: a request, a code and what it is exchanged for, from a browser and not, and the code once more.
    async fn log_in_hosted(&self) {
        const CALLBACK: &str = "https://shop.example.com/callback";
        let path = format!("/applications/{}", self.application);
        self.admin("PATCH", &path, json!({ "redirect_uris": [CALLBACK] })).await.expect(200);
        let gus = self.user(json!({ "username": "gus", "email": "gus@example.com" })).await;
        self.admin("PUT", &format!("{gus}/phone"), json!({ "phone": "+12025550109" })).await.expect(200);
        let at = |rest: &str| format!("/t/{}/{rest}", self.tenant);
        let asked = [
            ("client_id", &*self.application),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("code_challenge", hosted::CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        self.send(Call::get(&at(".well-known/openid-configuration"))).await.expect(200);
        let ask = Call::get(&at(&format!("authorize?{}", hosted::encode(&asked))));
        for call in [ask, hosted::form(&at("authorize"), &asked)] {
            let answer = self.send(call).await;
            assert_eq!(answer.status, 303, "{}", answer.text());
            hosted::Jar::default().keep(&answer);
        }
        let user = gus.rsplit('/').next().unwrap();
        let code = hosted::code(&self.application, user, CALLBACK, SystemClock.now());
        let code = self.deployment.seals().code(&code);
        let exchange = || hosted::exchange(&self.tenant, &self.application, CALLBACK, &code);
        let access = text(&self.send(exchange()).await.expect(200), "/access_token");
        let look = |method: &str| Call::new(method, &at("userinfo")).bearer(&access);
        let told = self.send(look("GET").header("origin", "https://shop.example.com")).await.expect(200);
        assert_eq!((&told["sub"], &told["preferred_username"]), (&json!(user), &json!("gus")));
        self.send(Call::get("/v1/me/phone").bearer(&access)).await.expect(200);
        self.log_in_by_qr(&access).await;
        assert_eq!(self.send(exchange()).await.expect(400)["error"], "invalid_grant");
        self.send(look("POST")).await.refused(401, "unauthenticated");
    }

    /// A user whom an identity source names for the first time, at two processes at once.
    async fn log_in_by_id_token(&self) {
        let provider = Provider::start().await;
        let body = json!({
            "kind": "oidc", "name": "Staff", "issuer": provider.issuer, "audience": provider.application.as_str(),
            "jwks_uri": provider.jwks_uri, "provisioning": "just_in_time",
        });
        let source = text(&self.admin("POST", "/identity-sources", body).await.expect(201), "/id");
        let body = json!({
            "application": self.application,
            "id_token": { "identity_source": source, "token": provider.id_token() },
        });
        let call = || Call::post("/v1/logins", &body);

        let gate = Gate::new();
        self.deployment.proxies["sign-in"].fail_next("TransactWriteItems", Fault::Held(gate.clone()));
        let first = self.send(call());
        let second = async {
            gate.arrival().await;
            let other = self.deployment.another("sign-in").await;
            let answer = other.invoke(&events::http_event(&call(), "POST /v1/logins", &[])).await.unwrap();
            gate.open();
            events::answer(&answer)
        };
        let (first, second) = futures::join!(first, second);
        let (first, second) = (first.expect(200), second.expect(200));
        assert_eq!(first["login"]["user"], second["login"]["user"], "one subject is one user");
        assert_ne!(first["login"]["id"], second["login"]["id"]);
    }
}
