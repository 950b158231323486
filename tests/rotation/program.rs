//! The program itself, as `infra/rotate-keys` calls it.

use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use tests::repository::{TemporaryFolder, program};

/// Runs `keys`; answers whether it succeeded, and what it wrote.
fn keys(arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut child = Command::new(program("debug", "keys"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    match child.stdin.take().unwrap().write_all(input.as_bytes()) {
        // It has refused its arguments, and ended without reading.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.unwrap(),
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn succeeds(arguments: &[&str], input: &str) -> (String, String) {
    let (ok, output, told) = keys(arguments, input);
    assert!(ok, "{arguments:?}: {told}");
    (output, told.trim().to_owned())
}

#[test]
fn values_go_in_and_come_out() {
    let (first, old) = succeeds(&["new", "signing"], "");
    let (both, new) = succeeds(&["add", "signing"], &first);
    let (used, _) = succeeds(&["use", "signing", &new], &both);
    assert_eq!(succeeds(&["list", "signing"], &used).0, format!("{new}\n{old}\n"));
    let (last, _) = succeeds(&["remove", "signing", &old], &used);
    let public: Value = serde_json::from_str(&succeeds(&["public"], &last).0).unwrap();
    assert_eq!(public["keys"][0]["kid"], *new);
}

#[test]
fn an_id_may_begin_with_a_hyphen() {
    let (value, _) = succeeds(&["new", "sealing"], "");
    for step in ["use", "remove"] {
        let (_, _, told) = keys(&[step, "sealing", "-I0"], &value);
        assert_eq!(told.trim(), "there is no such key");
    }
}

#[test]
fn an_operators_key_goes_to_a_new_file_of_its_owners() {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("operator-key");
    let file = path.to_str().unwrap();
    let (value, told) = succeeds(&["new", "operator", "--key-file", file], "");
    let key = std::fs::read_to_string(&path).unwrap();
    assert!(key.starts_with("mfa_operator_") && !value.contains(key.trim()) && !told.contains(key.trim()));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (ok, output, _) = keys(&["add", "operator", "--key-file", file], &value);
    assert!(!ok && output.is_empty(), "a key that is there is not overwritten");
    let (ok, output, told) = keys(&["add", "operator"], &value);
    assert!(!ok && output.is_empty() && told.contains("--key-file"));
}

#[test]
fn h14_what_is_wrong_is_said_without_a_key() {
    let (value, id) = succeeds(&["new", "sealing"], "");
    let parsed: Value = serde_json::from_str(&value).unwrap();
    let key = parsed["keys"][&id].as_str().unwrap();
    let broken = value.replace(&id, key);
    for (arguments, input) in [
        (&["add", "signing"][..], &*value),
        (&["add", "sealing"], &broken),
        (&["add", "sealing"], &value[1..]),
        (&["remove", "sealing", &id], &value),
        (&["use", "sealing", "none"], &value),
        (&["add", "public-keys"], &value),
        (&["list", "nothing"], &value),
        (&["add", "sealing", "--key-file", "file"], &value),
    ] {
        let (ok, output, told) = keys(arguments, input);
        assert!(!ok && output.is_empty() && !told.trim().is_empty(), "{arguments:?}: {output}{told}");
        assert!(!told.contains(key), "{told}");
    }
}
