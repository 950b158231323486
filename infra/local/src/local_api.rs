//! `/_local`: the outbox and the clock, on the same edge as everything else.

use crate::browser::{host_name, wants_page};
use crate::clock::{LocalClock, MAX_OFFSET, TooFar};
use crate::outbox::Outbox;
use http::{HeaderValue, StatusCode, header};
use minijinja::{Environment, Value, context};
use serde::Deserialize;
use serde_json::json;
use shared::domain::refusal::Refusal;
use shared::http::{Call, Problem, Reply, Route};
use shared::ports::{Clock, Fault};
use std::sync::Arc;

/// What `/_local` works on.
pub struct LocalApp {
    outbox: Arc<Outbox>,
    clock: Arc<LocalClock>,
}

pub const LOCAL_ROUTES: &[Route<LocalApp>] = &[
    Route::new("GET", "/_local/outbox", "local_outbox", |app, call| {
        Box::pin(async move { outbox(app, &call) })
    }),
    Route::new("GET", "/_local/outbox.css", "local_outbox_style", |_, _| Box::pin(async move { style() })),
    Route::new("POST", "/_local/clock", "local_clock", |app, call| {
        Box::pin(async move { advance(app, &call) })
    }),
];

const PAGE: &str = include_str!("../templates/outbox.html");
const STYLE: &str = include_str!("../templates/outbox.css");

impl LocalApp {
    pub fn new(outbox: Arc<Outbox>, clock: Arc<LocalClock>) -> Self {
        Self { outbox, clock }
    }
}

/// The messages: JSON, or a page for a browser.
fn outbox(app: &LocalApp, call: &Call) -> Result<Reply, Problem> {
    from_this_machine(call)?;
    let messages = app.outbox.messages();
    if !call.header(header::ACCEPT)?.is_some_and(wants_page) {
        return Ok(Reply::ok(&messages));
    }
    let mut templates = Environment::new();
    // The name's ending switches escaping on: a message may hold anything.
    templates.add_template("outbox.html", PAGE).map_err(Fault::new)?;
    let page = templates.get_template("outbox.html").map_err(Fault::new)?;
    let newest_first: Vec<Value> = messages
        .iter()
        .rev()
        .map(|sent| context! { to => sent.to.as_str(), body => sent.body.as_str(), sent_at => sent.sent_at.as_str() })
        .collect();
    let html = page.render(context! { messages => newest_first }).map_err(Fault::new)?;
    Ok(text("text/html; charset=utf-8", html).with_header(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ))
}

fn style() -> Result<Reply, Problem> {
    Ok(text("text/css; charset=utf-8", STYLE.to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

fn advance(app: &LocalApp, call: &Call) -> Result<Reply, Problem> {
    from_this_machine(call)?;
    let Advance { advance_seconds } = call.json()?;
    app.clock.advance(advance_seconds)?.map_err(|TooFar| {
        Refusal::InvalidRequest(format!("the clock can be moved by {MAX_OFFSET} seconds in all"))
    })?;
    let now = app.clock.now().rfc3339();
    Ok(Reply::ok(&json!({ "now": now, "offset_seconds": app.clock.offset_seconds() })))
}

/// A page of the internet can give its own name the address 127.0.0.1 and then read what is here as if it were its own; the name in
/// `Host` tells.
fn from_this_machine(call: &Call) -> Result<(), Refusal> {
    let host = call.header(header::HOST)?.unwrap_or_default();
    if ["127.0.0.1", "localhost"].contains(&host_name(host)) {
        Ok(())
    } else {
        Err(Refusal::Forbidden("`/_local` answers under the names 127.0.0.1 and localhost only."))
    }
}

fn text(content_type: &'static str, text: String) -> Reply {
    Reply::body(StatusCode::OK, HeaderValue::from_static(content_type), text)
}
