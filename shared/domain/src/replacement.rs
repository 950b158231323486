//! A user who asks for another number (acceptance H8), before anything is sent.
//!
//! The old number or a recovery code has to be proven first and the new one after it; nothing changes until the last. Somebody who holds no
//! more than an access token therefore gets no further than the first message, which goes to the number that is bound.

use super::access::VerifiedAccess;
use super::factor::Factor;
use super::login::LOGIN_SECONDS;
use super::refusal::Refusal;
use super::time::Timestamp;

/// How many numbers a user may ask for in a login's life, over all logins: each is kept for days.
pub const MAX_ASKED: usize = 5;

/// Whether `me` may ask for the number with the keyed hash `wanted`, and the hash of the number that it would replace. `asked` is when numbers
/// were asked for within a login's life.
///
/// A number in the place of none needs no other proof than the login, so the login must be fresh.
pub fn may_ask(
    me: &VerifiedAccess,
    factor: &Factor,
    wanted: &str,
    self_service: bool,
    asked: &[Timestamp],
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    if !self_service {
        return Err(Refusal::SelfBindingDisabled);
    }
    match &factor.phone {
        Some(bound) if bound.hash == wanted => {
            return Err(Refusal::NotPossible("the number is bound already"));
        }
        None if !me.is_fresh(now) => return Err(Refusal::StepUpRequired),
        _ => {}
    }
    if asked.len() >= MAX_ASKED {
        let oldest = asked.iter().min().copied().unwrap_or(now);
        return Err(Refusal::RateLimited {
            rule: "phone_replacements",
            retry_at: oldest.plus_secs(LOGIN_SECONDS),
        });
    }
    Ok(factor.phone.as_ref().map(|bound| bound.hash.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::FactorPhone;
    use crate::ids::{ApplicationId, LoginId, TenantId, UserId};

    const NOW: Timestamp = Timestamp::from_secs(10_000);

    fn ask(
        bound: Option<&str>,
        self_service: bool,
        age: u32,
        asked: usize,
    ) -> Result<Option<String>, Refusal> {
        let tenant = TenantId::generate(|b| b.fill(1));
        let me = VerifiedAccess {
            application: ApplicationId::generate(&tenant, |b| b.fill(1)),
            tenant,
            user: UserId::generate(|b| b.fill(1)),
            login: LoginId::generate(|b| b.fill(1)),
            auth_time: Timestamp::from_secs(NOW.secs() - i64::from(age)),
            amr: Vec::new(),
            acr: "aal1".into(),
            expires_at: NOW.plus_secs(60),
            granted: None,
        };
        let phone = bound.map(|hash| FactorPhone {
            sealed: String::new(),
            hash: hash.into(),
            hint: String::new(),
            country: "US".into(),
            since: NOW,
        });
        let factor = Factor { phone, ..Factor::default() };
        may_ask(&me, &factor, "new", self_service, &vec![NOW; asked], NOW)
    }

    #[test]
    fn h8_a_bound_user_may_ask_at_any_time_for_the_old_number_has_its_say() {
        assert_eq!(ask(Some("old"), true, 800, 0), Ok(Some("old".into())));
        assert!(matches!(ask(Some("new"), true, 0, 0), Err(Refusal::NotPossible(_))));
    }

    #[test]
    fn h8_a_user_without_a_number_must_have_signed_in_just_now() {
        assert_eq!(ask(None, true, 300, 0), Ok(None));
        assert_eq!(ask(None, true, 301, 0), Err(Refusal::StepUpRequired));
    }

    #[test]
    fn f11_where_binding_is_the_administrators_nobody_asks() {
        assert_eq!(ask(Some("old"), false, 0, 0), Err(Refusal::SelfBindingDisabled));
        assert_eq!(ask(None, false, 0, 0), Err(Refusal::SelfBindingDisabled));
    }

    #[test]
    fn h4_numbers_asked_for_are_bounded() {
        assert!(ask(Some("old"), true, 0, MAX_ASKED - 1).is_ok());
        let refused = Refusal::RateLimited { rule: "phone_replacements", retry_at: NOW.plus_secs(600) };
        assert_eq!(ask(Some("old"), true, 0, MAX_ASKED), Err(refused));
    }
}
