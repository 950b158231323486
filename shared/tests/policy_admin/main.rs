//! Administration over its own edge and the real engine.

mod applications;
mod branding;
mod console;
mod input;
mod keys;
mod policy;
mod races;
#[path = "../support/mod.rs"]
mod support;
mod tenants;
mod world;
