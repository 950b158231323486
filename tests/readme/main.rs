//! The README's walk-through, run as it stands: its blocks, in order, in one bash session.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at its first surprise, and waits in real time"
)]

use std::process::Stdio;
use std::time::Duration;
use tests::repository::{self, TemporaryFolder};
use tokio::process::Command;

/// How long the whole walk-through may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Stands before the README's own lines: a block that fails ends the session, and `cargo run -p local -- …` runs the program that is built
/// already, on a port that is free.
const PRELUDE: &str = r#"
set -euo pipefail
cargo() {
    [ "$1 $2 $3 $4" = "run -p local --" ] || { echo "not the README's start: cargo $*" >&2; return 1; }
    shift 4
    exec "$LOCAL_PROGRAM" "$@" --port 0
}
trap '[ -z "${LOCAL-}" ] || kill "$LOCAL" 2> /dev/null || true' EXIT
"#;

/// The part of the README between the two marks.
fn walk_through() -> String {
    let readme = repository::read("README.md");
    let from_mark = readme.split("<!-- walk-through: begin -->").nth(1).expect("where it begins");
    from_mark.split("<!-- walk-through: end -->").next().expect("where it ends").to_owned()
}

/// The blocks of one language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let block =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            if found == language {
                blocks.push(block);
            }
        }
    }
    blocks
}

/// Runs the script in an empty folder in which the repository's `.cache` is; answers whether it ended well, and what it printed.
async fn run(script: &str) -> (bool, String) {
    let folder = TemporaryFolder::new();
    std::os::unix::fs::symlink(repository::path(".cache"), folder.path().join(".cache")).unwrap();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-c", script]).current_dir(folder.path());
    command
        .env("LOCAL_PROGRAM", repository::program("debug", "local"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time").unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), printed.into_owned())
}

#[tokio::test]
async fn h13_the_walk_through_works_when_pasted() {
    assert!(
        repository::path(".cache/venv/bin/python").exists(),
        "Python's packages are not there: run tests/setup"
    );
    let text = walk_through();
    let script = format!("{PRELUDE}{}", blocks(&text, "sh").join("\n"));
    let (well, printed) = run(&script).await;
    assert!(well, "{printed}");
    let promised = blocks(&text, "text").pop().expect("what it prints");
    assert!(printed.ends_with(&promised), "not as promised:\n{printed}");
}

/// The test above is worth something only if a block that fails is seen.
#[tokio::test]
async fn a_block_that_fails_is_seen() {
    let mut blocks = blocks(&walk_through(), "sh");
    let broken = blocks[1].replace("$OPERATOR_KEY", "mfa_operator_wrong");
    assert_ne!(broken, blocks[1]);
    blocks[1] = broken;
    let (well, printed) = run(&format!("{PRELUDE}{}", blocks.join("\n"))).await;
    assert!(!well && printed.contains("401"), "{printed}");
}
