//! What must never be readable at rest or in a log (acceptance H14): tests say which codes, passwords, keys, tokens, numbers and
//! addresses they use; the logs are searched here, the tables by tests/python/scan_tables.py.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The secrets that one test has known.
#[derive(Clone, Debug, Default)]
pub struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a secret; `kind` says in messages what it is. It also goes into the file that `TEST_CANARIES` names, for the scan at the end of the whole run.
    pub fn add(&mut self, kind: &'static str, value: &str) {
        assert!(value.len() >= 4, "{kind}: too short to look for");
        if self.0.iter().any(|known| known.1 == value) {
            return;
        }
        self.0.push((kind, value.to_owned()));
        if let Ok(file) = std::env::var("TEST_CANARIES") {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
            // One write, so that lines of parallel tests don't mix.
            file.write_all(format!("{}\n", line(kind, value)).as_bytes()).unwrap();
        }
    }

    /// Writes them where scan_tables.py reads them, one JSON object a line.
    pub fn save(&self, file: &Path) {
        let lines: String = self.0.iter().fold(String::new(), |mut lines, (kind, value)| {
            let _ = writeln!(lines, "{}", line(kind, value));
            lines
        });
        std::fs::write(file, lines).unwrap();
    }

    /// # Panics
    /// If `text` has one of them, plain, in base64, base64url or hex. A code (digits alone) counts only where no other letter or digit
    /// touches it: six digits also turn up within longer numbers and ids.
    pub fn assert_absent(&self, what: &str, text: &str) {
        for (kind, value) in &self.0 {
            for (form, needle) in forms(value) {
                if contains(text, &needle) {
                    let line = text.lines().find(|line| contains(line, &needle)).unwrap_or_default();
                    panic!("{what} has a {kind} in {form}: {line}");
                }
            }
        }
    }
}

fn line(kind: &str, value: &str) -> Value {
    json!({"kind": kind, "value": value})
}

fn forms(value: &str) -> Vec<(&'static str, String)> {
    let mut forms = vec![("clear", value.to_owned())];
    let hex = value.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    forms.push(("hex", hex));
    // Without padding a needle is found in padded text too; the standard alphabet differs only where + or / occur.
    forms.push(("base64url", URL_SAFE_NO_PAD.encode(value)));
    forms.push(("base64", STANDARD.encode(value).trim_end_matches('=').to_owned()));
    forms
}

fn contains(text: &str, needle: &str) -> bool {
    if !needle.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.contains(needle);
    }
    let word = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(needle).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + needle.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h14_a_code_is_found_as_a_word_and_other_secrets_anywhere() {
        let mut canaries = Canaries::new();
        canaries.0.push(("code", "123456".into()));
        canaries.0.push(("password", "correct horse".into()));
        canaries.assert_absent("a log", "at 1123456 millis, request 12345678");
        for leak in ["code=123456", "\"123456\"", "pw: correct horse", "Y29ycmVjdCBob3JzZQ=="] {
            assert!(std::panic::catch_unwind(|| canaries.assert_absent("a log", leak)).is_err(), "{leak}");
        }
    }
}
