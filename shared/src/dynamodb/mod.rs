//! The one storage implementation: DynamoDB, in two tables, on three engines (embedded, DynamoDB Local, DynamoDB).
//!
//! Only [`keys`] spells a key. Every write that decides something decides in its condition.

mod audit_item;
mod audit_store;
mod binding_store;
mod challenge_item;
mod challenge_write;
mod device_store;
mod factor_item;
mod grant_store;
mod identity_store;
pub mod keys;
mod limit_store;
mod login_audit;
mod login_store;
mod notice_store;
mod origins;
mod page;
pub mod policy_items;
mod policy_store;
mod qr_store;
mod recovery_store;
mod replacement_store;
mod request;
mod send_store;
mod settings_item;
mod sign_in_store;
pub mod tables;
mod trail;
mod transaction;
pub mod user_item;
mod user_store;
mod verify_store;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
pub use limit_store::LIMITS_AT_ONCE;
pub use origins::normal_origin;
pub use request::{
    CancelledBy, Item, cancelled, condition_failed, fault, from_item, number, string, to_item,
};

/// The store that every port of storage is implemented on, one file for each group of ports.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    directory: String,
    logins: String,
}

impl DynamoStore {
    /// `directory` and `logins` are the names of the two tables.
    pub fn new(client: Client, directory: impl Into<String>, logins: impl Into<String>) -> Self {
        Self { client, directory: directory.into(), logins: logins.into() }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Tenants, applications, sources, keys, users, owners of identifiers, audit.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Each user's factor and challenges, limits.
    pub fn logins(&self) -> &str {
        &self.logins
    }

    /// Opens the connection. Any answer will do, a refusal too. It is asked for once: a start should not wait for what a request would
    /// try again.
    pub async fn connect(&self) {
        let request = self.client.get_item().table_name(&self.logins);
        let request = request.set_key(Some(keys::limit("warm", "none").attributes()));
        let once = Builder::new().retry_config(RetryConfig::disabled());
        if request.customize().config_override(once).send().await.is_err() {
            tracing::debug!("dynamodb: no answer at the start");
        }
    }
}
