//! The service's secrets as types. Each is parsed once, at start-up, from the JSON in its own secret, and goes to the one adapter
//! that uses it: a pepper can't be given to the sealer.
//!
//! A ring holds keys by id and names the current one. New values are made with the current key; old ones stay readable as long as their key
//! is in the ring. To rotate: add the new key, wait until every process has it, make it current, wait until what the old one made has
//! expired, remove it. Personal data doesn't expire, so its old keys go only after everything was sealed again.
//!
//! Errors say which secret is wrong and how. They never repeat what was in it: a key pasted into the wrong field must not reach a log.

use super::credential::{Credential, Holder};
use crate::domain::ids::base62;
use crate::domain::secret::Secret;
use crate::ports::Entropy;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// A symmetric key, wiped when dropped.
pub(super) type Key = Secret<Zeroizing<[u8; 32]>>;

/// Sealed texts spell a key's id with its length in one byte, and headers carry it: short, and safe in a URL.
const MAX_KEY_ID_LENGTH: usize = 64;
/// 62^8 is about 2^47: ids need to differ within one ring only.
const KEY_ID_LENGTH: usize = 8;

/// A keyring that isn't what its consumer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyringError {
    /// The secret's name, or `jwks`.
    pub keyring: &'static str,
    pub problem: &'static str,
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keyring `{}`: {}", self.keyring, self.problem)
    }
}

impl std::error::Error for KeyringError {}

/// How a ring is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RingText<'a> {
    #[serde(borrow)]
    pub current: &'a str,
    #[serde(borrow)]
    pub keys: BTreeMap<&'a str, &'a str>,
}

impl RingText<'_> {
    pub(super) fn check_ids(&self, keyring: &'static str) -> Result<(), KeyringError> {
        let fail = |problem| Err(KeyringError { keyring, problem });
        if !self.keys.keys().all(|id| is_key_id(id)) {
            return fail("a key id isn't 1 to 64 of A-Z, a-z, 0-9, - and _");
        }
        if !self.keys.contains_key(self.current) {
            return fail("`current` names no key of `keys`");
        }
        Ok(())
    }
}

fn is_key_id(text: &str) -> bool {
    (1..=MAX_KEY_ID_LENGTH).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Symmetric keys by id.
pub(super) struct Ring {
    current: String,
    keys: BTreeMap<String, Key>,
}

impl Ring {
    /// A ring of keys that were derived from others.
    pub(super) fn derived(current: String, keys: BTreeMap<String, Key>) -> Self {
        Self { current, keys }
    }

    fn from_text(keyring: &'static str, text: &RingText<'_>) -> Result<Self, KeyringError> {
        text.check_ids(keyring)?;
        let mut keys = BTreeMap::new();
        for (id, key) in &text.keys {
            keys.insert((*id).to_owned(), key_from_base64(keyring, key)?);
        }
        Ok(Self { current: text.current.to_owned(), keys })
    }

    fn parse(keyring: &'static str, value: &Value) -> Result<Self, KeyringError> {
        let text = RingText::deserialize(value).map_err(|_| KeyringError {
            keyring,
            problem: r#"it isn't {"current":"ID","keys":{"ID":"BASE64",…}}"#,
        })?;
        Self::from_text(keyring, &text)
    }

    fn generate(entropy: &dyn Entropy) -> Value {
        let id = base62(KEY_ID_LENGTH, |buffer| entropy.fill(buffer));
        let mut keys = serde_json::Map::new();
        keys.insert(id.clone(), json!(new_key(entropy)));
        json!({ "current": id, "keys": keys })
    }

    pub(super) fn current_id(&self) -> &str {
        &self.current
    }

    pub(super) fn get(&self, id: &str) -> Option<&[u8; 32]> {
        self.keys.get(id).map(|key| &**key.expose())
    }

    pub(super) fn current(&self) -> &[u8; 32] {
        self.get(&self.current).expect("a ring is made only with its current key in it")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.keys.iter().map(|(id, key)| (id.as_str(), &**key.expose()))
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("current", &self.current).field("keys", &self.keys.keys()).finish()
    }
}

fn key_from_base64(keyring: &'static str, text: &str) -> Result<Key, KeyringError> {
    let problem = "a key isn't the base64 of 32 bytes";
    let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| KeyringError { keyring, problem })?);
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return Err(KeyringError { keyring, problem });
    }
    key.copy_from_slice(&bytes);
    Ok(Secret::new(key))
}

fn new_key(entropy: &dyn Entropy) -> String {
    STANDARD.encode(Zeroizing::new(entropy.bytes::<32>()))
}

/// `sealing`: what login tokens are sealed with.
#[derive(Debug)]
pub struct SealingKeys(pub(super) Ring);

impl SealingKeys {
    /// Reads `{"current":"ID","keys":{"ID":"base64 of 32 bytes",…}}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        Ring::parse("sealing", value).map(Self)
    }

    /// A new secret with one key, as [`Self::parse`] reads it.
    pub fn generate(entropy: &dyn Entropy) -> Secret<Value> {
        Secret::new(Ring::generate(entropy))
    }
}

/// `code-pepper`: what codes are derived and checked with.
#[derive(Debug)]
pub struct CodePeppers(pub(super) Ring);

impl CodePeppers {
    /// Reads `{"current":"ID","keys":{"ID":"base64 of 32 bytes",…}}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        Ring::parse("code-pepper", value).map(Self)
    }

    /// A new secret with one key, as [`Self::parse`] reads it.
    pub fn generate(entropy: &dyn Entropy) -> Secret<Value> {
        Secret::new(Ring::generate(entropy))
    }
}

/// `recovery-pepper`: what recovery codes are hashed with.
#[derive(Debug)]
pub struct RecoveryPeppers(pub(super) Ring);

impl RecoveryPeppers {
    /// Reads `{"current":"ID","keys":{"ID":"base64 of 32 bytes",…}}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        Ring::parse("recovery-pepper", value).map(Self)
    }

    /// A new secret with one key, as [`Self::parse`] reads it.
    pub fn generate(entropy: &dyn Entropy) -> Secret<Value> {
        Secret::new(Ring::generate(entropy))
    }
}

/// `personal-data`: what identifies a person is sealed with the ring and indexed by a hash under `hash_key`. The hash key stands outside the
/// ring because a hash can't name its key: to replace it, every identifier has to be opened, hashed again and its owner item rewritten.
#[derive(Debug)]
pub struct PersonalDataKeys {
    pub(super) sealing: Ring,
    pub(super) hash_key: Key,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonalDataText<'a> {
    #[serde(borrow)]
    sealing: RingText<'a>,
    #[serde(borrow)]
    hash_key: &'a str,
}

impl PersonalDataKeys {
    const NAME: &'static str = "personal-data";

    /// Reads `{"sealing":{"current":"ID","keys":{…}},"hash_key":"base64 of 32 bytes"}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        let text = PersonalDataText::deserialize(value).map_err(|_| KeyringError {
            keyring: Self::NAME,
            problem: r#"it isn't {"sealing":{"current":"ID","keys":{"ID":"BASE64",…}},"hash_key":"BASE64"}"#,
        })?;
        Ok(Self {
            sealing: Ring::from_text(Self::NAME, &text.sealing)?,
            hash_key: key_from_base64(Self::NAME, text.hash_key)?,
        })
    }

    /// A new secret, as [`Self::parse`] reads it.
    pub fn generate(entropy: &dyn Entropy) -> Secret<Value> {
        Secret::new(json!({ "sealing": Ring::generate(entropy), "hash_key": new_key(entropy) }))
    }
}

/// `operator`: hashes of the operator credentials that count; several while one is being replaced. Nothing in it has to be kept secret, but
/// whoever can write it is the operator.
#[derive(Debug)]
pub struct OperatorHashes(Vec<[u8; 32]>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorText<'a> {
    #[serde(borrow)]
    hashes: Vec<&'a str>,
}

impl OperatorHashes {
    const NAME: &'static str = "operator";

    /// Reads `{"hashes":["SHA-256 of a credential, in hex",…]}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        let fail = |problem| KeyringError { keyring: Self::NAME, problem };
        let text = OperatorText::deserialize(value).map_err(|_| fail(r#"it isn't {"hashes":["HEX",…]}"#))?;
        if text.hashes.is_empty() {
            return Err(fail("`hashes` is empty, so there would be no operator"));
        }
        let hashes = text.hashes.iter().map(|hex| from_hex(hex)).collect::<Option<Vec<_>>>();
        hashes.map(Self).ok_or_else(|| fail("a hash isn't 64 hexadecimal digits"))
    }

    /// A new operator credential, to be shown once, and the secret that admits it.
    pub fn generate(entropy: &dyn Entropy) -> (Credential, Value) {
        let credential = Credential::generate(Holder::Operator, |buffer| entropy.fill(buffer));
        let value = Self::admitting(&credential);
        (credential, value)
    }

    /// The secret that admits this credential and no other.
    pub fn admitting(credential: &Credential) -> Value {
        json!({ "hashes": [to_hex(&credential.hash())] })
    }

    /// The hashes of the credentials that are live.
    pub fn hashes(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// Whether the credential is an operator's. The time doesn't tell which hash matched.
    pub fn admits(&self, credential: &Credential) -> bool {
        credential.holder == Holder::Operator
            && self.0.iter().fold(false, |found, hash| credential.matches(hash) | found)
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::SeededEntropy;
    use crate::domain::ids::{KeyId, TenantId};

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    #[test]
    fn what_is_generated_parses_and_differs() {
        let entropy = SeededEntropy::new(1);
        let first = SealingKeys::parse(SealingKeys::generate(&entropy).expose()).unwrap();
        let second = SealingKeys::parse(SealingKeys::generate(&entropy).expose()).unwrap();
        assert_ne!(first.0.current(), second.0.current());
        CodePeppers::parse(CodePeppers::generate(&entropy).expose()).unwrap();
        let personal = PersonalDataKeys::parse(PersonalDataKeys::generate(&entropy).expose()).unwrap();
        assert_ne!(personal.sealing.current(), &**personal.hash_key.expose());
    }

    #[test]
    fn a_ring_that_would_not_work_is_refused() {
        let good = json!({"current": "a", "keys": {"a": key(1), "b": key(2)}});
        SealingKeys::parse(&good).unwrap();
        let without_padding = key(1).trim_end_matches('=').to_owned();
        for bad in [
            json!({"current": "c", "keys": {"a": key(1)}}),
            json!({"current": "a", "keys": {}}),
            json!({"current": "a", "keys": {"a": key(1)}, "old": {}}),
            json!({"current": "a", "keys": {"a": STANDARD.encode([1; 31])}}),
            json!({"current": "a", "keys": {"a": without_padding}}),
            json!({"current": "a", "keys": {"a": key(1), "": key(2)}}),
            json!({"current": "a", "keys": {"a": key(1), "x y": key(2)}}),
            json!({"current": "a", "keys": {"a": key(1), "x".repeat(65): key(2)}}),
            json!({"current": "a", "keys": {"a": 5}}),
            json!({"keys": {"a": key(1)}}),
            json!(key(1)),
            json!(null),
        ] {
            SealingKeys::parse(&bad).unwrap_err();
            PersonalDataKeys::parse(&json!({"sealing": bad, "hash_key": key(3)})).unwrap_err();
        }
    }

    #[test]
    fn h14_neither_errors_nor_debug_show_a_key() {
        let secret = key(7);
        for bad in [
            json!(secret),
            json!({"current": secret, "keys": {"a": key(1)}}),
            json!({"current": "a", "keys": {secret.clone(): "a"}}),
            json!({"current": "a", "keys": secret}),
            json!({secret.clone(): "a"}),
            json!({"hashes": [secret]}),
            json!({"hashes": secret}),
        ] {
            let errors = [
                SealingKeys::parse(&bad).unwrap_err(),
                PersonalDataKeys::parse(&bad).unwrap_err(),
                OperatorHashes::parse(&bad).unwrap_err(),
            ];
            for error in errors {
                assert!(!format!("{error} {error:?}").contains(&secret));
            }
        }
        let personal = json!({"sealing": {"current": "a", "keys": {"a": secret}}, "hash_key": secret});
        let shown = format!("{:?}", PersonalDataKeys::parse(&personal).unwrap());
        assert!(!shown.contains(&secret) && !shown.contains("7, 7"), "{shown}");
    }

    #[test]
    fn a_replaced_operator_credential_counts_until_its_hash_is_removed() {
        let entropy = SeededEntropy::new(2);
        let (old, old_secret) = OperatorHashes::generate(&entropy);
        let (new, new_secret) = OperatorHashes::generate(&entropy);
        let both = json!({"hashes": [old_secret["hashes"][0], new_secret["hashes"][0]]});
        let both = OperatorHashes::parse(&both).unwrap();
        assert!(both.admits(&old) && both.admits(&new));
        let only_new = OperatorHashes::parse(&new_secret).unwrap();
        assert!(!only_new.admits(&old) && only_new.admits(&new));
        let tenant = TenantId::generate(|buffer| entropy.fill(buffer));
        let key = KeyId::generate(|buffer| entropy.fill(buffer));
        let administrator =
            Credential::generate(Holder::Administrator { tenant, key }, |buffer| entropy.fill(buffer));
        let listed = json!({"hashes": [to_hex(&administrator.hash())]});
        assert!(
            !OperatorHashes::parse(&listed).unwrap().admits(&administrator),
            "another kind of credential"
        );
        for bad in [json!({"hashes": []}), json!({"hashes": ["00"]}), json!({"hashes": ["+".repeat(64)]})] {
            OperatorHashes::parse(&bad).unwrap_err();
        }
    }
}
