//! The SDK's clients, built without `aws-config`: a function's region and credentials are in its environment, so there is no chain
//! of providers to ask, and no profile, SSO or STS to link and start.

use super::conflicts::RetryConflicts;
use super::{ConfigError, Environment};
use crate::domain::secret::Secret;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use std::sync::OnceLock;
use std::time::Duration;

/// The authorities that sign AWS's endpoints, as Amazon Trust Services names them: Amazon Root CA 1 to 4, and Starfield Services Root
/// G2, which signs those for clients that know them not.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");
/// Either of them says that the endpoints are somebody else's, or behind somebody else's proxy: the names that OpenSSL gave them.
const OTHER_ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How long a connection may take. The services are in the same region: a connect that takes longer goes nowhere.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long one attempt may take; after a thaw, the first one often goes to a connection that is gone.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
/// How long a call with all its attempts may take.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The same for an engine on this machine.
const LOCAL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ATTEMPTS: u32 = 3;
/// How long a second attempt waits at most; the third waits twice that. The SDK's own second would be the whole cost of a connection that died
/// while the environment was frozen.
const RETRY_WAIT: Duration = Duration::from_millis(50);
/// How long the one attempt at a message may take. A message whose fate is unknown costs the user a wait, so it gets longer.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(3);

/// Region, credentials and the one HTTP client of all services.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    dynamodb_endpoint: Option<String>,
    sns_endpoint: Option<String>,
    secrets_manager_endpoint: Option<String>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
}

impl Aws {
    pub(super) fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let region = environment.require("AWS_REGION")?.to_owned();
        let credentials = Credentials::new(
            environment.require("AWS_ACCESS_KEY_ID")?,
            environment.require("AWS_SECRET_ACCESS_KEY")?,
            environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
            // They change only with the execution environment.
            None,
            "environment",
        );
        let endpoint =
            |service: &str| environment.get(&format!("AWS_ENDPOINT_URL_{service}")).map(str::to_owned);
        Ok(Self {
            config: sdk_config(region, credentials, https_client(trust_store(environment))),
            dynamodb_endpoint: endpoint("DYNAMODB"),
            sns_endpoint: endpoint("SNS"),
            secrets_manager_endpoint: endpoint("SECRETS_MANAGER"),
            secrets_manager: OnceLock::new(),
        })
    }

    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config =
            aws_sdk_dynamodb::config::Builder::from(&self.config).retry_classifier(RetryConflicts);
        config.set_endpoint_url(self.dynamodb_endpoint.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client that never repeats a call: whether a message may be sent again is [`crate::sms`]'s to decide.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let mut config = aws_sdk_sns::config::Builder::from(&self.config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(PUBLISH_TIMEOUT));
        config.set_endpoint_url(self.sns_endpoint.clone());
        aws_sdk_sns::Client::from_conf(config.build())
    }

    /// One client, however many secrets are read.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let client = self.secrets_manager.get_or_init(|| {
            let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
            config.set_endpoint_url(self.secrets_manager_endpoint.clone());
            aws_sdk_secretsmanager::Client::from_conf(config.build())
        });
        client.clone()
    }

    /// The value of a secret, or why there is none: the service's code, or what the connection says.
    pub(super) async fn read_secret(&self, arn: &str) -> Result<Secret<String>, String> {
        let answer = self.secrets_manager().get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| match error.code() {
            Some(code) => code.to_owned(),
            None => DisplayErrorContext(error).to_string(),
        })?;
        answer.secret_string.map(Secret::new).ok_or_else(|| "it holds no text".to_owned())
    }
}

/// A client for an engine on this machine, which takes any region and any credentials and speaks plain HTTP.
pub fn dynamodb_client_for(endpoint_url: &str) -> aws_sdk_dynamodb::Client {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let config = sdk_config("us-east-1".to_owned(), credentials, Builder::new().build_http());
    // It shares the machine with whoever calls, and answers one after the other: under load it is slow long before it is lost.
    let patience = TimeoutConfig::builder()
        .connect_timeout(LOCAL_ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(LOCAL_ATTEMPT_TIMEOUT)
        .operation_timeout(LOCAL_ATTEMPT_TIMEOUT * 2);
    let config = aws_sdk_dynamodb::config::Builder::from(&config)
        .endpoint_url(endpoint_url)
        .retry_classifier(RetryConflicts)
        .timeout_config(patience.build());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// Puts a text at an address that carries its own signature (S3's, as CloudFormation hands out). No content type is named, since that
/// would have to be in the signature.
///
/// # Errors
/// What the connection says, or the status. The address is in neither: whoever has it could answer.
pub async fn put_json(address: &str, text: &str) -> Result<(), String> {
    let mut request = HttpRequest::new(SdkBody::from(text));
    request.set_method("PUT").map_err(|_| "PUT is no method")?;
    request.set_uri(address).map_err(|_| "the address is none")?;
    let patience = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT * 4)
        .read_timeout(OPERATION_TIMEOUT)
        .build();
    let connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .connector_settings(patience)
        .build();
    let answer = connector.call(request).await.map_err(|error| DisplayErrorContext(error).to_string())?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("the answer was not taken: {}", status.as_u16())) }
}

fn sdk_config(region: String, credentials: Credentials, http_client: SharedHttpClient) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // The credentials are a value: a cache would only add a lock and a refresh that can't succeed.
        .identity_cache(IdentityCache::no_cache())
        .retry_config(
            RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_initial_backoff(RETRY_WAIT),
        )
        .timeout_config(timeouts(ATTEMPT_TIMEOUT))
        .http_client(http_client)
        .build()
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// One client for all services: a second one would read its certificates and open its connections again. `ring` rather
/// than aws-lc, whose first use costs a small Lambda the better part of a second.
fn https_client(trust_store: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(trust_store).build();
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.expect("nothing in it can fail"))
        .build_https()
}

/// Whose certificates the services may show. The machine's list has some 140 authorities, each of which could sign for DynamoDB, and
/// reading it takes a fourth of a cold start; AWS's endpoints are signed by its own five.
fn trust_store(environment: &Environment) -> TrustStore {
    let told = OTHER_ROOTS.iter().any(|name| environment.get(name).is_some());
    // Partitions with endpoints, and authorities, of their own: China, and those that are cut off.
    let apart = environment.get("AWS_REGION").is_some_and(|region| {
        region.starts_with("cn-") || region.contains("-iso") || region.starts_with("eusc-")
    });
    if told || apart {
        return TrustStore::default();
    }
    TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
}

#[cfg(test)]
mod tests {
    use super::{AMAZON_ROOTS, trust_store};
    use crate::config::Environment;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    /// As Amazon Trust Services publishes them, the first bytes of SHA-256.
    const FINGERPRINTS: [&str; 5] =
        ["8ecde6884f3d87b1", "1ba5b2aa8c65401a", "18ce6cfe7bf14e60", "e35d28419ed02025", "568d6905a2c88708"];

    #[test]
    fn nobody_else_signs_for_the_services_unless_the_environment_says_who() {
        let of = |name: &str, value: &str| -> String {
            format!(
                "{:?}",
                trust_store(&[(name.to_owned(), value.to_owned())].into_iter().collect::<Environment>())
            )
        };
        for (name, value, all) in [
            ("AWS_REGION", "us-east-1", "false"),
            ("AWS_REGION", "us-gov-west-1", "false"),
            ("AWS_REGION", "cn-north-1", "true"),
            ("AWS_REGION", "us-isob-east-1", "true"),
            ("SSL_CERT_FILE", "", "false"),
            ("SSL_CERT_FILE", "/etc/pki/roots.pem", "true"),
            ("SSL_CERT_DIR", "/etc/ssl/certs", "true"),
        ] {
            let trusted = of(name, value);
            assert!(trusted.contains(&format!("enable_native_roots: {all}")), "{name}: {trusted}");
        }
    }

    #[test]
    fn the_authorities_are_amazons() {
        let bodies = AMAZON_ROOTS.split("-----BEGIN CERTIFICATE-----").skip(1);
        let bodies =
            bodies.map(|rest| rest.split("-----END").next().unwrap().split_whitespace().collect::<String>());
        let certificates: Vec<_> = bodies.map(|body| STANDARD.decode(body).unwrap()).collect();
        let fingerprints: Vec<String> = certificates
            .iter()
            .map(|der| Sha256::digest(der).iter().take(8).map(|byte| format!("{byte:02x}")).collect())
            .collect();
        assert_eq!(fingerprints, FINGERPRINTS);
        let mut roots = tokio_rustls::rustls::RootCertStore::empty();
        for der in certificates {
            roots.add(der.into()).unwrap();
        }
    }
}
