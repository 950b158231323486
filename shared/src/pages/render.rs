//! Templates and values into a page.

use super::assets;
use super::notice::{Notice, Said};
use super::text::{Language, fill};
use super::view::{Frame, Step, StopReason, style};
use crate::domain::login::LOGIN_SECONDS;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context};
use std::sync::LazyLock;

const TEMPLATES: [(&str, &str); 11] = [
    ("layout.html", include_str!("templates/layout.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("sign_in.html", include_str!("templates/sign_in.html")),
    ("bind_phone.html", include_str!("templates/bind_phone.html")),
    ("enter_code.html", include_str!("templates/enter_code.html")),
    ("code_help.html", include_str!("templates/code_help.html")),
    ("recovery_codes.html", include_str!("templates/recovery_codes.html")),
    ("stop.html", include_str!("templates/stop.html")),
    ("experience.html", include_str!("templates/experience.html")),
    ("qr_panel.html", include_str!("templates/qr_panel.html")),
    ("scan.html", include_str!("templates/scan.html")),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters are no contradiction"));
    // A template that names what it isn't given is a mistake, and a test renders them all.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in TEMPLATES {
        // The names' ending switches escaping on.
        environment.add_template(name, source).expect("a test parses every template");
    }
    environment.add_function("t", sentence);
    environment.add_function("n", counted);
    environment.add_function("clock", clock);
    environment.add_function("duration", |state: &State<'_, '_>, seconds: u32| {
        language(state).map(|language| duration(language, seconds))
    });
    environment
});

/// The page as HTML.
///
/// # Errors
/// A template's mistake.
pub fn render(frame: &Frame<'_>, step: &Step, said: Option<&Said<'_>>) -> Result<String, Error> {
    // An error's page has nothing to say but what went wrong.
    let fault = Said { code: "unavailable", ..Said::default() };
    let said =
        said.or(matches!(step, Step::Stop(stop) if stop.reason == StopReason::Error).then_some(&fault));
    let notice = said.map(|said| Notice::new(frame.language, said, step, frame.now));
    let languages: Vec<Value> =
        Language::all().map(|language| context! { tag => language.tag(), name => language.name() }).collect();
    ENVIRONMENT.get_template(step.template())?.render(context! {
        tag => frame.language.tag(),
        dir => frame.language.direction(),
        languages,
        tenant => frame.tenant,
        application => frame.application,
        logo_url => frame.logo_url,
        style => frame.accent.map(style),
        nonce => frame.nonce,
        base => path(frame.base),
        csrf => frame.csrf,
        now => frame.now.millis(),
        css => path(&assets::style().path),
        js => path(&assets::script().path),
        login_seconds => LOGIN_SECONDS,
        notice => Value::from(Serde(notice)),
        step => Value::from(Serde(step)),
    })
}

/// A path of ours, which is written as it is: escaping would write each `/` with six characters. Anything else is escaped as ever.
fn path(text: &str) -> Value {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    if text.bytes().all(plain) { Value::from_safe_string(text.to_owned()) } else { Value::from(text) }
}

/// `{{ t("key", name=value) }}`: the sentence, with the tenant's and the application's name known to each.
fn sentence(state: &State<'_, '_>, key: &str, values: Kwargs) -> Result<String, Error> {
    let language = language(state)?;
    let sentence =
        language.text(key).ok_or_else(|| Error::new(ErrorKind::UnknownFunction, key.to_owned()))?;
    let mut given = Vec::new();
    for name in ["tenant", "application"] {
        given.push((name, state.lookup(name).unwrap_or_default().to_string()));
    }
    for name in values.args() {
        given.push((name, values.get::<Value>(name)?.to_string()));
    }
    Ok(fill(language, sentence, &given))
}

/// `{{ n("key", count) }}`: the sentence for so many.
fn counted(state: &State<'_, '_>, key: &str, count: u32) -> Result<String, Error> {
    let language = language(state)?;
    number(language, key, count).ok_or_else(|| Error::new(ErrorKind::UnknownFunction, key.to_owned()))
}

fn number(language: Language, key: &str, count: u32) -> Option<String> {
    let sentence = language.text(&format!("{key}.{}", if count == 1 { "one" } else { "other" }))?;
    Some(fill(language, sentence, &[("count", count.to_string())]))
}

fn language(state: &State<'_, '_>) -> Result<Language, Error> {
    let tag = state.lookup("tag").unwrap_or_default().to_string();
    Language::parse(&tag).ok_or_else(|| Error::new(ErrorKind::UndefinedError, "no language"))
}

/// `4:05` until `at`, both in milliseconds; never below nothing.
fn clock(at: i64, now: i64) -> String {
    let seconds = (at.saturating_sub(now).max(0) + 999) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// How long something takes, in words and rounded up.
pub(super) fn duration(language: Language, seconds: u32) -> String {
    let (key, count) = match seconds {
        0..100 => ("time.seconds", seconds),
        100..6000 => ("time.minutes", seconds.div_ceil(60)),
        _ => ("time.hours", seconds.div_ceil(3600)),
    };
    number(language, key, count).unwrap_or_default()
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
