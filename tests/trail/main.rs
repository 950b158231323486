//! What logins tell the audit: through the real edge, on the real engine, by way of the table's real stream as the event source mapping of
//! template.yaml would hand it on; told once, again, in another order, at once, and with a crash in between.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod consumer;
mod events;
#[path = "../budgets/world.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod world;
