//! However many passwords are judged, the process has the memory of as many as are judged at once. Apart from other tests, whose memory would be
//! counted too.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use shared::auth::Argon2Passwords;
use shared::config::OsEntropy;
use shared::domain::secret::Secret;
use shared::ports::Passwords;
use std::sync::Arc;

/// What one password takes (19 MiB), in KiB.
const ONE: u64 = 19 * 1024;

/// The most that the process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn t29_a_hundred_passwords_take_no_more_memory_than_two() {
    let passwords = Argon2Passwords::new(Arc::new(OsEntropy)).unwrap();
    let hash = passwords.hash(Secret::new("correct horse".to_owned())).await.unwrap();
    let before = peak();
    for turn in 0..50 {
        let guess = Secret::new(format!("guess {turn}"));
        let right = Secret::new("correct horse".to_owned());
        let judged = tokio::join!(
            passwords.verify(guess, Some(hash.clone())),
            passwords.verify(right, Some(hash.clone()))
        );
        assert!(!judged.0.unwrap() && judged.1.unwrap());
    }
    let grown = peak() - before;
    assert!(grown < 2 * ONE, "{grown} KiB more after a hundred passwords");
}
