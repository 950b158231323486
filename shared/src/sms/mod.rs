//! Senders of messages.

mod sns;

pub use sns::{SnsOptions, SnsSender};
