//! The trusted device that comes with a first factor (acceptance H7). It is looked up by the id in its token, in a request that is made anyway.
//! Whatever is wrong with it, the code is asked for, and nothing says why.

use crate::auth::credential::{Credential, Holder};
use crate::domain::ids::DeviceId;
use crate::domain::trusted_device::TrustedDevice;

/// A device's token, before anything of it is believed.
pub(super) struct ShownDevice(Option<(DeviceId, Credential)>);

impl ShownDevice {
    /// What isn't a device's token is none.
    pub fn parse(token: Option<&str>) -> Self {
        let credential = token.and_then(Credential::parse);
        Self(credential.and_then(|credential| match &credential.holder {
            Holder::Device { device } => Some((device.clone(), credential)),
            _ => None,
        }))
    }

    pub fn id(&self) -> Option<&DeviceId> {
        self.0.as_ref().map(|(id, _)| id)
    }

    /// The device that is kept, if this is its token.
    pub fn recognise(&self, kept: Option<TrustedDevice>) -> Option<TrustedDevice> {
        let (_, credential) = self.0.as_ref()?;
        kept.filter(|device| credential.matches(&device.hash))
    }
}
