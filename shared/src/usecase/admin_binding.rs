//! An administrator binds, replaces and unbinds a user's number (acceptance D2). The user needs no code for it and counts as bound at once.
//!
//! The number must exist and be of a kind that gets codes. The tenant's countries are not asked: they say where messages may go, which is
//! decided with every message, and an administrator who imports users must not have to open a country first.

use super::TRIES;
use super::authenticate::{Allowed, WriteUsers};
use super::users::{OpenedUser, open};
use crate::domain::factor::{FactorPhone, owner_scope, phone_place};
use crate::domain::identifier::PHONE;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{Binding, BindingStore, BindingWrite, Clock, Failure, PersonalData, UserStore};
use std::sync::Arc;

#[derive(Clone)]
pub struct AdminBinding {
    pub bindings: Arc<dyn BindingStore>,
    pub users: Arc<dyn UserStore>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
}

impl AdminBinding {
    /// Binds the number in place of any other. The failures are cleared and no code that is out completes anything any more. The number that
    /// is bound already stays bound since when it was; only failures, if any, are cleared.
    ///
    /// # Errors
    /// [`Refusal::PhoneTaken`], [`Refusal::NumberTypeNotAllowed`].
    pub async fn bind(
        &self,
        allowed: &Allowed<WriteUsers>,
        user: &UserId,
        number: &PhoneNumber,
    ) -> Result<OpenedUser, Failure> {
        number.check_type()?;
        let (tenant, now) = (allowed.tenant(), self.clock.now());
        let phone = seal_number(&*self.personal, tenant, user, number, now);
        self.replace(tenant, user, Some(phone), now).await?;
        let (user, factor) = self.users.find_user(tenant, user).await?.ok_or(Refusal::NotFound)?;
        Ok(open(&*self.personal, &user, &factor)?)
    }

    /// Takes the number away, and clears the failures. Nothing happens to a user that has neither.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] when the number is all that the user can sign in with.
    pub async fn unbind(&self, allowed: &Allowed<WriteUsers>, user: &UserId) -> Result<(), Failure> {
        self.replace(allowed.tenant(), user, None, self.clock.now()).await
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        user: &UserId,
        wanted: Option<FactorPhone>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let seen = self.bindings.binding(tenant, user, now).await?.ok_or(Refusal::NotFound)?;
            let Some(phone) = to_write(&seen, wanted.as_ref()) else { return Ok(()) };
            match self.bindings.replace_phone(tenant, user, &seen, phone).await? {
                BindingWrite::Done => return Ok(()),
                BindingWrite::PhoneTaken => return Err(Refusal::PhoneTaken.into()),
                BindingWrite::LastIdentifier => {
                    return Err(
                        Refusal::NotPossible("the number is all that the user can sign in with").into()
                    );
                }
                BindingWrite::Stale => {}
            }
        }
        Err(Refusal::Conflict.into())
    }
}

/// The number to write; `None`: nothing is to be done.
fn to_write<'a>(seen: &'a Binding, wanted: Option<&'a FactorPhone>) -> Option<Option<&'a FactorPhone>> {
    let bound = seen.factor.phone.as_ref();
    let same = bound.map(|phone| &phone.hash) == wanted.map(|phone| &phone.hash);
    match (same, seen.factor.failures) {
        (true, 0) => None,
        (true, _) => Some(bound),
        (false, _) => Some(wanted),
    }
}

/// A number as it is kept of a user.
pub(super) fn seal_number(
    personal: &dyn PersonalData,
    tenant: &TenantId,
    user: &UserId,
    number: &PhoneNumber,
    now: Timestamp,
) -> FactorPhone {
    FactorPhone {
        sealed: personal.seal(&phone_place(tenant, user), number.e164()),
        hash: personal.hash(&owner_scope(tenant, PHONE), number.e164()),
        hint: number.hint(),
        country: number.country().to_owned(),
        since: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::factor::Factor;

    fn number(hash: &str) -> FactorPhone {
        let text = |text: &str| text.to_owned();
        let since = Timestamp::from_secs(1);
        FactorPhone { sealed: text(hash), hash: text(hash), hint: text(""), country: text("US"), since }
    }

    fn seen(phone: Option<&str>, failures: u32) -> Binding {
        let factor = Factor { phone: phone.map(number), failures, ..Factor::default() };
        Binding { factor, live_challenges: Vec::new() }
    }

    #[test]
    fn d2_what_is_bound_already_is_not_written_again() {
        let (a, b) = (number("a"), number("b"));
        let bound = seen(Some("a"), 0);
        assert_eq!(to_write(&bound, Some(&a)), None);
        assert_eq!(to_write(&bound, Some(&b)), Some(Some(&b)));
        assert_eq!(to_write(&bound, None), Some(None));
        let unbound = seen(None, 0);
        assert_eq!(to_write(&unbound, None), None);
        assert_eq!(to_write(&unbound, Some(&a)), Some(Some(&a)));
    }

    #[test]
    fn d2_failures_are_cleared_even_where_the_number_stays() {
        let a = number("a");
        assert_eq!(to_write(&seen(Some("a"), 3), Some(&a)), Some(Some(&a)));
        assert_eq!(to_write(&seen(None, 3), None), Some(None));
    }
}
