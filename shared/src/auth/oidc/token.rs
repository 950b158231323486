//! What an id token says of itself, and whether that is enough.

use crate::domain::identity_source::{ExternalSubject, IdentitySource};
use crate::domain::time::Timestamp;
use crate::ports::IdTokenRefused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// The longest token that is looked at, in bytes. One with many groups in it has a few thousand.
const MAX_LENGTH: usize = 16 * 1024;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY_SECONDS: f64 = 60.0;

/// A token whose signature nobody has checked yet.
#[derive(Debug)]
pub(super) struct IdToken<'a> {
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
    /// Header and claims as they were signed.
    pub signed: &'a str,
    pub signature: &'a str,
    claims: &'a str,
}

/// What is read of a header. A key that it brings itself (`jwk`, `jku`, `x5c`, `x5u`) is not even looked at.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Whatever its value is.
fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl<'a> IdToken<'a> {
    /// Refuses, before any key is asked for, what no key could make good.
    pub fn parse(text: &'a str) -> Result<Self, IdTokenRefused> {
        if text.len() > MAX_LENGTH {
            return Err(IdTokenRefused::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(IdTokenRefused::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(IdTokenRefused::Malformed)?;
        if claims.contains('.') {
            return Err(IdTokenRefused::Malformed);
        }
        let header: Header = part(header)?;
        if header.crit {
            return Err(IdTokenRefused::CriticalHeader);
        }
        if !header.typ.as_deref().is_none_or(is_plain_jwt) {
            return Err(IdTokenRefused::Type);
        }
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            _ => return Err(IdTokenRefused::Algorithm),
        };
        Ok(Self { algorithm, key_id: header.kid, signed, signature, claims })
    }

    /// What it claims. Only worth something once the signature is good.
    pub fn claims(&self) -> Result<Claims, IdTokenRefused> {
        part(self.claims)
    }
}

/// RFC 7519 §5.1. Other kinds of token say so in their type (RFC 8725 §3.11): `at+jwt`, `logout+jwt`.
fn is_plain_jwt(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind.strip_prefix("application/").unwrap_or(&kind) == "jwt"
}

/// A claim that stands twice is malformed, as serde's derived code sees it.
fn part<T: DeserializeOwned>(text: &str) -> Result<T, IdTokenRefused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| IdTokenRefused::Malformed)?;
    // A derived struct would take an array too, field by field.
    if bytes.first() != Some(&b'{') {
        return Err(IdTokenRefused::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| IdTokenRefused::Malformed)
}

/// Times are in seconds and need not be whole (RFC 7519 §2, NumericDate).
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    /// A security event's: a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4) has all that an id token needs, and this.
    #[serde(default, deserialize_with = "is_there")]
    events: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// What a genuine token still has to fulfil.
    pub fn judge(
        self,
        source: &IdentitySource,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<ExternalSubject, IdTokenRefused> {
        use IdTokenRefused as Refused;
        let ours = source.audience.as_str();
        let (to_us, to_others) = match &self.aud {
            Audience::One(audience) => (audience == ours, false),
            Audience::Several(all) => (all.iter().any(|one| one == ours), all.len() > 1),
        };
        #[allow(clippy::cast_precision_loss, reason = "milliseconds have 41 bits, and this number has 53")]
        let now = now.millis() as f64 / 1000.0;
        let refused = if self.events {
            Refused::Type
        } else if self.iss != source.issuer {
            Refused::Issuer
        } else if !to_us {
            Refused::Audience
        } else if to_others && self.azp.as_deref() != Some(ours) {
            Refused::AuthorizedParty
        } else if now >= self.exp + LEEWAY_SECONDS {
            Refused::Expired
        } else if self.iat.max(self.nbf.unwrap_or(self.iat)) > now + LEEWAY_SECONDS {
            Refused::NotYetValid
        } else if nonce.is_some() && self.nonce.as_deref() != nonce {
            Refused::Nonce
        } else {
            return ExternalSubject::parse(&source.id, &self.sub).ok_or(Refused::Subject);
        };
        Err(refused)
    }
}
