//! `/v1/me` on the real engine: users who show, replace and remove their number, use recovery codes, trust devices, and are told.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

#[path = "../support/mod.rs"]
mod support;

mod credentials;
mod devices;
mod notices;
mod phone;
mod recovery;
mod recovery_races;
mod replace;
mod test_numbers;
mod world;
