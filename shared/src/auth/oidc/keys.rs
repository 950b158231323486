//! A source's keys, as its JSON Web Key Set (RFC 7517) has them.

use super::token::IdToken;
use crate::ports::IdTokenRefused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

/// The keys that signatures can be checked with.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<VerificationKey>);

#[derive(Debug)]
struct VerificationKey {
    id: Option<String>,
    /// Follows from the key, never from a token.
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why no key of a set makes a token genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Miss {
    pub refused: IdTokenRefused,
    /// The provider may have changed its keys since they were fetched.
    pub newer_keys_may_help: bool,
}

#[derive(Deserialize)]
struct JwkText {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// `None` for what is no key set. A key in it that is of another kind than ours, or broken, is passed over (RFC 7517 §5).
    pub fn parse(document: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(document).ok()?;
        Some(Self(document.keys.into_iter().filter_map(VerificationKey::read).collect()))
    }

    /// Whether the token is signed with one of the keys, and which one is beyond doubt.
    pub fn check(&self, token: &IdToken<'_>) -> Result<(), Miss> {
        let miss = |refused, newer_keys_may_help| Miss { refused, newer_keys_may_help };
        // Without a `kid` there must be no choice (OpenID Connect Core 1.0 §10.1).
        let named: Vec<&VerificationKey> = match &token.key_id {
            Some(id) => self.0.iter().filter(|key| key.id.as_ref() == Some(id)).collect(),
            None => self.0.iter().collect(),
        };
        if named.is_empty() {
            return Err(miss(IdTokenRefused::Key, true));
        }
        // Keys of different kinds may share an id (RFC 7517 §4.5).
        let fitting: Vec<_> = named.iter().filter(|key| key.algorithm == token.algorithm).collect();
        let key = match (&fitting[..], &token.key_id) {
            ([key], Some(_)) => key,
            ([key], None) if named.len() == 1 => key,
            ([], _) => return Err(miss(IdTokenRefused::Algorithm, false)),
            _ => return Err(miss(IdTokenRefused::Key, false)),
        };
        let genuine = crypto::verify(token.signature, token.signed.as_bytes(), &key.key, key.algorithm);
        match genuine {
            Ok(true) => Ok(()),
            // A provider that names no key may have another one by now.
            Ok(false) | Err(_) => Err(miss(IdTokenRefused::Signature, token.key_id.is_none())),
        }
    }
}

impl VerificationKey {
    fn read(value: Value) -> Option<Self> {
        let text = JwkText::deserialize(value).ok()?;
        let for_signatures = text.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies = text.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        let (name, algorithm, key) = match text.kty.as_str() {
            "RSA" => ("RS256", Algorithm::RS256, rsa(&text)?),
            "EC" => ("ES256", Algorithm::ES256, p256(&text)?),
            // `oct` above all: a shared secret has no business in a published set.
            _ => return None,
        };
        let usable = for_signatures && verifies && text.alg.as_deref().is_none_or(|alg| alg == name);
        usable.then_some(Self { id: text.kid, algorithm, key })
    }
}

/// Sizes are the verification's to check: 2048 to 8192 bits.
fn rsa(text: &JwkText) -> Option<DecodingKey> {
    let number = |text: &Option<String>| {
        let bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
        // RFC 7518 §2 wants no leading zeros; some providers put one.
        let start = bytes.iter().position(|byte| *byte != 0)?;
        Some(bytes[start..].to_vec())
    };
    Some(DecodingKey::from_rsa_raw_components(&number(&text.n)?, &number(&text.e)?))
}

fn p256(text: &JwkText) -> Option<DecodingKey> {
    if text.crv.as_deref() != Some("P-256") {
        return None;
    }
    let coordinate = |text: &Option<String>| {
        let bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
        <[u8; 32]>::try_from(bytes).ok()
    };
    let (x, y) = (coordinate(&text.x)?, coordinate(&text.y)?);
    Some(DecodingKey::from_ec_der(&[&[4], &x[..], &y[..]].concat()))
}
