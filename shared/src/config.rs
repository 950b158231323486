//! What a function reads from its environment, and the adapters of real time and real randomness.
//!
//! Everything is read once, at start. A function that lacks something ends with an error that names the variable; it never
//! starts with a guess.

mod aws;
mod conflicts;

use crate::auth::IssuerAddresses;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::web::origin_of;
use crate::ports::{Clock, Entropy};
use crate::sms::SnsOptions;
pub use aws::{Aws, dynamodb_client_for, put_json};
use rand::TryRng;
use rand::rngs::SysRng;
use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

/// The real time.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the adapter that reads the clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_secs(0).plus(since_epoch)
    }
}

/// Randomness of the operating system (`getrandom`), which seeds itself (NIST SP 800-90A to C).
#[derive(Clone, Copy, Debug)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness no code and no id may be made; there is nothing to fall back on.
        SysRng
            .try_fill_bytes(buffer)
            .expect("the kernel has seeded its generator long before a process starts");
    }
}

/// Why a function can't start.
#[derive(Debug)]
pub enum ConfigError {
    /// The variable is absent or empty.
    Missing(String),
    /// The variable is there and can't be used. The reason never repeats the value.
    Invalid(&'static str, &'static str),
    /// Secrets Manager did not answer with the secret.
    Secret(SecretName, String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the environment variable {name} is not set"),
            Self::Invalid(name, why) => write!(f, "the environment variable {name} {why}"),
            Self::Secret(name, why) => write!(f, "the secret {} can't be read: {why}", name.as_str()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The secrets of the service. Each function can read only those that its role needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretName {
    /// Private keys that sign tokens.
    Signing,
    /// What checks them: the public parts of `Signing`, as a JSON Web Key Set. Nothing secret, but it rotates with the others.
    PublicKeys,
    /// Keys that codes are derived and checked with.
    CodePepper,
    /// Keys that recovery codes are hashed with.
    RecoveryPepper,
    /// Keys that login tokens are sealed with.
    Sealing,
    /// Keys of identifiers' hashes and of sealed personal data.
    PersonalData,
    /// Hash of the operator key.
    Operator,
}

impl SecretName {
    pub const ALL: [Self; 7] = [
        Self::Signing,
        Self::PublicKeys,
        Self::CodePepper,
        Self::RecoveryPepper,
        Self::Sealing,
        Self::PersonalData,
        Self::Operator,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::PublicKeys => "public-keys",
            Self::CodePepper => "code-pepper",
            Self::RecoveryPepper => "recovery-pepper",
            Self::Sealing => "sealing",
            Self::PersonalData => "personal-data",
            Self::Operator => "operator",
        }
    }

    /// The variable that holds the secret itself (tests, `sam local`). With `_ARN` behind it: the one that names it.
    pub fn variable(self) -> String {
        format!("SECRET_{}", self.as_str().replace('-', "_").to_ascii_uppercase())
    }
}

/// The names of the two tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    pub directory: String,
    pub logins: String,
}

/// Variables by name. An empty one counts as absent: a deployment template can't leave a variable out.
pub struct Environment {
    variables: HashMap<String, String>,
}

impl Environment {
    /// The process's own. Variables that aren't Unicode are none of ours.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What the deployment calls the secrets' values of its time; another one starts the functions anew.
    pub fn keys_version(&self) -> &str {
        self.get("KEYS_VERSION").unwrap_or_default()
    }

    fn require(&self, name: &str) -> Result<&str, ConfigError> {
        self.get(name).ok_or_else(|| ConfigError::Missing(name.to_owned()))
    }

    /// `DIRECTORY_TABLE` and `LOGINS_TABLE`.
    pub fn tables(&self) -> Result<Tables, ConfigError> {
        Ok(Tables {
            directory: self.require("DIRECTORY_TABLE")?.to_owned(),
            logins: self.require("LOGINS_TABLE")?.to_owned(),
        })
    }

    /// `BASE_URL`: what every issuer starts with, without a slash at its end. Tokens are only as good as the way their keys
    /// are fetched, so it is `https`, but on the machine itself.
    pub fn base_url(&self) -> Result<String, ConfigError> {
        const NAME: &str = "BASE_URL";
        let url = self.require(NAME)?.trim_end_matches('/');
        let local = ["http://127.0.0.1", "http://localhost"].into_iter().any(|prefix| {
            url.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if !local && url.strip_prefix("https://").is_none_or(str::is_empty) {
            return Err(ConfigError::Invalid(NAME, "is not an https address"));
        }
        if url.contains(['?', '#', ' ']) {
            return Err(ConfigError::Invalid(NAME, "has a query, a fragment or a space"));
        }
        Ok(url.to_owned())
    }

    /// The origin of `BASE_URL`, as browsers spell it.
    pub fn own_origin(&self) -> Result<String, ConfigError> {
        origin_of(&self.base_url()?).ok_or(ConfigError::Invalid("BASE_URL", "has no host"))
    }

    /// `SMS_SENDER_ID`, `SMS_MAX_PRICE_USD` and `SMS_ORIGINATION_NUMBER`, all optional.
    pub fn sms(&self) -> Result<SnsOptions, ConfigError> {
        let sender_id = self.get("SMS_SENDER_ID").map(str::to_owned);
        let alphanumeric = |id: &str| id.len() <= 11 && id.bytes().all(|b| b.is_ascii_alphanumeric());
        if !sender_id.as_deref().is_none_or(alphanumeric) {
            return Err(ConfigError::Invalid("SMS_SENDER_ID", "is not 1 to 11 letters and digits"));
        }
        let max_price_usd = self.get("SMS_MAX_PRICE_USD").map(str::to_owned);
        let price = |text: &str| text.parse::<f64>().is_ok_and(|price| price.is_finite() && price > 0.0);
        if !max_price_usd.as_deref().is_none_or(price) {
            return Err(ConfigError::Invalid("SMS_MAX_PRICE_USD", "is not a price above zero"));
        }
        let origination_number = self.get("SMS_ORIGINATION_NUMBER").map(str::to_owned);
        Ok(SnsOptions { sender_id, max_price_usd, origination_number })
    }

    /// `ALLOW_PRIVATE_ISSUERS`: whether the keys of identity sources may be fetched from private addresses and this very machine. Without it,
    /// from public addresses only.
    pub fn issuer_addresses(&self) -> Result<IssuerAddresses, ConfigError> {
        const NAME: &str = "ALLOW_PRIVATE_ISSUERS";
        match self.get(NAME) {
            None | Some("false") => Ok(IssuerAddresses::Public),
            Some("true") => Ok(IssuerAddresses::Any),
            Some(_) => Err(ConfigError::Invalid(NAME, "is neither true nor false")),
        }
    }

    /// `AWS_REGION`, the credentials that Lambda sets, and endpoints of other engines where set.
    pub fn aws(&self) -> Result<Aws, ConfigError> {
        Aws::new(self)
    }

    /// Where a secret is kept in Secrets Manager: `SECRET_…_ARN`.
    pub fn secret_arn(&self, name: SecretName) -> Result<String, ConfigError> {
        self.require(&format!("{}_ARN", name.variable())).map(str::to_owned)
    }

    /// Where the operator's key is put for the operator to fetch: `OPERATOR_KEY_ARN`.
    pub fn operator_key_arn(&self) -> Result<String, ConfigError> {
        self.require("OPERATOR_KEY_ARN").map(str::to_owned)
    }

    /// A secret: from its own variable, else from Secrets Manager by the name in its `…_ARN`.
    pub async fn secret(&self, aws: &Aws, name: SecretName) -> Result<Secret<String>, ConfigError> {
        let variable = name.variable();
        if let Some(value) = self.get(&variable) {
            return Ok(Secret::new(value.to_owned()));
        }
        aws.read_secret(&self.secret_arn(name)?).await.map_err(|why| ConfigError::Secret(name, why))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().collect() }
    }
}

impl fmt::Debug for Environment {
    /// The values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
