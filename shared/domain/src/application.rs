//! An application of a tenant: what its users sign in to.

use super::ids::{ApplicationId, KeyId};
use super::refusal::Refusal;
use super::settings::SecurityRules;
use super::time::Timestamp;

/// How many secrets may live at once: the old and the new one during a rotation.
pub const MAX_SECRETS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub name: String,
    pub kind: ApplicationType,
    /// Exact origins (`https://host[:port]`) that a browser may call from.
    pub origins: Vec<String>,
    pub redirect_uris: Vec<String>,
    /// The host of the message's origin-bound last line. `None`: the host of the first origin, if there is one.
    pub message_host: Option<String>,
    /// `Some` while *customize security rules for this application* is on (acceptance B1–B8).
    pub custom_security: Option<SecurityRules>,
    pub secrets: Vec<ApplicationSecret>,
    pub created_at: Timestamp,
    pub version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationType {
    /// Browsers and phones: no secret.
    Public,
    /// A back end: its secret on every new login.
    Confidential,
}

impl ApplicationType {
    pub const fn as_str(self) -> &'static str {
        match self {
            ApplicationType::Public => "public",
            ApplicationType::Confidential => "confidential",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Confidential].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A secret as it is kept: its hash only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSecret {
    pub id: KeyId,
    /// SHA-256 of the whole credential. A fast hash is right here: the secret has 256 bits of its own.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
}

impl Application {
    /// A public application that has nothing but its name, and follows the tenant.
    pub fn new(id: ApplicationId, name: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            kind: ApplicationType::Public,
            origins: Vec::new(),
            redirect_uris: Vec::new(),
            message_host: None,
            custom_security: None,
            secrets: Vec::new(),
            created_at,
            version: 1,
        }
    }

    /// The host that the application's codes are bound to: the one it names, else its first origin's.
    pub fn code_host(&self) -> Option<&str> {
        self.message_host.as_deref().or_else(|| {
            let host = self.origins.first()?.split("://").nth(1)?;
            Some(host.split(':').next().unwrap_or(host))
        })
    }

    /// Turns *customize security rules* on with a fresh copy of the tenant's rules as they are now (B4). Where it is on already, the
    /// application keeps its own.
    pub fn customize_security(&mut self, tenant_now: &SecurityRules) {
        self.custom_security.get_or_insert_with(|| tenant_now.clone());
    }

    /// Turns *customize security rules* off: the application's own rules are gone (B8).
    pub fn follow_tenant(&mut self) {
        self.custom_security = None;
    }

    /// Adds a secret. Adding the same one again changes nothing, so that a repeated write is harmless.
    pub fn add_secret(&mut self, secret: ApplicationSecret) -> Result<(), Refusal> {
        if self.secrets.iter().any(|known| known.id == secret.id) {
            return Ok(());
        }
        if self.secrets.len() >= MAX_SECRETS {
            return Err(Refusal::NotPossible("an application has two secrets at most"));
        }
        self.secrets.push(secret);
        Ok(())
    }

    /// Revokes a secret. A confidential application keeps its last one: without any, it could start no login.
    pub fn remove_secret(&mut self, id: &KeyId) -> Result<(), Refusal> {
        let at = self.secrets.iter().position(|secret| secret.id == *id).ok_or(Refusal::NotFound)?;
        if self.kind == ApplicationType::Confidential && self.secrets.len() == 1 {
            return Err(Refusal::NotPossible("a confidential application keeps one secret"));
        }
        self.secrets.remove(at);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn application() -> Application {
        let id = ApplicationId::parse("app_aaaaaaaaaaaabbbbbbbbbb").expect("an id");
        Application::new(id, "Shop", Timestamp::from_secs(0))
    }

    fn secret(letter: char) -> ApplicationSecret {
        let id = KeyId::parse(&format!("key_{}", letter.to_string().repeat(12))).expect("an id");
        ApplicationSecret { id, hash: [0; 32], created_at: Timestamp::from_secs(0) }
    }

    #[test]
    fn b4_b8_each_turn_on_copies_afresh_and_off_drops() {
        let mut application = application();
        let mut tenant = SecurityRules::default();
        tenant.code.length = 7;
        application.customize_security(&tenant);
        assert_eq!(application.custom_security.as_ref(), Some(&tenant));

        // B5: from then on independent; "on" again keeps the application's own.
        tenant.code.length = 8;
        application.customize_security(&tenant);
        assert_eq!(application.custom_security.as_ref().map(|own| own.code.length), Some(7));

        application.follow_tenant();
        assert_eq!(application.custom_security, None);
        application.customize_security(&tenant);
        assert_eq!(application.custom_security.as_ref().map(|own| own.code.length), Some(8));
    }

    #[test]
    fn a_rotation_has_two_live_secrets_and_never_ends_with_none() {
        let mut application = Application { kind: ApplicationType::Confidential, ..application() };
        application.add_secret(secret('a')).expect("first");
        application.add_secret(secret('b')).expect("second");
        application.add_secret(secret('b')).expect("the same again");
        assert!(matches!(application.add_secret(secret('c')), Err(Refusal::NotPossible(_))));
        assert_eq!(application.remove_secret(&secret('c').id), Err(Refusal::NotFound));
        application.remove_secret(&secret('a').id).expect("the old one");
        assert!(matches!(application.remove_secret(&secret('b').id), Err(Refusal::NotPossible(_))));
        application.kind = ApplicationType::Public;
        application.remove_secret(&secret('b').id).expect("a public one needs none");
    }
}
