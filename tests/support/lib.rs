//! What the tests stand on: engines, a proxy that counts and breaks, the programs under test as processes, the Lambda runtime's and the
//! gateway's other half, and the clients that talk to them. tests/README.md shows how a test is written with it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "a test stops at its first surprise, and waits in real time"
)]

pub mod aws;
pub mod canaries;
pub mod engine;
pub mod events;
pub mod gateway;
pub mod hosted;
pub mod http_client;
pub mod local;
pub mod process;
pub mod proxy;
pub mod python;
pub mod repository;
pub mod rights;
pub mod runtime;
pub mod sdk;
pub mod secrets;
pub mod server;
pub mod source;
pub mod streams;
pub mod tables;
pub mod template;
pub mod values;
