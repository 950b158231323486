//! What must never be readable at rest or in a log (acceptance H14): tests say which codes, passwords, keys, tokens, numbers and
//! addresses they use; the logs are searched here, the tables by tests/python/scan_tables.py.

use crate::http_client::{Answer, Call};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Members of the contract's documents whose texts are secret, and what they are.
const SECRET_MEMBERS: &[(&str, &str)] = &[
    ("password", "password"),
    ("phone", "number"),
    ("phone_number", "number"),
    ("email", "e-mail"),
    ("secret", "credential"),
    ("client_secret", "credential"),
    ("code_verifier", "verifier"),
    ("operator_key", "credential"),
    ("admin_key", "credential"),
    ("application_secret", "credential"),
    ("login_token", "login token"),
    ("access_token", "access token"),
    ("id_token", "id token"),
    ("token", "id token"),
    ("trusted_device", "trusted device"),
    ("recovery_code", "recovery code"),
    ("recovery_codes", "recovery code"),
];

const FORM: &str = "application/x-www-form-urlencoded";
const LONGEST_MESSAGE_CODE: usize = 10;

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

    /// Notes what is secret in a call: its credential, and what its body names as a secret.
    pub fn note_call(&mut self, call: &Call) {
        let bearer = call.headers.get("authorization").and_then(|value| value.to_str().ok());
        if let Some(credential) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            self.add_if_telling("credential", credential);
        }
        if let Ok(body) = serde_json::from_slice(&call.body) {
            self.note(&body);
        }
        let is_form = call.headers.get("content-type").is_some_and(|kind| kind == FORM);
        for pair in
            std::str::from_utf8(&call.body).iter().filter(|_| is_form).flat_map(|text| text.split('&'))
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.note_field(name, &crate::events::decode(&value.replace('+', " ")));
        }
    }

    fn note_field(&mut self, name: &str, value: &str) {
        if let Some((_, kind)) = SECRET_MEMBERS.iter().find(|(member, _)| *member == name) {
            self.add_if_telling(kind, value);
        }
        // Of the fields `code`, an authorization code; those of messages are noted where they are read.
        if name == "code" && value.len() > LONGEST_MESSAGE_CODE {
            self.add_if_telling("authorization code", value);
        }
    }

    /// Notes what is secret in an answer: what its document names, the cookies that it sets, and a code that it sends on.
    pub fn note_answer(&mut self, answer: &Answer) {
        self.note(&answer.json);
        for cookie in answer.headers.get_all("set-cookie") {
            let value = cookie.to_str().ok().and_then(|text| text.split(';').next()?.split_once('='));
            if let Some((_, value)) = value.filter(|(name, _)| !name.contains("-said-")) {
                self.add_if_telling("cookie", value);
            }
        }
        if let Some(code) = answer.header("location").and_then(|to| crate::hosted::parameter(to, "code")) {
            self.note_field("code", &code);
        }
    }

    /// Notes what a JSON document names as a secret. A code is noted where it is read, from its message: most codes in calls are wrong.
    pub fn note(&mut self, document: &Value) {
        match document {
            Value::Array(values) => values.iter().for_each(|value| self.note(value)),
            Value::Object(members) => {
                for (name, value) in members {
                    let kind = SECRET_MEMBERS.iter().find(|(member, _)| member == name);
                    match (kind, value) {
                        (Some((_, kind)), Value::String(text)) => self.add_if_telling(kind, text),
                        (Some((_, kind)), Value::Array(values)) => {
                            for text in values.iter().filter_map(Value::as_str) {
                                self.add_if_telling(kind, text);
                            }
                            self.note(value);
                        }
                        _ => self.note(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Bad input is no secret, and a secret that is a plain word proves nothing where it is found.
    fn add_if_telling(&mut self, kind: &'static str, text: &str) {
        let telling = match kind {
            "number" => {
                text.len() >= 9 && text.starts_with('+') && text[1..].bytes().all(|b| b.is_ascii_digit())
            }
            "e-mail" => text.len() >= 8 && text.contains('@'),
            "password" => {
                text.len() >= 8 && text.is_ascii() && !text.bytes().all(|b| b.is_ascii_alphabetic())
            }
            _ => text.len() >= 20 && text.is_ascii(),
        };
        if telling && text.len() <= 4096 {
            self.add(kind, text);
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
    fn what_a_document_names_as_a_secret_is_noted() {
        let mut canaries = Canaries::new();
        canaries.note(
            &json!({"id": "ten_1", "admin_key": {"id": "key_1", "secret": "mfa_admin_0123456789abcdef"}}),
        );
        canaries.note(
            &json!([{"phone": "+12025550123"}, {"phone": "12"}, {"password": "letters"}, {"code": "123456"}]),
        );
        let call = Call::post("/", &json!({"password": {"account": "a", "password": "correct horse"}}));
        canaries.note_call(&call.bearer("mfa_app_0123456789abcdef"));
        let noted: Vec<_> = canaries.0.iter().map(|known| known.1.as_str()).collect();
        assert_eq!(
            noted,
            ["mfa_admin_0123456789abcdef", "+12025550123", "mfa_app_0123456789abcdef", "correct horse"]
        );
    }

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
