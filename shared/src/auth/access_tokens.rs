//! Checking an access token. It takes public keys only, so that a function that checks tokens can't make one.

use super::jwt_provider;
use super::signing_keys::PublicKeys;
use super::tokens::{ACCESS_TOKEN_SECONDS, ACCESS_TOKEN_TYPE, AccessClaims, Issuer};
use crate::domain::access::VerifiedAccess;
use crate::domain::authorization::Scopes;
use crate::domain::ids::{ApplicationId, GrantId, LoginId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::AccessTokens;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// The longest token that is looked at, in bytes. Ours have about 800.
const MAX_LENGTH: usize = 4 * 1024;

/// How far the clock of the function that signed may be ahead of ours. Expiry has no such margin.
const CLOCK_SKEW_SECONDS: i64 = 5;

/// Checks access tokens of every tenant.
pub struct AccessTokenVerifier {
    keys: HashMap<String, DecodingKey>,
    issuer: Issuer,
    signature_only: Validation,
}

/// All that a header of ours has. Nothing else is let through: a header may neither bring its own key (`jwk`, `jku`, `x5c`, `x5u`) nor
/// change what is signed (`b64`, `crit`, `zip`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderText {
    alg: String,
    typ: String,
    kid: String,
}

impl AccessTokenVerifier {
    /// `base` is the service's public address, which every issuer starts with.
    pub fn new(keys: &PublicKeys, base: &str) -> Self {
        jwt_provider::install();
        let mut signature_only = Validation::new(Algorithm::ES256);
        // The rest is checked below: the crate would read the system's clock, and it takes a list for a single issuer.
        signature_only.required_spec_claims = HashSet::new();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let keys = keys.iter().map(|key| (key.id.clone(), key.decoding_key())).collect();
        Self { keys, issuer: Issuer::new(base), signature_only }
    }

    /// What a genuine token still has to fulfil.
    fn judge(&self, claims: AccessClaims, now: Timestamp) -> Option<VerifiedAccess> {
        let tenant = self.issuer.tenant(&claims.iss)?;
        let application = ApplicationId::parse(&claims.aud)?;
        let lifetime = claims.exp.checked_sub(claims.iat)?;
        let sound = application.tenant() == tenant
            && claims.client_id == claims.aud
            && claims.iat <= now.secs() + CLOCK_SKEW_SECONDS
            && claims.exp > now.secs()
            && (0..=claims.iat).contains(&claims.auth_time)
            && (1..=i64::from(ACCESS_TOKEN_SECONDS)).contains(&lifetime);
        if !sound {
            return None;
        }
        let granted = match (claims.grant, claims.scope) {
            (None, None) => None,
            (Some(grant), Some(scope)) => Some((GrantId::parse(&grant)?, Scopes::parse(&scope)?)),
            _ => return None,
        };
        Some(VerifiedAccess {
            tenant,
            application,
            user: UserId::parse(&claims.sub)?,
            login: LoginId::parse(&claims.txn)?,
            auth_time: Timestamp::from_secs(claims.auth_time),
            amr: claims.amr,
            acr: claims.acr,
            expires_at: Timestamp::from_secs(claims.exp),
            granted,
        })
    }
}

impl AccessTokens for AccessTokenVerifier {
    fn verify(&self, token: &str, now: Timestamp) -> Option<VerifiedAccess> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let header: HeaderText = serde_json::from_slice(&header).ok()?;
        if header.alg != "ES256" || header.typ != ACCESS_TOKEN_TYPE {
            return None;
        }
        let key = self.keys.get(&header.kid)?;
        let claims = jsonwebtoken::decode::<AccessClaims>(token, key, &self.signature_only).ok()?.claims;
        self.judge(claims, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{Names, SeededEntropy, names};
    use crate::auth::{Es256TokenSigner, SigningKeys};
    use crate::ports::{TokenClaims, TokenSigner, Tokens};
    use serde_json::{Value, json};
    use std::sync::Arc;

    const BASE: &str = "https://mfa.example";
    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    struct Bench {
        names: Names,
        tokens: Tokens,
        keys: SigningKeys,
        verifier: AccessTokenVerifier,
    }

    fn keys() -> (Value, SigningKeys) {
        let secret = SigningKeys::generate().unwrap().into_exposed();
        let keys = SigningKeys::parse(&secret).unwrap();
        (secret, keys)
    }

    fn sign(keys: SigningKeys, names: &Names) -> Tokens {
        let signer = Es256TokenSigner::new(keys, BASE, Arc::new(SeededEntropy::new(7)));
        let claims = TokenClaims {
            tenant: names.tenant.clone(),
            application: names.application.clone(),
            user: names.user.clone(),
            login: names.login.clone(),
            auth_time: NOW,
            issued_at: NOW,
            amr: &["pwd", "sms", "mfa"],
            acr: "aal2",
            code: None,
        };
        signer.sign(&claims).unwrap()
    }

    /// A token with this header and these claims, whatever they are.
    fn token(keys: &SigningKeys, header: &str, claims: &str) -> String {
        keys.current().sign(header.as_bytes(), claims.as_bytes()).unwrap().into_exposed()
    }

    fn bench() -> Bench {
        let names = names(1);
        let (secret, keys) = keys();
        let tokens = sign(keys, &names);
        let keys = SigningKeys::parse(&secret).unwrap();
        let public = PublicKeys::parse(&keys.public_keys().jwks()).unwrap();
        Bench { names, tokens, keys, verifier: AccessTokenVerifier::new(&public, BASE) }
    }

    impl Bench {
        fn accepts(&self, token: &str) -> bool {
            self.verifier.verify(token, NOW).is_some()
        }

        fn access(&self) -> &str {
            self.tokens.access_token.expose()
        }

        /// The text of the header or the claims.
        fn text(&self, at: usize) -> String {
            let part = self.access().split('.').nth(at).unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        }

        /// A token with this header and these claims, signed with the real key.
        fn genuine(&self, header: &str, claims: &str) -> String {
            token(&self.keys, header, claims)
        }

        fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
            let mut header = serde_json::from_str(&self.text(0)).unwrap();
            change(&mut header);
            self.genuine(&header.to_string(), &self.text(1))
        }

        fn with_claim(&self, name: &str, value: Value) -> String {
            let mut claims: Value = serde_json::from_str(&self.text(1)).unwrap();
            claims[name] = value;
            self.genuine(&self.text(0), &claims.to_string())
        }
    }

    #[test]
    fn h11_an_access_token_says_who_and_how() {
        let bench = bench();
        let expected = VerifiedAccess {
            tenant: bench.names.tenant.clone(),
            application: bench.names.application.clone(),
            user: bench.names.user.clone(),
            login: bench.names.login.clone(),
            auth_time: NOW,
            amr: ["pwd", "sms", "mfa"].map(str::to_owned).to_vec(),
            acr: "aal2".to_owned(),
            expires_at: NOW.plus_secs(900),
            granted: None,
        };
        assert_eq!(bench.verifier.verify(bench.access(), NOW), Some(expected));
        assert!(bench.accepts(&bench.genuine(&bench.text(0), &bench.text(1))), "the bench makes good ones");
    }

    #[test]
    fn t20_only_an_access_token_passes_for_one() {
        let bench = bench();
        assert!(!bench.accepts(bench.tokens.id_token.expose()));
        for typ in ["JWT", "AT+JWT", "application/at+jwt", ""] {
            assert!(!bench.accepts(&bench.with_header(|header| header["typ"] = json!(typ))), "{typ}");
        }
        let claims = bench.tokens.id_token.expose().split('.').nth(1).unwrap();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert!(!bench.accepts(&bench.genuine(&bench.text(0), &claims)), "an id token's claims");
    }

    #[test]
    fn t20_the_algorithm_is_ours_to_choose() {
        let bench = bench();
        let claims = URL_SAFE_NO_PAD.encode(bench.text(1));
        let header = |alg: &str| {
            let mut header: Value = serde_json::from_str(&bench.text(0)).unwrap();
            header["alg"] = json!(alg);
            URL_SAFE_NO_PAD.encode(header.to_string())
        };
        for alg in ["none", "None", "NONE", ""] {
            let signature = bench.access().rsplit('.').next().unwrap();
            assert!(!bench.accepts(&format!("{}.{claims}.", header(alg))), "{alg}");
            assert!(!bench.accepts(&format!("{}.{claims}.{signature}", header(alg))), "{alg}");
        }
        // The public key as the secret of an HMAC, in each form that a verifier might hold it in.
        let jwks = bench.keys.public_keys().jwks();
        let point = ["x", "y"].map(|c| URL_SAFE_NO_PAD.decode(jwks["keys"][0][c].as_str().unwrap()).unwrap());
        let secrets = [
            jwks.to_string().into_bytes(),
            jwks["keys"][0].to_string().into_bytes(),
            [&[4], &*point[0], &*point[1]].concat(),
            Vec::new(),
        ];
        for secret in secrets {
            let message = format!("{}.{claims}", header("HS256"));
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
            let tag = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
            assert!(!bench.accepts(&format!("{message}.{tag}")));
        }
        for alg in ["HS256", "HS512", "RS256", "PS256", "ES384", "EdDSA", "es256", "ES256K"] {
            assert!(!bench.accepts(&bench.with_header(|header| header["alg"] = json!(alg))), "{alg}");
        }
    }

    #[test]
    fn t20_a_token_names_one_of_our_keys_and_is_signed_with_it() {
        let bench = bench();
        let (_, other) = keys();
        let other_id = other.current().public.id.clone();
        let foreign = sign(other, &bench.names);
        assert!(!bench.accepts(foreign.access_token.expose()), "another service's key");
        for kid in [json!("unknown"), json!(""), json!("../keys"), json!(null), json!(other_id)] {
            assert!(!bench.accepts(&bench.with_header(|header| header["kid"] = kid.clone())), "{kid}");
        }
        let without = bench.with_header(|header| drop(header.as_object_mut().unwrap().remove("kid")));
        assert!(!bench.accepts(&without));

        // Both keys are ours, and the token names the one that didn't sign it.
        let ((first, one), (second, two)) = (keys(), keys());
        let mut all = first["keys"].as_object().unwrap().clone();
        all.extend(second["keys"].as_object().unwrap().clone());
        let ring = SigningKeys::parse(&json!({"current": first["current"], "keys": all})).unwrap();
        let verifier = AccessTokenVerifier::new(&ring.public_keys(), BASE);
        let tokens = [sign(one, &bench.names), sign(two, &bench.names)];
        let [a, b] =
            tokens.each_ref().map(|tokens| tokens.access_token.expose().split('.').collect::<Vec<_>>());
        let accepts = |parts: [&str; 3]| verifier.verify(&parts.join("."), NOW).is_some();
        assert!(accepts([a[0], a[1], a[2]]) && accepts([b[0], b[1], b[2]]), "both live while keys rotate");
        assert!(!accepts([b[0], a[1], a[2]]) && !accepts([a[0], b[1], b[2]]));
    }

    #[test]
    fn t20_a_header_brings_nothing_of_its_own() {
        let bench = bench();
        let (_, attacker) = keys();
        let jwk = attacker.public_keys().jwks()["keys"][0].clone();
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jwk", json!(null)),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["AAAA"])),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
        ] {
            assert!(!bench.accepts(&bench.with_header(|header| header[name] = value.clone())), "{name}");
        }
        let mut header: Value = serde_json::from_str(&bench.text(0)).unwrap();
        header["jwk"] = jwk;
        let brought = token(&attacker, &header.to_string(), &bench.text(1));
        assert!(!bench.accepts(&brought), "signed with the key it brings");
    }

    #[test]
    fn t20_nothing_can_be_changed_cut_or_added() {
        let bench = bench();
        let token = bench.access();
        let parts: Vec<_> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        for at in 0..3 {
            for byte in 0..parts[at].len() {
                let mut changed = parts.clone();
                changed[at][byte] ^= 1;
                let changed: Vec<_> = changed.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
                assert!(!bench.accepts(&changed.join(".")), "part {at}, byte {byte}");
            }
        }
        for length in 0..token.len() {
            assert!(!bench.accepts(&token[..length]), "{length}");
        }
        let [header, claims, signature] = *token.split('.').collect::<Vec<_>>() else { panic!("{token}") };
        for bad in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{header}.{token}"),
            format!("{header}.{claims}.{claims}.{signature}"),
            format!("{header}..{signature}"),
            format!("{header}.{claims}"),
            format!("{token}="),
            format!("{token}A"),
            format!(" {token}"),
            format!("{token}\n"),
            format!("Bearer {token}"),
            "x".repeat(MAX_LENGTH + 1),
            String::new(),
        ] {
            assert!(!bench.accepts(&bad), "{bad}");
        }
    }

    #[test]
    fn t20_claims_and_header_fields_stand_once() {
        let bench = bench();
        let twice = |text: &str, extra: String| text.replacen('{', &format!("{{{extra},"), 1);
        let (header, claims) = (bench.text(0), bench.text(1));
        for (name, value) in serde_json::from_str::<serde_json::Map<_, _>>(&claims).unwrap() {
            let doubled = twice(&claims, format!("{}:{value}", json!(name)));
            assert!(!bench.accepts(&bench.genuine(&header, &doubled)), "{name}");
        }
        for (name, value) in serde_json::from_str::<serde_json::Map<_, _>>(&header).unwrap() {
            let doubled = twice(&header, format!("{}:{value}", json!(name)));
            assert!(!bench.accepts(&bench.genuine(&doubled, &claims)), "{name}");
        }
    }

    #[test]
    fn t20_what_the_claims_say_must_fit_together() {
        let bench = bench();
        let other = names(2);
        for (name, value) in [
            ("iss", json!(format!("https://evil.example/t/{}", bench.names.tenant))),
            ("iss", json!(format!("{BASE}/t/{}", other.tenant))),
            ("iss", json!([format!("{BASE}/t/{}", bench.names.tenant)])),
            ("iss", json!(BASE)),
            ("aud", json!(other.application.as_str())),
            ("aud", json!([bench.names.application.as_str()])),
            ("client_id", json!(other.application.as_str())),
            ("sub", json!(bench.names.login.as_str())),
            ("txn", json!(null)),
            ("exp", json!(NOW.secs() + 901)),
            ("exp", json!(NOW.secs())),
            ("exp", json!(i64::MAX)),
            ("exp", json!("1900000000")),
            ("exp", json!(1.9e9)),
            ("iat", json!(i64::MIN)),
            ("auth_time", json!(NOW.secs() + 1)),
            ("auth_time", json!(-1)),
        ] {
            assert!(!bench.accepts(&bench.with_claim(name, value.clone())), "{name} {value}");
        }
    }

    #[test]
    fn t17_expiry_has_no_margin_and_a_future_token_a_small_one() {
        let bench = bench();
        let at = |now| bench.verifier.verify(bench.access(), now).is_some();
        assert!(at(Timestamp::from_millis(NOW.plus_secs(900).millis() - 1)));
        assert!(!at(NOW.plus_secs(900)));
        assert!(!at(NOW.plus_secs(100_000)));
        assert!(at(Timestamp::from_secs(NOW.secs() - CLOCK_SKEW_SECONDS)));
        assert!(!at(Timestamp::from_secs(NOW.secs() - CLOCK_SKEW_SECONDS - 1)));
    }
}
