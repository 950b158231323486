//! Trusted devices as their user and administrators see and revoke them (acceptance H7). Who has lost a device needs no second factor to end
//! its trust: any live access token will do.

use super::TRIES;
use super::access::Caller;
use super::authenticate::{Allowed, ReadUsers, WriteUsers};
use super::change_number::Event;
use crate::domain::audit::{AuditEvent, AuditedChange};
use crate::domain::ids::{DeviceId, TenantId, UserId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::{TrustedDevice, valid};
use crate::ports::trusted_devices::RevokeStore;
use crate::ports::{Clock, Entropy, Failure, Page, PageRequest};
use std::sync::Arc;

/// Shows and revokes devices. Those that are worth nothing any more, by their time or their number, are not there.
#[derive(Clone)]
pub struct ManageDevices {
    pub store: Arc<dyn RevokeStore>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// By their user.
impl ManageDevices {
    /// Newest first.
    pub async fn own(&self, me: &Caller, page: &PageRequest) -> Result<Page<TrustedDevice>, Failure> {
        page_of(self.valid(&me.access.tenant, &me.access.user, self.clock.now()).await?, page)
    }

    pub async fn read_own(&self, me: &Caller, id: &DeviceId) -> Result<TrustedDevice, Failure> {
        only(self.valid(&me.access.tenant, &me.access.user, self.clock.now()).await?, id)
    }

    /// All of them where none is named.
    pub async fn revoke_own(&self, me: &Caller, which: Option<&DeviceId>) -> Result<(), Failure> {
        let now = self.clock.now();
        let event = |change| me.event(change, now, &*self.entropy);
        self.revoke(&me.access.tenant, &me.access.user, which, now, &event).await
    }
}

/// By administrators.
impl ManageDevices {
    /// Newest first.
    pub async fn list(
        &self,
        allowed: &Allowed<ReadUsers>,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<TrustedDevice>, Failure> {
        page_of(self.valid(allowed.tenant(), user, self.clock.now()).await?, page)
    }

    pub async fn read(
        &self,
        allowed: &Allowed<ReadUsers>,
        user: &UserId,
        id: &DeviceId,
    ) -> Result<TrustedDevice, Failure> {
        only(self.valid(allowed.tenant(), user, self.clock.now()).await?, id)
    }

    /// All of them where none is named.
    pub async fn revoke_of(
        &self,
        allowed: &Allowed<WriteUsers>,
        user: &UserId,
        which: Option<&DeviceId>,
    ) -> Result<(), Failure> {
        let event = |change| allowed.event(change, &*self.clock, &*self.entropy);
        self.revoke(allowed.tenant(), user, which, self.clock.now(), &event).await
    }
}

impl ManageDevices {
    async fn valid(
        &self,
        tenant: &TenantId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<TrustedDevice>, Failure> {
        let facts = self.store.device_facts(tenant, user).await?.ok_or(Refusal::NotFound)?;
        Ok(valid(facts.devices, &facts.factor, now))
    }

    async fn revoke(
        &self,
        tenant: &TenantId,
        user: &UserId,
        which: Option<&DeviceId>,
        now: Timestamp,
        event: Event<'_>,
    ) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let mut devices = self.valid(tenant, user, now).await?;
            if let Some(id) = which {
                devices = vec![only(devices, id)?];
            }
            if devices.is_empty() {
                return Ok(());
            }
            let ids: Vec<_> = devices.iter().map(|device| &device.id).collect();
            let told = |device| event(AuditedChange::trusted_device_revoked(user, device));
            let events: Vec<AuditEvent> = devices.iter().map(told).collect();
            if self.store.revoke_devices(tenant, user, &ids, &events).await? {
                return Ok(());
            }
        }
        Err(Refusal::Conflict.into())
    }
}

fn only(devices: Vec<TrustedDevice>, id: &DeviceId) -> Result<TrustedDevice, Failure> {
    Ok(devices.into_iter().find(|device| device.id == *id).ok_or(Refusal::NotFound)?)
}

/// One page of devices that stand newest first. A cursor is the last one's place, which stays where it is when that device goes.
fn page_of(devices: Vec<TrustedDevice>, page: &PageRequest) -> Result<Page<TrustedDevice>, Failure> {
    let after = page.cursor.as_deref().map(place_of_cursor).transpose()?;
    let rest = devices.into_iter().filter(|device| after.as_ref().is_none_or(|after| place(device) < *after));
    let mut items: Vec<_> = rest.collect();
    let more = items.len() > usize::from(page.limit);
    items.truncate(usize::from(page.limit));
    let last = items.last().filter(|_| more);
    let next = last.map(|device| format!("{}.{}", device.created_at.millis(), device.id));
    Ok(Page { items, next })
}

fn place(device: &TrustedDevice) -> (Timestamp, DeviceId) {
    (device.created_at, device.id.clone())
}

fn place_of_cursor(cursor: &str) -> Result<(Timestamp, DeviceId), Refusal> {
    let place = cursor.split_once('.').and_then(|(millis, id)| {
        let at = millis.parse().ok().map(Timestamp::from_millis)?;
        Some((at, DeviceId::parse(id)?))
    });
    place.ok_or_else(|| Refusal::InvalidRequest("cursor is not one that this list has given".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::ApplicationId;
    use crate::domain::trusted_device::BoundPhone;

    /// Devices newest first; the last two were made at once.
    fn devices() -> Vec<TrustedDevice> {
        let tenant = TenantId::generate(|b| b.fill(1));
        let device = |(n, at)| TrustedDevice {
            id: DeviceId::generate(|b| b.fill(n)),
            hash: [0; 32],
            application: ApplicationId::generate(&tenant, |b| b.fill(1)),
            created_at: Timestamp::from_secs(at),
            expires_at: Timestamp::from_secs(100),
            bound: BoundPhone { hash: String::new(), since: Timestamp::from_secs(0) },
        };
        [(1, 9), (9, 8), (8, 5), (4, 5)].map(device).into()
    }

    fn page(limit: u16, cursor: Option<String>) -> Page<TrustedDevice> {
        page_of(devices(), &PageRequest { limit, cursor }).expect("a page")
    }

    #[test]
    fn h7_devices_are_listed_a_page_at_a_time_and_each_once() {
        let mut seen = Vec::new();
        let mut cursor = None;
        for more in [true, false] {
            let Page { items, next } = page(if more { 3 } else { 1 }, cursor);
            assert_eq!(next.is_some(), more);
            seen.extend(items);
            cursor = next;
        }
        assert_eq!(seen, devices());
        assert_eq!(page(4, None).next, None);
        for bad in ["", "5", "5.", ".dev_x", "x.dev_0123456789012345678901", "5.usr_0123456789012345678901"] {
            let refused = page_of(devices(), &PageRequest { limit: 1, cursor: Some(bad.into()) });
            assert!(matches!(refused, Err(Failure::Refused(Refusal::InvalidRequest(_)))), "{bad}");
        }
    }
}
