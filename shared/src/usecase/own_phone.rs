//! `/v1/me/phone`: what users see of their number and do to it themselves.

use super::access::Caller;
use super::change_number::ChangeNumber;
use crate::domain::factor::{Factor, FactorPhone};
use crate::domain::refusal::Refusal;
use crate::ports::login::FactorStore;
use crate::ports::{Clock, Entropy, Failure};
use std::sync::Arc;

/// Shows and removes a user's own number.
#[derive(Clone)]
pub struct OwnPhone {
    pub factors: Arc<dyn FactorStore>,
    pub numbers: ChangeNumber,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl OwnPhone {
    /// # Errors
    /// [`Refusal::NotFound`] for a user without a number, and for one who was deleted.
    pub async fn read(&self, me: &Caller) -> Result<FactorPhone, Failure> {
        let factor = self.factors.factor(&me.access.tenant, &me.access.user).await?;
        Ok(factor.and_then(|factor| factor.phone).ok_or(Refusal::NotFound)?)
    }

    /// Takes the number away; a user without one keeps none. Codes that are out complete nothing any more, and the number is told.
    ///
    /// # Errors
    /// [`Refusal::StepUpRequired`] unless two factors were proven just now, and of the number that is bound if it was a number;
    /// [`Refusal::NotPossible`] when the number is all that the user can sign in with.
    pub async fn remove(&self, me: &Caller) -> Result<(), Failure> {
        let now = self.clock.now();
        if !me.access.has_fresh_second_factor(now) {
            return Err(Refusal::StepUpRequired.into());
        }
        let event = |change| me.event(change, now, &*self.entropy);
        let may = |factor: &Factor| {
            me.access.knows_the_number_of(factor).then_some(()).ok_or(Refusal::StepUpRequired)
        };
        self.numbers.change((&me.access.tenant, &me.access.user), None, &may, now, &event).await
    }
}
