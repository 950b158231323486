//! Browser origins, for CORS preflights.

use super::Fault;
use crate::domain::ids::ApplicationId;
use async_trait::async_trait;

/// Knows which browser origins the applications of all tenants have.
#[async_trait]
pub trait OriginDirectory: Send + Sync {
    /// Whether any application lists `origin`. A preflight carries no credential and names no application, so this only decides
    /// whether the browser may send the call at all; whether that call's application allows the origin is decided on the call.
    async fn origin_is_known(&self, origin: &str) -> Result<bool, Fault>;
}

/// Knows the browser origins of one application.
#[async_trait]
pub trait ApplicationOrigins: Send + Sync {
    /// Whether `application` lists `origin`: for calls whose credential names the application but not its origins.
    async fn application_has_origin(&self, application: &ApplicationId, origin: &str) -> Result<bool, Fault>;
}
