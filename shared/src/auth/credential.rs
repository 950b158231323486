//! Bearer credentials: operator, administrator and application keys, the tokens of trusted devices, sessions of the console, and the secrets of
//! browsers that ask for a QR login.
//!
//! The format is `mfa_KIND_` + (for a tenant's key) tenant part + `_` + key part + `_` + 43 base-62 characters + 6 characters of
//! checksum. The prefix and the checksum let secret scanners find a leaked one; the tenant and key parts, or a device's or QR login's, let it be
//! looked up with one read; only a SHA-256 of the whole is kept, which is enough for 256 random bits (OWASP ASVS 5.0, 11.4.2 asks for a
//! slow hash only where the secret is guessable).

use crate::domain::ids::{ApplicationId, DeviceId, KeyId, QrLoginId, SessionId, TenantId, base62};
use crate::domain::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;

/// Whose credential it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    Operator,
    Administrator {
        tenant: TenantId,
        key: KeyId,
    },
    Application {
        application: ApplicationId,
        key: KeyId,
    },
    /// A session of the console. It stands in a cookie only.
    Console {
        tenant: TenantId,
        /// The key that opened it.
        key: KeyId,
        session: SessionId,
    },
    /// Worth something beside its user's first factor only.
    Device {
        device: DeviceId,
    },
    /// The browser that asked. Worth something once its user has approved, and for two minutes only.
    QrLogin {
        qr: QrLoginId,
    },
}

/// A credential just made, shown to its owner once, or one just presented.
#[derive(Debug)]
pub struct Credential {
    pub holder: Holder,
    pub text: Secret<String>,
}

impl Credential {
    /// Makes a new credential.
    pub fn generate(holder: Holder, next_bytes: impl FnMut(&mut [u8])) -> Self {
        let head = match &holder {
            Holder::Operator => "mfa_operator_".to_owned(),
            Holder::Administrator { tenant, key } => {
                format!("mfa_admin_{}_{}_", &tenant.as_str()[4..], &key.as_str()[4..])
            }
            Holder::Application { application, key } => {
                format!("mfa_app_{}_{}_", &application.as_str()[4..], &key.as_str()[4..])
            }
            Holder::Console { tenant, key, session } => format!(
                "mfa_console_{}_{}_{}_",
                &tenant.as_str()[4..],
                &key.as_str()[4..],
                &session.as_str()[4..]
            ),
            Holder::Device { device } => format!("mfa_device_{}_", &device.as_str()[4..]),
            Holder::QrLogin { qr } => format!("mfa_qr_{}_", &qr.as_str()[3..]),
        };
        let body = format!("{head}{}", base62(SECRET_LENGTH, next_bytes));
        let text = format!("{body}{}", checksum(&body));
        Self { holder, text: Secret::new(text) }
    }

    /// `None` unless the text has the format and the checksum of a credential. It may still be unknown or revoked.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() > 200 {
            return None;
        }
        let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LENGTH)?)?;
        if checksum(body) != sum {
            return None;
        }
        let rest = body.strip_prefix("mfa_")?;
        let mut parts = rest.split('_');
        let kind = parts.next()?;
        let holder = match kind {
            "operator" => Holder::Operator,
            "admin" => Holder::Administrator {
                tenant: TenantId::parse(&format!("ten_{}", parts.next()?))?,
                key: KeyId::parse(&format!("key_{}", parts.next()?))?,
            },
            "app" => Holder::Application {
                application: ApplicationId::parse(&format!("app_{}", parts.next()?))?,
                key: KeyId::parse(&format!("key_{}", parts.next()?))?,
            },
            "console" => Holder::Console {
                tenant: TenantId::parse(&format!("ten_{}", parts.next()?))?,
                key: KeyId::parse(&format!("key_{}", parts.next()?))?,
                session: SessionId::parse(&format!("ses_{}", parts.next()?))?,
            },
            "device" => Holder::Device { device: DeviceId::parse(&format!("dev_{}", parts.next()?))? },
            "qr" => Holder::QrLogin { qr: QrLoginId::parse(&format!("qr_{}", parts.next()?))? },
            _ => return None,
        };
        let secret = parts.next()?;
        let whole = secret.len() == SECRET_LENGTH && parts.next().is_none();
        whole.then(|| Self { holder, text: Secret::new(text.to_owned()) })
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.expose().as_bytes()).into()
    }

    /// Whether this is the credential that `hash` was kept of, in constant time.
    pub fn matches(&self, hash: &[u8; 32]) -> bool {
        self.hash().ct_eq(hash).into()
    }
}

fn checksum(body: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(body.as_bytes()).into();
    let mut bytes = digest.into_iter().cycle();
    base62(CHECKSUM_LENGTH, move |buffer| buffer.iter_mut().for_each(|b| *b = bytes.next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 1u8;
        move |buffer| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_mul(5).wrapping_add(3);
            }
        }
    }

    #[test]
    fn t21_a_credential_parses_back_and_a_changed_one_does_not() {
        let tenant = TenantId::generate(counting());
        let application = ApplicationId::generate(&tenant, counting());
        let key = KeyId::generate(counting());
        let qr = QrLoginId::generate(&tenant, counting());
        let holders = [
            Holder::Operator,
            Holder::Administrator { tenant: tenant.clone(), key: key.clone() },
            Holder::Console { tenant, key: key.clone(), session: SessionId::generate(counting()) },
            Holder::Application { application, key },
            Holder::Device { device: DeviceId::generate(counting()) },
            Holder::QrLogin { qr },
        ];
        for holder in holders {
            let made = Credential::generate(holder.clone(), counting());
            let text = made.text.expose().clone();
            let parsed = Credential::parse(&text).expect("parses");
            assert_eq!(parsed.holder, holder);
            assert!(parsed.matches(&made.hash()));
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
                let changed = String::from_utf8(changed).expect("ascii");
                assert!(Credential::parse(&changed).is_none(), "{changed}");
            }
            assert!(Credential::parse(&text[..text.len() - 1]).is_none());
        }
    }
}
