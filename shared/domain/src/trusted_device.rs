//! Devices that are trusted for some days: on one of them a user's own number needs no code (acceptance H7).
//!
//! Trust is bound to everything that it was given for: the user, the application, and one binding of one number. It is no second factor: a
//! login that it spares the code is worth its first factor only.

use super::challenge::is_disabled;
use super::factor::{Factor, FactorPhone};
use super::ids::{ApplicationId, DeviceId};
use super::settings::{CodeRules, TrustedDevices};
use super::time::Timestamp;

/// How many devices a user may have at once. One more, and the oldest goes.
pub const MAX_DEVICES: usize = 20;

const DAY_SECONDS: u32 = 86_400;

/// A device that is trusted, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedDevice {
    pub id: DeviceId,
    /// SHA-256 of the token that the device has.
    pub hash: [u8; 32],
    pub application: ApplicationId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub bound: BoundPhone,
}

/// One binding of one number. The same number bound again is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundPhone {
    /// Keyed hash of the number.
    pub hash: String,
    pub since: Timestamp,
}

impl BoundPhone {
    pub fn is_now(&self, phone: Option<&FactorPhone>) -> bool {
        phone.is_some_and(|phone| phone.hash == self.hash && phone.since == self.since)
    }
}

impl From<&FactorPhone> for BoundPhone {
    fn from(phone: &FactorPhone) -> Self {
        Self { hash: phone.hash.clone(), since: phone.since }
    }
}

impl TrustedDevice {
    /// Until when a device is trusted that is trusted now.
    pub fn end(now: Timestamp, rules: TrustedDevices) -> Timestamp {
        now.plus_secs(u32::from(rules.days) * DAY_SECONDS)
    }

    /// Whether it is trusted with the user's number as it is bound now.
    pub fn is_valid(&self, factor: &Factor, now: Timestamp) -> bool {
        now < self.expires_at && self.bound.is_now(factor.phone.as_ref())
    }

    /// Whether it is trusted at this application. Today's rules decide: a shorter time holds for devices that were trusted before, a longer
    /// one doesn't.
    pub fn is_trusted_at(
        &self,
        application: &ApplicationId,
        factor: &Factor,
        rules: TrustedDevices,
        now: Timestamp,
    ) -> bool {
        rules.enabled
            && self.application == *application
            && self.is_valid(factor, now)
            && now < Self::end(self.created_at, rules)
    }

    /// Whether it spares a login of this application the code, where policy asks for one.
    pub fn spares_code(
        &self,
        application: &ApplicationId,
        factor: &Factor,
        rules: TrustedDevices,
        code: CodeRules,
        now: Timestamp,
    ) -> bool {
        self.is_trusted_at(application, factor, rules, now) && !is_disabled(factor, code.max_attempts)
    }
}

/// Which devices have to go before one more comes: those that are worth nothing any more, and as many of the oldest as are too many.
pub fn make_room<'a>(
    devices: &'a [TrustedDevice],
    factor: &Factor,
    now: Timestamp,
) -> Vec<&'a TrustedDevice> {
    let (mut valid, mut gone): (Vec<_>, Vec<_>) =
        devices.iter().partition(|device| device.is_valid(factor, now));
    valid.sort_by_key(|device| device.created_at);
    let too_many = (valid.len() + 1).saturating_sub(MAX_DEVICES);
    gone.extend(valid.drain(..too_many));
    gone
}

/// Those that are worth something, newest first.
pub fn valid(devices: Vec<TrustedDevice>, factor: &Factor, now: Timestamp) -> Vec<TrustedDevice> {
    let mut valid: Vec<_> = devices.into_iter().filter(|device| device.is_valid(factor, now)).collect();
    valid.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
    valid
}

#[cfg(test)]
mod tests;
