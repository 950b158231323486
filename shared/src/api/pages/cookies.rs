//! The names of a hosted login's cookies, and values that need more than one. Every login in a browser (a transaction) has a set of its own,
//! so that two tabs never meet.

use crate::domain::ids::{ApplicationId, TransactionId};
use crate::domain::refusal::Refusal;
use crate::http::Call;
use crate::http::cookies::{MAX_VALUE, SetCookie};

/// In how many cookies one value may stand.
const MAX_PARTS: usize = 3;

/// What all names start with.
const PREFIX: &str = "__Host-mfa-";

/// One of a transaction's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Login,
    Done,
    Said,
    Qr,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Request, Kind::Login, Kind::Done, Kind::Said, Kind::Qr];

    const fn name(self) -> &'static str {
        match self {
            Kind::Request => "req",
            Kind::Login => "login",
            Kind::Done => "done",
            Kind::Said => "said",
            Kind::Qr => "qr",
        }
    }
}

fn part_name(kind: Kind, transaction: &TransactionId, part: usize) -> String {
    format!("{PREFIX}{}-{transaction}-{part}", kind.name())
}

/// Where a trusted device's token is kept. It outlives the transaction, and belongs to one application.
pub(super) fn device_name(application: &ApplicationId) -> String {
    format!("{PREFIX}device-{}", application.as_str().trim_start_matches(ApplicationId::PREFIX))
}

/// A value, from as many cookies as it takes. `None` where there is none.
pub(super) fn read(call: &Call, kind: Kind, transaction: &TransactionId) -> Result<Option<String>, Refusal> {
    let mut value = String::new();
    for part in 0..MAX_PARTS {
        match call.cookie(&part_name(kind, transaction, part))? {
            Some(text) => value.push_str(text),
            None => break,
        }
    }
    Ok((!value.is_empty()).then_some(value))
}

/// Sets a value, and takes away the parts that a longer one of before may have left. `None` for one that is too long.
pub(super) fn write(
    kind: Kind,
    transaction: &TransactionId,
    value: &str,
    max_age: u32,
) -> Option<Vec<SetCookie>> {
    if value.len() > MAX_VALUE * MAX_PARTS || !value.is_ascii() {
        return None;
    }
    let parts: Vec<&str> =
        (0..value.len()).step_by(MAX_VALUE).map(|at| &value[at..value.len().min(at + MAX_VALUE)]).collect();
    let name = |part| part_name(kind, transaction, part);
    let mut cookies: Vec<SetCookie> =
        parts.iter().enumerate().map(|(part, text)| SetCookie::new(name(part), *text, max_age)).collect();
    cookies.extend((parts.len().max(1)..MAX_PARTS).map(|part| SetCookie::clear(name(part))));
    Some(cookies)
}

/// Takes a value away.
pub(super) fn clear(kind: Kind, transaction: &TransactionId) -> Vec<SetCookie> {
    (0..MAX_PARTS).map(|part| SetCookie::clear(part_name(kind, transaction, part))).collect()
}

/// How many bytes of a request's headers the cookies of a transaction take.
pub(super) fn length(call: &Call, transaction: &TransactionId) -> Result<usize, Refusal> {
    let its = format!("-{transaction}-");
    let cookies = call.cookies()?;
    let own = cookies.iter().filter(|(name, _)| name.starts_with(PREFIX) && name.contains(&its));
    // Each with what stands between it and the next: `=` and `; `.
    Ok(own.map(|(name, value)| name.len() + value.len() + 3).sum())
}

/// The transactions that a browser has a request of.
pub(super) fn transactions(call: &Call) -> Result<Vec<TransactionId>, Refusal> {
    let start = format!("{PREFIX}{}-", Kind::Request.name());
    let cookies = call.cookies()?;
    let names = cookies.iter().filter_map(|(name, _)| name.strip_prefix(&*start)?.strip_suffix("-0"));
    Ok(names.filter_map(TransactionId::parse).collect())
}
