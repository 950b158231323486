//! A way through the model, in words.

use super::items::{Delivered, Index, WRONG};
use super::state::{Next, Request, State};
use super::{Event, Lifecycle};
use stateright::Path;
use tests::repository;

const DOCUMENT: &str = "docs/TESTING.md";
const BEGIN: &str = "<!-- traces: written by tests/lifecycle -->\n";
const END: &str = "<!-- end of traces -->";

/// One line for each event.
pub fn in_words(model: &Lifecycle, path: Path<State, Event>) -> String {
    let steps = path.into_vec();
    let mut text = String::new();
    for (number, (state, event)) in (1..).zip(&steps) {
        if let Some(event) = event {
            text += &format!("{number}. {}\n", line(model, state, *event));
        }
    }
    text
}

fn line(model: &Lifecycle, state: &State, event: Event) -> String {
    let who = |client: usize| char::from(b'A' + u8::try_from(client).expect("few clients"));
    match event {
        Event::Begins(client, request) => format!("{} {}", who(client), asks(model, state, request)),
        Event::Steps(client) => format!("{}'s process {}", who(client), does(&state.clients[client].next)),
        Event::StepsAndHearsNothing(client) => {
            let does = does(&state.clients[client].next);
            format!("{}'s process {does}; the answer is lost, and the SDK repeats the request", who(client))
        }
        Event::MessageFails(client) => {
            format!("{}'s process {}, but it does not leave", who(client), does(&state.clients[client].next))
        }
        Event::MessageIsUnknown(client, left) => {
            let does = does(&state.clients[client].next);
            let what = if left { "it leaves" } else { "it does not leave" };
            format!("{}'s process {does}: {what}, and nobody says so", who(client))
        }
        Event::Dies(client) => format!("{}'s process dies", who(client)),
        Event::TimePasses => "time passes".to_owned(),
        Event::Rotates => "the pepper's rotation goes on".to_owned(),
    }
}

fn asks(model: &Lifecycle, state: &State, request: Request) -> String {
    let several = model.scenario.logins.len() > 1;
    let of = |login: Index| if several { format!(" for login {}", login + 1) } else { String::new() };
    match request {
        Request::Send { login, key: None } => format!("asks for a code{}", of(login)),
        Request::Send { login, key: Some(_) } => format!("asks for a code{}, with the key", of(login)),
        Request::Guess { login, text: WRONG } => format!("guesses wrong{}", of(login)),
        Request::Guess { login, text } if state.seen.current[usize::from(login)] != Some(text) => {
            format!("gives an earlier code{}", of(login))
        }
        Request::Guess { login, .. } => format!("gives the code{}", of(login)),
        Request::Number { login, number } => format!("names number {}{}", number + 1, of(login)),
    }
}

fn does(next: &Next) -> String {
    match next {
        Next::Nothing => "does nothing".to_owned(),
        Next::Reserve { .. } => "reserves the send".to_owned(),
        Next::Publish { message, .. } => format!("sends the message to number {}", message.to + 1),
        Next::Settle { delivered: Delivered::Unknown, .. } => {
            "notes that the message may have left".to_owned()
        }
        Next::Settle { .. } => "notes that the message has not left".to_owned(),
        Next::Charge { .. } => "charges the guess".to_owned(),
        Next::Compare { .. } => "compares it".to_owned(),
        Next::CountFailure { .. } => "counts the failure".to_owned(),
        Next::ClearFailures { .. } => "clears the failures".to_owned(),
        Next::CommitBind { number, .. } => format!("binds number {}", number + 1),
        Next::ForgetNumber { .. } => "forgets the number".to_owned(),
        Next::ProveOld { .. } => "notes that the old number is proven".to_owned(),
        Next::CommitReplacement { old, new, .. } => {
            format!("replaces number {} by number {}", old + 1, new + 1)
        }
        Next::AskForNumber { number, .. } => format!("writes that number {} is asked for", number + 1),
    }
}

/// The document has these traces; with `WRITE_TRACES=1` it gets them.
pub fn assert_documented(traces: &str) {
    let text = repository::read(DOCUMENT);
    let (before, rest) = text.split_once(BEGIN).expect("where the traces begin");
    let (shown, after) = rest.split_once(END).expect("where they end");
    if std::env::var_os("WRITE_TRACES").is_some() {
        let new = format!("{before}{BEGIN}{traces}\n{END}{after}");
        std::fs::write(repository::path(DOCUMENT), new).expect("a document");
        return;
    }
    assert_eq!(shown.trim(), traces.trim(), "{DOCUMENT} is out of date: WRITE_TRACES=1 writes it");
}
