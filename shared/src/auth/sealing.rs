//! Sealing: XChaCha20-Poly1305 with a random nonce of 24 bytes (long enough to draw at random for the life of a key).
//!
//! A sealed text is `base64url( version ‖ length of the key's id ‖ key's id ‖ nonce ‖ ciphertext and tag )`. What it is for and everything
//! before the ciphertext is authenticated too, so one made for another purpose or place doesn't open.

use super::framing::framed;
use super::keyring::{PersonalDataKeys, Ring, SealingKeys};
use super::signing_keys::SigningKeys;
use crate::ports::{Entropy, Fault, LoginSealer, PersonalData, SealedAs};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use ring::hmac;
use std::sync::Arc;

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// The longest sealed text that is looked at, in characters. API Gateway lets headers have 10,240 bytes in all.
const MAX_TOKEN_LENGTH: usize = 8 * 1024;

/// A ring that seals and opens.
struct Sealer {
    ring: Ring,
    entropy: Arc<dyn Entropy>,
}

impl Sealer {
    /// `purpose` is what the text is for, in fields; opening needs the same.
    fn seal(&self, purpose: &[&[u8]], plain: &[u8]) -> String {
        let id = self.ring.current_id().as_bytes();
        let nonce = self.entropy.bytes::<NONCE_LENGTH>();
        let mut sealed = vec![VERSION, u8::try_from(id.len()).expect("a ring's ids are short")];
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        let aad = associated_data(purpose, &sealed);
        let ciphertext = XChaCha20Poly1305::new(self.ring.current().into())
            .encrypt(&nonce.into(), Payload { msg: plain, aad: &aad })
            .expect("only a message of 256 GiB fails to encrypt");
        sealed.extend_from_slice(&ciphertext);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    fn open(&self, purpose: &[&[u8]], text: &str) -> Option<Vec<u8>> {
        // This decoder refuses padding and stray trailing bits, so a sealed value has one spelling.
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&[version, id_length], rest) = sealed.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        if version != VERSION {
            return None;
        }
        let key = self.ring.get(std::str::from_utf8(id).ok()?)?;
        let aad = associated_data(purpose, &sealed[..sealed.len() - ciphertext.len()]);
        XChaCha20Poly1305::new(key.into()).decrypt(nonce.into(), Payload { msg: ciphertext, aad: &aad }).ok()
    }
}

fn associated_data(purpose: &[&[u8]], header: &[u8]) -> Vec<u8> {
    framed(&[&framed(purpose), header])
}

/// [`LoginSealer`] by XChaCha20-Poly1305. What proves that a login is complete has keys of its own, which follow from those that sign: a
/// function that may sign nothing can't make or open such a text.
pub struct XChaChaLoginSealer {
    sealing: Sealer,
    proofs: Option<Sealer>,
}

/// Of each thing a purpose of its own.
const fn purpose(what: SealedAs) -> &'static [&'static [u8]] {
    match what {
        SealedAs::LoginToken => &[b"login-token"],
        SealedAs::PageRequest => &[b"page-request"],
        SealedAs::PageDone => &[b"page-done"],
        SealedAs::AuthorizationCode => &[b"authorization-code"],
    }
}

impl XChaChaLoginSealer {
    pub fn new(keys: SealingKeys, entropy: Arc<dyn Entropy>) -> Self {
        Self { sealing: Sealer { ring: keys.0, entropy }, proofs: None }
    }

    /// The same with the keys of proofs, for the functions that finish logins.
    #[must_use]
    pub fn with_proofs(self, signing: &SigningKeys) -> Self {
        let entropy = self.sealing.entropy.clone();
        Self { proofs: Some(Sealer { ring: signing.proofs(), entropy }), ..self }
    }

    fn sealer(&self, what: SealedAs) -> Option<&Sealer> {
        match what {
            SealedAs::LoginToken | SealedAs::PageRequest => Some(&self.sealing),
            SealedAs::PageDone | SealedAs::AuthorizationCode => self.proofs.as_ref(),
        }
    }
}

impl LoginSealer for XChaChaLoginSealer {
    fn seal(&self, what: SealedAs, plain: &[u8]) -> String {
        // Which function has which keys is fixed where it is put together; without them it makes a text that opens nowhere.
        self.sealer(what).map(|sealer| sealer.seal(purpose(what), plain)).unwrap_or_default()
    }

    fn open(&self, what: SealedAs, text: &str) -> Option<Vec<u8>> {
        if text.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        self.sealer(what)?.open(purpose(what), text)
    }
}

/// [`PersonalData`] by XChaCha20-Poly1305 and HMAC-SHA-256.
pub struct XChaChaPersonalData {
    sealer: Sealer,
    hash_key: hmac::Key,
}

impl XChaChaPersonalData {
    const PURPOSE: &'static [u8] = b"personal-data";

    pub fn new(keys: PersonalDataKeys, entropy: Arc<dyn Entropy>) -> Self {
        let hash_key = hmac::Key::new(hmac::HMAC_SHA256, &**keys.hash_key.expose());
        Self { sealer: Sealer { ring: keys.sealing, entropy }, hash_key }
    }
}

impl PersonalData for XChaChaPersonalData {
    fn hash(&self, scope: &str, value: &str) -> String {
        let tag = hmac::sign(&self.hash_key, &framed(&[scope.as_bytes(), value.as_bytes()]));
        URL_SAFE_NO_PAD.encode(tag)
    }

    fn seal(&self, place: &str, value: &str) -> String {
        self.sealer.seal(&[Self::PURPOSE, place.as_bytes()], value.as_bytes())
    }

    fn open(&self, place: &str, sealed: &str) -> Result<String, Fault> {
        let plain = self.sealer.open(&[Self::PURPOSE, place.as_bytes()], sealed);
        let text = plain.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| Fault::new("a sealed personal value doesn't open"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::SeededEntropy;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    const PLAIN: &[u8] = br#"{"tenant":"ten_1","purpose":"sign_in"}"#;

    fn ring(current: &str, keys: &[(&str, u8)]) -> Value {
        let keys: serde_json::Map<_, _> =
            keys.iter().map(|(id, byte)| ((*id).to_owned(), json!(STANDARD.encode([*byte; 32])))).collect();
        json!({"current": current, "keys": keys})
    }

    /// A sealer of login tokens.
    struct Logins(XChaChaLoginSealer);

    impl Logins {
        fn seal(&self, plain: &[u8]) -> String {
            self.0.seal(SealedAs::LoginToken, plain)
        }

        fn open(&self, token: &str) -> Option<Vec<u8>> {
            self.0.open(SealedAs::LoginToken, token)
        }
    }

    fn logins(value: &Value) -> Logins {
        let keys = SealingKeys::parse(value).unwrap();
        Logins(XChaChaLoginSealer::new(keys, Arc::new(SeededEntropy::new(4))))
    }

    fn personal(sealing: &Value, hash_byte: u8) -> XChaChaPersonalData {
        let value = json!({"sealing": sealing, "hash_key": STANDARD.encode([hash_byte; 32])});
        XChaChaPersonalData::new(PersonalDataKeys::parse(&value).unwrap(), Arc::new(SeededEntropy::new(5)))
    }

    #[test]
    fn a_login_token_opens_and_is_never_the_same_twice() {
        let sealer = logins(&ring("a", &[("a", 1)]));
        let token = sealer.seal(PLAIN);
        assert_eq!(sealer.open(&token).as_deref(), Some(PLAIN));
        assert_ne!(token, sealer.seal(PLAIN));
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(sealer.open(&sealer.seal(b"")).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_login_token_with_any_bit_changed_does_not_open() {
        let sealer = logins(&ring("a", &[("a", 1), ("b", 1), ("c", 2)]));
        let bytes = URL_SAFE_NO_PAD.decode(sealer.seal(PLAIN)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(&URL_SAFE_NO_PAD.encode(changed)), None, "bit {bit}");
        }
    }

    #[test]
    fn a_login_token_that_is_cut_or_extended_does_not_open() {
        let sealer = logins(&ring("a", &[("a", 1)]));
        let token = sealer.seal(PLAIN);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(sealer.open(&URL_SAFE_NO_PAD.encode(&bytes[..length])), None, "{length} bytes");
            assert_eq!(sealer.open(&URL_SAFE_NO_PAD.encode(&bytes[bytes.len() - length..])), None);
        }
        for length in 0..token.len() {
            assert_eq!(sealer.open(&token[..length]), None, "{length} characters");
        }
        for extra in ["A", "AA", "AAA", "AAAA", "=", "==", " ", "\n", "."] {
            assert_eq!(sealer.open(&format!("{token}{extra}")), None, "{extra:?} behind");
            assert_eq!(sealer.open(&format!("{extra}{token}")), None, "{extra:?} before");
        }
    }

    #[test]
    fn a_login_token_has_one_spelling() {
        let sealer = logins(&ring("a", &[("a", 1)]));
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
        for plain in [&b"x"[..], b"xx", b"xxx"] {
            let token = sealer.seal(plain);
            for last in alphabet {
                let mut other = token.clone().into_bytes();
                *other.last_mut().unwrap() = *last;
                let other = String::from_utf8(other).unwrap();
                assert_eq!(sealer.open(&other).is_some(), other == token, "{other}");
            }
        }
    }

    #[test]
    fn a_login_token_that_is_too_long_is_not_looked_at() {
        let sealer = logins(&ring("a", &[("a", 1)]));
        assert!(sealer.open(&sealer.seal(&[b'x'; 6000])).is_some());
        let long = sealer.seal(&[b'x'; 6200]);
        assert!(long.len() > MAX_TOKEN_LENGTH);
        assert_eq!(sealer.open(&long), None);
    }

    #[test]
    fn keys_rotate_with_overlap() {
        let old = logins(&ring("a", &[("a", 1)]));
        let both = logins(&ring("b", &[("a", 1), ("b", 2)]));
        let new = logins(&ring("b", &[("b", 2)]));
        assert!(both.open(&old.seal(PLAIN)).is_some());
        assert!(new.open(&both.seal(PLAIN)).is_some());
        assert_eq!(new.open(&old.seal(PLAIN)), None, "retired");
        assert_eq!(logins(&ring("a", &[("a", 9)])).open(&old.seal(PLAIN)), None, "same id, other key");
        assert_eq!(logins(&ring("z", &[("z", 1)])).open(&old.seal(PLAIN)), None, "same key, other id");
    }

    #[test]
    fn h14_a_sealed_value_opens_only_in_its_own_place() {
        let ring = ring("a", &[("a", 1)]);
        let data = personal(&ring, 8);
        let sealed = data.seal("usr_1|phone", "+12025550123");
        assert_eq!(data.open("usr_1|phone", &sealed).unwrap(), "+12025550123");
        assert!(!sealed.contains("2025550123"));
        for place in ["usr_2|phone", "usr_1|email", "usr_1|phon", ""] {
            assert!(data.open(place, &sealed).is_err(), "{place}");
        }
        let error = data.open("usr_1|phone", &sealed[1..]).unwrap_err();
        assert_eq!(format!("{error:?}"), "Fault(a sealed personal value doesn't open)");
    }

    #[test]
    fn what_is_sealed_for_one_purpose_does_not_open_for_another() {
        let ring = ring("a", &[("a", 1)]);
        let (logins, data) = (logins(&ring), personal(&ring, 8));
        assert!(data.open("", &logins.seal(PLAIN)).is_err());
        assert!(data.open("login-token", &logins.seal(PLAIN)).is_err());
        assert_eq!(logins.open(&data.seal("login-token", "x")), None);
        assert_eq!(logins.open(&data.seal("", "x")), None);
        let signing = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let sealer = logins.0.with_proofs(&signing);
        for what in SealedAs::ALL {
            let sealed = sealer.seal(what, PLAIN);
            for opened_as in SealedAs::ALL {
                assert_eq!(sealer.open(opened_as, &sealed).is_some(), what == opened_as, "{what:?}");
            }
        }
    }

    /// Whoever has the ring of login tokens alone (code-issuance and phone-binding do) finishes no login with it.
    #[test]
    fn t20_what_finishes_a_login_is_made_by_who_may_sign() {
        let keys = || SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let (own, other) = (keys(), keys());
        let sealer = || logins(&ring("a", &[("a", 1)])).0;
        let finisher = sealer().with_proofs(&own);
        for what in [SealedAs::PageDone, SealedAs::AuthorizationCode] {
            let sealed = finisher.seal(what, PLAIN);
            assert_eq!(finisher.open(what, &sealed).as_deref(), Some(PLAIN));
            assert_eq!(sealer().open(what, &sealed), None);
            assert_eq!(finisher.open(what, &sealer().seal(what, PLAIN)), None);
            assert_eq!(sealer().with_proofs(&other).open(what, &sealed), None, "another deployment's");
        }
        for what in [SealedAs::LoginToken, SealedAs::PageRequest] {
            assert!(sealer().open(what, &finisher.seal(what, PLAIN)).is_some());
        }
    }

    #[test]
    fn h14_a_keyed_hash_is_stable_within_its_scope_and_tells_nothing_across() {
        let keys = ring("a", &[("a", 1)]);
        let data = personal(&keys, 8);
        let hash = data.hash("ten_1|phone", "+12025550123");
        assert_eq!(hash.len(), 43);
        assert_eq!(hash, data.hash("ten_1|phone", "+12025550123"));
        assert_eq!(hash, personal(&ring("b", &[("b", 2)]), 8).hash("ten_1|phone", "+12025550123"));
        assert_ne!(hash, data.hash("ten_2|phone", "+12025550123"));
        assert_ne!(hash, data.hash("ten_1|phone", "+12025550124"));
        assert_ne!(hash, personal(&keys, 9).hash("ten_1|phone", "+12025550123"));
        assert_ne!(data.hash("ab", "c"), data.hash("a", "bc"));
    }
}
