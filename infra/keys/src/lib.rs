//! The service's keys as they stand in Secrets Manager, made and rotated.
//!
//! Everything here turns one value of a secret into the next one and touches nothing else: `infra/rotate-keys` fetches and stores them.
//! A rotation is three values after each other, [`add`], [`make_current`], [`remove`], with a restart of every function between them; two
//! neighbouring values always understand each other's work, so nothing is lost while some processes have the one and some the other.
//! docs/RUNBOOK.md says how long to wait in between.

use serde_json::{Map, Value};
use shared::auth::{
    CodePeppers, KeyringError, OperatorHashes, PersonalDataKeys, PublicKeys, RecoveryPeppers, SealingKeys,
    SigningKeys,
};
use shared::config::SecretName;
use shared::ports::{Entropy, Fault};
use std::fmt;

/// Why there is no next value. Nothing in it repeats a key.
#[derive(Debug)]
pub enum Error {
    /// What was given isn't a value of that secret.
    Keyring(KeyringError),
    /// The operating system gave no key.
    Fault(Fault),
    /// What is asked would lose something, or makes no sense.
    Refused(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<KeyringError> for Error {
    fn from(error: KeyringError) -> Self {
        Self::Keyring(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A value that was made.
#[derive(Debug)]
pub struct Made {
    pub value: Value,
    /// Of the key that is new in it.
    pub id: String,
    /// The operator's key, to be shown once; only its hash is in the value.
    pub operator_key: Option<String>,
}

const NOT_A_RING: Error = Error::Refused("public-keys is made from signing: see `keys public`");
const NOT_THERE: Error = Error::Refused("there is no such key");
const NO_CURRENT_HASH: Error =
    Error::Refused("an operator's key has no current one: each whose hash is there counts");

/// A first value.
pub fn new(name: SecretName, entropy: &dyn Entropy) -> Result<Made, Error> {
    let value = match name {
        SecretName::Signing => SigningKeys::generate()?.into_exposed(),
        SecretName::CodePepper => CodePeppers::generate(entropy).into_exposed(),
        SecretName::RecoveryPepper => RecoveryPeppers::generate(entropy).into_exposed(),
        SecretName::Sealing => SealingKeys::generate(entropy).into_exposed(),
        SecretName::PersonalData => PersonalDataKeys::generate(entropy).into_exposed(),
        SecretName::Operator => {
            let (credential, value) = OperatorHashes::generate(entropy);
            let id = value["hashes"][0].as_str().unwrap_or_default().to_owned();
            return Ok(Made { value, id, operator_key: Some(credential.text.into_exposed()) });
        }
        SecretName::PublicKeys => return Err(NOT_A_RING),
    };
    let id = ring(name, &value)["current"].as_str().unwrap_or_default().to_owned();
    Ok(Made { value, id, operator_key: None })
}

/// The same value with a new key in it, which nothing is made with yet.
pub fn add(name: SecretName, value: &Value, entropy: &dyn Entropy) -> Result<Made, Error> {
    check(name, value)?;
    let mut made = new(name, entropy)?;
    let mut next = value.clone();
    if name == SecretName::Operator {
        if let (Some(all), Some(new)) = (next["hashes"].as_array_mut(), made.value["hashes"].as_array()) {
            all.extend(new.iter().cloned());
        }
    } else {
        let new = ring(name, &made.value)["keys"].as_object().cloned().unwrap_or_default();
        if let Some(keys) = keys_of(name, &mut next) {
            keys.extend(new);
        }
    }
    made.value = next;
    check(name, &made.value)?;
    Ok(made)
}

/// The same keys, with another that new things are made with.
pub fn make_current(name: SecretName, value: &Value, id: &str) -> Result<Value, Error> {
    check(name, value)?;
    if name == SecretName::Operator {
        return Err(NO_CURRENT_HASH);
    }
    if ring(name, value)["keys"].get(id).is_none() {
        return Err(NOT_THERE);
    }
    let mut next = value.clone();
    ring_mut(name, &mut next)["current"] = id.into();
    check(name, &next)?;
    Ok(next)
}

/// The same value without one of its keys: what that key made is worth nothing from then on.
///
/// # Errors
/// [`Error::Refused`] for the current key and an operator's last one, and for keys of what never expires: nothing could read it again.
pub fn remove(name: SecretName, value: &Value, id: &str) -> Result<Value, Error> {
    check(name, value)?;
    let mut next = value.clone();
    if name == SecretName::Operator {
        let hashes = next["hashes"].as_array_mut().ok_or(NOT_THERE)?;
        let before = hashes.len();
        hashes.retain(|hash| hash != id);
        return match hashes.len() {
            after if after == before => Err(NOT_THERE),
            0 => Err(Error::Refused("it is the last one: there would be no operator")),
            _ => Ok(next),
        };
    }
    match name {
        SecretName::PersonalData => {
            return Err(Error::Refused(
                "numbers and addresses that were sealed with it could never be read again, and they do not expire",
            ));
        }
        SecretName::RecoveryPepper => {
            return Err(Error::Refused(
                "recovery codes that were made with it would end, and they do not expire",
            ));
        }
        _ => {}
    }
    if ring(name, value)["current"] == id {
        return Err(Error::Refused("it is the current key: make another one current first"));
    }
    keys_of(name, &mut next).and_then(|keys| keys.remove(id)).ok_or(NOT_THERE)?;
    check(name, &next)?;
    Ok(next)
}

/// The ids of the keys, the current one first; of an operator's keys, their hashes.
pub fn ids(name: SecretName, value: &Value) -> Result<Vec<String>, Error> {
    check(name, value)?;
    if name == SecretName::Operator {
        let hashes = value["hashes"].as_array().into_iter().flatten();
        return Ok(hashes.filter_map(|hash| hash.as_str().map(str::to_owned)).collect());
    }
    let ring = ring(name, value);
    let mut ids: Vec<_> = ring["keys"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect();
    ids.sort_by_key(|id| ring["current"] != id.as_str());
    Ok(ids)
}

/// The value of `public-keys` that belongs to one of `signing`.
pub fn public_keys(signing: &Value) -> Result<Value, Error> {
    Ok(SigningKeys::parse(signing)?.public_keys().jwks())
}

/// Whether a function would start with it.
pub fn check(name: SecretName, value: &Value) -> Result<(), Error> {
    match name {
        SecretName::Signing => SigningKeys::parse(value).map(drop)?,
        SecretName::CodePepper => CodePeppers::parse(value).map(drop)?,
        SecretName::RecoveryPepper => RecoveryPeppers::parse(value).map(drop)?,
        SecretName::Sealing => SealingKeys::parse(value).map(drop)?,
        SecretName::PersonalData => PersonalDataKeys::parse(value).map(drop)?,
        SecretName::Operator => OperatorHashes::parse(value).map(drop)?,
        SecretName::PublicKeys => PublicKeys::parse(value).map(drop)?,
    }
    Ok(())
}

fn ring(name: SecretName, value: &Value) -> &Value {
    if name == SecretName::PersonalData { &value["sealing"] } else { value }
}

fn ring_mut(name: SecretName, value: &mut Value) -> &mut Value {
    if name == SecretName::PersonalData { &mut value["sealing"] } else { value }
}

fn keys_of(name: SecretName, value: &mut Value) -> Option<&mut Map<String, Value>> {
    ring_mut(name, value)["keys"].as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::config::OsEntropy;

    const RINGS: [SecretName; 5] = [
        SecretName::Signing,
        SecretName::CodePepper,
        SecretName::RecoveryPepper,
        SecretName::Sealing,
        SecretName::PersonalData,
    ];
    const NEVER_EXPIRE: [SecretName; 2] = [SecretName::RecoveryPepper, SecretName::PersonalData];

    #[test]
    fn a_rotation_adds_a_key_uses_it_and_takes_the_old_one_away() {
        for name in RINGS {
            let first = new(name, &OsEntropy).unwrap();
            let both = add(name, &first.value, &OsEntropy).unwrap();
            assert_eq!(ids(name, &both.value).unwrap(), [first.id.clone(), both.id.clone()], "{name:?}");
            let used = make_current(name, &both.value, &both.id).unwrap();
            assert_eq!(ids(name, &used).unwrap(), [both.id.clone(), first.id.clone()]);
            assert!(matches!(remove(name, &used, &both.id), Err(Error::Refused(_))), "the current one");
            match remove(name, &used, &first.id) {
                Ok(last) => {
                    assert_eq!(ids(name, &last).unwrap(), [both.id]);
                    assert!(!NEVER_EXPIRE.contains(&name));
                }
                Err(error) => assert!(NEVER_EXPIRE.contains(&name), "{name:?}: {error}"),
            }
            assert!(matches!(make_current(name, &both.value, "none"), Err(Error::Refused(_))));
            assert!(matches!(remove(name, &both.value, "none"), Err(Error::Refused(_))));
        }
    }

    #[test]
    fn the_hash_key_of_personal_data_stays() {
        let name = SecretName::PersonalData;
        let first = new(name, &OsEntropy).unwrap();
        let both = add(name, &first.value, &OsEntropy).unwrap();
        assert_eq!(first.value["hash_key"], both.value["hash_key"]);
    }

    #[test]
    fn an_operator_keeps_one_key_at_least() {
        let name = SecretName::Operator;
        let first = new(name, &OsEntropy).unwrap();
        let both = add(name, &first.value, &OsEntropy).unwrap();
        assert!(both.operator_key.is_some() && both.operator_key != first.operator_key);
        assert_eq!(ids(name, &both.value).unwrap(), [first.id.clone(), both.id.clone()]);
        let last = remove(name, &both.value, &first.id).unwrap();
        assert!(matches!(remove(name, &last, &both.id), Err(Error::Refused(_))));
        assert!(matches!(make_current(name, &both.value, &first.id), Err(Error::Refused(_))));
    }

    #[test]
    fn the_public_keys_follow_the_signing_keys() {
        let first = new(SecretName::Signing, &OsEntropy).unwrap();
        let both = add(SecretName::Signing, &first.value, &OsEntropy).unwrap();
        let public = public_keys(&both.value).unwrap();
        check(SecretName::PublicKeys, &public).unwrap();
        let named: Vec<_> = public["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
        assert_eq!(named, [first.id, both.id]);
        assert!(!public.to_string().contains("\"d\""));
        assert!(matches!(new(SecretName::PublicKeys, &OsEntropy), Err(Error::Refused(_))));
    }

    #[test]
    fn h14_an_error_shows_nothing_of_the_value() {
        let mut value = new(SecretName::Sealing, &OsEntropy).unwrap().value;
        let key = value["keys"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        value["current"] = key.clone().into();
        let error = add(SecretName::Sealing, &value, &OsEntropy).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&key));
    }
}
