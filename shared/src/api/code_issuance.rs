//! Function `code-issuance`: sends codes.

use super::login_forms::code;
use super::login_wire::{LoginAnswer, open_login};
use super::pages::Pages;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::issue_code::IssueCode;
use crate::usecase::login_token::LoginTokens;
use serde::Deserialize;

/// What the function needs.
pub struct CodeIssuanceApp {
    pub issue: IssueCode,
    pub tokens: LoginTokens,
    pub pages: Pages,
}

pub const ROUTES: &[Route<CodeIssuanceApp>] = &[
    Route::new("POST", "/v1/logins/{login}/code", "send_code", |app, call| Box::pin(send_code(app, call))),
    Route::new("GET", "/t/{tenant}/login/{txn}/send", "send_login_code", |app, call| {
        Box::pin(code::arrive(app, call))
    }),
    Route::new("POST", "/t/{tenant}/login/{txn}/code", "resend_login_code", |app, call| {
        Box::pin(code::resend(app, call))
    }),
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SendCode {}

async fn send_code(app: &CodeIssuanceApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let key = match idempotency_key(&call) {
        Ok(key) => key,
        Err(refusal) => return Err(app.issue.refuse(ticket, None, refusal).await.into()),
    };
    if let Err(refusal) = call.json_or_empty::<SendCode>() {
        return Err(app.issue.refuse(ticket, key, refusal).await.into());
    }
    let state = app.issue.send(ticket, key, &call.provenance()).await?;
    Ok(Reply::ok(&LoginAnswer::of(&state)))
}

/// `Idempotency-Key`: 1 to 255 visible ASCII characters.
fn idempotency_key(call: &Call) -> Result<Option<&str>, Refusal> {
    let Some(key) = call.header("idempotency-key")? else { return Ok(None) };
    if key.is_empty() || key.len() > 255 || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let text = "Idempotency-Key takes 1 to 255 visible ASCII characters";
        return Err(Refusal::InvalidRequest(text.into()));
    }
    Ok(Some(key))
}
