//! The users of a tenant and their numbers: everything that the function `user-directory` serves.

use super::{challenges, console_session, identities, trusted_devices, users};
use crate::http::{Call, Problem, Route};
use crate::usecase::admin_binding::AdminBinding;
use crate::usecase::authenticate::{AdminGate, Allowed, Needed};
use crate::usecase::link_identity::LinkIdentities;
use crate::usecase::support::SupportView;
use crate::usecase::trusted_devices::ManageDevices;
use crate::usecase::users::ManageUsers;

/// The use cases of `user-directory`.
pub struct UserDirectory {
    pub gate: AdminGate,
    /// The deployment's own: where its pages are.
    pub own_origin: String,
    pub users: ManageUsers,
    pub bindings: AdminBinding,
    pub identities: LinkIdentities,
    pub support: SupportView,
    pub devices: ManageDevices,
}

impl UserDirectory {
    /// Proves that the caller may do `P` in the tenant of the path.
    pub(super) async fn allow<P: Needed>(&self, call: &Call) -> Result<Allowed<P>, Problem> {
        let shown = console_session::shown(call, &self.own_origin)?;
        Ok(self.gate.allow(shown, call.param("tenant"), call.provenance()).await?)
    }
}

macro_rules! route {
    ($method:literal, $path:literal, $operation:literal, $handler:path) => {
        Route::new($method, $path, $operation, |app, call| Box::pin($handler(app, call)))
    };
}

pub const ROUTES: &[Route<UserDirectory>] = &[
    route!("POST", "/v1/tenants/{tenant}/users", "create_user", users::create),
    route!("GET", "/v1/tenants/{tenant}/users", "list_users", users::list),
    route!("GET", "/v1/tenants/{tenant}/users/{user}", "get_user", users::get),
    route!("PATCH", "/v1/tenants/{tenant}/users/{user}", "update_user", users::update),
    route!("DELETE", "/v1/tenants/{tenant}/users/{user}", "delete_user", users::delete),
    route!("PUT", "/v1/tenants/{tenant}/users/{user}/phone", "bind_user_phone", users::bind_phone),
    route!("DELETE", "/v1/tenants/{tenant}/users/{user}/phone", "unbind_user_phone", users::unbind_phone),
    route!("GET", "/v1/tenants/{tenant}/users/{user}/identities", "list_user_identities", identities::list),
    route!(
        "GET",
        "/v1/tenants/{tenant}/users/{user}/identities/{source}",
        "get_user_identity",
        identities::get
    ),
    route!(
        "PUT",
        "/v1/tenants/{tenant}/users/{user}/identities/{source}",
        "link_user_identity",
        identities::link
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/users/{user}/identities/{source}",
        "unlink_user_identity",
        identities::unlink
    ),
    route!("GET", "/v1/tenants/{tenant}/users/{user}/challenges", "list_user_challenges", challenges::list),
    route!(
        "GET",
        "/v1/tenants/{tenant}/users/{user}/trusted-devices",
        "list_trusted_devices",
        trusted_devices::list
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/users/{user}/trusted-devices",
        "revoke_trusted_devices",
        trusted_devices::revoke_all
    ),
    route!(
        "GET",
        "/v1/tenants/{tenant}/users/{user}/trusted-devices/{device}",
        "get_trusted_device",
        trusted_devices::get
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/users/{user}/trusted-devices/{device}",
        "revoke_trusted_device",
        trusted_devices::revoke
    ),
];
