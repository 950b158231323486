//! Every route by every credential: acceptance A1, and threats T5, T19 and T21.
//!
//! Routes come from the functions' own tables and permissions from the roles' one table, so a new route, role or function is tried without a
//! line here, or stops the test with the question of whose it is.

use crate::roles::{an_hour_after, permission};
use crate::side::Side;
use serde_json::json;
use shared::api;
use shared::domain::admin_key::Role;
use tests::http_client::{Answer, Call};
use tests::local::Local;
use tests::repository;
use tests::values::text;

/// One route of a function.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    /// With `{parameters}`.
    pub path: &'static str,
    pub operation: &'static str,
}

impl Route {
    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split(['{', '}']).skip(1).step_by(2)
    }
}

/// Every route of every function, by function.
fn tables() -> Vec<Vec<Route>> {
    fn of<A>(routes: &'static [shared::http::Route<A>]) -> Vec<Route> {
        routes.iter().map(|it| Route { method: it.method, path: it.path, operation: it.operation }).collect()
    }
    vec![
        of(api::policy_admin::ROUTES),
        of(api::user_directory::ROUTES),
        of(api::sign_in::ROUTES),
        of(api::phone_binding::ROUTES),
        of(api::code_issuance::ROUTES),
        of(api::code_verification::ROUTES),
        of(api::hosted_pages::ROUTES),
    ]
}

fn routes() -> Vec<Route> {
    tables().concat()
}

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Everybody,
    Operator,
    Administrators,
    /// Any administrator's key, for a session of its own.
    AnyAdministrator,
    /// A session's cookie, which no bearer credential is.
    ConsoleItself,
    /// With an `assertion`, which takes the application's secret.
    BackEnds,
    LoginItself,
    /// The browser that asked for a QR login.
    QrLoginItself,
    /// Any user of the tenant.
    SignedIn,
    UserThemself,
    /// Applications with an authorization code: it names itself in the body, and hears OAuth's errors.
    Clients,
    /// The user's application, with a token that says what it may learn.
    ScopedAccess,
    /// Nobody in particular for a public application, and otherwise with the application's secret.
    Visitors,
}

/// # Panics
/// For a route that nobody has said this of.
fn whose(route: Route) -> For {
    match route.operation {
        "get_console" | "get_console_file" | "get_reference" | "get_jwks" | "get_openid_configuration" => {
            For::Everybody
        }
        // What is asked is judged, not who asks.
        "authorize" | "authorize_by_form" => For::Everybody,
        // What a browser's cookies say is judged, and no credential is looked at.
        "get_asset" | "experience_login" | "get_experience_result" => For::Everybody,
        _ if route.path.starts_with("/t/{tenant}/login/{txn}") => For::Everybody,
        _ if route.path.starts_with("/t/{tenant}/scan") => For::Everybody,
        "exchange_code" => For::Clients,
        "get_userinfo" | "get_userinfo_by_form" => For::ScopedAccess,
        "create_tenant" => For::Operator,
        "create_console_session" => For::AnyAdministrator,
        "get_console_session" | "delete_console_session" => For::ConsoleItself,
        "start_login" => For::BackEnds,
        "ask_qr_login" => For::Visitors,
        "get_qr_login" => For::QrLoginItself,
        _ if route.path.starts_with("/v1/qr-logins/{qr}/") => For::SignedIn,
        _ if route.path.starts_with("/v1/logins/{login}") => For::LoginItself,
        _ if route.path.starts_with("/v1/me/") => For::UserThemself,
        _ if route.path.starts_with("/v1/tenants/{tenant}") => For::Administrators,
        operation => panic!("{operation}: who may call it?"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No credential at all.
    None,
    /// Whatever no gate knows: garbage, what has ended, what is no bearer credential at all.
    Nobody,
    Key(Role),
    ForeignKey,
    EndedKey,
    Operator,
    Secret,
    ForeignSecret,
    EndedSecret,
    Device,
    Login,
    /// Of another login: of the same user, of another tenant, or over.
    OtherLogin,
    QrLogin,
    /// Of another tenant.
    OtherQrLogin,
    Access,
    ForeignAccess,
}

struct Credential {
    who: &'static str,
    kind: Kind,
    secret: Option<String>,
}

/// What a credential gets at a route; `None` is past the gate.
fn refusal(route: Route, kind: Kind) -> Option<(u16, &'static str)> {
    const UNKNOWN: Option<(u16, &str)> = Some((401, "unauthenticated"));
    const FORBIDDEN: Option<(u16, &str)> = Some((403, "forbidden"));
    match (whose(route), kind) {
        (For::Everybody | For::Clients, _) => None,
        // It was got without scopes.
        (For::ScopedAccess, Kind::Access) => FORBIDDEN,
        (For::Operator, Kind::Operator) => None,
        (For::Operator, Kind::Key(_) | Kind::ForeignKey) => FORBIDDEN,
        (For::Administrators, Kind::ForeignKey) => FORBIDDEN,
        (For::Administrators, Kind::Key(_) | Kind::Operator) => {
            let needed = permission(route.operation)
                .unwrap_or_else(|| panic!("{}: which permission?", route.operation));
            let may = match kind {
                Kind::Key(role) => role.may(needed),
                _ => needed.is_read(),
            };
            if may { None } else { FORBIDDEN }
        }
        (For::AnyAdministrator, Kind::Key(_) | Kind::ForeignKey) => None,
        (For::AnyAdministrator, Kind::Operator) => FORBIDDEN,
        (For::BackEnds | For::Visitors, Kind::Secret) | (For::Visitors, Kind::None) => None,
        // They are credentials, but no secret of this application.
        (
            For::BackEnds | For::Visitors,
            Kind::Key(_)
            | Kind::ForeignKey
            | Kind::EndedKey
            | Kind::Operator
            | Kind::Device
            | Kind::QrLogin
            | Kind::OtherQrLogin
            | Kind::ForeignSecret,
        ) => FORBIDDEN,
        (For::LoginItself, Kind::Login) => None,
        (For::LoginItself, Kind::OtherLogin) => FORBIDDEN,
        (For::QrLoginItself, Kind::QrLogin) => None,
        (For::QrLoginItself, Kind::OtherQrLogin) => FORBIDDEN,
        (For::SignedIn, Kind::Access) => None,
        // Another tenant's is as good as none.
        (For::SignedIn, Kind::ForeignAccess) => Some((404, "not_found")),
        // There is nobody's id in the path: another user's token opens that user's own.
        (For::UserThemself, Kind::Access | Kind::ForeignAccess) => None,
        _ => UNKNOWN,
    }
}

/// Two tenants with one of everything, and every credential that there is, live and ended.
struct Matrix {
    local: Local,
    own: Side,
    other: Side,
    credentials: Vec<Credential>,
}

impl Matrix {
    async fn new() -> Self {
        let local = Local::start().await;
        let mut own = Side::new(&local, "+12025550123").await;
        let other_start = Side::new(&local, "+12025550134").await;
        let body = json!({ "role": "owner", "name": "Short", "expires_at": an_hour_after(&own.created) });
        let expired_key = text(&own.admin(&local, "POST", "/admin-keys", Some(&body)).await, "/secret");
        let old = own.start(&local).await;
        local.advance(2 * 3600 + 60).await;
        let (other, start) = (other_start.enter(&local).await, own.start(&local).await);
        let second = start_login(&local, &own).await;
        own.enter_with(start);
        let mut credentials = Vec::new();
        let mut add =
            |who, kind, secret: &str| credentials.push(Credential { who, kind, secret: Some(secret.into()) });
        add("garbage", Kind::Nobody, "garbage");
        add("an id token", Kind::Nobody, &own.now.id_token);
        add("a recovery code", Kind::Nobody, &own.now.recovery_codes[0]);
        add("an expired access token", Kind::Nobody, &old.access);
        add("a changed access token", Kind::Nobody, &own.now.access[..own.now.access.len() - 2]);
        for (role, key) in &own.keys {
            add("a role", Kind::Key(*role), key);
        }
        add("another tenant's owner", Kind::ForeignKey, &other.owner);
        add("an expired owner", Kind::EndedKey, &expired_key);
        add("a revoked owner", Kind::EndedKey, &own.ended_key);
        add("the operator", Kind::Operator, local.operator_key());
        add("the application", Kind::Secret, &own.secret);
        add("another tenant's application", Kind::ForeignSecret, &other.secret);
        add("a revoked secret", Kind::EndedSecret, &own.ended_secret);
        add("a trusted device", Kind::Device, &own.now.device_token);
        add("the login", Kind::Login, &own.now.login_token);
        add("the user's other login", Kind::OtherLogin, &second);
        add("another tenant's login", Kind::OtherLogin, &other.now.login_token);
        add("a login that is over", Kind::OtherLogin, &old.login_token);
        add("the user", Kind::Access, &own.now.access);
        add("another tenant's user", Kind::ForeignAccess, &other.now.access);
        add("the asking browser", Kind::QrLogin, &own.now.qr_secret);
        add("another tenant's asking browser", Kind::OtherQrLogin, &other.now.qr_secret);
        credentials.push(Credential { who: "nobody", kind: Kind::None, secret: None });
        Self { local, own, other, credentials }
    }

    async fn call(&self, call: Call, credential: &Credential) -> Answer {
        let call = match &credential.secret {
            Some(secret) => call.bearer(secret),
            None => call,
        };
        self.local.send(call).await
    }

    async fn snapshots(&self) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
        (self.own.snapshot(&self.local).await, self.other.snapshot(&self.local).await)
    }
}

async fn start_login(local: &Local, side: &Side) -> String {
    text(&side.begin(local).await, "/login_token")
}

#[test]
fn every_functions_routes_are_in_the_matrix() {
    let mut found = 0;
    for file in repository::files("shared/src/api", ".rs") {
        found += repository::read(&file).matches("pub const ROUTES: &[Route<").count();
    }
    assert_eq!(found, tables().len(), "a function's routes are missing");
    for route in routes() {
        assert_eq!(
            permission(route.operation).is_some(),
            whose(route) == For::Administrators,
            "{}",
            route.operation
        );
    }
}

/// With real ids and bodies that would change something: whoever is let in by mistake is seen in the answer and in what there is afterwards.
#[tokio::test]
async fn a1_every_route_takes_its_permission_and_no_other_credential() {
    let matrix = Matrix::new().await;
    let before = matrix.snapshots().await;
    let mut refused = 0;
    for route in routes() {
        for credential in &matrix.credentials {
            let what = format!("{} by {} {:?}", route.operation, credential.who, credential.kind);
            let Some((status, code)) = refusal(route, credential.kind) else { continue };
            let answer = matrix.call(matrix.own.call(route), credential).await;
            assert_eq!(
                (answer.status, answer.json["code"].as_str()),
                (status, Some(code)),
                "{what}: {}",
                answer.text()
            );
            answer.refused(status, code);
            refused += 1;
        }
    }
    assert!(refused > 700, "{refused}");
    assert_eq!(matrix.snapshots().await, before, "a refused call has changed something");

    // Past the gate with nothing that a route takes: it opens for those it is for, and changes nothing either.
    for route in routes() {
        for credential in &matrix.credentials {
            if refusal(route, credential.kind).is_some() || changes_without_a_body(route) {
                continue;
            }
            let answer = matrix.call(matrix.own.hollow_call(route), credential).await;
            let what = format!("{} by {}: {}", route.operation, credential.who, answer.text());
            if whose(route) == For::Clients {
                assert!(answer.json["error"].is_string() && matches!(answer.status, 400 | 401), "{what}");
                continue;
            }
            assert!(matches!(answer.status, 200 | 204 | 400 | 404 | 415), "{what}");
        }
    }
    assert_eq!(matrix.snapshots().await, before, "a call for nothing has changed something");

    // Another tenant's user does to its own things what it likes.
    let stranger = matrix.credentials.iter().find(|it| it.kind == Kind::ForeignAccess).unwrap();
    for route in routes().into_iter().filter(|route| whose(*route) == For::UserThemself) {
        let answer = matrix.call(matrix.own.call(route), stranger).await;
        // Its number is gone by then, so its login proves nothing any more.
        let step_up = answer.status == 403 && route.operation == "renew_recovery_codes";
        let done = matches!(answer.status, 200..=204 | 404 | 409);
        assert!(done || step_up, "{}: {}", route.operation, answer.text());
    }
    assert_eq!(
        matrix.own.snapshot(&matrix.local).await,
        before.0,
        "another tenant's user has changed something"
    );
    matrix.own.still_works(&matrix.local).await;
}

/// What takes no id and no body changes whatever the caller has.
fn changes_without_a_body(route: Route) -> bool {
    matches!(
        route.operation,
        "create_console_session" | "delete_own_phone" | "renew_recovery_codes" | "revoke_own_trusted_devices"
    )
}

#[tokio::test]
async fn t5_each_id_of_another_tenant_in_each_place_is_nothing() {
    let matrix = Matrix::new().await;
    let before = matrix.snapshots().await;
    let mut tried = 0;
    for route in routes() {
        let credential = match whose(route) {
            For::Administrators => &matrix.own.owner,
            For::UserThemself | For::SignedIn => &matrix.own.now.access,
            _ => continue,
        };
        // A language is nobody's own.
        for parameter in route.parameters().filter(|name| !matches!(*name, "tenant" | "locale")) {
            let call = matrix.own.call_with(route, parameter, matrix.other.id(route, parameter));
            let answer = matrix.local.send(call.bearer(credential)).await;
            tried += 1;
            // Unlinking what isn't linked is done already, whoever's source it is.
            if route.operation == "unlink_user_identity" && parameter == "source" {
                assert_eq!(answer.status, 204);
                continue;
            }
            assert_eq!(answer.status, 404, "{} {parameter}: {}", route.operation, answer.text());
            answer.refused(404, "not_found");
        }
    }
    assert!(tried > 25, "{tried}");
    assert_eq!(matrix.snapshots().await, before);
}

/// A login that is over opens for a look and nothing else.
#[tokio::test]
async fn t19_a_login_token_ends_with_its_login() {
    let local = Local::start().await;
    let side = Side::new(&local, "+12025550123").await.enter(&local).await;
    local.advance(601).await;
    for route in routes().into_iter().filter(|route| whose(*route) == For::LoginItself) {
        let call = side.call(route).bearer(&side.now.login_token);
        let answer = local.send(call).await;
        if route.method == "GET" {
            assert_eq!(answer.expect(200)["login"]["status"], "expired");
        } else {
            answer.refused(410, "login_expired");
        }
    }
    local.advance(301).await;
    let call = Call::get("/v1/me/phone").bearer(&side.now.access);
    local.send(call).await.refused(401, "unauthenticated");
}
