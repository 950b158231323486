//! `local` under load, as a process of its own: for long, by slow clients, by too many, and by one tenant's. docs/ARCHITECTURE.md has the
//! bounds that are looked at here, and docs/TESTING.md what was seen.
//!
//! `LOAD=soak` makes the first of them ten minutes long. All of it looks at a process from outside, which is Linux' `/proc` here.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops at its first surprise, measures in real time, and says what it saw"
)]

mod guest;
mod noisy;
mod observed;
mod overload;
#[path = "../crashes/program.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod program;
mod slow;
mod soak;

use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// One measures at a time.
async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

/// What so many in a hundred are below.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}
