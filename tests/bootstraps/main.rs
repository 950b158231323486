//! Optimised builds of the functions, as Lambda runs them: over the Runtime API, with events of API Gateway, on DynamoDB Local.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod deployment;
mod every_event;
mod login;
mod rights;
mod setup;
mod start;
