//! The wire: one file for each group of calls, with its types, its mapping to use cases and its routes.

pub mod code_issuance;
pub mod code_verification;
pub mod login_wire;
pub mod phone_binding;
pub mod sign_in;
