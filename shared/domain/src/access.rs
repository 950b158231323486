//! What a valid access token says, and how much it is worth.

use super::authorization::Scopes;
use super::ids::{ApplicationId, GrantId, LoginId, TenantId, UserId};
use super::login::QR;
use super::time::Timestamp;

/// How long after a login its user may still do what asks for a fresh proof, in seconds.
pub const FRESH_SECONDS: u32 = 300;

/// The user that an access token was issued to, and how that user was authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAccess {
    pub tenant: TenantId,
    pub application: ApplicationId,
    pub user: UserId,
    pub login: LoginId,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub acr: String,
    pub expires_at: Timestamp,
    /// Of a token that an authorization code was exchanged for: its grant, which may be void by now, and what it may learn.
    pub granted: Option<(GrantId, Scopes)>,
}

impl VerifiedAccess {
    /// Whether the user proved anything at all in the last [`FRESH_SECONDS`].
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now <= self.auth_time.plus_secs(FRESH_SECONDS)
    }

    /// Whether the user proved two factors, and in the last [`FRESH_SECONDS`].
    pub fn has_fresh_second_factor(&self, now: Timestamp) -> bool {
        self.acr == "aal2" && self.is_fresh(now)
    }

    /// Whether this session may sign another browser in by its QR code. One that came from a QR code alone may not, or a token could be
    /// made anew for ever out of the one before, with nobody proving anything.
    pub fn may_approve_qr_logins(&self) -> bool {
        self.acr == "aal2" || !self.amr.iter().any(|method| method == QR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h8_a_second_factor_is_fresh_for_five_minutes() {
        let tenant = TenantId::generate(|b| b.fill(1));
        let mut access = VerifiedAccess {
            application: ApplicationId::generate(&tenant, |b| b.fill(1)),
            tenant,
            user: UserId::generate(|b| b.fill(1)),
            login: LoginId::generate(|b| b.fill(1)),
            auth_time: Timestamp::from_secs(1000),
            amr: Vec::new(),
            acr: "aal2".into(),
            expires_at: Timestamp::from_secs(1900),
            granted: None,
        };
        let at = Timestamp::from_secs;
        assert!(access.has_fresh_second_factor(at(1300)) && !access.has_fresh_second_factor(at(1301)));
        access.acr = "aal1".into();
        assert!(access.is_fresh(at(1300)) && !access.is_fresh(at(1301)));
        assert!(!access.has_fresh_second_factor(at(1000)));
        assert!(access.may_approve_qr_logins());
        access.amr = vec!["qr".into()];
        assert!(!access.may_approve_qr_logins());
        access.acr = "aal2".into();
        assert!(access.may_approve_qr_logins());
    }
}
