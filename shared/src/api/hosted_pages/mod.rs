//! Function `hosted-pages`: hosted logins as an OpenID Connect provider, and the pages themselves.

mod assets;
mod authorize;
mod discovery;
mod error_page;
mod experience;
mod finish;
mod html;
mod login_page;
mod scan;
mod steps;
mod token;
mod userinfo;

pub use error_page::{PageError, reply as error_page};
pub use finish::{finish, give_up};

use super::console;
use super::pages::Pages;
use crate::http::Route;
use crate::ports::qr_login::QrReader;
use crate::ports::{AccessTokens, Entropy};
use crate::usecase::authorize::Authorize;
use crate::usecase::claims::ReadClaims;
use crate::usecase::exchange_code::ExchangeCode;
use crate::usecase::login_state::ReadLogin;
use crate::usecase::login_token::LoginTokens;
use std::sync::Arc;

/// What the function needs.
pub struct HostedPagesApp {
    pub pages: Pages,
    pub authorize: Authorize,
    pub exchange: ExchangeCode,
    pub claims: ReadClaims,
    pub tokens: LoginTokens,
    pub read: ReadLogin,
    pub qr: Arc<dyn QrReader>,
    pub access: Arc<dyn AccessTokens>,
    pub entropy: Arc<dyn Entropy>,
    /// The service's public address, without a slash at its end.
    pub base: String,
}

macro_rules! route {
    ($method:literal, $path:literal, $operation:literal, $handler:path) => {
        Route::new($method, $path, $operation, |app, call| Box::pin($handler(app, call)))
    };
}

pub const ROUTES: &[Route<HostedPagesApp>] = &[
    Route::new("GET", "/console", "get_console", |_, _| Box::pin(async { Ok(console::page()) })),
    Route::new("GET", "/console/{version}/{file}", "get_console_file", |_, call| {
        Box::pin(async move { console::file(&call) })
    }),
    route!("GET", "/t/{tenant}/.well-known/openid-configuration", "get_openid_configuration", discovery::get),
    route!("GET", "/t/{tenant}/authorize", "authorize", authorize::get),
    route!("POST", "/t/{tenant}/authorize", "authorize_by_form", authorize::post),
    route!("POST", "/t/{tenant}/token", "exchange_code", token::post),
    route!("GET", "/t/{tenant}/userinfo", "get_userinfo", userinfo::get),
    route!("POST", "/t/{tenant}/userinfo", "get_userinfo_by_form", userinfo::post),
    route!("GET", "/t/{tenant}/login/{txn}", "get_login_page", login_page::get),
    route!("POST", "/t/{tenant}/login/{txn}/back", "leave_login", login_page::back),
    route!("POST", "/t/{tenant}/login/{txn}/continue", "continue_login", login_page::go_on),
    route!("GET", "/t/{tenant}/experience/{application}", "experience_login", experience::start),
    route!("GET", "/t/{tenant}/experience/{application}/result", "get_experience_result", experience::result),
    route!("GET", "/t/{tenant}/scan", "get_scan_page", scan::get),
    route!("GET", "/t/{tenant}/scan/signed-in", "sign_in_to_scan", scan::signed_in),
    route!("GET", "/assets/{file}", "get_asset", assets::get),
];
