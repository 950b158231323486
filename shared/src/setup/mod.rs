//! The secrets' first values. CloudFormation calls function `secrets-setup` at every deployment that names another set of secrets, and
//! each secret that never had a value gets one. A value that is there is never replaced, whoever put it there and however often this
//! runs: a new pepper or hash key in the place of the old one would lock every user out.
//!
//! The function can write the secrets and read one of them, the operator's key, which goes into a secret of its own so that the operator
//! can fetch it once and delete it. No value is in an answer, a log or an output of the stack.

mod cloudformation;
mod first_values;
mod vault;

use crate::config::{Environment, OsEntropy};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;

/// The function's `main`: answers CloudFormation's requests.
pub async fn run() -> Result<(), lambda_http::Error> {
    crate::telemetry::init();
    let environment = Environment::of_process();
    let vault = vault::SecretsManager::new(environment.aws()?.secrets_manager());
    let secrets = first_values::Secrets::of(&environment)?;
    let (vault, secrets) = (&vault, &secrets);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let request = cloudformation::Request::parse(event.payload)?;
        // Deleting the stack keeps the secrets, as it keeps the tables.
        let done =
            if request.is_deletion() { Ok(()) } else { first_values::make(vault, secrets, &OsEntropy).await };
        if let Err(fault) = &done {
            tracing::error!(cause = %fault, "a first value was not made");
        }
        request.answer(done.is_ok()).await.map_err(lambda_http::Error::from)
    }))
    .await
}
