//! Codes: derived and checked with keys that the table never sees.
//!
//! A code is a function of the pepper, the login and the nonce in its challenge, so a resend finds the same one without it being stored. Deriving
//! and checking use separate keys of one pepper: what stands in the table (MACs of codes and of guesses) says nothing about how codes are made.

use super::framing::framed;
use super::keyring::CodePeppers;
use crate::domain::secret::Secret;
use crate::ports::{CodeScope, Codes};
use ring::hmac;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The lengths that the contract allows, in digits.
const LENGTHS: RangeInclusive<u8> = 6..=10;

/// [`Codes`] by HMAC-SHA-256.
pub struct HmacCodes {
    current: String,
    peppers: BTreeMap<String, Pepper>,
}

/// The two keys that a pepper is good for.
struct Pepper {
    derive: hmac::Key,
    mac: hmac::Key,
}

impl Pepper {
    /// One block of HKDF-Expand (RFC 5869) for each use; a pepper is uniform already, so nothing is extracted first.
    fn new(pepper: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, pepper);
        let key = |label: &[u8]| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, &[label, &[1]].concat()).as_ref())
        };
        Self { derive: key(b"sms code: derive"), mac: key(b"sms code: mac") }
    }

    fn mac(&self, scope: CodeScope<'_>, code: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.mac, &scoped(scope, &[code.as_bytes()]));
        tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

impl HmacCodes {
    pub fn new(peppers: CodePeppers) -> Self {
        let ring = peppers.0;
        Self {
            current: ring.current_id().to_owned(),
            peppers: ring.iter().map(|(id, pepper)| (id.to_owned(), Pepper::new(pepper))).collect(),
        }
    }
}

impl Codes for HmacCodes {
    fn current_pepper(&self) -> &str {
        &self.current
    }

    fn guess_macs(&self, scope: CodeScope<'_>, guess: &str) -> Vec<[u8; 32]> {
        self.peppers.values().map(|pepper| pepper.mac(scope, guess)).collect()
    }

    /// `None` also for a length that settings don't allow: a short code must not come out of a damaged login.
    fn derive(
        &self,
        pepper: &str,
        scope: CodeScope<'_>,
        nonce: &[u8; 16],
        length: u8,
    ) -> Option<Secret<String>> {
        let key = &self.peppers.get(pepper)?.derive;
        if !LENGTHS.contains(&length) {
            return None;
        }
        let number = uniform(10u64.pow(u32::from(length)), |round| {
            let message = scoped(scope, &[nonce, &[length], &round.to_be_bytes()]);
            let tag = hmac::sign(key, &message);
            let (first, _) = tag.as_ref().split_first_chunk::<8>().expect("SHA-256 gives 32 bytes");
            u64::from_be_bytes(*first)
        });
        Some(Secret::new(format!("{number:0width$}", width = usize::from(length))))
    }

    fn mac(&self, pepper: &str, scope: CodeScope<'_>, code: &str) -> Option<[u8; 32]> {
        Some(self.peppers.get(pepper)?.mac(scope, code))
    }
}

fn scoped(scope: CodeScope<'_>, rest: &[&[u8]]) -> Vec<u8> {
    let CodeScope { tenant, user, login, purpose } = scope;
    let names = [tenant.as_str(), user.as_str(), login.as_str(), purpose].map(str::as_bytes);
    framed(&[&names, rest].concat())
}

/// A number below `bound`, every one equally likely: a draw at or above the largest multiple of `bound` is thrown away, since a plain
/// remainder would favour the low numbers. `bound` is a power of ten and so no power of two.
fn uniform(bound: u64, mut draw: impl FnMut(u32) -> u64) -> u64 {
    let limit = u64::MAX / bound * bound;
    let mut round = 0;
    loop {
        let number = draw(round);
        if number < limit {
            return number % bound;
        }
        round += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{Names, names};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    fn codes(byte: u8) -> HmacCodes {
        let keys = json!({"current": "a", "keys": {"a": STANDARD.encode([byte; 32])}});
        HmacCodes::new(CodePeppers::parse(&keys).unwrap())
    }

    fn scope(names: &Names) -> CodeScope<'_> {
        CodeScope { tenant: &names.tenant, user: &names.user, login: &names.login, purpose: "sign_in" }
    }

    fn derive(codes: &HmacCodes, scope: CodeScope<'_>, nonce: [u8; 16], length: u8) -> String {
        codes.derive("a", scope, &nonce, length).unwrap().into_exposed()
    }

    #[test]
    fn h2_the_same_login_and_nonce_give_the_same_code() {
        let (first, second, names) = (codes(1), codes(1), names(1));
        for length in LENGTHS {
            let code = derive(&first, scope(&names), [7; 16], length);
            assert_eq!(code, derive(&second, scope(&names), [7; 16], length));
            assert!(code.len() == usize::from(length) && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
        for length in [0, 1, 5, 11, 255] {
            assert!(first.derive("a", scope(&names), &[7; 16], length).is_none());
        }
    }

    #[test]
    fn f7_a_code_of_another_login_user_tenant_or_purpose_is_another() {
        let (codes, other_pepper, one, two) = (codes(1), codes(2), names(1), names(2));
        let mine = scope(&one);
        let others = [
            CodeScope { tenant: &two.tenant, ..mine },
            CodeScope { user: &two.user, ..mine },
            CodeScope { login: &two.login, ..mine },
            CodeScope { purpose: "replace_phone", ..mine },
        ];
        // Ten digits, so that two codes are equal by chance once in 10^10.
        let code = derive(&codes, mine, [7; 16], 10);
        let mac = codes.mac("a", mine, &code).unwrap();
        for other in others {
            assert_ne!(code, derive(&codes, other, [7; 16], 10), "{other:?}");
            assert_ne!(mac, codes.mac("a", other, &code).unwrap(), "{other:?}");
        }
        assert_ne!(code, derive(&codes, mine, [8; 16], 10));
        assert_ne!(code, derive(&other_pepper, mine, [7; 16], 10));
        assert!(!code.starts_with(&derive(&codes, mine, [7; 16], 6)), "lengths are unrelated");
        assert!(!code.ends_with(&derive(&codes, mine, [7; 16], 6)), "lengths are unrelated");
    }

    #[test]
    fn t16_without_the_pepper_no_code_matches_what_is_stored() {
        let (real, guessed, names) = (codes(1), codes(2), names(1));
        let code = derive(&real, scope(&names), [7; 16], 6);
        let stored = real.mac("a", scope(&names), &code).unwrap();
        let search = |codes: &HmacCodes, mut numbers: std::ops::Range<u32>| {
            numbers.find(|n| codes.mac("a", scope(&names), &format!("{n:06}")) == Some(stored))
        };
        assert_eq!(search(&guessed, 0..1_000_000), None);
        let number = code.parse().unwrap();
        assert_eq!(search(&real, 0..number + 1), Some(number), "and with it the search finds the code");
    }

    #[test]
    fn t16_a_pepper_works_until_it_leaves_the_ring() {
        let key = |byte: u8| STANDARD.encode([byte; 32]);
        let names = names(1);
        let ring = |value| HmacCodes::new(CodePeppers::parse(&value).unwrap());
        let old = ring(json!({"current": "a", "keys": {"a": key(1)}}));
        let both = ring(json!({"current": "b", "keys": {"a": key(1), "b": key(2)}}));
        let new = ring(json!({"current": "b", "keys": {"b": key(2)}}));
        assert_eq!((old.current_pepper(), both.current_pepper()), ("a", "b"));
        let mac = old.mac("a", scope(&names), "123456");
        assert!(mac.is_some());
        assert_eq!(both.mac("a", scope(&names), "123456"), mac);
        assert_eq!(new.mac("a", scope(&names), "123456"), None);
        let under = |pepper| both.mac(pepper, scope(&names), "123456").unwrap();
        assert_eq!(
            both.guess_macs(scope(&names), "123456"),
            [under("a"), under("b")],
            "a guess may be of either"
        );
        assert_eq!(new.guess_macs(scope(&names), "123456"), [under("b")]);
        assert!(new.derive("a", scope(&names), &[7; 16], 6).is_none());
    }

    #[test]
    fn codes_are_uniform() {
        let (codes, names) = (codes(1), names(1));
        const DRAWS: u32 = 20_000;
        let mut counts = [[0u32; 10]; 6];
        for draw in 0..DRAWS {
            let mut nonce = [0; 16];
            nonce[..4].copy_from_slice(&draw.to_be_bytes());
            for (place, digit) in derive(&codes, scope(&names), nonce, 6).bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        for (place, digits) in counts.iter().enumerate() {
            let expected = f64::from(DRAWS) / 10.0;
            let chi_square: f64 = digits.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
            // Nine degrees of freedom: a fair source exceeds 33.7 once in 10,000.
            assert!(chi_square < 33.7, "place {place}: {chi_square} of {digits:?}");
        }
    }

    #[test]
    fn a_draw_that_would_bias_the_digits_is_thrown_away() {
        let bound = 1_000_000;
        let limit = u64::MAX / bound * bound;
        let draws = [u64::MAX, limit, limit - 1];
        assert_eq!(uniform(bound, |round| draws[round as usize]), bound - 1);
        assert_eq!(uniform(bound, |_| 0), 0);
    }
}
