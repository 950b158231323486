//! The engine that a test stands on.

use shared::config::{OsEntropy, dynamodb_client_for};
use shared::domain::ids::UserId;
use shared::dynamodb::{DynamoStore, tables};
use shared::ports::Entropy;
use tokio::net::TcpListener;

/// Two empty tables of its own: on the engine at `TEST_DYNAMODB_URL` or, without it, on one in memory that ends with the test's runtime.
pub async fn store() -> DynamoStore {
    let (url, suffix) = match std::env::var("TEST_DYNAMODB_URL") {
        Ok(url) => (url, UserId::generate(|buffer| OsEntropy.fill(buffer)).to_string()),
        Err(_) => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let url = format!("http://{}", listener.local_addr().expect("bound"));
            let database = dynoxide::Database::memory().expect("an engine in memory");
            tokio::spawn(dynoxide::server::serve_on(listener, database));
            (url, String::new())
        }
    };
    let (directory, logins) = (format!("made-up-directory{suffix}"), format!("made-up-logins{suffix}"));
    let client = dynamodb_client_for(&url);
    tables::create_missing(&client, &directory, &logins).await.expect("tables");
    DynamoStore::new(client, directory, logins)
}
