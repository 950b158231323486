//! `/v1/me`: what users do about their own second factor, with an access token.

use super::login_wire::{LoginAnswer, exposed};
use super::phone_binding::PhoneBindingApp;
use crate::domain::factor::FactorPhone;
use crate::http::{Call, Problem, Reply};
use crate::usecase::access::Caller;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

/// The user whose access token came with the call.
pub(super) async fn user(app: &PhoneBindingApp, call: &Call) -> Result<Caller, Problem> {
    let origin = call.header(header::ORIGIN)?;
    let allow = |origin: &str| call.allow_origin(origin);
    Ok(app.gate.admit(call.bearer()?, origin, call.provenance(), &allow).await?)
}

#[derive(Serialize)]
struct PhoneBody {
    phone_hint: String,
    bound_at: String,
    country: String,
}

impl From<FactorPhone> for PhoneBody {
    fn from(phone: FactorPhone) -> Self {
        Self { phone_hint: phone.hint, bound_at: phone.since.rfc3339(), country: phone.country }
    }
}

pub(super) async fn get_phone(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    Ok(Reply::ok(&PhoneBody::from(app.phone.read(&me).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PutPhone {
    phone: String,
}

/// Begins a login: the number changes at its end.
pub(super) async fn put_phone(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let body: PutPhone = call.json()?;
    let (state, login_token) = app.replace.ask(&me, &body.phone).await?;
    let answer = LoginAnswer { login_token: Some(login_token.into_exposed()), ..LoginAnswer::of(&state) };
    Ok(Reply::json(StatusCode::ACCEPTED, &answer))
}

pub(super) async fn delete_phone(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    app.phone.remove(&me).await?;
    Ok(Reply::no_content())
}

#[derive(Serialize)]
struct RecoveryCodesBody {
    recovery_codes: Vec<String>,
}

/// Takes no body, or an empty object.
pub(super) async fn renew_recovery_codes(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let recovery_codes = exposed(app.recovery.renew(&me).await?);
    Ok(Reply::json(StatusCode::CREATED, &RecoveryCodesBody { recovery_codes }))
}
