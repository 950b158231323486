//! Hosted logins as applications meet them, and what only the service's own keys can make: proofs and codes, so that a test reaches the end
//! of a login without its pages, and can present what no login gave.

use crate::http_client::{Answer, Call};
use serde_json::Value;
use shared::auth::{SealingKeys, SigningKeys, XChaChaLoginSealer};
use shared::config::OsEntropy;
use shared::domain::authorization::{AuthorizationCode, CodeChallenge, Scopes};
use shared::domain::ids::{ApplicationId, GrantId, LoginId, UserId};
use shared::domain::login::{FirstFactor, Proof, SecondFactor};
use shared::domain::time::Timestamp;
use shared::ports::Entropy;
use shared::usecase::page_tokens::PageTokens;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Urlencoded fields.
pub fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A form.
pub fn form(target: &str, fields: &[(&str, &str)]) -> Call {
    Call::new("POST", target).header("content-type", "application/x-www-form-urlencoded").raw(encode(fields))
}

/// A parameter of an address, decoded.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(crate::events::decode(&value.replace('+', " ")))
}

/// A browser as far as cookies go.
#[derive(Clone, Debug, Default)]
pub struct Jar(pub BTreeMap<String, String>);

impl Jar {
    /// Keeps what an answer sets.
    ///
    /// # Panics
    /// For a cookie that a browser would not keep, or would send elsewhere or show to a script.
    pub fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (pair, attributes) = text.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let (age, rest) = attributes.split_once("; ").unwrap();
            assert!(name.starts_with("__Host-mfa-"), "{name}");
            assert_eq!(rest, "Path=/; Secure; HttpOnly; SameSite=Lax", "{name}");
            assert!(text.len() < 4096, "{name}: a browser drops it");
            match age.strip_prefix("Max-Age=").unwrap() {
                "0" => self.0.remove(name),
                _ => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    /// The call with the browser's cookies.
    #[must_use]
    pub fn on(&self, call: Call) -> Call {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { call } else { call.header("cookie", &pairs.join("; ")) }
    }
}

/// Seals as the service does.
pub struct Seals(PageTokens);

impl Seals {
    /// With the values of the secrets `sealing` and `signing`.
    pub fn with(sealing: &Value, signing: &Value) -> Self {
        let sealer = XChaChaLoginSealer::new(SealingKeys::parse(sealing).unwrap(), Arc::new(OsEntropy));
        Self(PageTokens::new(Arc::new(sealer.with_proofs(&SigningKeys::parse(signing).unwrap()))))
    }

    /// With the keys of a `local`'s data folder.
    pub fn of_folder(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("keys.json")).unwrap();
        let keys: Value = serde_json::from_str(&text).unwrap();
        Self::with(&keys["sealing"], &keys["signing"])
    }

    pub fn tokens(&self) -> &PageTokens {
        &self.0
    }

    pub fn code(&self, code: &AuthorizationCode) -> String {
        self.0.seal_code(code).into_exposed()
    }
}

/// What a login by password and code of this moment gives its application.
pub fn code(application: &str, user: &str, redirect_uri: &str, now: Timestamp) -> AuthorizationCode {
    let draw = |buffer: &mut [u8]| OsEntropy.fill(buffer);
    AuthorizationCode {
        grant: GrantId::generate(draw),
        application: ApplicationId::parse(application).unwrap(),
        user: UserId::parse(user).unwrap(),
        login: LoginId::generate(draw),
        auth_time: now,
        proof: Proof { first: FirstFactor::Password, second: Some(SecondFactor::Sms) },
        redirect_uri: redirect_uri.to_owned(),
        challenge: CodeChallenge::parse(CHALLENGE).unwrap(),
        nonce: Some("n-0S6".to_owned()),
        scopes: Scopes { profile: true, email: true, phone: true },
        expires_at: now.plus_secs(60),
    }
}

/// The exchange of a code by a client that shows no secret.
pub fn exchange(tenant: &str, application: &str, redirect_uri: &str, code: &str) -> Call {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", application),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    form(&format!("/t/{tenant}/token"), &fields)
}
