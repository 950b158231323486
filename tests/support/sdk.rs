//! DynamoDB clients for an engine on this machine.

use aws_sdk_dynamodb::Client;

/// The client that the service itself uses, with its timeouts and attempts.
pub fn client(endpoint: &str) -> Client {
    shared::config::dynamodb_client_for(endpoint)
}
