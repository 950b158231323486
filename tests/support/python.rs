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
    let interpreter = repository::path(".cache/venv/bin/python");
    assert!(interpreter.exists(), "Python's packages are not there: run tests/setup (or tests/run)");
    let mut command = Command::new(interpreter);
    command.arg(repository::path("tests/python").join(script)).args(arguments).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {arguments:?}\n{printed}");
}

/// Scans both tables: layout, TTL, no canary readable, no code to be told from an item.
pub async fn scan_tables(engine: &Engine, tables: &Tables, canaries: &Canaries) {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("canaries.jsonl");
    canaries.save(&file);
    let file = file.to_string_lossy();
    let tables = ["--directory", &tables.directory, "--logins", &tables.logins];
    run("scan_tables.py", &[&["--endpoint", engine.url(), "--canaries", &file][..], &tables].concat()).await;
}

/// Verifies the `tokens` of a login with PyJWT, against the tenant's published keys.
pub async fn check_tokens(tokens: &Value, jwks: &Value, expected: &Value) {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("login.json");
    let login = serde_json::json!({"tokens": tokens, "jwks": jwks, "expected": expected});
    std::fs::write(&file, login.to_string()).unwrap();
    run("check_jwt.py", &[&file.to_string_lossy()]).await;
}
