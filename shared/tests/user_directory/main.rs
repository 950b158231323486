//! The function `user-directory` from its HTTP edge down to a real engine: acceptance A1, D1–D4, F9 (the administrator's part), H14.

mod binding;
#[path = "../support/engine.rs"]
mod engine;
mod races;
mod support;
mod users;
