//! When keys are fetched, from where, and what may come back instead.

use super::issuer::{Answer, DISCOVERY, Issuer, KEYS, SigningKey, certificate};
use super::tests::{Bench, NOW, bench, secret, source};
use super::*;
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_rustls::rustls::RootCertStore;

fn after(secs: u32) -> Timestamp {
    NOW.plus_secs(secs)
}

impl Bench {
    /// A token of the P-256 key that is good for long.
    fn lasting(&self) -> String {
        let mut claims = self.claims();
        claims["exp"] = json!(NOW.secs() + 100_000);
        self.p256.token("e", &claims)
    }

    /// What keeps the token from being judged at all.
    async fn fault(&self, now: Timestamp) -> String {
        let verified = self.tokens.verify(&self.source, &secret(&self.lasting()), None, now).await;
        verified.expect_err("no keys can be had").to_string()
    }
}

#[tokio::test]
async fn f2b_keys_are_kept_for_ten_minutes() {
    let bench = bench().await;
    let token = bench.lasting();
    for (secs, fetches) in [(0, 1), (1, 1), (599, 1), (600, 2), (601, 2), (1199, 2), (1200, 3)] {
        assert!(bench.verify_at(&token, None, after(secs)).await.is_ok());
        assert_eq!(bench.issuer.requests(KEYS), fetches, "{secs}");
        assert_eq!(bench.issuer.requests(DISCOVERY), fetches, "{secs}");
    }
    // A key that its provider has withdrawn ends with them.
    bench.issuer.publish(&[bench.rsa.jwk("r")]);
    assert!(bench.verify_at(&token, None, after(1799)).await.is_ok());
    assert_eq!(bench.verify_at(&token, None, after(1800)).await, Err(IdTokenRefused::Key));
}

#[tokio::test]
async fn f2b_a_rotation_is_noticed_at_once_and_junk_asks_once_a_minute() {
    let bench = bench().await;
    assert!(bench.verify(&bench.lasting()).await.is_ok());
    let new = SigningKey::p256();
    let token = new.token("new", &bench.claims());
    // Right after a fetch there is nothing newer to be had.
    assert_eq!(bench.verify_at(&token, None, after(59)).await, Err(IdTokenRefused::Key));
    assert_eq!(bench.issuer.requests(KEYS), 1);
    bench.issuer.publish(&[bench.p256.jwk("e"), new.jwk("new")]);
    assert!(bench.verify_at(&token, None, after(60)).await.is_ok());
    assert!(bench.verify_at(&bench.lasting(), None, after(60)).await.is_ok(), "both live meanwhile");
    assert_eq!(bench.issuer.requests(KEYS), 2);
    for n in 0..300 {
        let junk = SigningKey::p256().token(&format!("junk{n}"), &bench.claims());
        assert_eq!(bench.verify_at(&junk, None, after(60 + n)).await, Err(IdTokenRefused::Key));
    }
    assert_eq!(bench.issuer.requests(KEYS), 2 + 4, "in five minutes");
    // What is refused for another reason never asks.
    let forged = SigningKey::p256().token("e", &bench.claims());
    assert_eq!(bench.verify_at(&forged, None, after(500)).await, Err(IdTokenRefused::Signature));
    assert_eq!(bench.issuer.requests(KEYS), 6);
}

#[tokio::test]
async fn f2b_a_provider_that_names_no_keys_may_rotate_too() {
    let mut bench = bench().await;
    let nameless = |key: &SigningKey| {
        let header = json!({"alg": "ES256"}).to_string();
        key.sign(&header, &bench.claims().to_string())
    };
    let new = SigningKey::p256();
    let (old_token, new_token) = (nameless(&bench.p256), nameless(&new));
    bench.issuer.publish(&[bench.p256.jwk("e")]);
    bench.tokens = OidcIdTokens::new(IssuerAddresses::Any);
    assert!(bench.verify(&old_token).await.is_ok());
    bench.issuer.publish(&[new.jwk("n")]);
    assert_eq!(bench.verify_at(&new_token, None, after(30)).await, Err(IdTokenRefused::Signature));
    assert!(bench.verify_at(&new_token, None, after(60)).await.is_ok());
    assert_eq!(bench.verify_at(&old_token, None, after(61)).await, Err(IdTokenRefused::Signature));
    assert_eq!(bench.issuer.requests(KEYS), 2);
}

#[tokio::test]
async fn f2b_many_at_once_fetch_once() {
    let bench = bench().await;
    let slow =
        Answer { delay: Duration::from_secs(1), ..Answer::json(&json!({"keys": [bench.p256.jwk("e")]})) };
    bench.issuer.answer(KEYS, slow);
    let token = bench.lasting();
    let all = join_all((0..20).map(|_| bench.verify(&token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(bench.issuer.requests(KEYS), 1);

    // Whose key is there does not wait for those whose isn't.
    let junk = SigningKey::p256().token("junk", &bench.claims());
    let refetch = bench.verify_at(&junk, None, after(60));
    let known = async {
        sleep(Duration::from_millis(50)).await;
        let begun = Instant::now();
        assert!(bench.verify_at(&token, None, after(60)).await.is_ok());
        begun.elapsed()
    };
    let (refused, waited) = futures::future::join(refetch, known).await;
    assert_eq!(refused, Err(IdTokenRefused::Key));
    assert!(waited < Duration::from_millis(500), "{waited:?}");
    assert_eq!(bench.issuer.requests(KEYS), 2);
}

#[tokio::test]
async fn f2b_a_provider_that_fails_is_left_alone_for_a_moment() {
    let bench = bench().await;
    let good = Answer::json(&json!({"keys": [bench.p256.jwk("e")]}));
    bench.issuer.answer(KEYS, Answer { status: 500, ..good.clone() });
    assert!(bench.fault(NOW).await.ends_with("answered 500"));
    bench.issuer.answer(KEYS, good.clone());
    assert!(bench.fault(after(9)).await.ends_with("answered 500"), "as it was");
    assert_eq!(bench.issuer.requests(KEYS), 1);
    assert!(bench.verify_at(&bench.lasting(), None, after(10)).await.is_ok());
    // Keys that are still good survive a failure, and a token that they don't know is not judged by them.
    bench.issuer.answer(KEYS, Answer { status: 500, ..good });
    let junk = secret(&SigningKey::p256().token("junk", &bench.claims()));
    assert!(bench.tokens.verify(&bench.source, &junk, None, after(70)).await.is_err());
    assert!(bench.verify_at(&bench.lasting(), None, after(71)).await.is_ok());
    assert_eq!(bench.issuer.requests(KEYS), 3);
}

#[tokio::test]
async fn f2b_discovery_speaks_for_its_own_issuer() {
    let bench = bench().await;
    let keys = format!("{}{KEYS}", bench.issuer.url);
    let document = |issuer: &str, keys: &str| Answer::json(&json!({"issuer": issuer, "jwks_uri": keys}));
    for (secs, answer, why) in [
        (0, document("https://evil.example", &keys), "another issuer's"),
        (10, document(&format!("{}/", bench.issuer.url), &keys), "another issuer's"),
        (20, document(&bench.issuer.url, "http://evil.example/keys"), "no https address"),
        (30, document(&bench.issuer.url, "file:///etc/passwd"), "no https address"),
        (40, Answer::json(&json!({"issuer": bench.issuer.url})), "names no issuer and keys"),
        (50, Answer::json(&json!([])), "names no issuer and keys"),
        (60, Answer { status: 404, ..Answer::json(&json!({})) }, "answered 404"),
    ] {
        bench.issuer.answer(DISCOVERY, answer);
        let fault = bench.fault(after(secs)).await;
        assert!(fault.contains(why), "{fault}");
    }
    assert_eq!(bench.issuer.requests(KEYS), 0);

    // With an address for the keys, nothing is discovered.
    let before = bench.issuer.requests(DISCOVERY);
    let direct = source(&bench.issuer.url, Some(keys));
    let tokens = OidcIdTokens::new(IssuerAddresses::Any);
    assert!(tokens.verify(&direct, &secret(&bench.lasting()), None, NOW).await.unwrap().is_ok());
    assert_eq!(bench.issuer.requests(DISCOVERY), before);
}

#[tokio::test]
async fn f2b_an_issuer_with_a_path_is_discovered_below_it() {
    let bench = bench().await;
    for (path, at) in [("/realms/a", "/realms/a"), ("/realms/b/", "/realms/b")] {
        let issuer = format!("{}{path}", bench.issuer.url);
        let document = json!({"issuer": issuer, "jwks_uri": format!("{}{KEYS}", bench.issuer.url)});
        bench.issuer.answer(&format!("{at}{DISCOVERY}"), Answer::json(&document));
        let mut claims = bench.claims();
        claims["iss"] = json!(issuer);
        let token = secret(&bench.p256.token("e", &claims));
        let tokens = OidcIdTokens::new(IssuerAddresses::Any);
        assert!(tokens.verify(&source(&issuer, None), &token, None, NOW).await.unwrap().is_ok(), "{path}");
    }
}

#[tokio::test]
async fn f2b_what_is_no_key_set_is_none() {
    let bench = bench().await;
    let good = Answer::json(&json!({"keys": [bench.p256.jwk("e")]}));
    let elsewhere = format!("location: {}{KEYS}\r\n", bench.issuer.url);
    let filler = |length: usize| {
        let text = json!({"keys": [bench.p256.jwk("e")], "filler": "a".repeat(length)}).to_string();
        Answer { body: text.into_bytes(), ..good.clone() }
    };
    for (n, (answer, why)) in [
        (Answer { status: 302, head: elsewhere.clone(), ..good.clone() }, "answered 302"),
        (Answer { status: 307, head: elsewhere, ..good.clone() }, "answered 307"),
        (Answer { status: 204, ..good.clone() }, "answered 204"),
        (Answer { media_type: "text/html", ..good.clone() }, "not JSON"),
        (Answer { media_type: "text/plain; application/json", ..good.clone() }, "not JSON"),
        (Answer { body: b"<html>".to_vec(), ..good.clone() }, "no key set"),
        (Answer { body: b"[]".to_vec(), ..good.clone() }, "no key set"),
        (Answer { body: b"{}".to_vec(), ..good.clone() }, "no key set"),
        (Answer { body: Vec::new(), ..good.clone() }, "no key set"),
        (Answer { body: "[".repeat(100_000).into_bytes(), ..good.clone() }, "no key set"),
        (filler(150_000), "length limit exceeded"),
        (filler(20_000_000), "length limit exceeded"),
        (Answer { head: format!("x: {}\r\n", "a".repeat(20_000)), ..good.clone() }, "no connection"),
        (Answer { head: "content-length: 7\r\n".to_owned(), ..good.clone() }, "no connection"),
        (Answer { status: 99, ..good.clone() }, "no connection"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.issuer.answer(KEYS, answer);
        let fault = bench.fault(after(n as u32 * 10)).await;
        assert!(fault.contains(why), "{n}: {fault}");
        assert!(!fault.contains("html"), "{fault}");
    }
    for media_type in ["application/jwk-set+json", "Application/JSON;charset=utf-8"] {
        bench.issuer.answer(KEYS, Answer { media_type, ..filler(140_000) });
        let tokens = OidcIdTokens::new(IssuerAddresses::Any);
        assert!(tokens.verify(&bench.source, &secret(&bench.lasting()), None, NOW).await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn f2b_a_slow_provider_costs_two_seconds_and_one_that_does_not_shake_hands_one() {
    let bench = bench().await;
    let good = Answer::json(&json!({"keys": [bench.p256.jwk("e")]}));
    let late = Answer { delay: Duration::from_secs(60), ..good.clone() };
    let dripping = Answer { drip: Some(Duration::from_millis(100)), ..good };
    for (secs, answer) in [(0, late), (10, dripping)] {
        bench.issuer.answer(KEYS, answer);
        let begun = Instant::now();
        assert!(bench.fault(after(secs)).await.ends_with("no answer in time"));
        let waited = begun.elapsed();
        assert!((2..4).contains(&waited.as_secs()), "{waited:?}");
    }
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("https://127.0.0.1:{}", mute.local_addr().unwrap().port());
    let tokens = OidcIdTokens::with(Fetcher::trusting(IssuerAddresses::Any, RootCertStore::empty()));
    let begun = Instant::now();
    let fault =
        tokens.verify(&source(&issuer, None), &secret(&bench.lasting()), None, NOW).await.unwrap_err();
    assert!(fault.to_string().ends_with("no answer in time"), "{fault}");
    assert!((1..2).contains(&begun.elapsed().as_secs()));
}

#[tokio::test]
async fn f2b_private_addresses_are_not_connected_to() {
    let bench = bench().await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let secure = Issuer::start_tls().await;
    secure.publish(&[bench.p256.jwk("e")]);
    let port = secure.url.rsplit(':').next().unwrap();
    let hosts =
        ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "169.254.169.254"];
    let secure_urls = hosts.map(|host| format!("https://{host}:{port}"));
    for url in secure_urls.iter().chain([&bench.issuer.url]) {
        let tokens = OidcIdTokens::with(Fetcher::trusting(IssuerAddresses::Public, roots.clone()));
        let source = source("https://login.example.com", Some(format!("{url}{KEYS}")));
        let fault = tokens.verify(&source, &secret(&bench.lasting()), None, NOW).await.unwrap_err();
        assert!(fault.to_string().ends_with("no address that may be connected to"), "{url} {fault}");
    }
    assert_eq!((secure.all_requests(), bench.issuer.all_requests()), (0, 0));
    // Where private addresses are allowed, only this very machine is spoken to in clear.
    let tokens = OidcIdTokens::new(IssuerAddresses::Any);
    let plain = source("https://login.example.com", Some("http://192.0.2.1/keys".to_owned()));
    let fault = tokens.verify(&plain, &secret(&bench.lasting()), None, NOW).await.unwrap_err();
    assert!(fault.to_string().ends_with("no address that may be connected to"), "{fault}");
}

#[tokio::test]
async fn f2b_a_provider_shows_a_certificate_for_its_name() {
    let bench = bench().await;
    let issuer = Issuer::start_tls().await;
    issuer.publish(&[bench.p256.jwk("e")]);
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let mut claims = bench.claims();
    claims["iss"] = json!(issuer.url);
    let token = secret(&bench.p256.token("e", &claims));
    let trusting = OidcIdTokens::with(Fetcher::trusting(IssuerAddresses::Any, roots.clone()));
    assert!(trusting.verify(&source(&issuer.url, None), &token, None, NOW).await.unwrap().is_ok());
    assert_eq!(issuer.all_requests(), 2);

    let by_address = issuer.url.replace("localhost", "127.0.0.1");
    let wrong_name = OidcIdTokens::with(Fetcher::trusting(IssuerAddresses::Any, roots));
    let by_system = OidcIdTokens::new(IssuerAddresses::Any);
    for (tokens, url) in [(&wrong_name, &by_address), (&by_system, &issuer.url)] {
        let fault = tokens.verify(&source(url, None), &token, None, NOW).await.unwrap_err();
        assert!(fault.to_string().contains("certificate"), "{fault}");
    }
    assert_eq!(issuer.all_requests(), 2);
}
