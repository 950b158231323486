//! The OpenID Connect provider over HTTP: authorization requests, codes and what they are exchanged for. Codes are sealed with the program's
//! own keys, so that each test starts where it means to.

mod exchange;
mod hosted;

use crate::world::World;
use serde_json::{Value, json};
use shared::config::SystemClock;
use shared::domain::authorization::AuthorizationCode;
use shared::domain::ids::ApplicationId;
use shared::ports::Clock;
use tests::hosted::{CHALLENGE, Jar, code, encode, exchange, parameter};
use tests::http_client::{Answer, Call};

const CALLBACK: &str = "https://shop.example/callback?tab=1";
const ORIGIN: &str = "https://shop.example";
const NUMBER: &str = "+12025550171";

/// A tenant with a public application that takes hosted logins, and a user.
struct Shop {
    world: World,
    user: String,
}

impl Shop {
    async fn open() -> Self {
        let world = World::with_sms().await;
        let path = format!("/applications/{}", world.application);
        let patch = json!({ "redirect_uris": [CALLBACK, "com.example.shop:/cb"], "origins": [ORIGIN] });
        world.admin("PATCH", &path, Some(&patch)).await.expect(200);
        let body = json!({ "username": "ann", "email": "ann@example.com", "phone": NUMBER, "locale": "en" });
        let user = world.user(body).await;
        Self { world, user }
    }

    fn target(&self, rest: &str) -> String {
        format!("/t/{}/{rest}", self.world.tenant)
    }

    /// An authorization request with some parameters changed; one that becomes empty is left out.
    async fn ask(&self, changes: &[(&str, &str)]) -> Answer {
        self.world.local.send(Call::get(&self.target(&format!("authorize?{}", self.asked(changes))))).await
    }

    fn asked(&self, changes: &[(&str, &str)]) -> String {
        let application = self.world.application.clone();
        let mut fields = vec![
            ("client_id", &*application),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "a b&c=d"),
            ("nonce", "n-0S6"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.extend((!value.is_empty()).then_some((*name, *value)));
        }
        encode(&fields)
    }

    fn code(&self) -> AuthorizationCode {
        code(&self.world.application, &self.user, CALLBACK, SystemClock.now())
    }

    fn seal(&self, code: &AuthorizationCode) -> String {
        self.world.local.seals().code(code)
    }

    fn exchange(&self, code: &str) -> Call {
        exchange(&self.world.tenant, &self.world.application, CALLBACK, code)
    }

    /// The tokens of a code.
    async fn tokens(&self, code: &AuthorizationCode) -> Value {
        self.world.local.send(self.exchange(&self.seal(code))).await.expect(200)
    }

    async fn userinfo(&self, tokens: &Value) -> Answer {
        let call = Call::get(&self.target("userinfo")).bearer(tokens["access_token"].as_str().unwrap());
        self.world.local.send(call).await
    }
}

/// A page for the user: nothing of the request is in it, and it goes nowhere.
#[track_caller]
fn is_page(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(answer.header("location"), None, "{what}");
    assert_eq!(answer.header("set-cookie"), None, "{what}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{what}");
    assert!(!answer.text().contains("evil.example"), "{what}");
}

/// Where an answer sends the browser.
#[track_caller]
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

#[track_caller]
fn is_error(answer: Answer, status: u16, error: &str) {
    let text = answer.text();
    assert_eq!((answer.status, answer.json["error"].as_str()), (status, Some(error)), "{text}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json.as_object().unwrap().len(), 2, "{text}");
}

#[tokio::test]
async fn h11_the_provider_says_where_everything_is() {
    let shop = Shop::open().await;
    let target = shop.target(".well-known/openid-configuration");
    let answer = shop.world.local.send(Call::get(&target).header("origin", "https://anybody.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let document = answer.expect(200);
    let issuer = format!("{}/t/{}", shop.world.local.url(), shop.world.tenant);
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    let jwks =
        document["jwks_uri"].as_str().unwrap().strip_prefix(shop.world.local.url()).unwrap().to_owned();
    shop.world.local.send(Call::get(&jwks)).await.expect(200);
    shop.world
        .local
        .send(Call::get("/t/nobody/.well-known/openid-configuration"))
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn e1_a_sound_request_opens_a_login_of_its_own_for_this_browser() {
    let shop = Shop::open().await;
    let mut jar = Jar::default();
    let mut pages = Vec::new();
    for _ in 0..2 {
        let call = jar.on(Call::get(&shop.target(&format!("authorize?{}", shop.asked(&[])))));
        let answer = shop.world.local.send(call).await;
        let page = location(&answer);
        assert!(page.starts_with(&shop.target("login/")), "{page}");
        assert!(!page.contains("state") && !page.contains("code"), "{page}");
        jar.keep(&answer);
        pages.push(page);
    }
    assert_ne!(pages[0], pages[1], "two tabs do not meet");
    assert_eq!(jar.0.len(), 2, "{:?}", jar.0.keys());
    for value in jar.0.values() {
        assert!(!value.contains("ann") && !value.contains("shop.example"), "sealed");
    }

    let by_form = Call::new("POST", &shop.target("authorize?client_id=ignored"))
        .header("content-type", "application/x-www-form-urlencoded")
        .raw(shop.asked(&[]));
    let answer = shop.world.local.send(by_form).await;
    assert!(location(&answer).starts_with(&shop.target("login/")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn t26_a_redirect_that_is_not_the_applications_goes_nowhere() {
    let shop = Shop::open().await;
    for redirect in [
        "",
        "https://shop.example/callback",
        "https://shop.example/callback/?tab=1",
        "https://shop.example/callback?tab=1/",
        "https://shop.example/callback?tab=1&x=1",
        "https://shop.example/callback?tab=1#fragment",
        "https://shop.example/Callback?tab=1",
        "https://Shop.example/callback?tab=1",
        "https://shop.example:443/callback?tab=1",
        "https://user@shop.example/callback?tab=1",
        "https://shop.example@evil.example/callback?tab=1",
        "https://shop.example.evil.example/callback?tab=1",
        "https://evil.example/?https://shop.example/callback?tab=1",
        "https://evil.example\\@shop.example/callback?tab=1",
        "http://shop.example/callback?tab=1",
        "//shop.example/callback?tab=1",
        "https:shop.example/callback?tab=1",
        "javascript:alert(1)",
        "com.example.shop:/cb/",
        "com.example.shop://cb",
    ] {
        is_page(&shop.ask(&[("redirect_uri", redirect)]).await, redirect);
    }
    // Not even to say what else is wrong.
    let answer = shop.ask(&[("redirect_uri", "https://evil.example/"), ("response_type", "token")]).await;
    is_page(&answer, "several mistakes");
    let stranger = ApplicationId::parse("app_aaaaaaaaaaaabbbbbbbbbb").unwrap();
    let unknown = format!("{}{}", &shop.world.application[..16], "0000000000");
    for client in ["", "nobody", stranger.as_str(), &unknown] {
        is_page(&shop.ask(&[("client_id", client)]).await, client);
    }
    // Own pages are the same application's alone.
    let own = |application: &str| {
        format!("{}/t/{}/experience/{application}/result", shop.world.local.url(), shop.world.tenant)
    };
    assert_eq!(shop.ask(&[("redirect_uri", &own(&shop.world.application))]).await.status, 303);
    is_page(&shop.ask(&[("redirect_uri", &own(&unknown))]).await, "another application's page");
}

#[tokio::test]
async fn t28_a_parameter_that_stands_twice_is_nobodys() {
    let shop = Shop::open().await;
    let sound = shop.asked(&[]);
    for twice in [
        format!("redirect_uri=https%3A%2F%2Fevil.example%2F&{sound}"),
        format!("{sound}&redirect_uri=https%3A%2F%2Fevil.example%2F"),
        format!("{sound}&client_id={}", shop.world.application),
        format!("{sound}&state=x"),
        format!("{sound}&code_challenge_method=plain"),
        format!("{sound}&nonce=%00"),
    ] {
        is_page(&shop.world.local.send(Call::get(&shop.target(&format!("authorize?{twice}")))).await, &twice);
    }
    let form = |kind: &'static str| {
        let call = Call::new("POST", &shop.target("authorize")).raw(shop.asked(&[]));
        if kind.is_empty() { call } else { call.header("content-type", kind) }
    };
    for kind in ["", "text/plain", "multipart/form-data", "application/json"] {
        is_page(&shop.world.local.send(form(kind)).await, kind);
    }
    // What nobody here knows is ignored (OpenID Connect Core 1.0, 3.1.2.1), however often it stands.
    let unknown = format!("authorize?{sound}&display=page&resource=a&resource=b&max_age=60");
    assert_eq!(shop.world.local.send(Call::get(&shop.target(&unknown))).await.status, 303);
}

#[tokio::test]
async fn h11_the_application_hears_what_is_wrong_with_its_request() {
    let shop = Shop::open().await;
    let issuer = format!("{}/t/{}", shop.world.local.url(), shop.world.tenant);
    for (changes, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("scope", "email")], "invalid_scope"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("request", "x")], "request_not_supported"),
        (&[("request_uri", "https://shop.example/request")], "request_uri_not_supported"),
    ] {
        let answer = shop.ask(changes).await;
        let to = location(&answer);
        assert!(to.starts_with("https://shop.example/callback?tab=1&error="), "{to}");
        assert_eq!(parameter(&to, "error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(parameter(&to, "state").as_deref(), Some("a b&c=d"));
        assert_eq!(parameter(&to, "iss").as_deref(), Some(&*issuer));
        assert_eq!(parameter(&to, "code"), None);
        assert_eq!(answer.header("set-cookie"), None, "no login has begun");
    }
    let to = location(
        &shop.ask(&[("prompt", "none"), ("state", ""), ("redirect_uri", "com.example.shop:/cb")]).await,
    );
    assert!(to.starts_with("com.example.shop:/cb?error=login_required"), "{to}");
    assert_eq!(parameter(&to, "state"), None);
    // A page's own script can't follow a redirect to another origin: it is told.
    let call = Call::get(&shop.target(&format!("authorize?{}", shop.asked(&[("prompt", "none")]))));
    let told = shop.world.local.send(call.header("x-page", "1")).await.expect(200);
    assert!(told["location"].as_str().unwrap().starts_with("https://shop.example/callback?tab=1&error="));
}

#[tokio::test]
async fn t25_every_answer_of_the_provider_is_never_framed() {
    let shop = Shop::open().await;
    let calls = [
        Call::get(&shop.target(&format!("authorize?{}", shop.asked(&[])))),
        Call::get(&shop.target("authorize")),
        Call::get(&shop.target(&format!("authorize?{}", shop.asked(&[("prompt", "none")])))),
        shop.exchange("nonsense"),
        Call::get(&shop.target("userinfo")),
        Call::get(&shop.target(".well-known/openid-configuration")),
        Call::new("DELETE", &shop.target("authorize")),
        Call::get(&shop.target("nowhere")),
    ];
    for call in calls {
        let at = format!("{} {}", call.method, call.target);
        let answer = shop.world.local.send(call).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{at}");
        assert!(!policy.contains("unsafe"), "{at}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{at}");
        assert!(answer.header("strict-transport-security").is_some(), "{at}");
        assert!(answer.header("referrer-policy").is_some(), "{at}");
    }
}
