//! An OpenID provider on this machine: it publishes documents, counts who asks for them, and misbehaves where a test wants it to. The
//! crate's own tests use it too, so nothing of the crate is in it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and stops at the first surprise")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Where keys are published.
pub const KEYS: &str = "/keys";
/// Where the discovery document is.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What is answered at a path.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub media_type: &'static str,
    /// Further header lines, each with its line's end.
    pub head: String,
    pub body: Vec<u8>,
    /// Before the answer.
    pub delay: Duration,
    /// Between the pieces that the body is sent in, if not at once.
    pub drip: Option<Duration>,
}

impl Answer {
    pub fn json(body: &Value) -> Self {
        Self {
            status: 200,
            media_type: "application/json",
            head: String::new(),
            body: body.to_string().into_bytes(),
            delay: Duration::ZERO,
            drip: None,
        }
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    requests: Vec<String>,
}

/// The provider. It ends with the test's runtime.
pub struct Issuer {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Issuer {
    /// Without TLS.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, url, None)
    }

    /// With the certificate of [`certificate`], which is for `localhost`.
    pub async fn start_tls() -> Self {
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("keys/tls_key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        Self::serve(listener, url, Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn serve(listener: TcpListener, url: String, tls: Option<TlsAcceptor>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => one_request(stream, &state).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => one_request(stream, &state).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { url, state }
    }

    pub fn answer(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Publishes these keys and the document that leads to them.
    pub fn publish(&self, keys: &[Value]) {
        let keys_url = format!("{}{KEYS}", self.url);
        self.answer(DISCOVERY, Answer::json(&json!({"issuer": self.url, "jwks_uri": keys_url})));
        self.answer(KEYS, Answer::json(&json!({"keys": keys})));
    }

    /// How often a path was asked for.
    pub fn requests(&self, path: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|asked| *asked == path).count()
    }

    /// How often anything was asked for.
    pub fn all_requests(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }
}

/// The certificate of [`Issuer::start_tls`], its own authority.
pub fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("keys/tls_certificate.pem")).unwrap()
}

/// `None` where the other side goes away.
async fn one_request(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &Mutex<State>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push(path.clone());
        state.answers.get(&path).cloned()
    };
    let answer = answer.unwrap_or_else(|| Answer { status: 404, ..Answer::json(&json!({})) });
    tokio::time::sleep(answer.delay).await;
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: {}\r\ncontent-length: {}\r\n{}\r\n",
        answer.status,
        answer.media_type,
        answer.body.len(),
        answer.head
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    match answer.drip {
        None => stream.write_all(&answer.body).await.ok()?,
        Some(pause) => {
            for byte in answer.body {
                stream.write_all(&[byte]).await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(pause).await;
            }
        }
    }
    stream.shutdown().await.ok()
}

/// A key that tokens are signed with.
pub enum SigningKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// The same in every test: making one takes long.
    pub fn rsa() -> Self {
        let key = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("keys/rsa.pem")).unwrap();
        Self::Rsa(RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap())
    }

    /// A new one.
    pub fn p256() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap())
    }

    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    /// The public key as providers publish it.
    pub fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::Rsa(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "n": text(&public.n), "e": text(&public.e)})
            }
            Self::P256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
        };
        jwk["kid"] = json!(id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm());
        jwk
    }

    /// A token with this header and these claims, whatever they are.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::P256(key) => key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token as providers make it.
    pub fn token(&self, id: &str, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "typ": "JWT", "kid": id});
        self.sign(&header.to_string(), &claims.to_string())
    }
}
