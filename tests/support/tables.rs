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
    /// As `local` names them: of an engine that nobody shares.
    pub fn of_local() -> Self {
        Self { directory: "directory".to_owned(), logins: "logins".to_owned() }
    }

    /// Makes a new pair. Nothing drops it: at the end of tests/run all tables are scanned.
    pub async fn create(engine: &Engine) -> Self {
        Self::named(engine, unique()).await
    }

    /// The same for a suite that writes made-up values: their scan looks for secrets, not for a layout.
    pub async fn made_up(engine: &Engine) -> Self {
        Self::named(engine, format!("made-up-{}", unique())).await
    }

    async fn named(engine: &Engine, prefix: String) -> Self {
        let tables = Self { directory: format!("{prefix}-directory"), logins: format!("{prefix}-logins") };
        let client = sdk::client(engine.url());
        let created =
            shared::dynamodb::tables::create_missing(&client, &tables.directory, &tables.logins).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
        tables
    }
}
