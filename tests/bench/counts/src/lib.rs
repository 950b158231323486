//! What counts the instructions of a login stands on: the functions as they are deployed, over an HTTP client that answers what an engine
//! answered once, a clock that stands still, and draws that repeat.
//!
//! `recording.json` has the calls of one login and what the engine said in it. `tests/recording.rs` makes them again on the embedded engine, and
//! fails where anything in them is another; so what is counted here is what the service does today.
#![allow(clippy::missing_panics_doc, reason = "a benchmark stops at its first surprise")]

mod recording;
mod wire;
mod world;

pub use recording::{Exchange, Recorded, Recording};
pub use wire::{Recorder, Replay};
pub use world::{Draws, World, call, keys};
