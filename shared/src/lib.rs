//! What every function of the service is made of.
//!
//! `domain` holds the rules and knows nothing else; `usecase` applies them through `ports`; `dynamodb`, `sms` and `auth` stand
//! behind the ports; `http` and `api` turn requests into use cases. docs/ARCHITECTURE.md draws the arrows, and a test
//! fails on any other.

pub mod api;
pub mod auth;
pub mod bootstrap;
pub mod compose;
pub mod config;
pub mod dynamodb;
pub mod http;
pub mod pages;
pub mod ports;
pub mod setup;
pub mod sms;
pub mod stream;
pub mod telemetry;
pub mod usecase;

pub use domain;
