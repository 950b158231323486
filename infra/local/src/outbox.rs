//! Where messages go instead of to a provider.

use crate::relay::Relay;
use async_trait::async_trait;
use serde::Serialize;
use shared::ports::{Clock, OutgoingMessage, SendOutcome, SmsSender};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How many messages are kept; older ones go.
const CAPACITY: usize = 1000;

/// A message as it would have left.
#[derive(Clone, Serialize)]
pub struct Sent {
    pub to: String,
    pub body: String,
    /// RFC 3339.
    pub sent_at: String,
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("sent_at", &self.sent_at).finish_non_exhaustive()
    }
}

/// The last messages, in memory: they hold codes, and end with the process.
pub struct Outbox {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    relay: Option<Relay>,
}

#[derive(Default)]
struct Kept {
    messages: VecDeque<Sent>,
    count: u64,
}

impl Outbox {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default(), relay: None }
    }

    /// Hands each message on, too.
    pub fn with_relay(self, relay: Option<Relay>) -> Self {
        Self { relay, ..self }
    }

    /// The messages, the newest last.
    pub fn messages(&self) -> Vec<Sent> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).messages.iter().cloned().collect()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbox")
    }
}

#[async_trait]
impl SmsSender for Outbox {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        let sent = Sent {
            to: message.to.expose().clone(),
            body: message.body.expose().clone(),
            sent_at: self.clock.now().rfc3339(),
        };
        let relayed = match &self.relay {
            Some(relay) => relay.send(&sent.to, &sent.body).await,
            None => Ok(()),
        };
        if let Err(outcome) = relayed {
            return outcome;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.messages.len() == CAPACITY {
            kept.messages.pop_front();
        }
        kept.messages.push_back(sent);
        kept.count += 1;
        SendOutcome::Accepted { message_id: format!("local-{}", kept.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::domain::secret::Secret;
    use shared::domain::time::Timestamp;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_795_521_600)
        }
    }

    #[tokio::test]
    async fn h13_the_last_thousand_messages_are_kept_the_newest_last() {
        let outbox = Outbox::new(Arc::new(Noon));
        for number in 1..=1001 {
            let message = OutgoingMessage {
                to: Secret::new("+12025550143".into()),
                body: Secret::new(format!("message {number}")),
                country: "US".into(),
            };
            let outcome = outbox.send(&message).await;
            assert_eq!(outcome, SendOutcome::Accepted { message_id: format!("local-{number}") });
        }
        let messages = outbox.messages();
        assert_eq!(messages.len(), 1000);
        assert_eq!((messages[0].body.as_str(), messages[999].body.as_str()), ("message 2", "message 1001"));
        assert_eq!(messages[0].sent_at, "2026-11-24T12:00:00.000Z");
        assert!(!format!("{:?}", messages[0]).contains("message"));
    }
}
