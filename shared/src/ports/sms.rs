//! Sending a message.

use crate::domain::challenge::Undelivered;
use crate::domain::secret::Secret;
use async_trait::async_trait;

/// A message that is about to leave.
#[derive(Debug)]
pub struct OutgoingMessage {
    /// E.164.
    pub to: Secret<String>,
    pub body: Secret<String>,
    /// ISO 3166-1 alpha-2 of the number, for senders that differ by country.
    pub country: String,
}

/// What became of a message, as far as the provider says. Delivery to the handset is another matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider has it.
    Accepted { message_id: String },
    /// The provider may or may not have it: the connection broke, or the answer did not come in time. It is not sent again, or the
    /// user might get two.
    Unknown,
    /// The provider says no, and would say no again.
    Refused { reason: Undelivered },
    /// The provider was never reached, or was too busy to take it: nothing was sent.
    NotSent,
}

/// Sends messages. Sending has no error beside the outcome: whoever sends has to decide what each one means.
#[async_trait]
pub trait SmsSender: Send + Sync {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome;
}
