//! Function `code-issuance`: sends codes.

use super::login_wire::{LoginAnswer, open_login};
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::issue_code::IssueCode;
use crate::usecase::login_token::LoginTokens;
use serde::Deserialize;

/// What the function needs.
pub struct CodeIssuanceApp {
    pub issue: IssueCode,
    pub tokens: LoginTokens,
}

pub const ROUTES: &[Route<CodeIssuanceApp>] =
    &[Route::new("POST", "/v1/logins/{login}/code", "send_code", |app, call| Box::pin(send_code(app, call)))];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SendCode {}

async fn send_code(app: &CodeIssuanceApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let key = idempotency_key(&call)?;
    if let Err(refusal) = call.json_or_empty::<SendCode>() {
        // The only body there is is `{}`: a key that sent with it and comes back with another one is a client's mix-up.
        if let Some(key) = key
            && app.issue.key_was_used(&ticket, key).await?
        {
            return Err(Refusal::IdempotencyMismatch.into());
        }
        return Err(refusal.into());
    }
    let state = app.issue.send(ticket, key, call.client_ip).await?;
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
