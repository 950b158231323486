//! Function `hosted-pages`: hosted logins as an OpenID Connect provider, and the pages themselves.

mod discovery;

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

pub const ROUTES: &[Route<HostedPagesApp>] = &[route!(
    "GET",
    "/t/{tenant}/.well-known/openid-configuration",
    "get_openid_configuration",
    discovery::get
)];
