//! *Experience login* (acceptance E1, E2): an application's login, with a client of our own that shows what the application would be told.
//!
//! It is a client like any other: an authorization request with PKCE and a state, whose counterparts wait in a cookie. Nothing is sealed: a
//! browser that writes this cookie itself tries out a login of its own.

use super::{HostedPagesApp, PageError, error_page, html};
use crate::domain::authorization::Unsound;
use crate::domain::ids::{ApplicationId, TenantId, base62};
use crate::domain::refusal::Refusal;
use crate::http::cookies::SetCookie;
use crate::http::{Call, Problem, Reply};
use crate::pages::{Claim, Experience, Language, Said, Step, Stop, StopReason};
use crate::usecase::authorize::experience_redirect;
use crate::usecase::exchange_code::NotExchanged;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 62^43 is about 2^256; RFC 7636 §4.1 asks for 43 characters at least.
const VERIFIER_LENGTH: usize = 43;
/// 62^22 is about 2^131.
const STATE_LENGTH: usize = 22;
/// As long as the hosted login's page may stay open.
const SECONDS: u32 = crate::domain::authorization::REQUEST_SECONDS;
/// Claims that are moments.
const TIMES: [&str; 3] = ["auth_time", "exp", "iat"];

/// The application that the path names.
fn application(call: &Call) -> Result<ApplicationId, Refusal> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    ApplicationId::parse(call.param("application"))
        .filter(|application| application.tenant() == tenant)
        .ok_or(Refusal::NotFound)
}

fn cookie_name(application: &ApplicationId) -> String {
    format!("__Host-mfa-try-{}", application.as_str().trim_start_matches(ApplicationId::PREFIX))
}

/// Goes to the application's login.
pub(super) async fn start(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let application = application(&call)?;
    let (location, waits) = begin(app, &application, &experience_redirect(&app.base, &application));
    let cookie = SetCookie::new(cookie_name(&application), waits, SECONDS);
    Ok(Reply::see_other(&location)?.with_cookies([&cookie]))
}

/// Where a client of our own begins a login, and what it has to keep until it ends: state and verifier.
pub(super) fn begin(
    app: &HostedPagesApp,
    application: &ApplicationId,
    redirect_uri: &str,
) -> (String, String) {
    let verifier = base62(VERIFIER_LENGTH, |buffer| app.entropy.fill(buffer));
    let state = base62(STATE_LENGTH, |buffer| app.entropy.fill(buffer));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", application.as_str())
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", "openid profile")
        .append_pair("state", &state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let location = format!("/t/{}/authorize?{query}", application.tenant());
    (location, format!("{state}.{verifier}"))
}

const PARAMETERS: [&str; 5] = ["code", "error", "error_description", "iss", "state"];

/// Shows what the login came to.
pub(super) async fn result(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let application = application(&call)?;
    let malformed = || error_page(&call, PageError::Unsound(Unsound::Malformed));
    let Ok(told) = call.query_parameters(&PARAMETERS) else { return Ok(malformed()) };
    let facts = app.authorize.policy.policy_facts(&application, None, None).await?;
    let Some(facts) = facts else { return Ok(error_page(&call, PageError::Unsound(Unsound::Client))) };
    let name = cookie_name(&application);
    let waiting = call.cookie(&name)?.and_then(|value| value.split_once('.'));
    let state = told.get("state").map(String::as_str).unwrap_or_default();
    // A result that this browser did not ask for is somebody else's (RFC 6749 §10.12).
    let waiting = waiting.filter(|(known, _)| bool::from(known.as_bytes().ct_eq(state.as_bytes())));
    let (step, said) = match (told.get("code"), waiting) {
        (Some(code), Some((_, verifier))) => {
            let own = experience_redirect(&app.base, &application);
            match app.exchange.exchange_for_own_page(&application, &own, code, verifier).await {
                Ok(exchanged) => (claims(&application, exchanged.tokens.id_token.expose()), None),
                Err(NotExchanged::Fault(fault)) => return Err(fault.into()),
                Err(NotExchanged::Client | NotExchanged::Origin | NotExchanged::Grant) => over(),
            }
        }
        _ => over(),
    };
    let language = Language::choose(None, call.header(header::ACCEPT_LANGUAGE)?);
    let nonce = html::nonce(app);
    let frame = html::frame(app, language, &facts.tenant, &facts.application.name, &nonce);
    let status = if said.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let reply = html::reply(status, &frame, &step, said.as_ref(), None)?;
    Ok(reply.with_cookies([&SetCookie::clear(name)]))
}

fn over() -> (Step, Option<Said<'static>>) {
    let said = Said { code: "page_over", ..Said::default() };
    (Step::Stop(Stop { reason: StopReason::Error, again: false }), Some(said))
}

/// The claims of a token that we have signed a moment ago, as people read them.
fn claims(application: &ApplicationId, id_token: &str) -> Step {
    let payload = id_token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Map<String, Value> =
        payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let acr = claims.get("acr").and_then(Value::as_str).unwrap_or_default().to_owned();
    let claims =
        claims.into_iter().map(|(name, value)| Claim { value: words(&name, &value), name }).collect();
    let again = format!("/t/{}/experience/{application}", application.tenant());
    Step::Experience(Experience { claims, acr, again })
}

fn words(name: &str, value: &Value) -> String {
    match value {
        Value::Number(seconds) if TIMES.contains(&name) => {
            let at = seconds.as_i64().map(crate::domain::time::Timestamp::from_secs);
            at.map_or_else(|| seconds.to_string(), |at| at.rfc3339().replace(".000Z", "Z"))
        }
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| words(name, item)).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
