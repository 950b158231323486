//! What a client needs to know of the provider (OpenID Connect Discovery 1.0 §3, RFC 8414). Every tenant is an issuer of its own.

use super::HostedPagesApp;
use crate::domain::authorization::Scopes;
use crate::domain::ids::TenantId;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use http::{HeaderValue, header};
use serde_json::json;

/// It is the same for every tenant but for its name, and public. Whether the tenant exists is not said.
pub(super) async fn get(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    let issuer = format!("{}/t/{tenant}", app.base);
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "scopes_supported": Scopes::SUPPORTED,
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr", "txn",
            "preferred_username", "email", "email_verified", "phone_number", "phone_number_verified", "locale",
        ],
        "acr_values_supported": ["aal1", "aal2"],
        "ui_locales_supported": ["en", "zh"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    Ok(Reply::ok(&document)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
        .with_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")))
}
