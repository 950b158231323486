//! The cryptography behind the `jsonwebtoken` crate, by `ring`, which TLS has brought into the binary already. The crate's own back ends would add a
//! second implementation of everything, one with slow start-up and one with an RSA that isn't constant-time.
//!
//! ES256 and RS256 verify, for our own access tokens and for identity sources. Nothing signs here: a token of ours is signed by its key itself
//! (`signing_keys.rs`), which the crate would read anew each time. Everything else (HS*, PS*, EdDSA, larger curves) is an
//! error here, whatever a caller allows.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// Makes `jsonwebtoken` use this module in the whole process. Whatever signs or verifies calls it first; once is enough, and more does
/// no harm.
pub fn install() {
    // `Err` means that a provider is installed, and nothing else in this code base installs another.
    let _ = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| unsupported(),
    verifier_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::ES256, AlgorithmFamily::Ec) => Ok(Box::new(Es256Public(key.clone()))),
        (Algorithm::RS256, AlgorithmFamily::Rsa) => Ok(Box::new(Rs256Public(key.clone()))),
        _ => unsupported(),
    },
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: |_, _| unsupported(),
        compute_digest: |data, hash| match hash {
            ThumbprintHash::SHA256 => Ok(ring::digest::digest(&ring::digest::SHA256, data).as_ref().to_vec()),
            _ => unsupported(),
        },
    },
};

fn unsupported<T>() -> Result<T> {
    Err(new_error(ErrorKind::UnsupportedAlgorithm))
}

struct Es256Public(DecodingKey);

impl Verifier<Vec<u8>> for Es256Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let key = self.0.try_get_as_bytes().map_err(Error::from_source)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(message, signature)
            .map_err(|_| Error::new())
    }
}

impl JwtVerifier for Es256Public {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct Rs256Public(DecodingKey);

impl Verifier<Vec<u8>> for Rs256Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let parameters = &RSA_PKCS1_2048_8192_SHA256;
        let result = match self.0.kind() {
            DecodingKeyKind::SecretOrDer(der) => {
                UnparsedPublicKey::new(parameters, der).verify(message, signature)
            }
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                PublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
        };
        result.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Rs256Public {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::EncodingKey;
    use jsonwebtoken::crypto::{sign, verify};

    /// RFC 7515, A.2: a key, what was signed, and its signature.
    const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-\
        yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-\
        UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkML\
        s91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const MESSAGE: &[u8] =
        b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
        cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F\
        p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZR\
        mB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXL\
        IhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    #[test]
    fn rs256_verifies_the_example_of_rfc_7515() {
        install();
        let key = DecodingKey::from_rsa_components(N, "AQAB").unwrap();
        assert!(verify(SIGNATURE, MESSAGE, &key, Algorithm::RS256).unwrap());
        assert!(!verify(SIGNATURE, &MESSAGE[1..], &key, Algorithm::RS256).unwrap());
        assert!(!verify(&SIGNATURE.replacen("cC4h", "cC4i", 1), MESSAGE, &key, Algorithm::RS256).unwrap());
    }

    #[test]
    fn t20_a_key_works_with_its_own_algorithm_only() {
        install();
        let rsa = DecodingKey::from_rsa_components(N, "AQAB").unwrap();
        let ec = DecodingKey::from_ec_der(&[4; 65]);
        let hmac = DecodingKey::from_secret(b"secret");
        let private = EncodingKey::from_secret(b"secret");
        use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
        let all = [ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512];
        for algorithm in all {
            assert_eq!(verify("AAAA", b"", &rsa, algorithm).is_ok(), algorithm == RS256);
            assert_eq!(verify("AAAA", b"", &ec, algorithm).is_ok(), algorithm == ES256);
            verify("AAAA", b"", &hmac, algorithm).unwrap_err();
            sign(b"", &private, algorithm).unwrap_err();
        }
    }
}
