//! What is fuzzed: functions that take any bytes at all and panic where a promise is broken. A test runs each over its corpus and over
//! changed seeds (`tests/fuzz/main.rs`); `tests/fuzz/run` gives the same functions to libFuzzer, which looks where the code branches.

mod calls;
mod id_token;
mod patches;
mod sealed;
mod text;

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The folder of its corpus.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Whether an input takes requests to an engine, which are some thousand times slower than anything else here.
    pub calls: bool,
}

const fn quick(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, calls: false }
}

pub const TARGETS: &[Target] = &[
    quick("number", text::number),
    quick("message", text::message),
    quick("template", text::template),
    quick("address", text::address),
    quick("credential", text::credential),
    quick("tenant_patch", patches::tenant),
    quick("application_patch", patches::application),
    quick("sealed", sealed::sealed),
    quick("access_token", sealed::access_token),
    Target { name: "id_token", run: id_token::id_token, calls: true },
    Target { name: "cursor", run: calls::cursor, calls: true },
    Target { name: "event", run: calls::event, calls: true },
];
