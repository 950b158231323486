//! `infra/rotate-keys`, with the AWS CLI played by a script that keeps secrets in files.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use tests::repository::{self, TemporaryFolder, program};

/// Answers what the script asks of the AWS CLI, and notes how it was called.
const AWS: &str = r#"#!/bin/sh
set -eu
echo "$*" >>"$VAULT/calls"
case "$1 $2" in
    "cloudformation describe-stack-resource") echo "arn:$6" ;;
    "secretsmanager get-secret-value") cat "$VAULT/$4" ;;
    "secretsmanager put-secret-value") [ "$6" = file:///dev/stdin ]; cat >"$VAULT/$4"; echo version ;;
    *) exit 1 ;;
esac
"#;

struct Vault(TemporaryFolder);

impl Vault {
    fn new() -> Self {
        let folder = TemporaryFolder::new();
        let aws = folder.path().join("aws");
        std::fs::write(&aws, AWS).unwrap();
        std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn put(&self, secret: &str, value: &Value) {
        std::fs::write(self.0.path().join(secret), value.to_string()).unwrap();
    }

    fn value(&self, secret: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.0.path().join(secret)).unwrap()).unwrap()
    }

    fn rotate(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        Command::new(repository::path("infra/rotate-keys"))
            .arg("stack")
            .args(arguments)
            .env("PATH", path)
            .env("VAULT", self.0.path())
            .env("KEYS", program("debug", "keys"))
            .output()
            .unwrap()
    }

    /// A step that must succeed.
    fn step(&self, arguments: &[&str]) -> String {
        let output = self.rotate(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn the_script_rotates_the_signing_keys_and_the_public_ones_with_them() {
    use shared::config::{OsEntropy, SecretName};
    let vault = Vault::new();
    let first = keys::new(SecretName::Signing, &OsEntropy).unwrap();
    vault.put("arn:SigningSecret", &first.value);
    vault.put("arn:PublicKeysSecret", &keys::public_keys(&first.value).unwrap());
    vault.step(&["add", "signing"]);
    let listed = vault.step(&["list", "signing"]);
    let ids: Vec<_> = listed.lines().collect();
    assert_eq!((ids.len(), ids[0]), (2, &*first.id));
    assert_eq!(vault.value("arn:PublicKeysSecret")["keys"].as_array().unwrap().len(), 2);
    vault.step(&["use", "signing", ids[1]]);
    vault.step(&["remove", "signing", ids[0]]);
    assert_eq!(vault.step(&["list", "signing"]).trim(), ids[1]);
    let public = vault.value("arn:PublicKeysSecret");
    assert_eq!((public["keys"].as_array().unwrap().len(), &public["keys"][0]["kid"]), (1, &ids[1].into()));
    // No key was on a command line, where every process of the machine could read it.
    let calls = std::fs::read_to_string(vault.0.path().join("calls")).unwrap();
    for (_, key) in vault.value("arn:SigningSecret")["keys"].as_object().unwrap() {
        assert!(!calls.contains(key.as_str().unwrap()));
    }
}

#[test]
fn a_step_that_is_refused_stores_nothing() {
    use shared::config::{OsEntropy, SecretName};
    let vault = Vault::new();
    let first = keys::new(SecretName::RecoveryPepper, &OsEntropy).unwrap();
    vault.put("arn:RecoveryPepperSecret", &first.value);
    for arguments in [
        &["remove", "recovery-pepper", &first.id][..],
        &["use", "recovery-pepper", "none"],
        &["add", "recovery-pepper", "--key-file", "file"],
        &["list", "code-pepper"],
        &["forget", "recovery-pepper"],
        &["add"],
    ] {
        assert!(!vault.rotate(arguments).status.success(), "{arguments:?}");
        assert_eq!(vault.value("arn:RecoveryPepperSecret"), first.value);
    }
}
