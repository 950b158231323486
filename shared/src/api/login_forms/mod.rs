//! The forms of a hosted login: the calls of the API with what a browser sends, urlencoded fields and cookies. Each is a route of the function
//! that has the right to do it, and answers 303 to the page, which shows whatever is next. No function but `hosted-pages` renders anything.

pub(super) mod code;
pub(super) mod password;
pub(super) mod phone;
pub(super) mod qr;
pub(super) mod scan;
pub(super) mod verification;

use super::pages::{PageAnswer, PageForm, PageSession, Pages};
use crate::domain::login::Ticket;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::usecase::login_token::LoginTokens;

/// A form of a login that is under way.
struct Step<T> {
    session: PageSession,
    ticket: Ticket,
    form: T,
    answer: PageAnswer,
}

/// Opens the form of a step after the first. `Err` within: the answer where there is nothing to step on, which the page explains.
fn open<T: PageForm>(
    pages: &Pages,
    tokens: &LoginTokens,
    call: &Call,
) -> Result<Result<Step<T>, Reply>, Problem> {
    let Some((session, form)) = pages.form::<T>(call)? else { return Ok(Err(pages.to_page(call)?)) };
    let answer = pages.answer(&session);
    match session.ticket(tokens) {
        Some(ticket) => Ok(Ok(Step { session, ticket, form, answer })),
        // Finished, or left, in another tab: the page shows what is next.
        None if session.login_token.is_none() => Ok(Err(answer.reply()?)),
        None => Ok(Err(answer.said(Refusal::Unauthenticated.into()).reply()?)),
    }
}

macro_rules! form {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            csrf: String,
            $($field: $type,)*
        }

        impl crate::api::pages::PageForm for $name {
            fn csrf(&self) -> &str {
                &self.csrf
            }
        }
    };
}
use form;
