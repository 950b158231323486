//! The checks in tests/python, run by the interpreter that tests/setup installs.

use crate::canaries::Canaries;
use crate::engine::Engine;
use crate::repository::{self, TemporaryFolder};
use crate::tables::Tables;
use serde_json::Value;
use tokio::process::Command;

/// Runs a script of tests/python.
///
/// # Panics
/// If it does not end well; with what it printed.
pub async fn run(script: &str, arguments: &[&str]) {
    if let Err(printed) = try_run(script, arguments).await {
        panic!("{script} {arguments:?}\n{printed}");
    }
}

/// Runs a script; what it printed is an error where it does not end well.
async fn try_run(script: &str, arguments: &[&str]) -> Result<(), String> {
    let interpreter = repository::path(".cache/venv/bin/python");
    assert!(interpreter.exists(), "Python's packages are not there: run tests/setup (or tests/run)");
    let mut command = Command::new(interpreter);
    command.arg(repository::path("tests/python").join(script)).args(arguments).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(printed.into_owned()) }
}

/// Scans both tables: layout, TTL, no canary readable, no code to be told from an item.
///
/// # Panics
/// With what it found.
pub async fn scan_tables(engine: &Engine, tables: &Tables, canaries: &Canaries) {
    try_scan_tables(engine, tables, canaries).await.unwrap_or_else(|found| panic!("{found}"));
}

async fn try_scan_tables(engine: &Engine, tables: &Tables, canaries: &Canaries) -> Result<(), String> {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("canaries.jsonl");
    canaries.save(&file);
    let file = file.to_string_lossy();
    let tables = ["--directory", &tables.directory, "--logins", &tables.logins];
    let arguments = [&["--endpoint", engine.url(), "--canaries", &file][..], &tables].concat();
    try_run("scan_tables.py", &arguments).await
}

/// Verifies the `tokens` of a login with PyJWT, against the tenant's published keys.
pub async fn check_tokens(tokens: &Value, jwks: &Value, expected: &Value) {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("login.json");
    let login = serde_json::json!({"tokens": tokens, "jwks": jwks, "expected": expected});
    std::fs::write(&file, login.to_string()).unwrap();
    run("check_jwt.py", &[&file.to_string_lossy()]).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk;
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue::{self, B, N, S};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use std::collections::HashMap;

    fn item(attributes: &[(&str, AttributeValue)]) -> Option<HashMap<String, AttributeValue>> {
        Some(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn text(value: &str) -> AttributeValue {
        S(value.to_owned())
    }

    fn number(value: i64) -> AttributeValue {
        N(value.to_string())
    }

    /// A scan that finds nothing is worth something only if it finds what is there.
    #[tokio::test]
    async fn h14_the_scan_finds_what_must_not_be_there() {
        let engine = Engine::dynamodb_local().await;
        let tables = Tables::create(&engine).await;
        let client = sdk::client(engine.url());
        let (directory, logins) = (&tables.directory, &tables.logins);

        let mut canaries = Canaries::new();
        canaries.note(&serde_json::json!({"password": "Tr0ub4dor&3", "phone": "+12025550199"}));
        assert!(
            try_scan_tables(&engine, &tables, &canaries).await.unwrap_err().contains("nothing to look at")
        );

        let common = |pk: &str, sk: &str| [("pk", text(pk)), ("sk", text(sk)), ("v", number(1))];
        let user = [("created_at", number(4_102_495_200_000)), ("version", number(1))];
        let sealed = STANDARD.encode("a:Tr0ub4dor&3:b");
        let leak = [("locale", text(&format!("x{sealed}"))), ("note", text("free"))];
        let leaky = [&common("user#ten_a", "usr_a")[..], &user, &leak].concat();
        client.put_item().table_name(directory).set_item(item(&leaky)).send().await.unwrap();
        let stray = common("limit#address#here", "limit");
        client.put_item().table_name(logins).set_item(item(&stray)).send().await.unwrap();

        // The code, under a hash that needs nothing but the table.
        let (nonce, code) = (*b"0123456789abcdef", "493021");
        // SHA-256 of both.
        let mac = STANDARD.decode("Gjlmd62kTtRQVGYXZeT8qON7mOa8ASnaCzWltJc6D20=").unwrap();
        let challenge = [
            ("login", text("log_a")),
            ("started_at", number(4_102_495_200_000)),
            ("max_attempts", number(5)),
            ("attempts", number(0)),
            ("sends", number(1)),
            ("ttl", number(4_102_754_400)),
            ("nonce", B(Blob::new(nonce))),
            ("code_mac", B(Blob::new(mac))),
        ];
        let challenge =
            [&common("login#ten_a#usr_a", "challenge#4102495200000#log_a")[..], &challenge].concat();
        client.put_item().table_name(logins).set_item(item(&challenge)).send().await.unwrap();
        canaries.add("code", code);

        let found = try_scan_tables(&engine, &tables, &canaries).await;
        // Not for the scan at the end of the whole run.
        for table in [directory, logins] {
            client.delete_table().table_name(table).send().await.unwrap();
        }
        let found = found.unwrap_err();
        for wanted in [
            "an attribute note",
            "a password in base64",
            "limit#address#here limit: an item of no kind",
            "code 493021 can be told from it",
        ] {
            assert!(found.contains(wanted), "not found: {wanted}\n{found}");
        }
    }
}
