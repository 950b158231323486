//! Function `phone-binding`: the number that an unbound user wants to bind, and what users do about their second factor themselves.

use super::login_forms::phone;
use super::login_wire::{LoginAnswer, open_login};
use super::pages::Pages;
use super::{me, trusted_devices};
use crate::http::{Call, Problem, Reply, Route};
use crate::usecase::access::AccessGate;
use crate::usecase::ask_replacement::AskReplacement;
use crate::usecase::bind_phone::AskForNumber;
use crate::usecase::login_token::LoginTokens;
use crate::usecase::own_phone::OwnPhone;
use crate::usecase::recovery_codes::RenewRecoveryCodes;
use crate::usecase::trusted_devices::ManageDevices;
use serde::Deserialize;

/// What the function needs.
pub struct PhoneBindingApp {
    pub ask: AskForNumber,
    pub tokens: LoginTokens,
    pub gate: AccessGate,
    pub phone: OwnPhone,
    pub replace: AskReplacement,
    pub recovery: RenewRecoveryCodes,
    pub devices: ManageDevices,
    pub pages: Pages,
}

macro_rules! route {
    ($method:literal, $path:literal, $operation:literal, $handler:path) => {
        Route::new($method, $path, $operation, |app, call| Box::pin($handler(app, call)))
    };
}

pub const ROUTES: &[Route<PhoneBindingApp>] = &[
    route!("POST", "/v1/logins/{login}/phone", "set_login_phone", set_login_phone),
    route!("POST", "/t/{tenant}/login/{txn}/phone", "submit_login_phone", phone::submit),
    route!("GET", "/v1/me/phone", "get_own_phone", me::get_phone),
    route!("PUT", "/v1/me/phone", "replace_own_phone", me::put_phone),
    route!("DELETE", "/v1/me/phone", "delete_own_phone", me::delete_phone),
    route!("POST", "/v1/me/recovery-codes", "renew_recovery_codes", me::renew_recovery_codes),
    route!("GET", "/v1/me/trusted-devices", "list_own_trusted_devices", trusted_devices::list_own),
    route!("DELETE", "/v1/me/trusted-devices", "revoke_own_trusted_devices", trusted_devices::revoke_all_own),
    route!("GET", "/v1/me/trusted-devices/{device}", "get_own_trusted_device", trusted_devices::get_own),
    route!(
        "DELETE",
        "/v1/me/trusted-devices/{device}",
        "revoke_own_trusted_device",
        trusted_devices::revoke_own
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPhone {
    phone: String,
}

async fn set_login_phone(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let ticket = open_login(&call, &app.tokens)?;
    let SetPhone { phone } = match call.json() {
        Ok(body) => body,
        Err(refusal) => return Err(app.ask.refuse(ticket, refusal).await.into()),
    };
    let state = app.ask.ask(ticket, &phone).await?;
    Ok(Reply::ok(&LoginAnswer::of(&state)))
}
