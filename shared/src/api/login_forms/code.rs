//! `GET /t/{tenant}/login/{txn}/send`, where a page arrives that has no code to ask for yet, and `POST …/code`, its button.

use super::{Step, form, open};
use crate::api::code_issuance::CodeIssuanceApp;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::pages::CODE_SENT;
use serde::Deserialize;

form!(ResendForm { send_key: String });

/// What the page says where no message was sent: that there is none to take a code from.
const NOTHING_SENT: &str = "no_code_sent";
/// The longest key that a page of ours makes.
const MAX_KEY: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arrival {
    /// Which number of this login it is that has not got a code yet.
    number: u8,
    /// How many messages the login has sent by now: a number may be changed from outside after one, and then wants another.
    #[serde(default)]
    sent: u8,
}

/// The first message for a number. It changes something, though it is a GET: a page has to arrive without script too. It can be repeated
/// without harm, since a message after so many has one key, and is nobody's to send who has not this login's cookies.
pub async fn arrive(app: &CodeIssuanceApp, call: Call) -> Result<Reply, Problem> {
    let Arrival { number, sent } = call.query()?;
    let Some(session) = app.pages.open(&call)? else { return app.pages.to_page(&call) };
    let answer = app.pages.answer(&session);
    let Some(ticket) = session.ticket(&app.tokens) else { return answer.reply() };
    // Nobody's page but ours leads here; another site's could spend a message of somebody who is at this step. The page has a button.
    if let Err(refusal) = app.pages.require_same_origin(&call) {
        return answer.said_as(NOTHING_SENT, refusal.into()).reply();
    }
    let key = format!("arrival-{number}-{sent}");
    match app.issue.send(ticket, Some(&key), &call.provenance()).await {
        Ok(_) => answer.reply(),
        Err(failed) => answer.said(failed.into()).reply(),
    }
}

pub async fn resend(app: &CodeIssuanceApp, call: Call) -> Result<Reply, Problem> {
    let Step { ticket, form, answer, .. } = match open::<ResendForm>(&app.pages, &app.tokens, &call)? {
        Ok(step) => step,
        Err(reply) => return Ok(reply),
    };
    let key = form.send_key;
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let refusal = Refusal::InvalidRequest("send_key is none of a page's".into());
        return answer.said(refusal.into()).reply();
    }
    match app.issue.send(ticket, Some(&key), &call.provenance()).await {
        Ok(_) => answer.tells(CODE_SENT).reply(),
        Err(failed) => answer.said(failed.into()).reply(),
    }
}
