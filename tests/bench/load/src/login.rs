//! How each server is logged in to: one completed login of a user who is there and whose number is known.

use crate::Failed;
use crate::connection::{Connection, text};
use crate::sink::Sink;
use serde_json::json;
use std::time::{Duration, Instant};

/// How long each step took: the assertion (the service only), asking for the code, and giving it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps {
    pub start: Option<Duration>,
    pub issue: Duration,
    pub verify: Duration,
}

/// Where `local`'s users sign in.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub application: String,
    /// `Bearer …`.
    pub secret: String,
}

/// A user of `local`.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub number: String,
    /// Which of the tenants.
    pub tenant: usize,
}

/// A server's way of logging in. The peers' users are known by their numbers, [`number`] of 0 and so on.
#[derive(Clone, Debug)]
pub enum Protocol {
    Local {
        tenants: Vec<Tenant>,
        users: Vec<User>,
    },
    /// With a session for each login, as it is by default, or without.
    BetterAuth {
        session: bool,
    },
    Allauth,
    /// With an administrator's token: whoever asks for a challenge has to be somebody.
    PrivacyIdea {
        token: String,
    },
}

/// The number of the n-th user: in the US, and not next to the one of the user before.
pub fn number(user: usize) -> String {
    format!("+1202{}", 2_000_000 + user * 7919 % 7_900_000)
}

impl Protocol {
    /// Logs a user in.
    pub async fn login(&self, http: &mut Connection, sink: &Sink, user: usize) -> Result<Steps, Failed> {
        match self {
            Self::Local { tenants, users } => {
                let user = users.get(user).ok_or("there are not enough users")?;
                local(http, sink, &tenants[user.tenant], user).await
            }
            Self::BetterAuth { session } => better_auth(http, sink, &number(user), *session).await,
            Self::Allauth => allauth(http, sink, &number(user)).await,
            Self::PrivacyIdea { token } => privacy_idea(http, sink, user, token).await,
        }
    }
}

/// Times a step.
async fn timed<T>(step: impl Future<Output = Result<T, Failed>>) -> Result<(T, Duration), Failed> {
    let started = now();
    let done = step.await?;
    Ok((done, started.elapsed()))
}

/// The clock of whoever measures.
#[allow(clippy::disallowed_methods, reason = "it measures, and decides nothing")]
pub fn now() -> Instant {
    Instant::now()
}

async fn local(http: &mut Connection, sink: &Sink, tenant: &Tenant, user: &User) -> Result<Steps, Failed> {
    let body = json!({ "application": tenant.application, "assertion": { "user": user.id } });
    let started = http.post("/v1/logins", Some(("authorization", &tenant.secret)), &body);
    let (started, start) = timed(started).await?;
    let started = started.expect(200)?;
    let path = format!("/v1/logins/{}", text(&started, "/login/id")?);
    let token = format!("Bearer {}", text(&started, "/login_token")?);
    let token = Some(("authorization", token.as_str()));
    let (issue_path, verify_path) = (format!("{path}/code"), format!("{path}/verification"));
    let (sent, issue) = timed(http.post(&issue_path, token, &json!({}))).await?;
    sent.expect(200)?;
    let code = json!({ "code": sink.code_to(&user.number)? });
    let (done, verify) = timed(http.post(&verify_path, token, &code)).await?;
    text(&done.expect(200)?, "/tokens/access_token")?;
    Ok(Steps { start: Some(start), issue, verify })
}

async fn better_auth(
    http: &mut Connection,
    sink: &Sink,
    number: &str,
    session: bool,
) -> Result<Steps, Failed> {
    let body = json!({ "phoneNumber": number });
    let (sent, issue) = timed(http.post("/api/auth/phone-number/send-otp", None, &body)).await?;
    sent.expect(200)?;
    let body = json!({ "phoneNumber": number, "code": sink.code_to(number)?, "disableSession": !session });
    let (done, verify) = timed(http.post("/api/auth/phone-number/verify", None, &body)).await?;
    let done = done.expect(200)?;
    if done["status"] == true {
        Ok(Steps { start: None, issue, verify })
    } else {
        Err(done.to_string().into())
    }
}

async fn allauth(http: &mut Connection, sink: &Sink, number: &str) -> Result<Steps, Failed> {
    let body = json!({ "phone": number });
    let (sent, issue) = timed(http.post("/_allauth/app/v1/auth/code/request", None, &body)).await?;
    // What is still to be done is told as a 401.
    let session = text(&sent.expect(401)?, "/meta/session_token")?;
    let session = Some(("x-session-token", session.as_str()));
    let body = json!({ "code": sink.code_to(number)? });
    let (done, verify) = timed(http.post("/_allauth/app/v1/auth/code/confirm", session, &body)).await?;
    done.expect(200)?;
    Ok(Steps { start: None, issue, verify })
}

async fn privacy_idea(http: &mut Connection, sink: &Sink, user: usize, token: &str) -> Result<Steps, Failed> {
    let serial = format!("S{user}");
    let (admin, body) = (Some(("pi-authorization", token)), json!({ "serial": serial }));
    let (sent, issue) = timed(http.post("/validate/triggerchallenge", admin, &body)).await?;
    let transaction = text(&sent.expect(200)?, "/detail/transaction_id")?;
    let code = sink.code_to(&number(user))?;
    let body = json!({ "serial": serial, "transaction_id": transaction, "pass": code });
    let (done, verify) = timed(http.post("/validate/check", None, &body)).await?;
    let done = done.expect(200)?;
    if done["result"]["value"] == true {
        Ok(Steps { start: None, issue, verify })
    } else {
        Err(done.to_string().into())
    }
}
