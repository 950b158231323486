//! Function `code-verification`: judges guesses and takes recovery codes.

use super::login_wire::{LoginAnswer, open_login};
use crate::domain::recovery::RecoveryCode;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::login_token::LoginTokens;
use crate::usecase::use_recovery_code::UseRecoveryCode;
use crate::usecase::verify_code::VerifyCode;
use serde::Deserialize;

/// What the function needs.
pub struct CodeVerificationApp {
    pub verify: VerifyCode,
    pub recover: UseRecoveryCode,
    pub tokens: LoginTokens,
}

pub const ROUTES: &[Route<CodeVerificationApp>] =
    &[Route::new("POST", "/v1/logins/{login}/verification", "verify_code", |app, call| {
        Box::pin(verify_code(app, call))
    })];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    code: Option<String>,
    recovery_code: Option<String>,
}

/// What was given in the place of what a message says, or that itself.
enum Given {
    Code(Secret<String>),
    Recovery(RecoveryCode),
}

async fn verify_code(app: &CodeVerificationApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    // What can't be a code costs no attempt.
    let given = match read_code(&call, ticket.code.length) {
        Ok(given) => given,
        Err(refusal) => return Err(app.verify.refuse(ticket, refusal).await.into()),
    };
    let verified = match given {
        Given::Code(code) => app.verify.verify(ticket, &code, &call.provenance()).await?,
        Given::Recovery(code) => app.recover.take(ticket, &code, &call.provenance()).await?,
    };
    Ok(Reply::ok(&LoginAnswer::verified(verified)))
}

fn read_code(call: &Call, length: u8) -> Result<Given, Refusal> {
    match call.json()? {
        Verify { code: Some(code), recovery_code: None } => {
            if code.len() == usize::from(length) && code.bytes().all(|b| b.is_ascii_digit()) {
                Ok(Given::Code(Secret::new(code)))
            } else {
                Err(Refusal::InvalidRequest(format!("code takes exactly {length} ASCII digits")))
            }
        }
        Verify { code: None, recovery_code: Some(text) } => RecoveryCode::parse(&text)
            .map(Given::Recovery)
            .ok_or_else(|| Refusal::InvalidRequest("recovery_code takes 24 letters and digits".into())),
        _ => Err(Refusal::InvalidRequest("exactly one of code and recovery_code is needed".into())),
    }
}
