//! A token that is as it should be, and everything that may be wrong with one.

use super::issuer::{Issuer, SigningKey};
use super::*;
use crate::domain::identity_source::Provisioning;
use crate::domain::ids::SourceId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const AUDIENCE: &str = "shop";

/// A provider with one RSA key `r` and one on P-256 `e`, and the source that trusts it.
pub(super) struct Bench {
    pub issuer: Issuer,
    pub rsa: SigningKey,
    pub p256: SigningKey,
    pub source: IdentitySource,
    pub tokens: OidcIdTokens,
}

pub(super) fn source(issuer: &str, jwks_uri: Option<String>) -> IdentitySource {
    IdentitySource {
        id: SourceId::parse("src_aaaaaaaaaaaaaaaaaaaaaa").unwrap(),
        name: "Corporate".to_owned(),
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks_uri,
        provisioning: Provisioning::LinkedOnly,
        created_at: NOW,
    }
}

pub(super) async fn bench() -> Bench {
    let issuer = Issuer::start().await;
    let (rsa, p256) = (SigningKey::rsa(), SigningKey::p256());
    issuer.publish(&[rsa.jwk("r"), p256.jwk("e")]);
    let source = source(&issuer.url, None);
    Bench { issuer, rsa, p256, source, tokens: OidcIdTokens::new(IssuerAddresses::Any) }
}

pub(super) fn secret(token: &str) -> Secret<String> {
    Secret::new(token.to_owned())
}

impl Bench {
    pub fn claims(&self) -> Value {
        let now = NOW.secs();
        json!({"iss": self.issuer.url, "aud": AUDIENCE, "sub": "248289761001", "iat": now - 5, "exp": now + 300})
    }

    /// Good claims but for this one.
    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.p256.token("e", &claims)
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        self.p256.token("e", &claims)
    }

    /// A good token but for its header.
    fn headed(&self, header: &Value) -> String {
        self.p256.sign(&header.to_string(), &self.claims().to_string())
    }

    pub async fn verify_at(
        &self,
        token: &str,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<ExternalSubject, IdTokenRefused> {
        self.tokens.verify(&self.source, &secret(token), nonce, now).await.expect("the provider answers")
    }

    pub async fn verify(&self, token: &str) -> Result<ExternalSubject, IdTokenRefused> {
        self.verify_at(token, None, NOW).await
    }

    /// Publishes other keys, and forgets those that were fetched.
    fn republish(&mut self, keys: &[Value]) {
        self.issuer.publish(keys);
        self.tokens = OidcIdTokens::new(IssuerAddresses::Any);
    }
}

#[tokio::test]
async fn f2b_a_good_token_says_whose_it_is() {
    let bench = bench().await;
    let expected = ExternalSubject::parse(&bench.source.id, "248289761001");
    for token in [
        bench.rsa.token("r", &bench.claims()),
        bench.p256.token("e", &bench.claims()),
        bench.with("aud", json!([AUDIENCE])),
        bench.with("azp", json!("another")),
        bench.with("exp", json!(NOW.secs() as f64 + 0.5)),
        bench.with("groups", json!(["a", {"b": null}])),
        bench.headed(&json!({"alg": "ES256", "kid": "e"})),
        bench.headed(&json!({"alg": "ES256", "kid": "e", "typ": "application/jwt", "x5t": "AAAA"})),
    ] {
        assert_eq!(bench.verify(&token).await.ok(), expected, "{token}");
    }
    let mut claims = bench.claims();
    claims["aud"] = json!(["another", AUDIENCE]);
    claims["azp"] = json!(AUDIENCE);
    assert_eq!(bench.verify(&bench.p256.token("e", &claims)).await.ok(), expected);
}

#[tokio::test]
async fn f2b_every_claim_is_checked() {
    use IdTokenRefused::{Audience, AuthorizedParty, Expired, Issuer, Malformed, NotYetValid, Subject, Type};
    let bench = bench().await;
    let now = NOW.secs();
    for (name, value, refused) in [
        ("iss", json!("https://evil.example"), Issuer),
        ("iss", json!(format!("{}/", bench.issuer.url)), Issuer),
        ("iss", json!([bench.issuer.url]), Malformed),
        ("aud", json!("another"), Audience),
        ("aud", json!("SHOP"), Audience),
        ("aud", json!([]), Audience),
        ("aud", json!(["another"]), Audience),
        ("aud", json!({"shop": true}), Malformed),
        ("aud", json!([AUDIENCE, "another"]), AuthorizedParty),
        ("azp", json!(7), Malformed),
        ("exp", json!(now - 60), Expired),
        ("exp", json!(0), Expired),
        ("exp", json!(-1), Expired),
        ("exp", json!("2100-01-01T00:00:00Z"), Malformed),
        ("exp", json!(null), Malformed),
        ("iat", json!(now + 61), NotYetValid),
        ("iat", json!(1e300), NotYetValid),
        ("nbf", json!(now + 61), NotYetValid),
        ("sub", json!(""), Subject),
        ("sub", json!("b\u{fc}cher"), Subject),
        ("sub", json!("a".repeat(256)), Subject),
        ("sub", json!(248_289_761_001_u64), Malformed),
        ("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}), Type),
        ("events", json!(null), Type),
    ] {
        assert_eq!(bench.verify(&bench.with(name, value.clone())).await, Err(refused), "{name} {value}");
    }
    for name in ["iss", "aud", "sub", "exp", "iat"] {
        assert_eq!(bench.verify(&bench.without(name)).await, Err(Malformed), "{name}");
    }
    let mut claims = bench.claims();
    claims["aud"] = json!([AUDIENCE, "another"]);
    claims["azp"] = json!("another");
    assert_eq!(bench.verify(&bench.p256.token("e", &claims)).await, Err(AuthorizedParty));
    // A claim that stands twice may be read twice, once each way.
    let twice = bench.claims().to_string().replacen('{', r#"{"sub":"admin","#, 1);
    let header = json!({"alg": "ES256", "kid": "e"}).to_string();
    assert_eq!(bench.verify(&bench.p256.sign(&header, &twice)).await, Err(Malformed));
}

#[tokio::test]
async fn f2b_clocks_may_differ_by_a_minute() {
    let bench = bench().await;
    let token = bench.p256.token("e", &bench.claims());
    let at = async |secs: i64| {
        let now = Timestamp::from_secs(NOW.secs() + secs);
        bench.verify_at(&token, None, now).await.err()
    };
    // Issued 5 s before NOW, good until 300 s after.
    assert_eq!(at(-65).await, None);
    assert_eq!(at(-66).await, Some(IdTokenRefused::NotYetValid));
    assert_eq!(at(359).await, None);
    assert_eq!(at(360).await, Some(IdTokenRefused::Expired));
    assert_eq!(bench.verify(&bench.with("nbf", json!(NOW.secs() + 60))).await.err(), None);
}

#[tokio::test]
async fn f2b_a_nonce_that_is_given_is_the_tokens() {
    let bench = bench().await;
    let with = bench.with("nonce", json!("n-0S6_WzA2Mj"));
    let without = bench.p256.token("e", &bench.claims());
    let refused = async |token: &str, nonce| bench.verify_at(token, nonce, NOW).await.err();
    assert_eq!(refused(&with, Some("n-0S6_WzA2Mj")).await, None);
    assert_eq!(refused(&with, Some("n-0S6_WzA2Mk")).await, Some(IdTokenRefused::Nonce));
    assert_eq!(refused(&with, Some("")).await, Some(IdTokenRefused::Nonce));
    assert_eq!(refused(&without, Some("n-0S6_WzA2Mj")).await, Some(IdTokenRefused::Nonce));
    assert_eq!(refused(&with, None).await, None);
}

#[tokio::test]
async fn t20_the_algorithm_is_the_keys() {
    let bench = bench().await;
    let claims = bench.claims().to_string();
    let parts = |header: &Value| {
        [header.to_string(), claims.clone()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
    };
    let genuine = bench.rsa.token("r", &bench.claims());
    let signature = genuine.rsplit('.').next().unwrap();
    for alg in ["none", "None", "NONE", ""] {
        let message = parts(&json!({"alg": alg, "kid": "r"}));
        for token in [format!("{message}."), format!("{message}.{signature}")] {
            assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Algorithm), "{alg}");
        }
    }
    // The public key as the secret of an HMAC, in each form that a verifier might hold it in.
    let jwk = bench.rsa.jwk("r");
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let SigningKey::Rsa(pair) = &bench.rsa else { unreachable!() };
    let der: &[u8] = pair.public().as_ref();
    let jwks = json!({"keys": [jwk]}).to_string();
    let jwk = jwk.to_string();
    for secret in [der, &modulus, jwks.as_bytes(), jwk.as_bytes(), b""] {
        let message = parts(&json!({"alg": "HS256", "kid": "r"}));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
        assert_eq!(bench.verify(&format!("{message}.{tag}")).await, Err(IdTokenRefused::Algorithm));
    }
    for alg in ["HS512", "PS256", "RS512", "ES384", "EdDSA", "rs256", "RS256 "] {
        let token = bench.rsa.sign(&json!({"alg": alg, "kid": "r"}).to_string(), &claims);
        assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Algorithm), "{alg}");
    }
    // One that is allowed, but not this key's.
    for (key, id, alg) in [(&bench.rsa, "r", "ES256"), (&bench.p256, "e", "RS256")] {
        let token = key.sign(&json!({"alg": alg, "kid": id}).to_string(), &claims);
        assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Algorithm), "{id}");
    }
}

#[tokio::test]
async fn t20_only_the_sources_own_signature_counts() {
    let bench = bench().await;
    let attacker = SigningKey::p256();
    let jwk = attacker.jwk("e");
    let header = json!({"alg": "ES256", "kid": "e", "jwk": jwk, "jku": "https://evil.example/keys"});
    let token = attacker.sign(&header.to_string(), &bench.claims().to_string());
    assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Signature));
    assert_eq!(bench.issuer.all_requests(), 2, "nothing that a header names is fetched");

    let genuine = bench.p256.token("e", &bench.claims());
    let [header, claims, signature] = genuine.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let mut other = bench.claims();
    other["sub"] = json!("admin");
    let other = URL_SAFE_NO_PAD.encode(other.to_string());
    for token in [
        format!("{header}.{other}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}.{signature}AA"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
    ] {
        assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Signature), "{token}");
    }
}

#[tokio::test]
async fn t20_a_header_changes_nothing_and_another_kind_of_token_is_no_id_token() {
    let bench = bench().await;
    for crit in [json!(["exp"]), json!([]), json!(null), json!(["b64"])] {
        let header = json!({"alg": "ES256", "kid": "e", "crit": crit, "b64": false});
        assert_eq!(bench.verify(&bench.headed(&header)).await, Err(IdTokenRefused::CriticalHeader));
    }
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "JWE", ""] {
        let header = json!({"alg": "ES256", "kid": "e", "typ": typ});
        assert_eq!(bench.verify(&bench.headed(&header)).await, Err(IdTokenRefused::Type), "{typ}");
    }
    for header in [json!({"kid": "e"}), json!({"alg": ["ES256"], "kid": "e"}), json!(["ES256", "JWT", "e"])] {
        assert_eq!(bench.verify(&bench.headed(&header)).await, Err(IdTokenRefused::Malformed), "{header}");
    }
    let twice = r#"{"alg":"ES256","kid":"e","kid":"r"}"#;
    let token = bench.p256.sign(twice, &bench.claims().to_string());
    assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Malformed));
}

#[tokio::test]
async fn f2b_what_is_no_token_costs_no_request() {
    let bench = bench().await;
    let genuine = bench.p256.token("e", &bench.claims());
    let padded = genuine.replacen('.', "=.", 1);
    let spaced = format!(" {genuine}");
    for text in
        ["", ".", "..", "...", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", &format!("{genuine}.AA"), &padded, &spaced]
    {
        assert_eq!(bench.verify(text).await, Err(IdTokenRefused::Malformed), "{text}");
    }
    let long = bench.with("groups", json!("a".repeat(16 * 1024)));
    assert_eq!(bench.verify(&long).await, Err(IdTokenRefused::TooLong));
    assert_eq!(bench.verify(&"a".repeat(16 * 1024 + 1)).await, Err(IdTokenRefused::TooLong));
    assert_eq!(bench.issuer.all_requests(), 0);
}

#[tokio::test]
async fn f2b_which_key_it_is_is_beyond_doubt() {
    let mut bench = bench().await;
    let (rsa, p256) = (bench.rsa.jwk("r"), bench.p256.jwk("e"));
    let nameless = bench.headed(&json!({"alg": "ES256"}));
    let named = bench.p256.token("e", &bench.claims());
    // No `kid`: fine with one key, not with two, also where only one of them fits.
    assert_eq!(bench.verify(&nameless).await, Err(IdTokenRefused::Key));
    bench.republish(std::slice::from_ref(&p256));
    assert!(bench.verify(&nameless).await.is_ok());
    let mut unnamed = p256.clone();
    unnamed.as_object_mut().unwrap().remove("kid");
    bench.republish(&[unnamed]);
    assert!(bench.verify(&nameless).await.is_ok());
    assert_eq!(bench.verify(&named).await, Err(IdTokenRefused::Key));
    // One `kid` twice: the kinds may tell them apart, nothing else does.
    let mut same = rsa.clone();
    same["kid"] = json!("e");
    bench.republish(&[same, p256.clone()]);
    assert!(bench.verify(&named).await.is_ok());
    let other = SigningKey::p256();
    bench.republish(&[p256.clone(), other.jwk("e"), rsa]);
    assert_eq!(bench.verify(&named).await, Err(IdTokenRefused::Key));
    assert_eq!(bench.verify(&other.token("e", &bench.claims())).await, Err(IdTokenRefused::Key));
    assert!(
        bench.verify(&bench.rsa.token("r", &bench.claims())).await.is_ok(),
        "the rest is as good as before"
    );
}

#[tokio::test]
async fn f2b_a_key_of_another_kind_is_no_key() {
    let mut bench = bench().await;
    let token = bench.p256.token("e", &bench.claims());
    let good = bench.p256.jwk("e");
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    for bad in [
        json!({"kty": "oct", "kid": "e", "k": "AAAA", "alg": "HS256"}),
        json!({"kty": "oct", "kid": "e", "k": "AAAA"}),
        json!("e"),
        json!(null),
        json!({"kid": "e"}),
        with("use", json!("enc")),
        with("key_ops", json!(["sign"])),
        with("alg", json!("ES384")),
        with("alg", json!("HS256")),
        with("crv", json!("P-384")),
        with("x", json!("AAAA")),
        with("y", json!(null)),
        with("kty", json!("RSA")),
        with("kty", json!("OKP")),
    ] {
        bench.republish(std::slice::from_ref(&bad));
        assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Key), "{bad}");
        bench.republish(&[bad.clone(), good.clone()]);
        assert!(bench.verify(&token).await.is_ok(), "{bad} is passed over");
    }
    // The shared secret of an `oct` key, which everybody can read.
    bench.republish(&[json!({"kty": "oct", "kid": "o", "k": "AAAA", "alg": "HS256"}), good.clone()]);
    let message = [json!({"alg": "HS256", "kid": "o"}), bench.claims()]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[0; 3]);
    let tag = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
    assert_eq!(bench.verify(&format!("{message}.{tag}")).await, Err(IdTokenRefused::Algorithm));
    // A point that is not on the curve, and an exponent that anybody could sign with.
    bench.republish(&[with("x", json!(URL_SAFE_NO_PAD.encode([1; 32])))]);
    assert_eq!(bench.verify(&token).await, Err(IdTokenRefused::Signature));
    let mut weak = bench.rsa.jwk("r");
    weak["e"] = json!("AQ");
    bench.republish(&[weak]);
    assert_eq!(bench.verify(&bench.rsa.token("r", &bench.claims())).await, Err(IdTokenRefused::Signature));
    let mut padded = bench.rsa.jwk("r");
    let modulus = URL_SAFE_NO_PAD.decode(padded["n"].as_str().unwrap()).unwrap();
    padded["n"] = json!(URL_SAFE_NO_PAD.encode([&[0], &modulus[..]].concat()));
    bench.republish(&[padded]);
    assert!(bench.verify(&bench.rsa.token("r", &bench.claims())).await.is_ok());
}
