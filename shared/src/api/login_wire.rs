//! How a login looks on the wire, in answers and in errors, and how its token is presented.

use super::trusted_devices::NewDeviceBody;
use crate::domain::challenge::Challenge;
use crate::domain::login::{LoginState, Status, Ticket};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem};
use crate::ports::Tokens;
use crate::usecase::LoginFailure;
use crate::usecase::login_token::LoginTokens;
use crate::usecase::verify_code::Verified;
use http::header;
use serde::Serialize;

/// `login` in every 2xx answer and, once the caller has shown that the login is its own, in every error.
#[derive(Debug, Serialize)]
pub struct Login {
    id: String,
    application: String,
    user: String,
    purpose: &'static str,
    status: &'static str,
    mfa: Mfa,
    challenge: Option<ChallengeWire>,
    server_time: String,
    expires_at: String,
}

#[derive(Debug, Serialize)]
struct Mfa {
    required: bool,
    factor: Option<&'static str>,
    phone_hint: Option<String>,
}

#[derive(Debug, Serialize)]
struct ChallengeWire {
    id: String,
    sent_at: String,
    expires_at: String,
    resend_at: String,
    attempts_left: u32,
    sends_left: u32,
    code_length: u8,
    delivery: &'static str,
}

impl From<&LoginState> for Login {
    fn from(state: &LoginState) -> Self {
        let mfa =
            Mfa { required: true, factor: Some("sms"), phone_hint: state.phone_hint().map(str::to_owned) };
        let challenge = state.challenge.as_ref().and_then(|challenge| challenge_wire(state, challenge));
        Self::new(&state.ticket, state.status(), mfa, challenge, state.now.rfc3339())
    }
}

impl Login {
    /// A login that needed no code.
    pub fn done(ticket: &Ticket) -> Self {
        let mfa = Mfa { required: false, factor: None, phone_hint: None };
        Self::new(ticket, Status::Complete, mfa, None, ticket.started_at.rfc3339())
    }

    fn new(
        ticket: &Ticket,
        status: Status,
        mfa: Mfa,
        challenge: Option<ChallengeWire>,
        server_time: String,
    ) -> Self {
        Self {
            id: ticket.login.to_string(),
            application: ticket.application.to_string(),
            user: ticket.user.to_string(),
            purpose: ticket.purpose.as_str(),
            status: status.as_str(),
            mfa,
            challenge,
            server_time,
            expires_at: ticket.expires_at.rfc3339(),
        }
    }
}

fn challenge_wire(state: &LoginState, challenge: &Challenge) -> Option<ChallengeWire> {
    let code = challenge.code.as_ref()?;
    Some(ChallengeWire {
        // A login has one challenge, so its id follows from the login's.
        id: challenge.login.as_str().replacen("log_", "chl_", 1),
        sent_at: code.sent_at.rfc3339(),
        expires_at: code.expires_at.rfc3339(),
        resend_at: code.resend_at.rfc3339(),
        attempts_left: state.attempts_left(),
        sends_left: state.sends_left(),
        code_length: state.ticket.code.length,
        delivery: code.delivery.as_str(),
    })
}

/// `tokens` in the answer that completes a login.
#[derive(Debug, Serialize)]
pub struct TokensWire {
    token_type: &'static str,
    access_token: String,
    id_token: String,
    expires_in: u32,
}

impl From<Tokens> for TokensWire {
    fn from(tokens: Tokens) -> Self {
        Self {
            token_type: "Bearer",
            access_token: tokens.access_token.into_exposed(),
            id_token: tokens.id_token.into_exposed(),
            expires_in: tokens.expires_in,
        }
    }
}

/// An answer of a step of a login.
#[derive(Debug, Serialize)]
pub struct LoginAnswer {
    pub login: Login,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokensWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_codes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_device: Option<NewDeviceBody>,
}

impl LoginAnswer {
    pub fn of(state: &LoginState) -> Self {
        Self {
            login: state.into(),
            login_token: None,
            tokens: None,
            recovery_codes: None,
            trusted_device: None,
        }
    }

    pub fn verified(verified: Verified) -> Self {
        Self {
            tokens: verified.tokens.map(TokensWire::from),
            recovery_codes: verified.recovery_codes.map(exposed),
            ..Self::of(&verified.state)
        }
    }
}

/// Recovery codes, in the one answer that shows them.
pub(super) fn exposed(codes: Vec<Secret<String>>) -> Vec<String> {
    codes.into_iter().map(Secret::into_exposed).collect()
}

impl From<LoginFailure> for Problem {
    /// The login's state stands at the document's top level too, so that a page can count down from any answer (acceptance H1).
    fn from(failed: LoginFailure) -> Self {
        let problem = Problem::from(failed.failure);
        let Some(state) = failed.state else { return problem };
        let code = state.challenge.as_ref().and_then(|challenge| challenge.code.as_ref());
        let expires_at = code.map_or(state.ticket.expires_at, |code| code.expires_at);
        problem
            .with("expires_at", expires_at.rfc3339())
            .with("resend_at", code.map(|code| code.resend_at.rfc3339()))
            .with("attempts_left", state.attempts_left())
            .with("sends_left", state.sends_left())
            .with("server_time", state.now.rfc3339())
            .with("login", serde_json::to_value(Login::from(&*state)).unwrap_or_default())
    }
}

/// The ticket of the login token that came with a call to `/v1/logins/{login}…`; a browser must be on one of the application's origins.
pub fn open_login(call: &Call, tokens: &LoginTokens) -> Result<Ticket, Problem> {
    let ticket = tokens.open(call.bearer()?, call.param("login"))?;
    if let Some(origin) = call.header(header::ORIGIN)? {
        if !ticket.origins.iter().any(|known| known == origin) {
            return Err(Refusal::Forbidden("the origin is not one of the application's").into());
        }
        call.allow_origin(origin);
    }
    Ok(ticket)
}
