//! Function `hosted-pages`: hosted logins as an OpenID Connect provider, and the pages themselves.

mod discovery;

use super::console;
use super::pages::Pages;
use crate::http::Route;
use crate::usecase::login_state::ReadLogin;
use crate::usecase::login_token::LoginTokens;
use crate::usecase::page_tokens::PageTokens;

/// What the function needs.
pub struct HostedPagesApp {
    pub pages: Pages,
    pub page_tokens: PageTokens,
    pub tokens: LoginTokens,
    pub read: ReadLogin,
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
];
