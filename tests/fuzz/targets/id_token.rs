//! What the server of an identity source may say: id tokens, and the key set that they are checked with. A source's administrator trusts its
//! server, not whoever writes to us in its name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;
use shared::auth::{IssuerAddresses, OidcIdTokens};
use shared::domain::identity_source::{IdentitySource, Provisioning};
use shared::domain::ids::SourceId;
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::ports::IdTokens;
use std::sync::{Arc, Mutex};
use tests::server::{self, Server};
use tokio::runtime::Runtime;

const NOW: i64 = 1_800_000_000;
/// How far a provider's clock may be from ours, in seconds.
const LEEWAY: f64 = 60.0;
const AUDIENCE: &str = "shop";

/// A provider's server on this machine, and the source that trusts it.
struct Provider {
    runtime: Runtime,
    source: IdentitySource,
    published: Arc<Mutex<Bytes>>,
    _server: Server,
    /// The key that the provider may publish, and one of somebody else.
    own: EcdsaKeyPair,
    other: EcdsaKeyPair,
}

fn key() -> EcdsaKeyPair {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).expect("a key")
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn coordinates(key: &EcdsaKeyPair) -> [String; 2] {
    let point = key.public_key().as_ref();
    [encoded(&point[1..33]), encoded(&point[33..])]
}

impl Provider {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let published = Arc::new(Mutex::new(Bytes::new()));
        let kept = Arc::clone(&published);
        let server = runtime.block_on(Server::start(move |_| {
            let document = kept.lock().expect("it is whole").clone();
            Box::pin(async move { Some(server::json(200, &Value::Null).map(|_| document.into())) })
        }));
        let source = IdentitySource {
            id: SourceId::parse("src_aaaaaaaaaaaaaaaaaaaaaa").expect("an id"),
            name: "Corporate".to_owned(),
            issuer: "https://id.example".to_owned(),
            audience: AUDIENCE.to_owned(),
            jwks_uri: Some(format!("{}/keys", server.url())),
            provisioning: Provisioning::LinkedOnly,
            created_at: Timestamp::from_secs(NOW),
        };
        Self { runtime, source, published, _server: server, own: key(), other: key() }
    }

    /// A token of this header and these claims, signed as the first line says.
    fn token(&self, signed: &str, header: &str, claims: &str) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        let with = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
            encoded(signature)
        };
        match signed {
            "own" => format!("{text}.{}", with(&self.own)),
            "other" => format!("{text}.{}", with(&self.other)),
            // The public key as the secret of an HMAC.
            "hmac" => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, self.own.public_key().as_ref());
                format!("{text}.{}", encoded(hmac::sign(&secret, text.as_bytes())))
            }
            written => written.to_owned(),
        }
    }
}

/// Lines: who signs (`own`, `other`, `hmac`) or the token itself, its header, its claims, and the key set, where `{{own}}` stands for the
/// provider's key. Whatever they say, a token is taken only if a key of the set has signed it and it is for us, of this issuer, and now.
pub fn id_token(data: &[u8]) {
    thread_local! {
        static PROVIDER: Provider = Provider::start();
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let [signed, header, claims, keys] = [next(), next(), next(), next()];
    PROVIDER.with(|provider| {
        let [x, y] = coordinates(&provider.own);
        let own = format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#);
        let keys = keys.replace("{{own}}", &own);
        *provider.published.lock().expect("it is whole") = keys.clone().into();
        let token = Secret::new(provider.token(signed, header, claims));
        // Each time as if it were the first: what was fetched is kept for minutes.
        let tokens = OidcIdTokens::new(IssuerAddresses::Any);
        let verified = tokens.verify(&provider.source, &token, None, Timestamp::from_secs(NOW));
        // What is no key set is the provider's fault.
        let Ok(Ok(subject)) = provider.runtime.block_on(verified) else { return };
        assert_eq!(signed, "own", "nobody has signed it");
        let [header, claims, keys] = [header, claims, &keys].map(|text| {
            serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("taken, and no JSON: {text}"))
        });
        let is_own = |key: &&Value| key["kty"] == "EC" && key["x"] == x.as_str() && key["y"] == y.as_str();
        let key = keys["keys"].as_array().and_then(|all| all.iter().find(is_own));
        assert!(key.is_some(), "the key is not in the set: {keys}");
        assert!(header["alg"] == "ES256" && header.get("crit").is_none(), "{header}");
        assert_eq!(claims["iss"], provider.source.issuer.as_str(), "another issuer");
        let audience = &claims["aud"];
        let to_us = |all: &Vec<Value>| all.iter().any(|one| one == AUDIENCE);
        assert!(
            audience == AUDIENCE || audience.as_array().is_some_and(to_us),
            "for somebody else: {claims}"
        );
        #[allow(clippy::cast_precision_loss, reason = "seconds of this century")]
        let now = NOW as f64;
        let time = |name: &str| claims[name].as_f64();
        assert!(time("exp").is_some_and(|end| now < end + LEEWAY), "over: {claims}");
        let start = time("iat").map(|issued| issued.max(time("nbf").unwrap_or(issued)));
        assert!(start.is_some_and(|start| start <= now + LEEWAY), "not yet: {claims}");
        assert_eq!(claims["sub"], subject.sub(), "somebody else");
    });
}
