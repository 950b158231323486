//! `/t/{tenant}/scan/…`: what the page that plays a signed-in phone does, in the function that may do it. Each answers 303 to the page.

use crate::api::pages::{ScanSession, scan_path};
use crate::api::sign_in::SignInApp;
use crate::domain::ids::{QrLoginId, TenantId};
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::ports::Failure;
use crate::usecase::access::Caller;
use crate::usecase::qr_login::QrLoginState;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrival {
    qr: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    csrf: String,
    qr: String,
}

/// The QR login that a call names, in the tenant of its path.
fn named(call: &Call, qr: &str) -> Result<(TenantId, QrLoginId), Refusal> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    let qr = QrLoginId::parse(qr).filter(|qr| qr.tenant() == tenant).ok_or(Refusal::NotFound)?;
    Ok((tenant, qr))
}

/// Back to the page, with what was refused.
fn to_page(qr: &QrLoginId, outcome: Result<QrLoginState, Problem>) -> Result<Reply, Problem> {
    match outcome {
        Ok(_) => Ok(Reply::see_other(&scan_path(qr, None))?),
        Err(problem) => Ok(Reply::see_other(&scan_path(qr, Some(problem.code())))?.because(problem)),
    }
}

async fn user(app: &SignInApp, call: &Call, session: &ScanSession) -> Result<Caller, Failure> {
    app.gate.admit(session.access_token.expose(), None, call.provenance(), &|_| {}).await
}

/// The code was scanned: whoever is signed in here is the one who may decide. It changes something, though it is a GET, since an address is all
/// that a code says; what it changes is worth nothing to who has somebody else's browser come here.
pub async fn arrive(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let Arrival { qr } = call.query()?;
    let (tenant, qr) = named(&call, &qr)?;
    let Some(session) = ScanSession::of(&call, &tenant)? else {
        return Ok(Reply::see_other(&scan_path(&qr, None))?);
    };
    let outcome = async {
        let me = user(app, &call, &session).await?;
        app.qr.scan(&me, qr.as_str()).await
    };
    to_page(&qr, outcome.await.map_err(Problem::from))
}

async fn decided(app: &SignInApp, call: &Call, approve: bool) -> Result<Reply, Problem> {
    app.pages.require_same_origin(call)?;
    let Decision { csrf, qr } = call.form()?;
    let (tenant, qr) = named(call, &qr)?;
    let Some(session) = ScanSession::of(call, &tenant)? else {
        return Ok(Reply::see_other(&scan_path(&qr, None))?);
    };
    if !session.made(&csrf) {
        return Err(Refusal::Forbidden("the form is not from this page").into());
    }
    let outcome = async {
        let me = user(app, call, &session).await?;
        if approve { app.qr.approve(&me, qr.as_str()).await } else { app.qr.reject(&me, qr.as_str()).await }
    };
    to_page(&qr, outcome.await.map_err(Problem::from))
}

pub async fn approve(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    decided(app, &call, true).await
}

pub async fn reject(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    decided(app, &call, false).await
}
