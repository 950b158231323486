//! Credentials, passwords, tokens and everything that is sealed or keyed.
//!
//! Each adapter takes the one keyring that it needs, so what a function can do follows from the secrets that its role may read.

mod access_tokens;
mod codes;
pub mod credential;
mod framing;
pub mod jwt_provider;
mod keyring;
mod oidc;
mod password;
mod recovery;
mod sealing;
mod signing_keys;
mod tokens;

pub use access_tokens::AccessTokenVerifier;
pub use codes::HmacCodes;
pub use keyring::{
    CodePeppers, KeyringError, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys,
};
pub use oidc::{IssuerAddresses, OidcIdTokens};
pub use password::Argon2Passwords;
pub use recovery::HmacRecoveryCodes;
pub use sealing::{XChaChaLoginSealer, XChaChaPersonalData};
pub use signing_keys::{PublicKeys, SigningKeys};
pub use tokens::{ACCESS_TOKEN_SECONDS, Es256TokenSigner};

#[cfg(test)]
mod fixtures {
    use crate::domain::ids::{ApplicationId, LoginId, TenantId, UserId};
    use crate::ports::Entropy;
    use sha2::{Digest, Sha256};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// SHA-256 of a seed and a counter: repeatable, and no two calls alike.
    pub struct SeededEntropy {
        seed: u64,
        calls: AtomicU64,
    }

    impl SeededEntropy {
        pub const fn new(seed: u64) -> Self {
            Self { seed, calls: AtomicU64::new(0) }
        }
    }

    impl Entropy for SeededEntropy {
        fn fill(&self, buffer: &mut [u8]) {
            for chunk in buffer.chunks_mut(32) {
                let call = self.calls.fetch_add(1, Ordering::Relaxed);
                let block = Sha256::digest([self.seed.to_be_bytes(), call.to_be_bytes()].concat());
                chunk.copy_from_slice(&block[..chunk.len()]);
            }
        }
    }

    /// Whose login it is.
    pub struct Names {
        pub tenant: TenantId,
        pub application: ApplicationId,
        pub user: UserId,
        pub login: LoginId,
    }

    pub fn names(seed: u64) -> Names {
        let entropy = SeededEntropy::new(seed);
        let mut next = |buffer: &mut [u8]| entropy.fill(buffer);
        let tenant = TenantId::generate(&mut next);
        Names {
            application: ApplicationId::generate(&tenant, &mut next),
            user: UserId::generate(&mut next),
            login: LoginId::generate(&mut next),
            tenant,
        }
    }
}
