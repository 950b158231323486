//! Child processes.

use std::process::Command;
use std::time::Duration;
use tests::process::Process;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn what_a_process_writes_is_kept_and_it_ends_when_asked() {
    let mut command = Command::new("sh");
    let mut process =
        Process::spawn(command.args(["-c", "echo one; echo two >&2; echo three; exec sleep 60"]));
    assert_eq!(process.line(SOON).await.as_deref(), Some("one"));
    assert_eq!(process.line(SOON).await.as_deref(), Some("three"));
    assert!(process.ended().is_none());
    assert!(process.terminate().await);
    let log = process.log().text();
    assert!(log.contains("two\n"), "{log}");
    assert_eq!(process.line(SOON).await, None);
}
