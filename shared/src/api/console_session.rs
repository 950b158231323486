//! `/v1/console/session`, and what any call of the administration may show: an administrator key, or a session of the console.
//!
//! A session stands in a cookie, which browsers send along with other sites' requests too. So it counts only in a request that says, in
//! ways that no other site's page can, that our own page sent it: with a header of ours, which other origins may not set without being
//! asked for (`answer::preflight` never allows it), and with what the browser itself says of where the request comes from.

use super::policy_admin::PolicyAdmin;
use crate::domain::refusal::Refusal;
use crate::http::cookies::SetCookie;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{Shown, SignedIn};
use http::header;
use serde::Serialize;

const COOKIE: &str = "__Host-mfa-console";
/// Sent by our page with every request.
const MARK: &str = "x-console";

#[derive(Debug, Serialize)]
struct SessionBody<'a> {
    tenant: &'a str,
    role: &'static str,
    /// The key that opened it.
    key: &'a str,
    key_name: &'a str,
    expires_at: String,
}

impl<'a> From<&'a SignedIn> for SessionBody<'a> {
    fn from(signed_in: &'a SignedIn) -> Self {
        let key = &signed_in.key;
        Self {
            tenant: key.tenant.as_str(),
            role: key.role.as_str(),
            key: key.id.as_str(),
            key_name: &key.name,
            expires_at: signed_in.session.expires_at.rfc3339(),
        }
    }
}

/// What the caller shows. A bearer credential decides where there is one: it is never sent by accident.
pub(super) fn shown<'a>(call: &'a Call, own_origin: &str) -> Result<Shown<'a>, Refusal> {
    match call.optional_bearer()? {
        Some(bearer) => Ok(Shown::Bearer(bearer)),
        None => session(call, own_origin).map(Shown::Session),
    }
}

/// The session that our own page shows.
fn session<'a>(call: &'a Call, own_origin: &str) -> Result<&'a str, Refusal> {
    let session = call.cookie(COOKIE)?.ok_or(Refusal::Unauthenticated)?;
    from_own_page(call, own_origin)?;
    Ok(session)
}

/// Our header, and the browser's word that the request is of our own origin: `Sec-Fetch-Site` or `Origin`, and where both stand, both.
fn from_own_page(call: &Call, own_origin: &str) -> Result<(), Refusal> {
    let marked = call.header(MARK)? == Some("1");
    let site = call.header("sec-fetch-site")?.map(|site| site == "same-origin");
    let origin = call.header(header::ORIGIN)?.map(|origin| origin == own_origin);
    let said = [site, origin];
    if marked && said.contains(&Some(true)) && !said.contains(&Some(false)) {
        Ok(())
    } else {
        Err(Refusal::Forbidden("a session of the console counts on the console's own pages only"))
    }
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let bearer = call.bearer()?;
    from_own_page(&call, &app.own_origin)?;
    let new = app.sessions.start(&app.gate, bearer, &call.provenance()).await?;
    let session = &new.value.session;
    let seconds = session.expires_at.secs() - session.created_at.secs();
    let cookie = SetCookie::new(COOKIE, new.secret.expose(), u32::try_from(seconds).unwrap_or(0)).strict();
    Ok(Reply::created(&SessionBody::from(&new.value)).with_cookies([&cookie]))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let session = session(&call, &app.own_origin)?;
    let signed_in = app.gate.signed_in(session).await?;
    Ok(Reply::ok(&SessionBody::from(&signed_in)))
}

/// Also of a session that is over: whoever signs out is out.
pub(super) async fn delete(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let session = session(&call, &app.own_origin)?;
    app.sessions.end(&app.gate, session, &call.provenance()).await?;
    Ok(Reply::no_content().with_cookies([&SetCookie::clear(COOKIE).strict()]))
}
