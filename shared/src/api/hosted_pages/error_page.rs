//! The page for what can't be told to an application: nobody knows which.

use crate::domain::authorization::Unsound;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use http::{HeaderValue, StatusCode, header};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// An authorization request from which the browser is sent nowhere.
    Unsound(Unsound),
    /// A hosted login that is over, or was begun in another browser.
    Over,
}

impl PageError {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Unsound(Unsound::Malformed) => {
                "The application sent a sign-in request that cannot be read. Please tell its makers."
            }
            Self::Unsound(Unsound::Client) => {
                "The application that sent you here is not known. Please tell its makers."
            }
            Self::Unsound(Unsound::Redirect) => {
                "The application asked to send you to an address that it has not registered. Please tell its makers."
            }
            Self::Over => {
                "This sign-in is no longer open. Please go back to the application and start again."
            }
        }
    }

    /// What the log and the metrics say of it.
    fn problem(self) -> Problem {
        match self {
            Self::Unsound(_) => Refusal::InvalidRequest(self.sentence().to_owned()).into(),
            Self::Over => Refusal::LoginExpired.into(),
        }
    }
}

/// 400, with nothing in it that came with the call.
pub fn reply(_call: &Call, why: PageError) -> Reply {
    let sentence = why.sentence();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Sign-in not possible</title>\n<main>\n<h1>Sign-in not possible</h1>\n<p>{sentence}</p>\n</main>\n</html>\n"
    );
    const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Reply::html(StatusCode::BAD_REQUEST, html)
        .with_header(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .because(why.problem())
}
