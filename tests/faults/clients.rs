//! The service's client for DynamoDB: as a function makes it, and in a sixth of the time.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use shared::config::{Aws, Environment};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// No function may take longer (`Timeout` in template.yaml).
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);
/// In most runs the clients wait a sixth of what the service's own do: 250 ms an attempt, 833 ms a call with its attempts.
pub const SCALE: u32 = 6;
/// For what the machine takes beside (a build without optimisation, cores that others share), which does not shrink with the clients' waits.
/// Chosen, not measured.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a call may take with a client that waits a sixth.
pub fn scaled_timeout() -> Duration {
    FUNCTION_TIMEOUT / SCALE + MARGIN
}

/// A fifth of an attempt's time.
pub const DELAY: Duration = Duration::from_millis(50);

/// What a function would have, but for the addresses.
pub fn aws(url: &str) -> Aws {
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
        ("AWS_ENDPOINT_URL_SNS", url),
    ];
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    variables.collect::<Environment>().aws().unwrap()
}

/// The service's client itself. A process of a function has one client, which repeats less and less while nothing works, since each repetition
/// takes from a budget; here many have to do with faults in one process, so each has a budget of its own.
pub fn own(url: &str) -> Client {
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("client {}", CLIENTS.fetch_add(1, Ordering::Relaxed));
    let config = aws(url).dynamodb().config().to_builder();
    Client::from_conf(config.retry_partition(RetryPartition::new(name)).build())
}

/// The service's client with its number of attempts, and a sixth of its patience.
pub fn hasty(url: &str) -> Client {
    let own = own(url);
    let patience = scaled(own.config().timeout_config().unwrap());
    let retries = own.config().retry_config().unwrap();
    let retries = retries.clone().with_initial_backoff(retries.initial_backoff() / SCALE);
    let config = own.config().to_builder().timeout_config(patience);
    Client::from_conf(config.retry_config(retries).build())
}

/// A sixth. A connection on this machine gets all the time that one in AWS gets.
pub fn scaled(own: &TimeoutConfig) -> TimeoutConfig {
    own.to_builder()
        .operation_attempt_timeout(own.operation_attempt_timeout().unwrap() / SCALE)
        .operation_timeout(own.operation_timeout().unwrap() / SCALE)
        .build()
}
