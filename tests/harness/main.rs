//! The harness, tested: what a test stands on must hold.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod engines;
mod gateway;
mod processes;
mod proxies;
