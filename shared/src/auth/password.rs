//! Passwords: argon2id with the parameters that OWASP's Password Storage Cheat Sheet names first for small memory (19 MiB, 2 passes, 1 lane).

use crate::domain::secret::Secret;
use crate::ports::{Entropy, Fault, Passwords};
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// KiB, passes, lanes.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a stored hash may ask for at most: somebody who can write one must not be able to stall the service with it.
const MAX_MEMORY: u32 = 64 * 1024;
const MAX_PASSES: u32 = 10;

/// How many passwords are hashed at once. Each takes [`MEMORY`]; the others wait, so a flood costs time and not memory.
const AT_ONCE: usize = 2;

/// [`Passwords`] by argon2id.
pub struct Argon2Passwords {
    entropy: Arc<dyn Entropy>,
    permits: Arc<Semaphore>,
    scratch: Scratch,
    /// Compared with where there is no hash. Its output is random rather than computed: no password gives it, and making it costs nothing
    /// at start-up.
    nobody: PasswordHash,
}

impl Argon2Passwords {
    pub fn new(entropy: Arc<dyn Entropy>) -> Result<Self, Fault> {
        let nobody = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&our_params()).map_err(fault)?,
            salt: Some(Salt::new(&entropy.bytes::<16>()).map_err(fault)?),
            hash: Some(Output::new(&entropy.bytes::<32>()).map_err(fault)?),
        };
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { entropy, permits, scratch: Scratch::default(), nobody })
    }

    /// Runs `work` on a thread that may block. The permit goes with it: a caller that gives up must not let the next one in while the
    /// memory is still in use.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(Fault::new)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(Fault::new)
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: Secret<String>) -> Result<String, Fault> {
        let salt = self.entropy.bytes::<16>();
        let password = Zeroizing::new(password.into_exposed());
        let scratch = self.scratch.clone();
        let made = self.run(move || {
            let output = scratch.hash(our_params(), Version::V0x13, password.as_bytes(), &salt)?;
            let hash = PasswordHash {
                algorithm: ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&our_params()).map_err(fault)?,
                salt: Some(Salt::new(&salt).map_err(fault)?),
                hash: Some(Output::new(&output).map_err(fault)?),
            };
            Ok(hash.to_string())
        });
        made.await?
    }

    async fn verify(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, Fault> {
        let password = Zeroizing::new(password.into_exposed());
        let (known, expected) = match hash {
            Some(text) => (true, parse(&text)?),
            None => (false, self.nobody.clone()),
        };
        let scratch = self.scratch.clone();
        let judged = self.run(move || {
            let (Some(salt), Some(wanted)) = (&expected.salt, &expected.hash) else {
                return Err(Fault::new("a password hash without a salt or without an end"));
            };
            let params = Params::try_from(&expected).map_err(fault)?;
            let version =
                expected.version.map_or(Ok(Version::default()), Version::try_from).map_err(fault)?;
            let output = scratch.hash(params, version, password.as_bytes(), salt)?;
            Ok(bool::from(output.ct_eq(wanted.as_ref())))
        });
        Ok(judged.await?? && known)
    }
}

/// The memory that hashing takes, kept from one password to the next. What is allocated aligned and freed again, glibc before 2.38 (Amazon
/// Linux 2023 has 2.34) often can't find again for the same request, so that each password would take another 19 MiB of the process.
#[derive(Clone, Default)]
struct Scratch(Arc<Mutex<Vec<Vec<Block>>>>);

impl Scratch {
    fn hash(&self, params: Params, version: Version, password: &[u8], salt: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = kept().pop().unwrap_or_default();
        memory.resize(memory.len().max(params.block_count()), Block::new());
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
        let done = argon2.hash_password_into_with_memory(password, salt, &mut output, &mut memory);
        kept().push(memory);
        done.map(|()| output).map_err(fault)
    }
}

fn our_params() -> Params {
    Params::new(MEMORY, PASSES, LANES, None).expect("the constants above are within argon2's bounds")
}

/// A stored hash that may be tried. Other parameters than ours are honoured (they change over the years) within bounds.
fn parse(text: &str) -> Result<PasswordHash, Fault> {
    let hash = PasswordHash::new(text).map_err(fault)?;
    let params = Params::try_from(&hash).map_err(fault)?;
    if hash.algorithm != ARGON2ID_IDENT || hash.salt.is_none() || hash.hash.is_none() {
        return Err(Fault::new("a stored password hash isn't a whole argon2id hash"));
    }
    if params.m_cost() > MAX_MEMORY || params.t_cost() > MAX_PASSES {
        return Err(Fault::new("a stored password hash asks for more memory or passes than is allowed"));
    }
    Ok(hash)
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(format!("argon2: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::SeededEntropy;
    use argon2::PasswordHasher;
    use std::time::Duration;

    fn passwords() -> Argon2Passwords {
        Argon2Passwords::new(Arc::new(SeededEntropy::new(3))).unwrap()
    }

    fn text(password: &str) -> Secret<String> {
        Secret::new(password.to_owned())
    }

    #[tokio::test]
    async fn f1_the_right_password_and_no_other_matches() {
        let passwords = passwords();
        let hash = passwords.hash(text("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(text("correct horse")).await.unwrap(), "salted");
        assert!(passwords.verify(text("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(text("correct horsf"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(text(""), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_work_and_never_matches() {
        let passwords = passwords();
        assert!(!passwords.verify(text("correct horse"), None).await.unwrap());
        let real = PasswordHash::new(&passwords.hash(text("x")).await.unwrap()).unwrap();
        let nobody = &passwords.nobody;
        assert_eq!((nobody.algorithm, nobody.version), (real.algorithm, real.version));
        assert_eq!(Params::try_from(nobody).unwrap(), Params::try_from(&real).unwrap());
        let lengths = |hash: &PasswordHash| (hash.salt.unwrap().len(), hash.hash.unwrap().len());
        assert_eq!(lengths(nobody), lengths(&real));
        // The work is done, and not only there to be done: it waits for its permit like any other.
        passwords.permits.close();
        passwords.verify(text("correct horse"), None).await.unwrap_err();
    }

    #[tokio::test]
    async fn other_parameters_are_honoured_within_bounds() {
        let passwords = passwords();
        let params = Params::new(8 * 1024, 3, 1, None).unwrap();
        let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = other.hash_password_with_salt(b"correct horse", &[9; 16]).unwrap().to_string();
        assert!(passwords.verify(text("correct horse"), Some(hash.clone())).await.unwrap());
        for bad in [
            hash.replace("m=8192", "m=65537"),
            hash.replace("t=3", "t=11"),
            hash.replace("argon2id", "argon2i"),
            hash.replace("argon2id", "scrypt"),
            hash.rsplit_once('$').unwrap().0.to_owned(),
            String::new(),
        ] {
            assert!(passwords.verify(text("correct horse"), Some(bad.clone())).await.is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_flood_waits_for_its_turn() {
        let passwords = Arc::new(passwords());
        let all = u32::try_from(AT_ONCE).unwrap();
        let taken = passwords.permits.acquire_many(all).await.unwrap();
        let waiting = passwords.verify(text("correct horse"), None);
        assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
        drop(taken);
        assert!(!passwords.verify(text("correct horse"), None).await.unwrap());
        assert_eq!(passwords.permits.available_permits(), AT_ONCE);
    }
}
