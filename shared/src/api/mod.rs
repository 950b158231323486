//! The wire: one file for each group of calls, with its types, its mapping to use cases and its routes.

mod admin_keys;
mod applications;
mod audit_events;
pub mod audit_trail;
mod challenges;
pub mod code_issuance;
pub mod code_verification;
mod console;
mod console_session;
mod explain;
pub mod hosted_pages;
mod identities;
mod identity_sources;
pub mod login_wire;
mod me;
pub mod notifications;
pub mod pages;
mod paging;
pub mod phone_binding;
pub mod policy_admin;
mod reference;
mod security;
pub mod sign_in;
mod tenants;
mod trusted_devices;
pub mod user_directory;
mod users;
