//! Function `code-verification`: judges guesses and takes recovery codes.

use super::login_forms::verification;
use super::login_wire::{LoginAnswer, open_login};
use super::pages::Pages;
use super::trusted_devices::NewDeviceBody;
use crate::domain::recovery::RecoveryCode;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::login_token::LoginTokens;
use crate::usecase::trust_device::TrustDevice;
use crate::usecase::use_recovery_code::UseRecoveryCode;
use crate::usecase::verify_code::VerifyCode;
use serde::Deserialize;

/// What the function needs.
pub struct CodeVerificationApp {
    pub verify: VerifyCode,
    pub recover: UseRecoveryCode,
    pub trust: TrustDevice,
    pub tokens: LoginTokens,
    pub pages: Pages,
}

pub const ROUTES: &[Route<CodeVerificationApp>] = &[
    Route::new("POST", "/v1/logins/{login}/verification", "verify_code", |app, call| {
        Box::pin(verify_code(app, call))
    }),
    Route::new("POST", "/t/{tenant}/login/{txn}/verification", "submit_login_code", |app, call| {
        Box::pin(verification::submit(app, call))
    }),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    code: Option<String>,
    recovery_code: Option<String>,
    #[serde(default)]
    trust_device: bool,
}

/// What was given in the place of what a message says, or that itself.
enum Given {
    Code(Secret<String>),
    Recovery(RecoveryCode),
}

async fn verify_code(app: &CodeVerificationApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    // What can't be a code costs no attempt.
    let (given, trust_device) = match read_code(&call, ticket.code.length) {
        Ok(read) => read,
        Err(refusal) => return Err(app.verify.refuse(ticket, refusal).await.into()),
    };
    let verified = match given {
        Given::Code(code) => app.verify.verify(ticket, &code, &call.provenance()).await?,
        Given::Recovery(code) => app.recover.take(ticket, &code, &call.provenance()).await?,
    };
    let device = if trust_device { app.trust.trust(&verified, &call.provenance()).await } else { None };
    let answer = LoginAnswer::verified(verified);
    Ok(Reply::ok(&LoginAnswer { trusted_device: device.map(NewDeviceBody::from), ..answer }))
}

/// Whether a text can be a code of a login that asks for so many digits.
pub(super) fn is_code(text: &str, length: u8) -> bool {
    text.len() == usize::from(length) && text.bytes().all(|b| b.is_ascii_digit())
}

fn read_code(call: &Call, length: u8) -> Result<(Given, bool), Refusal> {
    let Verify { code, recovery_code, trust_device } = call.json()?;
    let given = match (code, recovery_code) {
        (Some(code), None) => {
            if is_code(&code, length) {
                Ok(Given::Code(Secret::new(code)))
            } else {
                Err(Refusal::InvalidRequest(format!("code takes exactly {length} ASCII digits")))
            }
        }
        (None, Some(text)) => RecoveryCode::parse(&text)
            .map(Given::Recovery)
            .ok_or_else(|| Refusal::InvalidRequest("recovery_code takes 24 letters and digits".into())),
        _ => Err(Refusal::InvalidRequest("exactly one of code and recovery_code is needed".into())),
    };
    Ok((given?, trust_device))
}
