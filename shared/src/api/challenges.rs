//! `GET /v1/tenants/{tenant}/users/{user}/challenges`: what support needs to answer "why did I get no code?"; no code is in here.

use super::paging;
use super::user_directory::UserDirectory;
use crate::domain::challenge::{Challenge, Undelivered};
use crate::domain::ids::UserId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::ReadUsers;
use serde::Serialize;

#[derive(Serialize)]
struct ChallengeBody {
    login: String,
    /// `started`, `number_given`, `sent`, `expired`, `blocked` or `complete`.
    state: &'static str,
    started_at: String,
    phone_hint: Option<String>,
    sends: u8,
    attempts: u32,
    max_attempts: u8,
    sent_at: Option<String>,
    expires_at: Option<String>,
    resend_at: Option<String>,
    delivery: Option<&'static str>,
    /// Why it failed.
    delivery_reason: Option<&'static str>,
    /// The number is a test number: nothing was sent.
    test: bool,
}

#[derive(Serialize)]
struct List {
    items: Vec<ChallengeBody>,
    next: Option<String>,
}

pub(super) async fn list(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let user = UserId::parse(call.param("user")).ok_or(Refusal::NotFound)?;
    let page = paging::requested(&call)?;
    app.users.read(&allowed, &user).await?;
    let (page, now) = app.support.challenges(allowed.tenant(), &user, &page).await?;
    let items = page.items.iter().map(|challenge| body(challenge, now)).collect();
    Ok(Reply::ok(&List { items, next: page.next }))
}

fn body(challenge: &Challenge, now: Timestamp) -> ChallengeBody {
    let code = challenge.code.as_ref();
    let hint = challenge.pending.as_ref().map(|phone| phone.hint.clone());
    ChallengeBody {
        login: challenge.login.to_string(),
        state: challenge.stage(now),
        started_at: challenge.started_at.rfc3339(),
        phone_hint: code.map(|code| code.sent_to.hint.clone()).or(hint),
        sends: challenge.sends,
        attempts: challenge.attempts,
        max_attempts: challenge.max_attempts,
        sent_at: code.map(|code| code.sent_at.rfc3339()),
        expires_at: code.map(|code| code.expires_at.rfc3339()),
        resend_at: code.map(|code| code.resend_at.rfc3339()),
        delivery: code.map(|code| code.delivery.as_str()),
        delivery_reason: code.and_then(|code| code.undelivered).map(Undelivered::as_str),
        test: code.is_some_and(|code| code.sent_to.test.is_some()),
    }
}
