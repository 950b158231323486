//! Puts one number in the place of another, or none: what administrators do, and users who remove their own (acceptance D2, H8). The number
//! that was bound is told in the same transaction.

use super::TRIES;
use super::notices::notice;
use super::test_numbers::hashed;
use crate::domain::audit::{AuditEvent, AuditedChange};
use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::NoticeKind;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::notices::{Addressed, Addressees};
use crate::ports::{
    Binding, BindingStore, BindingWrite, Entropy, Failure, Fault, NumberChange, PersonalData,
};
use std::sync::Arc;

#[derive(Clone)]
pub struct ChangeNumber {
    pub bindings: Arc<dyn BindingStore>,
    pub addressees: Arc<dyn Addressees>,
    pub personal: Arc<dyn PersonalData>,
    pub entropy: Arc<dyn Entropy>,
}

/// Makes the event of a change: who it is that changes is known outside.
pub(super) type Event<'a> = &'a (dyn Fn(AuditedChange) -> AuditEvent + Send + Sync);

/// Whether whoever changes the number may, as far as the factor decides.
pub(super) type May<'a> = &'a (dyn Fn(&Factor) -> Result<(), Refusal> + Send + Sync);

impl ChangeNumber {
    /// Makes `wanted` the number, if `may` says so of the factor as it is. The failures are cleared and no code that is out completes anything any more. Nothing happens where
    /// the user has that number, or none, and no failures.
    ///
    /// # Errors
    /// What `may` refuses with; [`Refusal::PhoneTaken`]; [`Refusal::NotPossible`] when the number is all that the user can sign in with.
    pub(super) async fn change(
        &self,
        (tenant, user): (&TenantId, &UserId),
        wanted: Option<&FactorPhone>,
        may: May<'_>,
        now: Timestamp,
        event: Event<'_>,
    ) -> Result<(), Failure> {
        let mut addressed = None;
        for _ in 0..TRIES {
            let seen = self.bindings.binding(tenant, user, now).await?.ok_or(Refusal::NotFound)?;
            may(&seen.factor)?;
            let phone = to_write(&seen, wanted);
            let Some(change) = AuditedChange::phone_changed(user, &seen.factor, phone) else { return Ok(()) };
            let old = seen.factor.phone.as_ref();
            let told = match NoticeKind::of_change(old, phone).zip(old) {
                Some((kind, old)) => {
                    let Addressed { addressee, test_numbers } =
                        self.addressed(&mut addressed, tenant, user).await?;
                    let tests = hashed(&*self.personal, tenant, &test_numbers);
                    let told = notice(&*self.entropy, kind, (tenant, user), old, addressee, now);
                    tests.scenario(&old.hash).is_none().then_some(told)
                }
                None => None,
            };
            let change = NumberChange { phone, notice: told.as_ref(), event: &event(change) };
            match self.bindings.change_number(tenant, user, &seen, &change).await? {
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

    /// Read once, however often the change is tried.
    async fn addressed(
        &self,
        known: &mut Option<Addressed>,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<Addressed, Fault> {
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let addressed = self.addressees.addressee(tenant, user).await?;
        Ok(known.insert(addressed).clone())
    }
}

/// The number to write. Of two equal ones the bound one stays, with the moment it was bound.
fn to_write<'a>(seen: &'a Binding, wanted: Option<&'a FactorPhone>) -> Option<&'a FactorPhone> {
    let bound = seen.factor.phone.as_ref();
    let same = bound.map(|phone| &phone.hash) == wanted.map(|phone| &phone.hash);
    if same { bound } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

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
