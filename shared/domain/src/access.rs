//! What a valid access token says, and how much it is worth.

use super::authorization::Scopes;
use super::factor::Factor;
use super::ids::{ApplicationId, GrantId, LoginId, TenantId, UserId};
use super::login::{QR, SMS};
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

    /// Whether a number that is bound was bound before this login ended. One that came later was proven by nothing in it: somebody who was
    /// let in by the number before must not undo the change.
    pub fn knows_the_number_of(&self, factor: &Factor) -> bool {
        factor.phone.as_ref().is_none_or(|phone| phone.since < self.numbers_before())
    }

    /// When a number has to have been bound at the latest, exclusively: `auth_time` is in whole seconds, and its second counts.
    pub fn numbers_before(&self) -> Timestamp {
        self.auth_time.plus_secs(1)
    }

    /// Whether the login ended with a code that a message brought.
    pub fn has_proven_a_number(&self) -> bool {
        self.amr.iter().any(|method| method == SMS)
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
    use crate::factor::FactorPhone;

    fn access() -> VerifiedAccess {
        let tenant = TenantId::generate(|b| b.fill(1));
        VerifiedAccess {
            application: ApplicationId::generate(&tenant, |b| b.fill(1)),
            tenant,
            user: UserId::generate(|b| b.fill(1)),
            login: LoginId::generate(|b| b.fill(1)),
            auth_time: Timestamp::from_secs(1000),
            amr: Vec::new(),
            acr: "aal2".into(),
            expires_at: Timestamp::from_secs(1900),
            granted: None,
        }
    }

    #[test]
    fn h8_a_login_proves_no_number_that_was_bound_after_it() {
        let mut access = access();
        let bound = |millis| {
            let text = String::new;
            let since = Timestamp::from_millis(millis);
            let phone = FactorPhone { sealed: text(), hash: text(), hint: text(), country: text(), since };
            Factor { phone: Some(phone), ..Factor::default() }
        };
        assert!(access.knows_the_number_of(&bound(999_000)) && access.knows_the_number_of(&bound(1_000_999)));
        assert!(!access.knows_the_number_of(&bound(1_001_000)));
        assert!(access.knows_the_number_of(&Factor::default()));
        assert!(!access.has_proven_a_number());
        access.amr = vec!["pwd".into(), "sms".into(), "mfa".into()];
        assert!(access.has_proven_a_number());
    }

    #[test]
    fn h8_a_second_factor_is_fresh_for_five_minutes() {
        let mut access = access();
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
