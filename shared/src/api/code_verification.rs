//! Function `code-verification`: judges guesses.

use super::login_wire::{LoginAnswer, open_login};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::login_token::LoginTokens;
use crate::usecase::verify_code::VerifyCode;
use serde::Deserialize;

/// What the function needs.
pub struct CodeVerificationApp {
    pub verify: VerifyCode,
    pub tokens: LoginTokens,
}

pub const ROUTES: &[Route<CodeVerificationApp>] =
    &[Route::new("POST", "/v1/logins/{login}/verification", "verify_code", |app, call| {
        Box::pin(verify_code(app, call))
    })];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    code: String,
}

async fn verify_code(app: &CodeVerificationApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let Verify { code } = call.json()?;
    // What can't be a code costs no attempt.
    if code.len() != usize::from(ticket.code.length) || !code.bytes().all(|b| b.is_ascii_digit()) {
        let text = format!("code takes exactly {} ASCII digits", ticket.code.length);
        return Err(Refusal::InvalidRequest(text).into());
    }
    let (state, tokens) = app.verify.verify(ticket, &Secret::new(code)).await?;
    Ok(Reply::ok(&LoginAnswer::complete(&state, tokens)))
}
