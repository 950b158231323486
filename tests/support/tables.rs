//! The two tables.

use crate::engine::Engine;
use crate::repository::unique;
use crate::sdk;

/// A pair of tables that one test has for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    pub directory: String,
    pub logins: String,
}

impl Tables {
    /// Makes a new pair. Nothing drops it: at the end of tests/run all tables are scanned.
    pub async fn create(engine: &Engine) -> Self {
        let prefix = unique();
        let tables = Self { directory: format!("{prefix}-directory"), logins: format!("{prefix}-logins") };
        let client = sdk::client(engine.url());
        let created =
            shared::dynamodb::tables::create_missing(&client, &tables.directory, &tables.logins).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        tables
    }
}
