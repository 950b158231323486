//! `/t/{tenant}/login/{txn}/qr`: signing in by a QR code on a login's page. The code is asked for when the user opens the panel, and no sooner;
//! the page looks how far it is, and goes on once it is approved.

use super::form;
use crate::api::pages::{PageAnswer, PageSession, ShownQr};
use crate::api::sign_in::SignInApp;
use crate::domain::authorization::Done;
use crate::domain::login::Proof;
use crate::domain::qr_login::QrStatus;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply};
use crate::usecase::qr_login::Asking;
use crate::usecase::sign_in::{Begun, Caller, FirstFactorProof, Start};
use http::header;
use serde::Serialize;

form!(QrForm { step: String });

/// What the page says where the refusal's own code would say too little.
const REJECTED: &str = "qr_login_rejected";

pub async fn submit(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let Some((session, form)) = app.pages.form::<QrForm>(&call)? else { return app.pages.to_page(&call) };
    let answer = app.pages.answer(&session);
    match (form.step.as_str(), session.qr.as_ref()) {
        ("open", _) => open(app, &call, &session, answer).await,
        ("continue", Some(shown)) => go_on(app, &call, &session, shown, answer).await,
        ("close", _) => answer.without_qr().reply(),
        // Closed in another tab, or over.
        ("continue", None) => answer.reply(),
        _ => {
            let refusal = Refusal::InvalidRequest("step is open, continue or close".into());
            answer.said(refusal.into()).reply()
        }
    }
}

async fn open(
    app: &SignInApp,
    call: &Call,
    session: &PageSession,
    answer: PageAnswer,
) -> Result<Reply, Problem> {
    let asking = Asking {
        application: session.page.request.application.as_str(),
        caller: Caller::Page,
        user_agent: call.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        provenance: call.provenance(),
    };
    match app.qr.ask(&asking, &|_| {}).await {
        Ok(new) => {
            let qr = new.state.qr;
            answer.shows(&ShownQr { id: qr.id, secret: new.secret, expires_at: qr.expires_at }).reply()
        }
        Err(failed) => answer.said(failed.into()).reply(),
    }
}

async fn go_on(
    app: &SignInApp,
    call: &Call,
    session: &PageSession,
    shown: &ShownQr,
    answer: PageAnswer,
) -> Result<Reply, Problem> {
    let start = Start {
        application: session.page.request.application.as_str(),
        caller: Caller::Page,
        trusted_device: session.trusted_device.as_ref(),
        provenance: call.provenance(),
    };
    let secret = Secret::new(shown.secret.expose().clone());
    let proof = FirstFactorProof::Qr { id: shown.id.to_string(), secret };
    let failed = match app.sign_in.start(&start, proof, &|_| {}).await {
        Ok(Begun::Challenge { login_token, .. }) => return answer.without_qr().login(&login_token).reply(),
        Ok(Begun::Done { ticket, second, auth_time, .. }) => {
            let proof = Proof { first: ticket.first, second };
            let transaction = session.page.transaction.clone();
            let done = Done { auth_time, ..Done::new(transaction, &ticket, proof, app.pages.now()) };
            return answer.without_qr().done(&done).reply();
        }
        Err(failed) => Problem::from(failed),
    };
    if failed.code() != Refusal::QrLoginNotApproved.code() {
        // There is nothing to wait for. A fault may pass.
        let answer = if failed.code() == "unavailable" { answer } else { answer.without_qr() };
        return answer.said(failed).reply();
    }
    match status(app, shown).await? {
        QrStatus::Rejected => answer.without_qr().said_as(REJECTED, failed).reply(),
        _ => answer.said(failed).reply(),
    }
}

async fn status(app: &SignInApp, shown: &ShownQr) -> Result<QrStatus, Problem> {
    let state = app.qr.look(shown.id.as_str(), shown.secret.expose(), None, &|_| {}).await?;
    Ok(state.qr.status(state.now))
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// How far it is, for the page's script. It changes nothing.
pub async fn look(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let session = app.pages.open(&call)?;
    let status = match session.as_ref().and_then(|session| session.qr.as_ref()) {
        Some(shown) => status(app, shown).await?,
        None => QrStatus::Expired,
    };
    Ok(Reply::ok(&Status { status: status.as_str() }))
}
