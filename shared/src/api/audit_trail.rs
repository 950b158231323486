//! Function `audit-trail`: it has no route, and is called with the changes of logins' items.

use crate::ports::{Fault, LoginTrail};
use crate::stream::{Consumer, Record};
use async_trait::async_trait;
use std::sync::Arc;

pub struct AuditTrailApp {
    pub trail: Arc<dyn LoginTrail>,
}

#[async_trait]
impl Consumer for AuditTrailApp {
    /// An item that is gone tells nothing: whatever it had to tell was told when it was written.
    async fn take(&self, record: &Record) -> Result<(), Fault> {
        match &record.of.new_image {
            Some(new) => self.trail.keep_change(record.of.old_image.as_ref(), new).await,
            None => Ok(()),
        }
    }
}
