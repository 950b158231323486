//! `/t/{tenant}/userinfo` (OpenID Connect Core 1.0 §5.3): what the client of a hosted login may learn of its user.

use super::HostedPagesApp;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, ProblemKind, Reply};
use crate::usecase::claims::{Claims, NO_SCOPES};
use http::header;
use serde::Serialize;

#[derive(Serialize)]
struct ClaimsBody {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Nobody here has sent a message there.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_verified: Option<bool>,
}

impl From<Claims> for ClaimsBody {
    fn from(claims: Claims) -> Self {
        Self {
            email_verified: claims.email.as_ref().map(|_| false),
            phone_number_verified: claims.phone_number.as_ref().map(|_| claims.phone_number_verified),
            sub: claims.sub,
            preferred_username: claims.preferred_username,
            locale: claims.locale,
            email: claims.email,
            phone_number: claims.phone_number,
        }
    }
}

pub(super) async fn get(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    read(app, &call).await
}

/// By POST too (§5.3.1), with the token in the header all the same: in a body it would end up in logs of bodies.
pub(super) async fn post(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    read(app, &call).await
}

async fn read(app: &HostedPagesApp, call: &Call) -> Result<Reply, Problem> {
    match claims(app, call).await {
        Ok(claims) => Ok(Reply::ok(&ClaimsBody::from(claims))),
        Err(problem) => Err(challenged(call, problem)),
    }
}

async fn claims(app: &HostedPagesApp, call: &Call) -> Result<Claims, Problem> {
    let origin = call.header(header::ORIGIN)?;
    let allow = |origin: &str| call.allow_origin(origin);
    Ok(app.claims.read(call.param("tenant"), call.bearer()?, origin, &allow).await?)
}

/// A refusal names its kind in `WWW-Authenticate` too, which is where clients of this endpoint look (RFC 6750 §3.1). Where no credential came
/// there is nothing to say but how to bring one.
fn challenged(call: &Call, problem: Problem) -> Problem {
    let came = call.headers.contains_key(header::AUTHORIZATION);
    match problem.kind {
        ProblemKind::Refused(Refusal::Unauthenticated) if came => {
            problem.challenged(r#"Bearer error="invalid_token""#)
        }
        ProblemKind::Refused(Refusal::Forbidden(NO_SCOPES)) => {
            problem.challenged(r#"Bearer error="insufficient_scope", scope="openid""#)
        }
        _ => problem,
    }
}
