//! Storage of trusted devices. A user has at most [`MAX_DEVICES`] of them, so that they are read all at once.
//!
//! [`MAX_DEVICES`]: crate::domain::trusted_device::MAX_DEVICES

use super::Fault;
use crate::domain::audit::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::ids::{DeviceId, TenantId, UserId};
use crate::domain::trusted_device::TrustedDevice;
use async_trait::async_trait;

/// What a user's devices are judged by.
#[derive(Debug)]
pub struct DeviceFacts {
    pub factor: Factor,
    /// Also those that are worth nothing any more. In no particular order.
    pub devices: Vec<TrustedDevice>,
}

#[async_trait]
pub trait DeviceReader: Send + Sync {
    /// A user's factor and devices, which stand next to each other; one strongly consistent Query. `None`: there is no such user.
    async fn device_facts(&self, tenant: &TenantId, user: &UserId) -> Result<Option<DeviceFacts>, Fault>;
}

#[async_trait]
pub trait TrustStore: DeviceReader {
    /// Puts `device` in the place of those in `gone`, with its event, in one transaction, if the factor still is as it was read. It gets
    /// another revision: of two devices that are added at once, one finds room after the other. `false`: it isn't.
    async fn trust_device(
        &self,
        user: &UserId,
        seen: &Factor,
        device: &TrustedDevice,
        gone: &[&TrustedDevice],
        event: &AuditEvent,
    ) -> Result<bool, Fault>;
}

#[async_trait]
pub trait RevokeStore: DeviceReader {
    /// Deletes devices with their events, in one transaction, if all of them still are there. `false`: they aren't.
    async fn revoke_devices(
        &self,
        tenant: &TenantId,
        user: &UserId,
        devices: &[&DeviceId],
        events: &[AuditEvent],
    ) -> Result<bool, Fault>;
}
