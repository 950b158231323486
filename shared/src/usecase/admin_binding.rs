//! An administrator binds, replaces and unbinds a user's number (acceptance D2). The user needs no code for it and counts as bound at once.
//!
//! The number must exist and be of a kind that gets codes. The tenant's countries are not asked: they say where messages may go, which is
//! decided with every message, and an administrator who imports users must not have to open a country first.

use super::authenticate::{Allowed, WriteUsers};
use super::change_number::ChangeNumber;
use super::users::{OpenedUser, open};
use crate::domain::factor::{Factor, FactorPhone, owner_scope, phone_place};
use crate::domain::identifier::PHONE;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Entropy, Failure, PersonalData, UserStore};
use std::sync::Arc;

/// An administrator asks no factor.
const ANY: fn(&Factor) -> Result<(), Refusal> = |_| Ok(());

#[derive(Clone)]
pub struct AdminBinding {
    pub numbers: ChangeNumber,
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
        let event = |change| allowed.event(change, &*self.clock, &*self.entropy);
        self.numbers.change((tenant, user), Some(&phone), &ANY, now, &event).await?;
        let (user, factor) = self.users.find_user(tenant, user).await?.ok_or(Refusal::NotFound)?;
        Ok(open(&*self.personal, &user, &factor)?)
    }

    /// Takes the number away, and clears the failures. Nothing happens to a user that has neither.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] when the number is all that the user can sign in with.
    pub async fn unbind(&self, allowed: &Allowed<WriteUsers>, user: &UserId) -> Result<(), Failure> {
        let event = |change| allowed.event(change, &*self.clock, &*self.entropy);
        self.numbers.change((allowed.tenant(), user), None, &ANY, self.clock.now(), &event).await
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
