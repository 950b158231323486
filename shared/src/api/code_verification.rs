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
    #[serde(default)]
    trust_device: bool,
}

async fn verify_code(app: &CodeVerificationApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    // What can't be a code costs no attempt.
    let (code, trust_device) = match read_code(&call, ticket.code.length) {
        Ok(read) => read,
        Err(refusal) => return Err(app.verify.refuse(ticket, refusal).await.into()),
    };
    let verified = app.verify.verify(ticket, &code, trust_device, &call.provenance()).await?;
    Ok(Reply::ok(&LoginAnswer::verified(verified)))
}

fn read_code(call: &Call, length: u8) -> Result<(Secret<String>, bool), Refusal> {
    let Verify { code, trust_device } = call.json()?;
    if code.len() == usize::from(length) && code.bytes().all(|b| b.is_ascii_digit()) {
        Ok((Secret::new(code), trust_device))
    } else {
        Err(Refusal::InvalidRequest(format!("code takes exactly {length} ASCII digits")))
    }
}
