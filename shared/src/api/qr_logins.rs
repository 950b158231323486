//! `/v1/qr-logins`: asked for by a browser, decided by a user who is signed in on another device.

use super::sign_in::SignInApp;
use crate::http::{Call, Problem, Reply};
use crate::usecase::access::Caller;
use crate::usecase::qr_login::{Asking, QrLoginState};
use crate::usecase::sign_in::Caller as By;
use http::header;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Serialize)]
struct QrWire {
    id: String,
    status: &'static str,
    expires_at: String,
    server_time: String,
}

impl From<&QrLoginState> for QrWire {
    fn from(QrLoginState { qr, now }: &QrLoginState) -> Self {
        Self {
            id: qr.id.to_string(),
            status: qr.status(*now).as_str(),
            expires_at: qr.expires_at.rfc3339(),
            server_time: now.rfc3339(),
        }
    }
}

#[derive(Serialize)]
struct QrBody {
    qr: QrWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<AskedBy>,
}

impl QrBody {
    fn of(state: &QrLoginState) -> Self {
        Self { qr: state.into(), secret: None, url: None, asked_by: None }
    }
}

/// Who asks to be signed in.
#[derive(Serialize)]
struct AskedBy {
    application: ApplicationWire,
    address: Option<IpAddr>,
    browser: Option<BrowserWire>,
    at: String,
}

#[derive(Serialize)]
struct ApplicationWire {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct BrowserWire {
    name: Option<&'static str>,
    system: Option<&'static str>,
}

impl From<&QrLoginState> for AskedBy {
    fn from(QrLoginState { qr, .. }: &QrLoginState) -> Self {
        let (id, name) = (qr.application.to_string(), qr.asked.application_name.clone());
        let browser = qr.asked.browser.map(|it| BrowserWire { name: it.name, system: it.system });
        let (address, at) = (qr.asked.address, qr.asked.at.rfc3339());
        Self { application: ApplicationWire { id, name }, address, browser, at }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskBody {
    application: String,
}

pub(super) async fn ask(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let body: AskBody = call.json()?;
    let asking = Asking {
        application: &body.application,
        caller: By::Client { secret: call.optional_bearer()?, origin: call.header(header::ORIGIN)? },
        user_agent: call.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()),
        provenance: call.provenance(),
    };
    let new = app.qr.ask(&asking, &|origin| call.allow_origin(origin)).await?;
    let (secret, url) = (Some(new.secret.into_exposed()), Some(new.url));
    Ok(Reply::created(&QrBody { secret, url, ..QrBody::of(&new.state) }))
}

pub(super) async fn look(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let origin = call.header(header::ORIGIN)?;
    let allow = |origin: &str| call.allow_origin(origin);
    let state = app.qr.look(call.param("qr"), call.bearer()?, origin, &allow).await?;
    Ok(Reply::ok(&QrBody::of(&state)))
}

/// The user whose access token came with the call.
async fn user(app: &SignInApp, call: &Call) -> Result<Caller, Problem> {
    let origin = call.header(header::ORIGIN)?;
    let allow = |origin: &str| call.allow_origin(origin);
    Ok(app.gate.admit(call.bearer()?, origin, call.provenance(), &allow).await?)
}

/// These take no body, or an empty object.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

pub(super) async fn scan(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let Empty {} = call.json_or_empty()?;
    let state = app.qr.scan(&me, call.param("qr")).await?;
    Ok(Reply::ok(&QrBody { asked_by: Some(AskedBy::from(&state)), ..QrBody::of(&state) }))
}

pub(super) async fn approve(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let Empty {} = call.json_or_empty()?;
    let state = app.qr.approve(&me, call.param("qr")).await?;
    Ok(Reply::ok(&QrBody::of(&state)))
}

pub(super) async fn reject(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let Empty {} = call.json_or_empty()?;
    let state = app.qr.reject(&me, call.param("qr")).await?;
    Ok(Reply::ok(&QrBody::of(&state)))
}
