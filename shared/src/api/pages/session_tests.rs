#[path = "session_crowd_tests.rs"]
mod crowd;

use super::*;
use crate::auth::{SealingKeys, SigningKeys, XChaChaLoginSealer};
use crate::domain::application::Application;
use crate::domain::authorization::{CodeChallenge, Scopes};
use crate::domain::branding::Branding;
use crate::domain::ids::{ApplicationId, LoginId, UserId};
use crate::domain::login::{FirstFactor, LoginStart, Proof, Purpose, SecondFactor};
use crate::domain::message_template::MessageTemplates;
use crate::domain::settings::TenantSecurity;
use crate::domain::tenant::Tenant;
use crate::http::ProblemKind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

const BASE: &str = "https://mfa.example";

/// A clock that the test moves, and bytes that differ with every call.
#[derive(Default)]
struct World {
    now: AtomicI64,
    byte: AtomicU8,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_000_000 + self.now.load(Ordering::Relaxed))
    }
}

impl Entropy for World {
    fn fill(&self, buffer: &mut [u8]) {
        let start = self.byte.fetch_add(1, Ordering::Relaxed);
        for (at, byte) in (0u8..).zip(buffer) {
            *byte = start.wrapping_mul(31).wrapping_add(at.wrapping_mul(7)) % 248;
        }
    }
}

/// A browser: it keeps cookies.
#[derive(Default)]
struct Jar(BTreeMap<String, String>);

impl Jar {
    fn keep(&mut self, reply: &Reply) {
        for (_, value) in reply.headers.iter().filter(|(name, _)| name == header::SET_COOKIE) {
            let text = value.to_str().unwrap();
            assert!(text.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{text}");
            let (pair, rest) = text.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-mfa-"), "{name}");
            if rest.starts_with(" Max-Age=0;") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn has(&self, kind: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(&format!("__Host-mfa-{kind}-")))
    }
}

struct Bench {
    world: Arc<World>,
    sealer: Arc<dyn LoginSealer>,
    pages: Pages,
    logins: LoginTokens,
    application: ApplicationId,
    jar: Jar,
    session: PageSession,
}

fn application(seed: u8) -> ApplicationId {
    let tenant = TenantId::generate(|buffer| buffer.fill(seed));
    ApplicationId::generate(&tenant, |buffer| buffer.fill(seed))
}

fn request(application: &ApplicationId) -> AuthorizationRequest {
    AuthorizationRequest {
        application: application.clone(),
        redirect_uri: "https://shop.example/callback".into(),
        state: Some("s".repeat(300)),
        nonce: Some("n".into()),
        challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap(),
        scopes: Scopes { email: true, ..Scopes::default() },
        login_hint: Some("ana".into()),
        ui_locales: Some("zh en".into()),
    }
}

impl Bench {
    fn new() -> Self {
        let world = Arc::new(World::default());
        let ring = serde_json::json!({"current": "a", "keys": {"a": STANDARD.encode([1; 32])}});
        let signing = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let sealer: Arc<dyn LoginSealer> = Arc::new(
            XChaChaLoginSealer::new(SealingKeys::parse(&ring).unwrap(), world.clone()).with_proofs(&signing),
        );
        let pages = Pages::new(sealer.clone(), world.clone(), BASE);
        let application = application(7);
        let mut jar = Jar::default();
        let call = call(Method::GET, "", &[], "");
        let (session, answer) = pages.begin(&call, request(&application), &*world).unwrap();
        jar.keep(&answer.reply().unwrap());
        let logins = LoginTokens::new(sealer.clone());
        Self { world, sealer, pages, logins, application, jar, session }
    }

    fn path(&self) -> (String, String) {
        (self.application.tenant().to_string(), self.session.page.transaction.to_string())
    }

    fn call(&self, method: Method, headers: &[(&'static str, &str)], body: &str) -> Call {
        let (tenant, transaction) = self.path();
        let mut call = call(method, &self.jar.header(), headers, body);
        call.params = vec![("tenant".into(), tenant), ("txn".into(), transaction)];
        call
    }

    /// One more hosted login in the same browser; answers its transaction.
    fn begin(&mut self, minute: i64, asked: AuthorizationRequest) -> String {
        self.world.now.store(minute * 60, Ordering::Relaxed);
        let call = call(Method::GET, &self.jar.header(), &[], "");
        let (session, answer) = self.pages.begin(&call, asked, &*self.world).unwrap();
        self.jar.keep(&answer.reply().unwrap());
        session.page.transaction.to_string()
    }

    fn is_open(&self, transaction: &str) -> bool {
        self.jar.0.contains_key(&format!("__Host-mfa-req-{transaction}-0"))
    }

    fn open(&self) -> Option<PageSession> {
        self.pages.open(&self.call(Method::GET, &[], "")).unwrap()
    }

    fn form(
        &self,
        headers: &[(&'static str, &str)],
        csrf: &str,
    ) -> Result<Option<(PageSession, Form)>, Problem> {
        let body = format!("csrf={csrf}&account=ana");
        self.pages.form(&self.call(Method::POST, headers, &body))
    }

    fn csrf(&self) -> String {
        self.session.page.csrf.expose().clone()
    }

    fn ticket(&self, application: &ApplicationId, purpose: Purpose) -> Ticket {
        let tenant = Tenant {
            id: application.tenant(),
            name: "Shop".into(),
            home_country: "DE".into(),
            created_at: self.world.now(),
            branding: Branding::default(),
            message_templates: MessageTemplates::default(),
            production: false,
            security: TenantSecurity::for_home_country("DE"),
            version: 1,
        };
        let application = Application::new(application.clone(), "Shop", self.world.now());
        Ticket::new(LoginStart {
            login: LoginId::generate(|buffer| buffer.fill(3)),
            tenant: &tenant,
            application: &application,
            user: UserId::generate(|buffer| buffer.fill(4)),
            source: None,
            purpose,
            first: FirstFactor::Password,
            sees_client: true,
            bound_hint: None,
            locale: None,
            own_host: None,
            test_numbers: Default::default(),
            now: self.world.now(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    csrf: String,
    account: String,
}

impl PageForm for Form {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

fn call(method: Method, cookies: &str, headers: &[(&'static str, &str)], body: &str) -> Call {
    let mut map = HeaderMap::new();
    if !cookies.is_empty() {
        map.insert(header::COOKIE, HeaderValue::from_str(cookies).unwrap());
    }
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    Call::new(method, map, String::new(), Bytes::from(body.to_owned()), "req".into())
}

fn is_forbidden<T>(result: &Result<T, Problem>) -> bool {
    matches!(result, Err(Problem { kind: ProblemKind::Refused(Refusal::Forbidden(_)), .. }))
}

#[test]
fn a_session_is_what_its_request_asked() {
    let bench = Bench::new();
    let open = bench.open().unwrap();
    assert_eq!(open.page.request, request(&bench.application));
    assert_eq!(open.page.transaction, bench.session.page.transaction);
    let (tenant, transaction) = bench.path();
    assert_eq!(open.path(), format!("/t/{tenant}/login/{transaction}"));
    let reply = bench.pages.answer(&open).reply().unwrap();
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.headers, [(header::LOCATION, HeaderValue::from_str(&open.path()).unwrap())]);
    assert_eq!(bench.pages.to_page(&bench.call(Method::GET, &[], "")).unwrap().headers, reply.headers);
}

#[test]
fn a_session_is_over_after_half_an_hour() {
    let bench = Bench::new();
    bench.world.now.store(1799, Ordering::Relaxed);
    assert!(bench.open().is_some());
    bench.world.now.store(1800, Ordering::Relaxed);
    assert!(bench.open().is_none());
}

#[test]
fn a_session_belongs_to_its_transaction_tenant_and_browser() {
    let mut bench = Bench::new();
    let mut stranger = bench.call(Method::GET, &[], "");
    stranger.headers.remove(header::COOKIE);
    assert!(bench.pages.open(&stranger).unwrap().is_none());

    let mut elsewhere = bench.call(Method::GET, &[], "");
    elsewhere.params[0].1 = application(9).tenant().to_string();
    assert!(bench.pages.open(&elsewhere).unwrap().is_none(), "another tenant's path");

    // The cookie under another transaction's name.
    let other = "o".repeat(12);
    let (_, transaction) = bench.path();
    let moved: Vec<_> =
        bench.jar.0.iter().map(|(n, v)| (n.replace(&transaction, &other), v.clone())).collect();
    bench.jar.0.extend(moved);
    let mut call = bench.call(Method::GET, &[], "");
    call.params[1].1 = other;
    assert!(bench.pages.open(&call).unwrap().is_none(), "another transaction's name");

    for (at, bad) in [(0, "ten_"), (0, "x"), (1, ""), (1, "short"), (1, "eleven-long!")] {
        let mut call = bench.call(Method::GET, &[], "");
        call.params[at].1 = bad.into();
        let refused = bench.pages.open(&call);
        assert!(
            matches!(refused, Err(Problem { kind: ProblemKind::Refused(Refusal::NotFound), .. })),
            "{bad}"
        );
    }
}

#[test]
fn t24_a_form_needs_the_pages_own_token() {
    let bench = Bench::new();
    let (session, form) = bench.form(&[], &bench.csrf()).unwrap().unwrap();
    assert_eq!(
        (form.account.as_str(), session.page.transaction),
        ("ana", bench.session.page.transaction.clone())
    );
    for wrong in ["", "x", &bench.csrf()[1..], &format!("{}x", bench.csrf()), &bench.csrf().to_lowercase()] {
        assert!(is_forbidden(&bench.form(&[], wrong)), "{wrong}");
    }
    let missing = bench.pages.form::<Form>(&bench.call(Method::POST, &[], "account=ana"));
    assert!(matches!(missing, Err(Problem { kind: ProblemKind::Refused(Refusal::InvalidRequest(_)), .. })));
    let twice = format!("csrf={0}&csrf={0}&account=ana", bench.csrf());
    assert!(bench.pages.form::<Form>(&bench.call(Method::POST, &[], &twice)).is_err());
}

#[test]
fn t24_a_form_comes_from_our_own_origin() {
    let bench = Bench::new();
    for headers in [
        &[][..],
        &[("origin", BASE)],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("origin", BASE), ("sec-fetch-site", "same-origin")],
    ] {
        assert!(bench.form(headers, &bench.csrf()).unwrap().is_some(), "{headers:?}");
    }
    for headers in [
        &[("origin", "null")][..],
        &[("origin", "https://evil.example")],
        &[("origin", "http://mfa.example")],
        &[("origin", "https://mfa.example:8443")],
        &[("origin", "https://mfa.example.evil.example")],
        &[("origin", "https://MFA.example")],
        &[("origin", "")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("origin", BASE), ("sec-fetch-site", "cross-site")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
    ] {
        assert!(is_forbidden(&bench.form(headers, &bench.csrf())), "{headers:?}");
    }
    // A stranger's form carries no cookies: it hears the same before anything is looked at.
    let mut call = bench.call(Method::POST, &[("sec-fetch-site", "cross-site")], "csrf=x&account=ana");
    call.headers.remove(header::COOKIE);
    assert!(is_forbidden(&bench.pages.form::<Form>(&call)));
}

#[test]
fn a_base_that_is_no_address_admits_no_form() {
    let bench = Bench::new();
    let pages = Pages {
        origin: Pages::new(bench.sealer.clone(), bench.world.clone(), "nonsense").origin,
        ..bench.pages.clone()
    };
    let call = bench.call(Method::POST, &[("origin", "null")], "");
    assert!(pages.require_same_origin(&call).is_err());
}

#[test]
fn t24_a_login_of_another_application_or_purpose_is_not_taken() {
    let mut bench = Bench::new();
    let own = bench.application.clone();
    let same_tenant = ApplicationId::generate(&own.tenant(), |buffer| buffer.fill(99));
    for (application, purpose, taken) in [
        (&own, Purpose::SignIn, true),
        (&own, Purpose::ReplacePhone, false),
        (&same_tenant, Purpose::SignIn, false),
        (&application(9), Purpose::SignIn, false),
    ] {
        let token = bench.logins.seal(&bench.ticket(application, purpose));
        bench.jar.keep(&bench.pages.answer(&bench.session).login(&token).reply().unwrap());
        let open = bench.open().unwrap();
        assert_eq!(open.login_token.as_ref().unwrap().expose(), token.expose());
        assert_eq!(open.ticket(&bench.logins).is_some(), taken, "{application} {purpose:?}");
    }
    let nonsense = Secret::new("nonsense".to_owned());
    bench.jar.keep(&bench.pages.answer(&bench.session).login(&nonsense).reply().unwrap());
    assert!(bench.open().unwrap().ticket(&bench.logins).is_none());
}

#[test]
fn a_long_value_stands_in_parts_and_a_shorter_one_leaves_none() {
    let mut bench = Bench::new();
    for length in [9000, 3801, 3800, 1] {
        let token = Secret::new("x".repeat(length));
        bench.jar.keep(&bench.pages.answer(&bench.session).login(&token).reply().unwrap());
        assert_eq!(bench.open().unwrap().login_token.unwrap().expose().len(), length);
        assert!(bench.jar.0.iter().all(|(name, value)| name.len() + value.len() < 3900));
    }
    let reply = bench.pages.answer(&bench.session).login(&Secret::new("x".repeat(12_000))).reply().unwrap();
    assert_eq!(reply.because.unwrap().code(), "unavailable");
}

#[test]
fn a_proof_is_kept_for_its_transaction_until_its_logins_end() {
    let mut bench = Bench::new();
    let ticket = bench.ticket(&bench.application.clone(), Purpose::SignIn);
    let proof = Proof { first: FirstFactor::Password, second: Some(SecondFactor::Sms) };
    let transaction = bench.session.page.transaction.clone();
    let codes = vec![Secret::new("code-one".to_owned())];
    let done = Done::new(transaction, &ticket, proof, bench.world.now()).with_recovery_codes(codes);
    let token = bench.logins.seal(&ticket);
    bench.jar.keep(&bench.pages.answer(&bench.session).login(&token).reply().unwrap());
    bench.jar.keep(&bench.pages.answer(&bench.session).done(&done).reply().unwrap());
    let open = bench.open().unwrap();
    let kept = open.done.unwrap();
    assert!(open.login_token.is_none(), "the login token has served");
    assert_eq!((&kept.user, kept.proof, kept.auth_time), (&ticket.user, proof, bench.world.now()));
    assert_eq!(kept.recovery_codes[0].expose(), "code-one");

    bench.world.now.store(600, Ordering::Relaxed);
    assert!(bench.open().unwrap().done.is_none(), "the login is over");
    bench.world.now.store(0, Ordering::Relaxed);

    // Of another transaction, or another application.
    for (transaction, application) in
        [("o".repeat(12), bench.application.clone()), (bench.path().1, application(9))]
    {
        let other = Done::new(
            TransactionId::parse(&transaction).unwrap(),
            &bench.ticket(&application, Purpose::SignIn),
            proof,
            bench.world.now(),
        );
        bench.jar.keep(&bench.pages.answer(&bench.session).done(&other).reply().unwrap());
        assert!(bench.open().unwrap().done.is_none(), "{transaction} {application}");
    }
}

#[test]
fn what_was_refused_is_said_once_and_counted() {
    let mut bench = Bench::new();
    let reply = bench.pages.answer(&bench.session).said(Refusal::FirstFactorFailed.into()).reply().unwrap();
    assert_eq!(reply.because.as_ref().unwrap().code(), "first_factor_failed");
    bench.jar.keep(&reply);
    assert_eq!(bench.open().unwrap().said.unwrap().code, "first_factor_failed");
    let page = bench.pages.answer(&bench.session).unsaid().with(Reply::html(StatusCode::OK, String::new()));
    bench.jar.keep(&page);
    assert!(bench.open().unwrap().said.is_none());
}

#[test]
fn going_back_forgets_the_login_and_going_on_forgets_everything() {
    let mut bench = Bench::new();
    let device = Secret::new("mfa_device_x".to_owned());
    let token = Secret::new("token".to_owned());
    let answer = bench.pages.answer(&bench.session).login(&token).trusted_device(&device, 30);
    bench.jar.keep(&answer.said(Refusal::WrongCode.into()).reply().unwrap());
    assert!(["req", "login", "said", "device"].iter().all(|kind| bench.jar.has(kind)));
    assert_eq!(bench.open().unwrap().trusted_device.unwrap().expose(), "mfa_device_x");

    bench.jar.keep(&bench.pages.answer(&bench.session).back().reply().unwrap());
    assert!(!["login", "done", "said"].iter().any(|kind| bench.jar.has(kind)));
    assert!(bench.open().is_some() && bench.jar.has("device"));

    bench.jar.keep(&bench.pages.answer(&bench.session).over().reply().unwrap());
    assert!(bench.open().is_none());
    assert!(bench.jar.has("device") && bench.jar.0.len() == 1, "{:?}", bench.jar.0.keys());
}
