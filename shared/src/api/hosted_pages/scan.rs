//! `/t/{tenant}/scan`: the page that plays a signed-in phone (acceptance F2). Where a QR code leads to, whoever scanned it signs in if need be, as at
//! any application, sees who asks, and decides. What it shows is read here; what is done about it are `sign-in`'s routes.

use super::{HostedPagesApp, PageError, error_page, experience::begin, html};
use crate::api::pages::{ScanSession, scan_path};
use crate::domain::access::VerifiedAccess;
use crate::domain::authorization::{REQUEST_SECONDS, Unsound};
use crate::domain::ids::{ApplicationId, QrLoginId, TenantId};
use crate::domain::qr_login::{QrLogin, QrState};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::cookies::SetCookie;
use crate::http::{Call, Problem, Reply};
use crate::pages::{AskedBy, Frame, Language, Said, Scan, ScanState, Step, Stop, StopReason};
use crate::usecase::authorize::scan_redirect;
use crate::usecase::exchange_code::NotExchanged;
use http::{StatusCode, header};
use serde::Deserialize;
use subtle::ConstantTimeEq;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    qr: String,
    /// What the last step refused. Anybody can write it into an address: a page shows its own sentence for a code that it knows.
    said: Option<String>,
}

/// Where the sign-in that the page begins keeps what it has to come back with.
const START: &str = "__Host-mfa-scan-start";

/// Somebody else has scanned it.
const TAKEN: &str = "qr_login_taken";

pub(super) async fn get(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    let over = || Ok(error_page(&call, PageError::QrLogin));
    let Ok(asked) = call.query::<Asked>() else { return over() };
    let Some(id) = QrLoginId::parse(&asked.qr).filter(|id| id.tenant() == tenant) else { return over() };
    let now = app.pages.now();
    let Some(qr) = app.qr.qr_login(&id).await? else { return over() };
    let session = ScanSession::of(&call, &tenant)?;
    let me = session.as_ref().and_then(|session| app.access.verify(session.access_token.expose(), now));
    // A session that came from a QR code alone decides nothing, so it is asked for another.
    let me = me.filter(|access| access.tenant == tenant && access.may_approve_qr_logins());
    let (Some(session), Some(me)) = (session, me) else {
        return if qr.is_over(now) { over() } else { sign_in(app, &qr) };
    };
    let said = asked.said.as_deref().filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    match scene(&qr, &me, said, now) {
        Scene::Arrive => Ok(Reply::see_other(&format!("/t/{tenant}/scan/arrival?qr={id}"))?),
        Scene::Show(state) => {
            let said = said.filter(|_| state == ScanState::Ask).map(|code| Said { code, ..Said::default() });
            show(app, &call, &qr, &session, step(&qr, state, now), said).await
        }
        Scene::Stop(code) => {
            let step = Step::Stop(Stop { reason: StopReason::Error, again: false });
            show(app, &call, &qr, &session, step, Some(Said { code, ..Said::default() })).await
        }
    }
}

/// What a user sees of a QR login.
#[derive(Debug, PartialEq, Eq)]
enum Scene<'a> {
    /// It has to be scanned first.
    Arrive,
    Show(ScanState),
    Stop(&'a str),
}

fn scene<'a>(qr: &QrLogin, me: &VerifiedAccess, said: Option<&'a str>, now: Timestamp) -> Scene<'a> {
    let mine = qr.state.user() == Some(&me.user);
    match &qr.state {
        // What was decided stays said.
        QrState::Approved { .. } | QrState::Spent { .. } if mine => Scene::Show(ScanState::Approved),
        QrState::Rejected { .. } if mine => Scene::Show(ScanState::Rejected),
        _ if qr.is_over(now) => Scene::Stop("qr_login_expired"),
        QrState::Pending => said.map_or(Scene::Arrive, Scene::Stop),
        QrState::Scanned { .. } if mine => Scene::Show(ScanState::Ask),
        _ => Scene::Stop(TAKEN),
    }
}

fn step(qr: &QrLogin, state: ScanState, now: Timestamp) -> Step {
    let asked = &qr.asked;
    let seconds = (now.millis() - asked.at.millis()).max(0) / 1000;
    Step::Scan(Scan {
        state,
        action: format!("/t/{}/scan", qr.id.tenant()),
        qr: qr.id.to_string(),
        asked_by: AskedBy {
            address: asked.address.map(|address| address.to_string()),
            browser: asked.browser.and_then(|browser| browser.name),
            system: asked.browser.and_then(|browser| browser.system),
            seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
        },
        expires_at: qr.expires_at.millis(),
    })
}

async fn show(
    app: &HostedPagesApp,
    call: &Call,
    qr: &QrLogin,
    session: &ScanSession,
    step: Step,
    said: Option<Said<'_>>,
) -> Result<Reply, Problem> {
    let facts = app.authorize.policy.policy_facts(&qr.application, None, None).await?;
    let Some(facts) = facts else { return Ok(error_page(call, PageError::Unsound(Unsound::Client))) };
    let language = Language::choose(None, call.header(header::ACCEPT_LANGUAGE)?);
    let nonce = html::nonce(app);
    let around = html::frame(app, language, &facts.tenant, &qr.asked.application_name, &nonce);
    let frame = Frame { csrf: session.csrf.expose(), ..around };
    html::reply(StatusCode::OK, &frame, &step, said.as_ref(), None)
}

/// Begins a login of the application that asks, as a client of our own.
fn sign_in(app: &HostedPagesApp, qr: &QrLogin) -> Result<Reply, Problem> {
    let redirect = scan_redirect(&app.base, &qr.id.tenant());
    let (location, waits) = begin(app, &qr.application, &redirect);
    let cookie = SetCookie::new(START, format!("{waits}.{}.{}", qr.application, qr.id), REQUEST_SECONDS);
    Ok(Reply::see_other(&location)?.with_cookies([&cookie]))
}

const PARAMETERS: [&str; 5] = ["code", "error", "error_description", "iss", "state"];

/// The login has ended: whoever it signed in is signed in on the page, which goes on.
pub(super) async fn signed_in(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    let over = || Ok(error_page(&call, PageError::Over).with_cookies([&SetCookie::clear(START)]));
    let Ok(told) = call.query_parameters(&PARAMETERS) else { return over() };
    let waiting = call.cookie(START)?.and_then(Waiting::parse);
    let state = told.get("state").map(String::as_str).unwrap_or_default();
    // A result that this browser did not ask for is somebody else's (RFC 6749 §10.12).
    let waiting = waiting
        .filter(|it| it.qr.tenant() == tenant && bool::from(it.state.as_bytes().ct_eq(state.as_bytes())));
    let (Some(waiting), Some(code)) = (waiting, told.get("code")) else { return over() };
    let redirect = scan_redirect(&app.base, &tenant);
    let exchanged =
        app.exchange.exchange_for_own_page(&waiting.application, &redirect, code, waiting.verifier).await;
    let tokens = match exchanged {
        Ok(exchanged) => exchanged.tokens,
        Err(NotExchanged::Fault(fault)) => return Err(fault.into()),
        Err(NotExchanged::Client | NotExchanged::Origin | NotExchanged::Grant) => return over(),
    };
    let session = ScanSession::new(tokens.access_token, &*app.entropy);
    let cookies = [SetCookie::clear(START), session.cookie(&tenant, tokens.expires_in)];
    Ok(Reply::see_other(&scan_path(&waiting.qr, None))?.with_cookies(&cookies))
}

/// What a sign-in has to come back with.
struct Waiting<'a> {
    state: &'a str,
    verifier: &'a str,
    application: ApplicationId,
    qr: QrLoginId,
}

impl<'a> Waiting<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [state, verifier, application, qr] = parts[..] else { return None };
        let application = ApplicationId::parse(application)?;
        Some(Self { state, verifier, application, qr: QrLoginId::parse(qr)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{LoginId, UserId};
    use crate::domain::qr_login::{Asked, QR_SECONDS};

    const T0: Timestamp = Timestamp::from_secs(1000);

    fn tenant() -> TenantId {
        TenantId::generate(|b| b.fill(1))
    }

    fn user(seed: u8) -> UserId {
        UserId::generate(|b| b.fill(seed))
    }

    fn me() -> VerifiedAccess {
        VerifiedAccess {
            application: ApplicationId::generate(&tenant(), |b| b.fill(1)),
            tenant: tenant(),
            user: user(1),
            login: LoginId::generate(|b| b.fill(1)),
            auth_time: T0,
            amr: Vec::new(),
            acr: "aal1".into(),
            expires_at: T0.plus_secs(900),
            granted: None,
        }
    }

    fn at(state: QrState, said: Option<&str>, now: Timestamp) -> Scene<'_> {
        let qr = QrLogin {
            id: QrLoginId::generate(&tenant(), |b| b.fill(1)),
            application: ApplicationId::generate(&tenant(), |b| b.fill(1)),
            asked: Asked { application_name: "Shop".into(), address: None, browser: None, at: T0 },
            secret_hash: [0; 32],
            expires_at: T0.plus_secs(QR_SECONDS),
            state,
        };
        scene(&qr, &me(), said, now)
    }

    #[test]
    fn f2_only_who_scanned_a_code_is_asked_and_what_was_decided_stays_said() {
        let end = T0.plus_secs(QR_SECONDS);
        assert_eq!(at(QrState::Pending, None, T0), Scene::Arrive);
        assert_eq!(at(QrState::Pending, Some("conflict"), T0), Scene::Stop("conflict"), "not over and over");
        assert_eq!(at(QrState::Scanned { by: user(1) }, None, T0), Scene::Show(ScanState::Ask));
        for now in [T0, end] {
            let approved = [QrState::Approved { by: user(1), proven_at: T0 }, QrState::Spent { by: user(1) }];
            for state in approved {
                assert_eq!(at(state, None, now), Scene::Show(ScanState::Approved));
            }
            assert_eq!(at(QrState::Rejected { by: user(1) }, None, now), Scene::Show(ScanState::Rejected));
        }
        for state in [QrState::Pending, QrState::Scanned { by: user(1) }, QrState::Spent { by: user(2) }] {
            assert_eq!(at(state, None, end), Scene::Stop("qr_login_expired"));
        }
        for state in [QrState::Scanned { by: user(2) }, QrState::Spent { by: user(2) }] {
            assert_eq!(at(state, None, T0), Scene::Stop(TAKEN));
        }
    }
}
