//! Function `phone-binding`: the number that an unbound user wants to bind.

use super::login_wire::{LoginAnswer, open_login};
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::bind_phone::AskForNumber;
use crate::usecase::login_token::LoginTokens;
use serde::Deserialize;

/// What the function needs.
pub struct PhoneBindingApp {
    pub ask: AskForNumber,
    pub tokens: LoginTokens,
}

pub const ROUTES: &[Route<PhoneBindingApp>] =
    &[Route::new("POST", "/v1/logins/{login}/phone", "set_login_phone", |app, call| {
        Box::pin(set_login_phone(app, call))
    })];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPhone {
    phone: String,
}

async fn set_login_phone(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let SetPhone { phone } = match call.json() {
        Ok(body) => body,
        Err(refusal) => return Err(app.ask.refuse(ticket, refusal).await.into()),
    };
    let state = app.ask.ask(ticket, &phone).await?;
    Ok(Reply::ok(&LoginAnswer::of(&state)))
}
