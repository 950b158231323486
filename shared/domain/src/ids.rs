//! Prefixed identifiers. An id is parsed once, at the edge, and carried as its own type from there on.
//!
//! An application's id starts with its tenant's: a public application sends nothing but its own id, and storage keys
//! start with the tenant, so the tenant must be readable from it without a lookup. Neither id grants anything.

use std::fmt;

/// How many random characters a tenant's id has: 62^12 is about 2^71, enough to never collide. It grants nothing.
const TENANT_LENGTH: usize = 12;
/// 62^22 is about 2^131: OWASP ASVS 5.0, 11.5.1 asks for 128 bits wherever guessing an id could help anyone.
const LENGTH: usize = 22;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Turns random bytes into `length` base-62 characters without bias: a byte of 248 or more is skipped, since 248 is the
/// largest multiple of 62 that a byte holds.
pub fn base62(length: usize, mut next_bytes: impl FnMut(&mut [u8])) -> String {
    let mut text = String::with_capacity(length);
    let mut buffer = [0u8; 32];
    while text.len() < length {
        next_bytes(&mut buffer);
        for byte in buffer {
            if byte < 248 && text.len() < length {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    text
}

fn is_base62(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What all ids have: a prefix, and so many random characters.
macro_rules! prefixed {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// What every such id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// `None` when the text isn't an id of this kind.
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                is_base62(rest, $length).then(|| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:expr) => {
        prefixed!($(#[$doc])* $name, $prefix, $length);

        impl $name {
            /// A new id from random bytes.
            pub fn generate(next_bytes: impl FnMut(&mut [u8])) -> Self {
                Self(format!("{}{}", $prefix, base62($length, next_bytes)))
            }
        }
    };
}

/// An id that starts with its tenant's, before so many characters of its own.
macro_rules! id_of_tenant {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $own_length:expr) => {
        prefixed!($(#[$doc])* $name, $prefix, TENANT_LENGTH + $own_length);

        impl $name {
            /// A new id from random bytes.
            pub fn generate(tenant: &TenantId, next_bytes: impl FnMut(&mut [u8])) -> Self {
                let tenant_part = &tenant.as_str()[TenantId::PREFIX.len()..];
                Self(format!("{}{}{}", $prefix, tenant_part, base62($own_length, next_bytes)))
            }

            /// The tenant that it belongs to.
            pub fn tenant(&self) -> TenantId {
                let start = Self::PREFIX.len();
                TenantId(format!("{}{}", TenantId::PREFIX, &self.0[start..start + TENANT_LENGTH]))
            }
        }
    };
}

id!(
    /// A tenant, also called a pool.
    TenantId, "ten_", TENANT_LENGTH
);
id!(
    /// An external identity source of a tenant.
    SourceId, "src_", LENGTH
);
id!(
    /// A user of a tenant.
    UserId, "usr_", LENGTH
);
id!(
    /// One login, from the first factor to the tokens.
    LoginId, "log_", LENGTH
);
id!(
    /// A credential: an administrator key or an application secret.
    KeyId, "key_", TENANT_LENGTH
);

id!(
    /// A device that a user trusts.
    DeviceId, "dev_", LENGTH
);
id!(
    /// A session of the console.
    SessionId, "ses_", LENGTH
);
id!(
    /// One event of the audit.
    EventId, "evt_", LENGTH
);

id!(
    /// A hosted login in a browser, as its address names it. It has no prefix and grants nothing: which login it is stands in cookies.
    TransactionId, "", TENANT_LENGTH
);
id!(
    /// What an authorization code is exchanged for, once.
    GrantId, "grt_", LENGTH
);

id_of_tenant!(
    /// An application of a tenant. Its id carries the tenant's.
    ApplicationId, "app_", LENGTH - TENANT_LENGTH
);
id_of_tenant!(
    /// One QR login. Who may scan codes of the tenant can take one by its id, so it has as many random characters of its own as a login's.
    QrLoginId, "qr_", LENGTH
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter in place of randomness: every call differs, and 255 (which must be skipped) turns up.
    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 200u8;
        move |buffer| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(7);
            }
        }
    }

    #[test]
    fn an_id_parses_as_its_own_kind_only() {
        let user = UserId::generate(counting());
        assert_eq!(UserId::parse(user.as_str()), Some(user.clone()));
        assert_eq!(LoginId::parse(user.as_str()), None);
        for bad in ["", "usr_", "usr_short", "usr_0123456789ABCDEFGHIJK!", "usr_0123456789ABCDEFGHIJKLM"] {
            assert_eq!(UserId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_application_knows_its_tenant() {
        let tenant = TenantId::generate(counting());
        let application = ApplicationId::generate(&tenant, counting());
        assert_eq!(application.tenant(), tenant);
        assert_eq!(ApplicationId::parse(application.as_str()).map(|a| a.tenant()), Some(tenant.clone()));
        let qr = QrLoginId::generate(&tenant, counting());
        assert_eq!(qr.as_str().len(), 3 + 12 + 22);
        assert_eq!(QrLoginId::parse(qr.as_str()).map(|qr| qr.tenant()), Some(tenant));
        assert_eq!(QrLoginId::parse(&qr.as_str()[..36]), None);
    }

    #[test]
    fn bytes_that_would_bias_the_alphabet_are_skipped() {
        let mut first = true;
        let text = base62(2, |buffer| {
            buffer.fill(if std::mem::take(&mut first) { 255 } else { 61 });
        });
        assert_eq!(text, "zz");
    }
}
