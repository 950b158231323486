//! What the documents say is what the code does: each list in docs/ is compared with its source, both ways.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod acceptance;
mod answers;
mod dependencies;
mod errors;
mod logging;
mod openapi;
mod pages;
mod rights;
mod security;
mod spec;
mod tables;
