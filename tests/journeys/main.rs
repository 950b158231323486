//! Journeys through the real HTTP edge of the real program, each named by the acceptance id that it proves.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at its first surprise, and measures in real time"
)]

mod audit;
mod bad_input;
mod binding;
mod browser;
mod browsers;
mod devices;
mod first_factor;
mod laptop;
mod limits;
mod login;
mod matrix;
mod message_templates;
mod notices;
mod pages_login;
mod pages_qr;
mod pages_threats;
mod policy;
mod provider;
mod qr;
mod recovery;
mod roles;
mod side;
mod users;
mod world;
