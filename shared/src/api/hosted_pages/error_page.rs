//! The page for what can't be told to an application: nobody knows which.

use super::html;
use crate::domain::authorization::Unsound;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::{Call, Problem, Reply};
use crate::pages::{Frame, Language, Said, Step, Stop, StopReason};
use http::{StatusCode, header};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// An authorization request from which the browser is sent nowhere.
    Unsound(Unsound),
    /// A hosted login that is over, or was begun in another browser.
    Over,
    /// A QR code that is over.
    QrLogin,
}

impl PageError {
    /// What the page says.
    const fn code(self) -> &'static str {
        match self {
            Self::Unsound(Unsound::Malformed) => "bad_authorization_request",
            Self::Unsound(Unsound::Client) => "unknown_application",
            Self::Unsound(Unsound::Redirect) => "unknown_redirect",
            Self::Over => "page_over",
            Self::QrLogin => "qr_login_expired",
        }
    }

    /// What the log and the metrics say of it.
    fn problem(self) -> Problem {
        match self {
            Self::Unsound(_) => Refusal::InvalidRequest(self.code().to_owned()).into(),
            Self::Over => Refusal::LoginExpired.into(),
            Self::QrLogin => Refusal::QrLoginExpired.into(),
        }
    }
}

/// 400, with nothing in it that came with the call.
pub fn reply(call: &Call, why: PageError) -> Reply {
    let accepted = call.header(header::ACCEPT_LANGUAGE).ok().flatten();
    let frame = Frame {
        language: Language::choose(None, accepted),
        tenant: "",
        application: "",
        logo_url: None,
        accent: None,
        nonce: "",
        base: "",
        csrf: "",
        // Nothing on it counts down.
        now: Timestamp::from_secs(0),
    };
    let said = Said { code: why.code(), ..Said::default() };
    let step = Step::Stop(Stop { reason: StopReason::Error, again: false });
    let page = html::reply(StatusCode::BAD_REQUEST, &frame, &step, Some(&said), None);
    // A test renders it in every language.
    page.unwrap_or_else(|_| Reply::empty(StatusCode::BAD_REQUEST)).because(why.problem())
}
