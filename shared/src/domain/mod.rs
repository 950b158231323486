//! The rules. Pure: no async, no AWS, no HTTP, no environment, no clock, no randomness of its own.

pub mod admin_key;
pub mod application;
pub mod challenge;
pub mod application_patch;
pub mod change;
pub mod country;
pub mod factor;
pub mod first_factor;
pub mod identifier;
pub mod identity_source;
pub mod ids;
pub mod login;
pub mod message;
pub mod phone;
pub mod name;
pub mod policy;
pub mod refusal;
pub mod secret;
pub mod settings;
pub mod settings_patch;
pub mod tenant;
pub mod time;
pub mod user;
pub mod web;
