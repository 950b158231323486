//! In the place of the stream: looks for notices, and has them sent.

use shared::api::notifications::NotificationsApp;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long after a look the next one comes. A look is four small reads.
const PAUSE: Duration = Duration::from_millis(500);

/// The task. Dropped, it stops at once; a notice that it had just claimed then is not sent, as in AWS.
pub struct Notifier(JoinHandle<()>);

impl Notifier {
    pub fn start(app: NotificationsApp) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                if let Err(fault) = app.sweep().await {
                    tracing::warn!(%fault, "not every notice was sent");
                }
            }
        }))
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.0.abort();
    }
}
