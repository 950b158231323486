//! Logins through external identity sources, from the HTTP edge down to the real engine, with a provider on this machine: acceptance F2b,
//! C4, C5.

#[path = "../support/issuer.rs"]
mod issuer;
mod linked;
mod links;
mod policy;
mod provisioning;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;
mod world;
