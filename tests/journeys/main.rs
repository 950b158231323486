//! Journeys through the real HTTP edge of the real program, each named by the acceptance id that it proves.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod binding;
mod login;
mod policy;
mod roles;
mod users;
mod world;
