//! Trusted devices on the wire: as a login gives one out, as their user sees them and as administrators do.

use super::me::user;
use super::paging::{self, PageBody};
use super::phone_binding::PhoneBindingApp;
use super::user_directory::UserDirectory;
use crate::domain::ids::{DeviceId, UserId};
use crate::domain::refusal::Refusal;
use crate::domain::trusted_device::TrustedDevice;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadUsers, WriteUsers};
use crate::usecase::trust_device::NewDevice;
use serde::Serialize;

/// `trusted_device` in the answer that completes a sign-in.
#[derive(Debug, Serialize)]
pub struct NewDeviceBody {
    id: String,
    /// Shown this once.
    token: String,
    expires_at: String,
}

impl From<NewDevice> for NewDeviceBody {
    fn from(device: NewDevice) -> Self {
        Self {
            id: device.id.to_string(),
            token: device.token.into_exposed(),
            expires_at: device.expires_at.rfc3339(),
        }
    }
}

#[derive(Debug, Serialize)]
struct DeviceBody {
    id: String,
    application: String,
    created_at: String,
    expires_at: String,
}

impl From<&TrustedDevice> for DeviceBody {
    fn from(device: &TrustedDevice) -> Self {
        Self {
            id: device.id.to_string(),
            application: device.application.to_string(),
            created_at: device.created_at.rfc3339(),
            expires_at: device.expires_at.rfc3339(),
        }
    }
}

/// The device of the path; an id that can't be one is nobody's.
fn device(call: &Call) -> Result<DeviceId, Refusal> {
    DeviceId::parse(call.param("device")).ok_or(Refusal::NotFound)
}

fn user_of(call: &Call) -> Result<UserId, Refusal> {
    UserId::parse(call.param("user")).ok_or(Refusal::NotFound)
}

pub(super) async fn list_own(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    let page = app.devices.own(&me, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<DeviceBody>::of(page)))
}

pub(super) async fn get_own(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    Ok(Reply::ok(&DeviceBody::from(&app.devices.read_own(&me, &device(&call)?).await?)))
}

pub(super) async fn revoke_own(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    app.devices.revoke_own(&me, Some(&device(&call)?)).await?;
    Ok(Reply::no_content())
}

pub(super) async fn revoke_all_own(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let me = user(app, &call).await?;
    app.devices.revoke_own(&me, None).await?;
    Ok(Reply::no_content())
}

pub(super) async fn list(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let page = app.devices.list(&allowed, &user_of(&call)?, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<DeviceBody>::of(page)))
}

pub(super) async fn get(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let found = app.devices.read(&allowed, &user_of(&call)?, &device(&call)?).await?;
    Ok(Reply::ok(&DeviceBody::from(&found)))
}

pub(super) async fn revoke(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    app.devices.revoke_of(&allowed, &user_of(&call)?, Some(&device(&call)?)).await?;
    Ok(Reply::no_content())
}

pub(super) async fn revoke_all(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    app.devices.revoke_of(&allowed, &user_of(&call)?, None).await?;
    Ok(Reply::no_content())
}
