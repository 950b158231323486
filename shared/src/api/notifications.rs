//! Function `notifications`: it has no route, and is called with the notices that appear in the logins table.

use crate::ports::Fault;
use crate::ports::notices::NoticePlace;
use crate::stream::{Change, Consumer, Record};
use crate::usecase::notify::Notify;
use async_trait::async_trait;

pub struct NotificationsApp {
    pub notify: Notify,
}

#[async_trait]
impl Consumer for NotificationsApp {
    /// Only what is new: a notice that changes was claimed or given back, and its first record is still the one that is handed out.
    async fn take(&self, record: &Record) -> Result<(), Fault> {
        let Some((partition, sort)) = record.key().filter(|_| record.change == Change::Insert) else {
            return Ok(());
        };
        let place = NoticePlace { partition: partition.to_owned(), sort: sort.to_owned() };
        self.notify.send(&place).await
    }
}

impl NotificationsApp {
    /// Sends what waits, in a process that no stream calls.
    ///
    /// # Errors
    /// As [`Notify::sweep`].
    pub async fn sweep(&self) -> Result<(), Fault> {
        self.notify.sweep().await
    }
}
