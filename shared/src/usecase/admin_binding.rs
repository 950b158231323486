//! An administrator binds, replaces and unbinds a user's number (acceptance D2). The user needs no code for it and counts as bound at once.
//!
//! The number must exist and be of a kind that gets codes. The tenant's countries are not asked: they say where messages may go, which is
//! decided with every message, and an administrator who imports users must not have to open a country first.

use super::TRIES;
use super::authenticate::{Allowed, WriteUsers};
use super::users::{OpenedUser, open};
use crate::domain::audit::AuditedChange;
use crate::domain::factor::{FactorPhone, owner_scope, phone_place};
use crate::domain::identifier::PHONE;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{Binding, BindingStore, BindingWrite, Clock, Entropy, Failure, PersonalData, UserStore};
use std::sync::Arc;

#[derive(Clone)]
pub struct AdminBinding {
    pub bindings: Arc<dyn BindingStore>,
    pub users: Arc<dyn UserStore>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
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
        self.replace(allowed, user, Some(phone), now).await?;
        let (user, factor) = self.users.find_user(tenant, user).await?.ok_or(Refusal::NotFound)?;
        Ok(open(&*self.personal, &user, &factor)?)
    }

    /// Takes the number away, and clears the failures. Nothing happens to a user that has neither.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] when the number is all that the user can sign in with.
    pub async fn unbind(&self, allowed: &Allowed<WriteUsers>, user: &UserId) -> Result<(), Failure> {
        self.replace(allowed, user, None, self.clock.now()).await
    }

    async fn replace(
        &self,
        allowed: &Allowed<WriteUsers>,
        user: &UserId,
        wanted: Option<FactorPhone>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let tenant = allowed.tenant();
        for _ in 0..TRIES {
            let seen = self.bindings.binding(tenant, user, now).await?.ok_or(Refusal::NotFound)?;
            let phone = to_write(&seen, wanted.as_ref());
            let Some(change) = AuditedChange::phone_changed(user, &seen.factor, phone) else { return Ok(()) };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            match self.bindings.replace_phone(tenant, user, &seen, phone, &event).await? {
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

/// The number to write. Of two equal ones the bound one stays, with the moment it was bound.
fn to_write<'a>(seen: &'a Binding, wanted: Option<&'a FactorPhone>) -> Option<&'a FactorPhone> {
    let bound = seen.factor.phone.as_ref();
    let same = bound.map(|phone| &phone.hash) == wanted.map(|phone| &phone.hash);
    if same { bound } else { wanted }
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

    #[test]
    fn d2_a_number_that_is_bound_already_stays_as_it_is() {
        let (bound, mut again, other) = (number("a"), number("a"), number("b"));
        again.since = Timestamp::from_secs(2);
        let factor = Factor { phone: Some(bound.clone()), ..Factor::default() };
        let seen = Binding { factor, live_challenges: Vec::new() };
        assert_eq!(to_write(&seen, Some(&again)), Some(&bound));
        assert_eq!(to_write(&seen, Some(&other)), Some(&other));
        assert_eq!(to_write(&seen, None), None);
    }
}
