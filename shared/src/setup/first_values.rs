//! Which secret gets what.

use crate::auth::credential::{Credential, Holder};
use crate::auth::{CodePeppers, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys, SigningKeys};
use crate::config::{ConfigError, Environment, SecretName};
use crate::domain::secret::Secret;
use crate::ports::{Entropy, Fault};
use async_trait::async_trait;
use serde_json::Value;

/// Where secrets are kept.
#[async_trait]
pub(super) trait Vault: Send + Sync {
    /// Whether the secret never had a value. One that is about to be deleted counts as having one.
    async fn is_empty(&self, secret: &str) -> Result<bool, Fault>;

    /// Puts a first value, unless another run has put one: then nothing changes, and that is no error.
    async fn put_first(&self, secret: &str, value: Secret<String>) -> Result<(), Fault>;

    async fn read(&self, secret: &str) -> Result<Secret<String>, Fault>;
}

/// What the secrets are called where they are kept.
pub(super) struct Secrets {
    pub service: Vec<(SecretName, String)>,
    pub operator_key: String,
}

impl Secrets {
    /// `SECRET_…_ARN` of every secret, and `OPERATOR_KEY_ARN`.
    pub fn of(environment: &Environment) -> Result<Self, ConfigError> {
        let arn = |name: SecretName| Ok((name, environment.secret_arn(name)?));
        Ok(Self {
            service: SecretName::ALL.into_iter().map(arn).collect::<Result<_, ConfigError>>()?,
            operator_key: environment.operator_key_arn()?,
        })
    }
}

/// Gives every secret without a value its first one. It may stop anywhere and run again, also beside itself.
pub(super) async fn make(vault: &dyn Vault, secrets: &Secrets, entropy: &dyn Entropy) -> Result<(), Fault> {
    for (name, id) in &secrets.service {
        if vault.is_empty(id).await? {
            let value = first_value(vault, *name, secrets, entropy).await?;
            vault.put_first(id, value).await?;
            tracing::info!(secret = name.as_str(), "first value");
        }
    }
    Ok(())
}

async fn first_value(
    vault: &dyn Vault,
    name: SecretName,
    secrets: &Secrets,
    entropy: &dyn Entropy,
) -> Result<Secret<String>, Fault> {
    let value = match name {
        SecretName::Signing => SigningKeys::generate()?.into_exposed(),
        SecretName::PublicKeys => public_keys(vault, secrets).await?,
        SecretName::CodePepper => CodePeppers::generate(entropy).into_exposed(),
        SecretName::RecoveryPepper => RecoveryPeppers::generate(entropy).into_exposed(),
        SecretName::Sealing => SealingKeys::generate(entropy).into_exposed(),
        SecretName::PersonalData => PersonalDataKeys::generate(entropy).into_exposed(),
        SecretName::Operator => OperatorHashes::admitting(&operator_key(vault, secrets, entropy).await?),
    };
    Ok(Secret::new(value.to_string()))
}

/// Those of the signing keys that were kept, which stand before this one in [`SecretName::ALL`]: another run may have put them.
async fn public_keys(vault: &dyn Vault, secrets: &Secrets) -> Result<Value, Fault> {
    let signing = secrets.service.iter().find(|(name, _)| *name == SecretName::Signing);
    let (_, id) = signing.ok_or_else(|| Fault::new("there are no signing keys"))?;
    let kept = vault.read(id).await?;
    // The parser's own words would repeat some of a value that is broken.
    let kept = serde_json::from_str(kept.expose()).map_err(|_| Fault::new("the signing keys are no JSON"))?;
    Ok(SigningKeys::parse(&kept).map_err(Fault::new)?.public_keys().jwks())
}

/// The key first, its hash after it, and the hash of what was kept: whichever of two runs was first with the key, both write the hash of
/// the same one.
async fn operator_key(
    vault: &dyn Vault,
    secrets: &Secrets,
    entropy: &dyn Entropy,
) -> Result<Credential, Fault> {
    let id = &secrets.operator_key;
    if vault.is_empty(id).await? {
        let key = Credential::generate(Holder::Operator, |buffer| entropy.fill(buffer));
        vault.put_first(id, key.text).await?;
    }
    let kept = vault.read(id).await?;
    let key = Credential::parse(kept.expose()).filter(|key| key.holder == Holder::Operator);
    key.ok_or_else(|| Fault::new("the operator's key is none"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::PublicKeys;
    use crate::config::OsEntropy;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    /// Keeps first values; refuses everything after `writes` of them, as a function that is stopped would.
    struct Memory {
        values: Mutex<BTreeMap<String, String>>,
        writes: Mutex<usize>,
        /// What another run has put since this one looked.
        meanwhile: Mutex<BTreeMap<String, String>>,
    }

    impl Memory {
        fn new(writes: usize) -> Self {
            Self { values: Mutex::default(), writes: Mutex::new(writes), meanwhile: Mutex::default() }
        }

        fn value(&self, id: &str) -> Value {
            serde_json::from_str(&self.values.lock().unwrap()[id]).unwrap()
        }
    }

    #[async_trait]
    impl Vault for Memory {
        async fn is_empty(&self, secret: &str) -> Result<bool, Fault> {
            Ok(!self.values.lock().unwrap().contains_key(secret))
        }

        async fn put_first(&self, secret: &str, value: Secret<String>) -> Result<(), Fault> {
            let mut writes = self.writes.lock().unwrap();
            *writes = writes.checked_sub(1).ok_or_else(|| Fault::new("stopped"))?;
            let mut values = self.values.lock().unwrap();
            values.extend(std::mem::take(&mut *self.meanwhile.lock().unwrap()));
            values.entry(secret.to_owned()).or_insert(value.into_exposed());
            Ok(())
        }

        async fn read(&self, secret: &str) -> Result<Secret<String>, Fault> {
            Ok(Secret::new(self.values.lock().unwrap()[secret].clone()))
        }
    }

    fn secrets() -> Secrets {
        let service = SecretName::ALL.map(|name| (name, name.as_str().to_owned()));
        Secrets { service: service.into(), operator_key: "operator-key".to_owned() }
    }

    fn admitted(vault: &Memory) -> bool {
        let key = vault.values.lock().unwrap()["operator-key"].clone();
        OperatorHashes::parse(&vault.value("operator")).unwrap().admits(&Credential::parse(&key).unwrap())
    }

    #[tokio::test]
    async fn every_secret_gets_a_value_that_its_reader_takes() {
        let vault = Memory::new(usize::MAX);
        make(&vault, &secrets(), &OsEntropy).await.unwrap();
        let signing = SigningKeys::parse(&vault.value("signing")).unwrap();
        assert_eq!(PublicKeys::parse(&vault.value("public-keys")).unwrap(), signing.public_keys());
        RecoveryPeppers::parse(&vault.value("recovery-pepper")).unwrap();
        CodePeppers::parse(&vault.value("code-pepper")).unwrap();
        SealingKeys::parse(&vault.value("sealing")).unwrap();
        PersonalDataKeys::parse(&vault.value("personal-data")).unwrap();
        assert!(admitted(&vault));
        assert_eq!(vault.values.lock().unwrap().len(), SecretName::ALL.len() + 1);
    }

    #[tokio::test]
    async fn a_run_that_was_stopped_anywhere_is_finished_by_the_next_and_changes_nothing_that_was_there() {
        for writes in 0..=SecretName::ALL.len() {
            let vault = Memory::new(writes);
            let stopped = make(&vault, &secrets(), &OsEntropy).await;
            assert!(stopped.is_err());
            let before = vault.values.lock().unwrap().clone();
            *vault.writes.lock().unwrap() = usize::MAX;
            make(&vault, &secrets(), &OsEntropy).await.unwrap();
            make(&vault, &secrets(), &OsEntropy).await.unwrap();
            let after = vault.values.lock().unwrap().clone();
            assert!(before.iter().all(|(id, value)| after[id] == *value), "after {writes} writes");
            assert!(admitted(&vault), "after {writes} writes");
        }
    }

    #[tokio::test]
    async fn of_two_operator_keys_made_at_once_the_one_that_is_kept_is_admitted() {
        let vault = Memory::new(usize::MAX);
        let others = Credential::generate(Holder::Operator, |buffer| OsEntropy.fill(buffer));
        let secrets = Secrets {
            service: vec![(SecretName::Operator, "operator".to_owned())],
            operator_key: "operator-key".to_owned(),
        };
        vault.meanwhile.lock().unwrap().insert("operator-key".to_owned(), others.text.expose().clone());
        make(&vault, &secrets, &OsEntropy).await.unwrap();
        assert_eq!(vault.values.lock().unwrap()["operator-key"], *others.text.expose());
        assert!(admitted(&vault));
    }

    #[tokio::test]
    async fn an_operator_key_that_was_fetched_and_deleted_is_not_missed() {
        let vault = Memory::new(usize::MAX);
        make(&vault, &secrets(), &OsEntropy).await.unwrap();
        vault.values.lock().unwrap().remove("operator-key");
        let before = vault.values.lock().unwrap().clone();
        make(&vault, &secrets(), &OsEntropy).await.unwrap();
        assert_eq!(*vault.values.lock().unwrap(), before);
    }
}
