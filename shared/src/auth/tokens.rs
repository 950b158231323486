//! The tokens at the end of a login: an access token (RFC 9068) and an id token (OpenID Connect Core 1.0, 2), signed with ES256.

use super::signing_keys::{PublicKeys, SigningKey, SigningKeys};
use crate::domain::ids::{TenantId, base62};
use crate::domain::secret::Secret;
use crate::ports::{Entropy, Fault, TokenClaims, TokenSigner, Tokens};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How long a token lives.
pub const ACCESS_TOKEN_SECONDS: u32 = 900;

/// 62^22 is about 2^131.
const TOKEN_ID_LENGTH: usize = 22;

pub(super) const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// RFC 9068, 2.1: another type, so that neither token passes for the other.
const ID_TOKEN_TYPE: &str = "JWT";

/// Who says so, and to everybody of one tenant: an issuer is a tenant's own.
#[derive(Clone)]
pub(super) struct Issuer {
    /// Ends in `/t/`.
    prefix: String,
}

impl Issuer {
    /// `base` is the service's public address, with or without a slash at its end.
    pub(super) fn new(base: &str) -> Self {
        Self { prefix: format!("{}/t/", base.trim_end_matches('/')) }
    }

    fn of(&self, tenant: &TenantId) -> String {
        format!("{}{tenant}", self.prefix)
    }

    pub(super) fn tenant(&self, issuer: &str) -> Option<TenantId> {
        TenantId::parse(issuer.strip_prefix(&self.prefix)?)
    }
}

/// What both tokens say. Times are in seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct IdClaims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub iat: i64,
    pub exp: i64,
    pub auth_time: i64,
    pub amr: Vec<String>,
    pub acr: String,
    /// The login (RFC 8417, 2.2).
    pub txn: String,
    /// From the authorization request, as it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
    /// Ties the id token to the access token beside it (OpenID Connect Core 1.0, 3.1.3.6).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at_hash: Option<String>,
}

/// An access token's claims. Written out rather than flattened, so that a claim that stands twice is refused.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessClaims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
    pub auth_time: i64,
    pub amr: Vec<String>,
    pub acr: String,
    pub txn: String,
    /// RFC 9068, 2.2.3; with `grant`, of tokens that an authorization code was exchanged for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant: Option<String>,
}

/// [`TokenSigner`] with P-256 keys.
pub struct Es256TokenSigner {
    keys: SigningKeys,
    public: PublicKeys,
    issuer: Issuer,
    entropy: Arc<dyn Entropy>,
}

impl Es256TokenSigner {
    /// `base` is the service's public address, which every issuer starts with.
    pub fn new(keys: SigningKeys, base: &str, entropy: Arc<dyn Entropy>) -> Self {
        Self { public: keys.public_keys(), keys, issuer: Issuer::new(base), entropy }
    }
}

impl TokenSigner for Es256TokenSigner {
    fn sign(&self, claims: &TokenClaims) -> Result<Tokens, Fault> {
        let code = claims.code.as_ref();
        let mut id = IdClaims {
            iss: self.issuer.of(&claims.tenant),
            aud: claims.application.to_string(),
            sub: claims.user.to_string(),
            iat: claims.issued_at.secs(),
            exp: claims.issued_at.plus_secs(ACCESS_TOKEN_SECONDS).secs(),
            auth_time: claims.auth_time.secs(),
            amr: claims.amr.iter().map(|method| (*method).to_owned()).collect(),
            acr: claims.acr.to_owned(),
            txn: claims.login.to_string(),
            nonce: code.and_then(|code| code.nonce.clone()),
            at_hash: None,
        };
        let access = AccessClaims {
            iss: id.iss.clone(),
            aud: id.aud.clone(),
            sub: id.sub.clone(),
            client_id: id.aud.clone(),
            iat: id.iat,
            exp: id.exp,
            jti: base62(TOKEN_ID_LENGTH, |buffer| self.entropy.fill(buffer)),
            auth_time: id.auth_time,
            amr: id.amr.clone(),
            acr: id.acr.clone(),
            txn: id.txn.clone(),
            scope: code.map(|code| code.scopes.text()),
            grant: code.map(|code| code.grant.to_string()),
        };
        let key = self.keys.current();
        let access_token = encode(key, ACCESS_TOKEN_TYPE, &access)?;
        id.at_hash = code.map(|_| half_hash(access_token.expose()));
        let id_token = encode(key, ID_TOKEN_TYPE, &id)?;
        Ok(Tokens { access_token, id_token, expires_in: ACCESS_TOKEN_SECONDS })
    }

    fn jwks(&self) -> Value {
        self.public.jwks()
    }
}

/// The left half of a token's SHA-256, the hash of ES256.
fn half_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(token.as_bytes())[..16])
}

/// The header of our tokens.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

fn encode(key: &SigningKey, kind: &str, claims: &impl Serialize) -> Result<Secret<String>, Fault> {
    let header = Header { typ: kind, alg: "ES256", kid: &key.public.id };
    let header = serde_json::to_vec(&header).map_err(Fault::new)?;
    key.sign(&header, &serde_json::to_vec(claims).map_err(Fault::new)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{SeededEntropy, names};
    use crate::domain::authorization::Scopes;
    use crate::domain::ids::GrantId;
    use crate::domain::time::Timestamp;
    use crate::ports::CodeClaims;
    use serde_json::json;

    fn part(token: &str, at: usize) -> Value {
        let part = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn h11_the_tokens_say_what_the_contract_says() {
        let keys = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let key_id = keys.current().public.id.clone();
        let entropy = Arc::new(SeededEntropy::new(6));
        let signer = Es256TokenSigner::new(keys, "https://mfa.example/", entropy);
        let names = names(1);
        let claims = TokenClaims {
            tenant: names.tenant.clone(),
            application: names.application.clone(),
            user: names.user.clone(),
            login: names.login.clone(),
            auth_time: Timestamp::from_millis(1_000_999),
            issued_at: Timestamp::from_millis(1_005_001),
            amr: &["pwd", "sms", "mfa"],
            acr: "aal2",
            code: None,
        };
        let tokens = signer.sign(&claims).unwrap();
        assert_eq!(tokens.expires_in, 900);
        assert_eq!(format!("{tokens:?}").matches("[secret]").count(), 2);

        let (access, id) = (tokens.access_token.expose(), tokens.id_token.expose());
        assert_eq!(part(access, 0), json!({"typ": "at+jwt", "alg": "ES256", "kid": key_id}));
        assert_eq!(part(id, 0), json!({"typ": "JWT", "alg": "ES256", "kid": key_id}));
        let application = names.application.as_str();
        let mut said = json!({
            "iss": format!("https://mfa.example/t/{}", names.tenant), "aud": application,
            "sub": names.user.as_str(), "iat": 1005, "exp": 1905, "auth_time": 1000,
            "amr": ["pwd", "sms", "mfa"], "acr": "aal2", "txn": names.login.as_str(),
        });
        assert_eq!(part(id, 1), said);
        said["client_id"] = json!(application);
        said["jti"] = part(access, 1)["jti"].clone();
        assert_eq!(said["jti"].as_str().unwrap().len(), TOKEN_ID_LENGTH);
        assert_eq!(part(access, 1), said);

        let again = signer.sign(&claims).unwrap();
        assert_ne!(part(again.access_token.expose(), 1)["jti"], said["jti"]);

        let grant = GrantId::generate(|buffer| buffer.fill(9));
        let scopes = Scopes { email: true, ..Scopes::default() };
        let code = Some(CodeClaims { grant: grant.clone(), nonce: Some("n-1".into()), scopes });
        let tokens = signer.sign(&TokenClaims { code, ..claims }).unwrap();
        let (access, id) = (tokens.access_token.expose(), part(tokens.id_token.expose(), 1));
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(access.as_bytes())[..16]);
        assert_eq!((&id["nonce"], &id["at_hash"]), (&json!("n-1"), &json!(hash)));
        assert!(id.get("grant").is_none() && id.get("scope").is_none());
        assert_eq!(part(access, 1)["scope"], "openid email");
        assert_eq!(part(access, 1)["grant"], grant.as_str());
    }
}
