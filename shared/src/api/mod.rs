//! The wire: one file for each group of calls, with its types, its mapping to use cases and its routes.

pub mod code_issuance;
pub mod code_verification;
pub mod login_wire;
pub mod phone_binding;
pub mod sign_in;
//! What the endpoints take and answer: wire types, and the way from them to the use cases and back.

mod admin_keys;
mod applications;
mod explain;
mod identity_sources;
mod paging;
pub mod policy_admin;
mod security;
mod tenants;
