//! The audit over the edges of the functions that write and read it, on a real engine: threat T21, NIST SP 800-63B-4 §4.1, acceptance A1, H14.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod changes;
mod privacy;
mod queries;
mod races;
#[path = "../support/mod.rs"]
mod support;
mod world;
