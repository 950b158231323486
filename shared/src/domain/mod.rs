//! The rules. Pure: no async, no AWS, no HTTP, no environment, no clock, no randomness of its own.

pub mod admin_key;
pub mod application;
pub mod challenge;
pub mod factor;
pub mod first_factor;
pub mod identifier;
pub mod identity_source;
pub mod ids;
pub mod limits;
pub mod login;
pub mod message;
pub mod phone;
pub mod policy;
pub mod price;
pub mod refusal;
pub mod secret;
pub mod settings;
pub mod tenant;
pub mod time;
pub mod user;
