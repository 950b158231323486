//! Function `sign-in`: the first factor, QR logins, a look at a login, and the public keys.

use super::login_forms::{password, qr, scan};
use super::login_wire::{Login, LoginAnswer, open_login};
use super::pages::Pages;
use super::qr_logins;
use crate::domain::ids::TenantId;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply, Route};
use crate::ports::TokenSigner;
use crate::usecase::access::AccessGate;
use crate::usecase::login_state::ReadLogin;
use crate::usecase::login_token::LoginTokens;
use crate::usecase::qr_login::QrLogins;
use crate::usecase::sign_in::{Begun, Caller, FirstFactorProof, SignIn, Start};
use http::{HeaderValue, header};
use serde::Deserialize;
use std::sync::Arc;

/// What the function needs.
pub struct SignInApp {
    pub sign_in: SignIn,
    pub qr: QrLogins,
    /// Who is signed in, and may approve QR logins.
    pub gate: AccessGate,
    pub read: ReadLogin,
    pub tokens: LoginTokens,
    pub signer: Arc<dyn TokenSigner>,
    pub pages: Pages,
}

pub const ROUTES: &[Route<SignInApp>] = &[
    Route::new("POST", "/v1/logins", "start_login", |app, call| Box::pin(start_login(app, call))),
    Route::new("GET", "/v1/logins/{login}", "get_login", |app, call| Box::pin(get_login(app, call))),
    Route::new("POST", "/v1/qr-logins", "ask_qr_login", |app, call| Box::pin(qr_logins::ask(app, call))),
    Route::new("GET", "/v1/qr-logins/{qr}", "get_qr_login", |app, call| Box::pin(qr_logins::look(app, call))),
    Route::new("POST", "/v1/qr-logins/{qr}/scan", "scan_qr_login", |app, call| {
        Box::pin(qr_logins::scan(app, call))
    }),
    Route::new("POST", "/v1/qr-logins/{qr}/approval", "approve_qr_login", |app, call| {
        Box::pin(qr_logins::approve(app, call))
    }),
    Route::new("POST", "/v1/qr-logins/{qr}/rejection", "reject_qr_login", |app, call| {
        Box::pin(qr_logins::reject(app, call))
    }),
    Route::new("GET", "/docs", "get_reference", |_, _| Box::pin(async { Ok(super::reference::page()) })),
    Route::new("GET", "/t/{tenant}/.well-known/jwks.json", "get_jwks", |app, call| {
        Box::pin(get_jwks(app, call))
    }),
    Route::new("POST", "/t/{tenant}/login/{txn}/password", "submit_login_password", |app, call| {
        Box::pin(password::submit(app, call))
    }),
    Route::new("POST", "/t/{tenant}/login/{txn}/qr", "submit_login_qr", |app, call| {
        Box::pin(qr::submit(app, call))
    }),
    Route::new("GET", "/t/{tenant}/login/{txn}/qr", "look_at_login_qr", |app, call| {
        Box::pin(qr::look(app, call))
    }),
    Route::new("GET", "/t/{tenant}/scan/arrival", "arrive_at_scan", |app, call| {
        Box::pin(scan::arrive(app, call))
    }),
    Route::new("POST", "/t/{tenant}/scan/approval", "approve_scan", |app, call| {
        Box::pin(scan::approve(app, call))
    }),
    Route::new("POST", "/t/{tenant}/scan/rejection", "reject_scan", |app, call| {
        Box::pin(scan::reject(app, call))
    }),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartLogin {
    application: String,
    password: Option<PasswordProof>,
    assertion: Option<Assertion>,
    id_token: Option<IdTokenProof>,
    qr: Option<QrProof>,
    trusted_device: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordProof {
    account: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assertion {
    user: String,
    identity_source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdTokenProof {
    identity_source: String,
    token: String,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QrProof {
    id: String,
    secret: String,
}

/// Longest account or password that is looked at, in bytes: argon2's time must not follow the caller's input.
pub(super) const MAX_INPUT: usize = 1024;

async fn start_login(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let body: StartLogin = call.json()?;
    let proof = match (body.password, body.assertion, body.id_token, body.qr) {
        (Some(given), None, None, None) if given.account.len().max(given.password.len()) > MAX_INPUT => {
            return Err(Refusal::InvalidRequest("account or password is too long".into()).into());
        }
        (Some(given), None, None, None) => {
            FirstFactorProof::Password { account: given.account, password: Secret::new(given.password) }
        }
        (None, Some(given), None, None) => {
            FirstFactorProof::Assertion { user: given.user, identity_source: given.identity_source }
        }
        (None, None, Some(given), None) => FirstFactorProof::IdToken {
            identity_source: given.identity_source,
            token: Secret::new(given.token),
            nonce: given.nonce,
        },
        (None, None, None, Some(given)) => {
            FirstFactorProof::Qr { id: given.id, secret: Secret::new(given.secret) }
        }
        _ => {
            let text = "exactly one of password, id_token, assertion and qr is needed";
            return Err(Refusal::InvalidRequest(text.into()).into());
        }
    };
    let trusted_device = body.trusted_device.map(Secret::new);
    let start = Start {
        application: &body.application,
        caller: Caller::Client { secret: call.optional_bearer()?, origin: call.header(header::ORIGIN)? },
        trusted_device: trusted_device.as_ref(),
        provenance: call.provenance(),
    };
    let answer = match app.sign_in.start(&start, proof, &|origin| call.allow_origin(origin)).await? {
        Begun::Challenge { state, login_token } => {
            LoginAnswer { login_token: Some(login_token.into_exposed()), ..LoginAnswer::of(&state) }
        }
        Begun::Done { ticket, tokens, .. } => LoginAnswer {
            login: Login::done(&ticket),
            login_token: None,
            tokens: Some(tokens.into()),
            recovery_codes: None,
            trusted_device: None,
        },
    };
    Ok(Reply::ok(&answer))
}

async fn get_login(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let state = app.read.read(ticket).await?;
    Ok(Reply::ok(&LoginAnswer::of(&state)))
}

/// The keys are public and the same for every tenant; a token names its tenant in `iss`.
async fn get_jwks(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    if TenantId::parse(call.param("tenant")).is_none() {
        return Err(Refusal::NotFound.into());
    }
    Ok(Reply::ok(&app.signer.jwks())
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")))
}
