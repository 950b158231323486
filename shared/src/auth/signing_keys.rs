//! The keys of access and id tokens (ES256): private in the secret `signing`, public in the JWKS.

use super::keyring::{Key, KeyringError, Ring, RingText};
use crate::domain::secret::Secret;
use crate::ports::Fault;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use ring::hkdf;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// `signing`: P-256 keys by id, the current one first. A key's id is its thumbprint, so that a key can't stand under another's id.
#[derive(Debug)]
pub struct SigningKeys(Vec<SigningKey>);

pub(super) struct SigningKey {
    pub public: PublicKey,
    /// Read once: reading checks that the public part belongs to it, which takes as long as a signature.
    private: EcdsaKeyPair,
    proof: Key,
}

impl SigningKey {
    /// A compact JWS (RFC 7515, 7.1) of a header and claims that are JSON already.
    pub(super) fn sign(&self, header: &[u8], claims: &[u8]) -> Result<Secret<String>, Fault> {
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.private.sign(&SystemRandom::new(), token.as_bytes());
        let signature = signature.map_err(|_| Fault::new("the operating system gave no random bytes"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.id).finish()
    }
}

impl SigningKeys {
    const NAME: &'static str = "signing";

    /// Reads `{"current":"ID","keys":{"ID":"base64 of a P-256 key in PKCS#8, DER",…}}`.
    pub fn parse(value: &Value) -> Result<Self, KeyringError> {
        let fail = |problem| KeyringError { keyring: Self::NAME, problem };
        let text = RingText::deserialize(value)
            .map_err(|_| fail(r#"it isn't {"current":"ID","keys":{"ID":"BASE64",…}}"#))?;
        text.check_ids(Self::NAME)?;
        let mut keys = Vec::with_capacity(text.keys.len());
        for (id, pkcs8) in &text.keys {
            let pkcs8 = STANDARD.decode(pkcs8).map(Zeroizing::new).map_err(|_| fail("a key isn't base64"))?;
            let private = key_pair(&pkcs8).ok_or_else(|| fail("a key isn't a P-256 key in PKCS#8"))?;
            let public =
                PublicKey::of(&private).ok_or_else(|| fail("a key has no point for its public part"))?;
            if public.id != *id {
                return Err(fail("a key's id isn't its RFC 7638 thumbprint"));
            }
            keys.push(SigningKey { public, private, proof: proof(&pkcs8) });
        }
        keys.sort_by_key(|key| key.public.id != text.current);
        Ok(Self(keys))
    }

    /// A new secret with one key, as [`Self::parse`] reads it. `ring` draws the key from the operating system itself.
    pub fn generate() -> Result<Secret<Value>, Fault> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Fault::new("the operating system gave no random bytes for a signing key"))?;
        let public = key_pair(pkcs8.as_ref())
            .and_then(|pair| PublicKey::of(&pair))
            .ok_or_else(|| Fault::new("a signing key that was just made doesn't parse"))?;
        let mut keys = serde_json::Map::new();
        keys.insert(public.id.clone(), json!(STANDARD.encode(pkcs8.as_ref())));
        Ok(Secret::new(json!({ "current": public.id, "keys": keys })))
    }

    pub(super) fn current(&self) -> &SigningKey {
        self.0.first().expect("a ring is made only with its current key in it")
    }

    /// Keys that only who signs has: what a hosted login ends with is worth a signature, so it must not be sealed with a ring that functions
    /// have which may sign nothing.
    pub(super) fn proofs(&self) -> Ring {
        let copy = |key: &SigningKey| (key.public.id.clone(), Secret::new(key.proof.expose().clone()));
        Ring::derived(self.current().public.id.clone(), self.0.iter().map(copy).collect())
    }

    /// What checks the tokens that these keys sign.
    pub fn public_keys(&self) -> PublicKeys {
        PublicKeys(self.0.iter().map(|key| key.public.clone()).collect())
    }
}

fn key_pair(pkcs8: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).ok()
}

/// HKDF-SHA-256 (RFC 5869) of the private key.
fn proof(pkcs8: &[u8]) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"mfa").extract(pkcs8);
    secret
        .expand(&[b"hosted-login-proofs"], hkdf::HKDF_SHA256)
        .and_then(|derived| derived.fill(&mut *key))
        .expect("32 bytes are one block of this hash");
    Secret::new(key)
}

/// One public key: coordinates as in a JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub id: String,
    x: String,
    y: String,
}

impl PublicKey {
    fn of(pair: &EcdsaKeyPair) -> Option<Self> {
        // SEC 1, 2.3.3: 4, then both coordinates.
        let [4, point @ ..] = pair.public_key().as_ref() else { return None };
        let (x, y) = point.split_at_checked(32)?;
        Some(Self::new(URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
    }

    fn new(x: String, y: String) -> Self {
        // RFC 7638: the required members in alphabetical order, no white space.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Self { id: URL_SAFE_NO_PAD.encode(Sha256::digest(members)), x, y }
    }

    pub(super) fn decoding_key(&self) -> DecodingKey {
        DecodingKey::from_ec_components(&self.x, &self.y)
            .expect("both are base64url, written or checked here")
    }
}

/// The public keys: enough to check tokens, useless for making one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys(Vec<PublicKey>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySetText {
    keys: Vec<KeyText>,
}

/// Exactly what [`PublicKeys::jwks`] writes. A set with a private part (`d`) in it is refused like any other unknown member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    kty: String,
    crv: String,
    x: String,
    y: String,
    #[serde(rename = "use")]
    used_for: String,
    alg: String,
    kid: String,
}

impl PublicKeys {
    /// Reads a JSON Web Key Set of ours. Coordinates that are no point of the curve are let through; nothing verifies with them.
    pub fn parse(jwks: &Value) -> Result<Self, KeyringError> {
        let fail = |problem| KeyringError { keyring: "jwks", problem };
        let text =
            KeySetText::deserialize(jwks).map_err(|_| fail("it isn't a JWKS as this service writes it"))?;
        let mut keys = Vec::with_capacity(text.keys.len());
        for KeyText { kty, crv, x, y, used_for, alg, kid } in text.keys {
            if [&*kty, &*crv, &*used_for, &*alg] != ["EC", "P-256", "sig", "ES256"] {
                return Err(fail("a key isn't for ES256 signatures"));
            }
            let whole = |part: &str| URL_SAFE_NO_PAD.decode(part).is_ok_and(|bytes| bytes.len() == 32);
            if !whole(&x) || !whole(&y) {
                return Err(fail("a coordinate isn't the base64url of 32 bytes"));
            }
            let key = PublicKey::new(x, y);
            if key.id != kid {
                return Err(fail("a key's id isn't its RFC 7638 thumbprint"));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(fail("it has no key"));
        }
        Ok(Self(keys))
    }

    /// A JSON Web Key Set (RFC 7517), the current key first.
    pub fn jwks(&self) -> Value {
        let key = |key: &PublicKey| json!({"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y, "use": "sig", "alg": "ES256", "kid": key.id});
        json!({ "keys": self.0.iter().map(key).collect::<Vec<_>>() })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_key_comes_first_whatever_its_id() {
        let first = SigningKeys::generate().unwrap().into_exposed();
        let second = SigningKeys::generate().unwrap().into_exposed();
        let mut keys = first["keys"].as_object().unwrap().clone();
        keys.extend(second["keys"].as_object().unwrap().clone());
        for current in [&first["current"], &second["current"]] {
            let both = SigningKeys::parse(&json!({"current": current, "keys": keys})).unwrap();
            let jwks = both.public_keys().jwks();
            assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
            assert_eq!(jwks["keys"][0]["kid"], *current);
            assert_eq!(both.current().public.id, *current);
            assert_eq!(PublicKeys::parse(&jwks).unwrap(), both.public_keys());
        }
    }

    #[test]
    fn a_key_set_holds_nothing_private() {
        let secret = SigningKeys::generate().unwrap();
        let keys = SigningKeys::parse(secret.expose()).unwrap();
        let jwks = keys.public_keys().jwks();
        let mut members: Vec<_> = jwks["keys"][0].as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        let id = keys.current().public.id.clone();
        assert_eq!(format!("{keys:?}"), format!("SigningKeys([SigningKey({id:?})])"));
    }

    #[test]
    fn rfc_7638_and_the_crate_agree_on_the_thumbprint() {
        super::super::jwt_provider::install();
        let keys = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk =
            serde_json::from_value(keys.public_keys().jwks()["keys"][0].clone()).unwrap();
        let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, keys.current().public.id);
    }

    #[test]
    fn keys_under_a_wrong_id_or_of_a_wrong_kind_are_refused() {
        let good = SigningKeys::generate().unwrap().into_exposed();
        let (id, key) = good["keys"].as_object().unwrap().iter().next().unwrap();
        let other = SigningKeys::generate().unwrap().into_exposed();
        let other_id = other["current"].as_str().unwrap();
        for bad in [
            json!({"current": other_id, "keys": {other_id: key}}),
            json!({"current": other_id, "keys": {id: key}}),
            json!({"current": id, "keys": {id: "AAAA"}}),
            json!({"current": id, "keys": {id: "not base64"}}),
            json!({"current": id, "keys": {id: &key.as_str().unwrap()[4..]}}),
        ] {
            let error = SigningKeys::parse(&bad).unwrap_err().to_string();
            assert!(!error.contains(key.as_str().unwrap()), "{error}");
        }
        let jwks = SigningKeys::parse(&good).unwrap().public_keys().jwks();
        for (member, value) in [
            ("kid", other_id),
            ("alg", "RS256"),
            ("use", "enc"),
            ("x", "AAAA"),
            ("d", "AAAA"),
            ("crv", "P-384"),
        ] {
            let mut bad = jwks.clone();
            bad["keys"][0][member] = json!(value);
            PublicKeys::parse(&bad).unwrap_err();
        }
        PublicKeys::parse(&json!({"keys": []})).unwrap_err();
    }
}
