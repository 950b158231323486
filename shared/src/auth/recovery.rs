//! Keyed hashes of recovery codes.
//!
//! They have peppers of their own. Those of the messages' codes leave their ring minutes after they were replaced, while a recovery code lies in a
//! drawer for years; and whoever makes recovery codes must not be able to derive a message's. A hash can't be made anew without its
//! code, so a pepper stays in the ring for as long as users may have codes from its time.

use super::framing::framed;
use super::keyring::RecoveryPeppers;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::recovery::RecoveryCode;
use crate::ports::RecoveryMacs;
use ring::hmac;

const PURPOSE: &[u8] = b"recovery code";

/// [`RecoveryMacs`] by HMAC-SHA-256.
pub struct HmacRecoveryCodes {
    /// The current one first.
    peppers: Vec<hmac::Key>,
}

impl HmacRecoveryCodes {
    pub fn new(peppers: RecoveryPeppers) -> Self {
        let ring = peppers.0;
        let current = ring.current_id();
        let others = ring.iter().filter(|(id, _)| *id != current).map(|(_, pepper)| pepper);
        let keys = std::iter::once(ring.current()).chain(others);
        Self { peppers: keys.map(|pepper| hmac::Key::new(hmac::HMAC_SHA256, pepper)).collect() }
    }
}

impl RecoveryMacs for HmacRecoveryCodes {
    fn mac(&self, tenant: &TenantId, user: &UserId, code: &RecoveryCode) -> [u8; 32] {
        mac(&self.peppers[0], tenant, user, code)
    }

    fn guess_macs(&self, tenant: &TenantId, user: &UserId, code: &RecoveryCode) -> Vec<[u8; 32]> {
        self.peppers.iter().map(|pepper| mac(pepper, tenant, user, code)).collect()
    }
}

fn mac(pepper: &hmac::Key, tenant: &TenantId, user: &UserId, code: &RecoveryCode) -> [u8; 32] {
    let names = [tenant.as_str().as_bytes(), user.as_str().as_bytes()];
    let tag = hmac::sign(pepper, &framed(&[PURPOSE, names[0], names[1], code.bytes()]));
    tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::names;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    fn ring(current: &str, keys: &[(&str, u8)]) -> HmacRecoveryCodes {
        let keys: serde_json::Map<_, _> =
            keys.iter().map(|(id, byte)| ((*id).to_owned(), json!(STANDARD.encode([*byte; 32])))).collect();
        let value = json!({"current": current, "keys": keys});
        HmacRecoveryCodes::new(RecoveryPeppers::parse(&value).unwrap())
    }

    fn code(byte: u8) -> RecoveryCode {
        RecoveryCode::generate(|buffer| buffer.fill(byte))
    }

    #[test]
    fn h7_a_code_is_its_users_own_and_its_hash_needs_the_pepper() {
        let (codes, one, two) = (ring("a", &[("a", 1)]), names(1), names(2));
        let mac = codes.mac(&one.tenant, &one.user, &code(7));
        assert_eq!(mac, codes.mac(&one.tenant, &one.user, &code(7)));
        assert_ne!(mac, codes.mac(&two.tenant, &one.user, &code(7)));
        assert_ne!(mac, codes.mac(&one.tenant, &two.user, &code(7)));
        assert_ne!(mac, codes.mac(&one.tenant, &one.user, &code(8)));
        assert_ne!(mac, ring("a", &[("a", 2)]).mac(&one.tenant, &one.user, &code(7)));
    }

    #[test]
    fn h7_a_rotation_loses_no_code() {
        let user = names(1);
        let old = ring("b", &[("b", 1)]).mac(&user.tenant, &user.user, &code(7));
        let both = ring("c", &[("a", 3), ("b", 1), ("c", 2)]);
        let guesses = both.guess_macs(&user.tenant, &user.user, &code(7));
        assert!(guesses.len() == 3 && guesses.contains(&old));
        assert_eq!(
            guesses[0],
            both.mac(&user.tenant, &user.user, &code(7)),
            "new ones are made under `current`"
        );
        assert!(!ring("c", &[("c", 2)]).guess_macs(&user.tenant, &user.user, &code(7)).contains(&old));
    }
}
