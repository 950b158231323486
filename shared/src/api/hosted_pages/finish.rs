//! The end of a hosted login: back to the application.

use super::HostedPagesApp;
use crate::api::pages::PageSession;
use crate::domain::authorization::AuthorizationError;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use serde_json::json;

/// Leaves with a new code, where the login is complete and the user has seen all that was to be seen. The session's cookies go: a code is made
/// once for each proof in a browser.
pub fn finish(app: &HostedPagesApp, call: &Call, session: &PageSession) -> Result<Reply, Problem> {
    let done = session.done.as_ref().ok_or(Refusal::LoginExpired)?;
    let location = app.authorize.finish(&session.page.request, done)?;
    Ok(app.pages.answer(session).over().with(leave(call, &location)?))
}

/// Leaves without a login: its user gave up.
pub fn give_up(app: &HostedPagesApp, call: &Call, session: &PageSession) -> Result<Reply, Problem> {
    let location = app.authorize.give_up(&session.page.request, &AuthorizationError::ACCESS_DENIED);
    Ok(app.pages.answer(session).over().with(leave(call, &location)?))
}

/// To an address that may be another origin's. A script can't follow such a redirect with `fetch`, so the page's own script, which says
/// `x-page: 1`, is told the address and goes there itself.
pub(super) fn leave(call: &Call, location: &str) -> Result<Reply, Problem> {
    if call.header("x-page")? == Some("1") {
        Ok(Reply::ok(&json!({ "location": location })))
    } else {
        Ok(Reply::see_other(location)?)
    }
}
