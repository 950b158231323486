//! `/t/{tenant}/login/{txn}`: the page of the step that a hosted login is at, and the two forms that this function answers itself.

use super::{HostedPagesApp, PageError, error_page, finish, html, steps};
use crate::api::pages::{PageAnswer, PageForm, PageSession};
use crate::domain::login::{LoginState, Status};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::{Call, Problem, Reply};
use crate::pages::{Frame, Language, Said, Step, StopReason};
use crate::ports::PolicyFacts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

/// What a link of the page itself may ask for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Another language, for the rest of the login.
    lang: Option<String>,
    /// `number`: another one than the login has named.
    change: Option<String>,
}

/// Seconds until a page that could not be made may be asked for again.
const RETRY_AFTER: u32 = 1;

pub(super) async fn get(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let Some(mut session) = app.pages.open(&call)? else { return Ok(error_page(&call, PageError::Over)) };
    let asked: Asked = call.query()?;
    let answer = app.pages.answer(&session);
    if let Some(language) = asked.lang.as_deref().and_then(Language::parse) {
        session.page.request.ui_locales = Some(language.tag().to_owned());
        return answer.keep(&session.page).reply();
    }
    let facts = app.authorize.policy.policy_facts(&session.page.request.application, None, None).await?;
    let Some(facts) = facts else { return Ok(error_page(&call, PageError::Over)) };
    let language = language(&session, &call)?;
    let step = match next(app, &session, language, &facts, asked.change.is_some()).await {
        Ok(Next::Show(step)) => step,
        Ok(Next::Finish) => return finish(app, &call, &session),
        Ok(Next::Send { number, sent }) => return send(answer, &session, number, sent),
        Err(problem) => return trouble(app, &session, language, &facts, problem),
    };
    let said = session.said.as_ref().map(|said| Said {
        code: &said.code,
        rule: said.rule.as_deref(),
        retry_at: said.retry_at.map(Timestamp::from_millis),
    });
    let shown = show(app, &session, language, &facts, StatusCode::OK, &step, said.as_ref())?;
    Ok(if session.said.is_some() { answer.unsaid().with(shown) } else { shown })
}

/// What a page is asked for comes to.
enum Next {
    Show(Step),
    /// Back to the application.
    Finish,
    /// The first message, for this one of the login's numbers.
    Send {
        number: u8,
        sent: u8,
    },
}

async fn next(
    app: &HostedPagesApp,
    session: &PageSession,
    language: Language,
    facts: &PolicyFacts,
    change: bool,
) -> Result<Next, Problem> {
    if let Some(done) = &session.done {
        let codes = &done.recovery_codes;
        return Ok(if codes.is_empty() { Next::Finish } else { Next::Show(steps::recovery_codes(codes)) });
    }
    let Some(ticket) = session.ticket(&app.tokens) else {
        let hint = session.page.request.login_hint.as_deref();
        return Ok(Next::Show(steps::sign_in(hint, session.qr.as_ref(), &app.base, app.pages.now())));
    };
    let state: LoginState = app.read.read(ticket).await?;
    let home = facts.tenant.home_country.as_str();
    Ok(match state.status() {
        Status::BindPhone => Next::Show(steps::bind_phone(language, &state, home)),
        Status::EnterCode if change && steps::may_change(&state) => {
            Next::Show(steps::bind_phone(language, &state, home))
        }
        // What was refused is told before it is tried again.
        Status::EnterCode if steps::was_never_sent(&state) && session.said.is_none() => {
            let (number, sent) = state.challenge.as_ref().map_or((0, 0), |it| (it.phone_changes, it.sends));
            Next::Send { number, sent }
        }
        Status::EnterCode => Next::Show(steps::enter_code(&state)),
        Status::ContactAdministrator => Next::Show(steps::stop(StopReason::Administrator)),
        Status::Blocked => Next::Show(steps::stop(StopReason::Blocked)),
        Status::Expired => Next::Show(steps::stop(StopReason::Expired)),
        // Its proof went to another tab, or was lost on its way.
        Status::Complete => Next::Show(steps::stop(StopReason::Complete)),
    })
}

fn send(answer: PageAnswer, session: &PageSession, number: u8, sent: u8) -> Result<Reply, Problem> {
    Ok(answer.with(Reply::see_other(&format!("{}/send?number={number}&sent={sent}", session.path()))?))
}

/// The page that says what went wrong, with a way to start again.
fn trouble(
    app: &HostedPagesApp,
    session: &PageSession,
    language: Language,
    facts: &PolicyFacts,
    problem: Problem,
) -> Result<Reply, Problem> {
    let fault = problem.code() == "unavailable";
    let status = if fault { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let said = Said { code: problem.code(), ..Said::default() };
    let step = steps::stop(StopReason::Error);
    let reply = show(app, session, language, facts, status, &step, Some(&said))?;
    let reply =
        if fault { reply.with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER)) } else { reply };
    Ok(reply.because(problem))
}

fn show(
    app: &HostedPagesApp,
    session: &PageSession,
    language: Language,
    facts: &PolicyFacts,
    status: StatusCode,
    step: &Step,
    said: Option<&Said<'_>>,
) -> Result<Reply, Problem> {
    let base = session.path();
    let nonce = html::nonce(app);
    let around = html::frame(app, language, &facts.tenant, &facts.application.name, &nonce);
    let frame = Frame { base: &base, csrf: session.page.csrf.expose(), ..around };
    html::reply(status, &frame, step, said, Some(&session.page.request.redirect_uri))
}

/// That of the application, or of the link that was followed; else the browser's.
fn language(session: &PageSession, call: &Call) -> Result<Language, Refusal> {
    let asked = session.page.request.ui_locales.as_deref();
    Ok(Language::choose(asked, call.header(header::ACCEPT_LANGUAGE)?))
}

/// A form of nothing but its proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    csrf: String,
}

impl PageForm for Button {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// The user has seen the recovery codes.
pub(super) async fn go_on(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    match app.pages.form::<Button>(&call)? {
        Some((session, _)) if session.done.is_some() => finish(app, &call, &session),
        _ => app.pages.to_page(&call),
    }
}

/// Another login for the same request. The one that was under way is forgotten by this browser, and ends by itself.
pub(super) async fn back(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    match app.pages.form::<Button>(&call)? {
        Some((session, _)) => app.pages.answer(&session).back().reply(),
        None => app.pages.to_page(&call),
    }
}
