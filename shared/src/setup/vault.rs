//! The secrets where they are kept in AWS.

use super::first_values::Vault;
use crate::domain::secret::Secret;
use crate::ports::Fault;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// The id of every first version. Secrets Manager takes an id once for one value: the second of two first values is refused by it,
/// and not by a look that was taken before.
const FIRST_VERSION: &str = "first-value-made-by-the-deployment";

pub(super) struct SecretsManager {
    client: Client,
}

impl SecretsManager {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Vault for SecretsManager {
    async fn is_empty(&self, secret: &str) -> Result<bool, Fault> {
        let described = self.client.describe_secret().secret_id(secret).send().await.map_err(fault)?;
        let versions = described.version_ids_to_stages().is_some_and(|versions| !versions.is_empty());
        Ok(!versions && described.deleted_date().is_none())
    }

    async fn put_first(&self, secret: &str, value: Secret<String>) -> Result<(), Fault> {
        let put = self
            .client
            .put_secret_value()
            .secret_id(secret)
            .client_request_token(FIRST_VERSION)
            .secret_string(value.into_exposed());
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }

    async fn read(&self, secret: &str) -> Result<Secret<String>, Fault> {
        let answer = self.client.get_secret_value().secret_id(secret).send().await.map_err(fault)?;
        answer.secret_string.map(Secret::new).ok_or_else(|| Fault::new("a secret holds no text"))
    }
}

/// The service's code, or what the connection says; its own words could quote what was sent.
fn fault<E>(error: SdkError<E>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let why = match error.code() {
        Some(code) => code.to_owned(),
        None => DisplayErrorContext(error).to_string(),
    };
    Fault::new(format!("Secrets Manager: {why}"))
}
