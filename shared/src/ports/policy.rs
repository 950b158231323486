//! What administration and sign-in keep of policy: tenants, applications, identity sources, administrator keys.
//!
//! A write of something that was read names the version it was made from. It answers [`Saved::Stale`] when somebody else wrote in
//! between: then read again, decide again, write again. Every write takes the events that the audit keeps of it, in the same transaction.

use super::{Failure, Fault, Page, PageRequest};
use crate::domain::admin_key::AdminKey;
use crate::domain::application::Application;
use crate::domain::audit::AuditEvent;
use crate::domain::console_session::ConsoleSessions;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::{ApplicationId, KeyId, SourceId, TenantId, UserId};
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// What became of a write that named the version it was made from.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Done,
    /// The thing, or what the write was made from, has changed or is gone. Nothing was written.
    Stale,
}

#[async_trait]
pub trait Tenants: Send + Sync {
    /// Keeps a new tenant and its first owner key, both or neither.
    async fn create_tenant(
        &self,
        tenant: &Tenant,
        owner: &AdminKey,
        events: &[AuditEvent],
    ) -> Result<(), Fault>;
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, Fault>;
    /// The tenant with all its identity sources. Further requests only for what doesn't fit one answer of the engine (1 MB).
    async fn tenant_with_sources(
        &self,
        id: &TenantId,
    ) -> Result<Option<(Tenant, Vec<IdentitySource>)>, Fault>;
    /// Writes a changed tenant; `version` is still the one that was read.
    ///
    /// `switched_at` is given when the sending switch changed: in the same transaction, logins that are already under way are stopped (or
    /// let go on) too, at the item that every send counts in. Later logins carry the switch in their token.
    async fn save_tenant(
        &self,
        tenant: &Tenant,
        switched_at: Option<Timestamp>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault>;
}

/// Which version of the tenant a copy of its rules was taken from.
#[derive(Clone, Copy, Debug)]
pub struct CopiedFrom {
    pub tenant_version: u64,
}

#[async_trait]
pub trait Applications: Send + Sync {
    /// Keeps a new application and its origins. Stale when the tenant whose rules it copies has changed since.
    async fn create_application(
        &self,
        application: &Application,
        copied: Option<CopiedFrom>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault>;
    async fn application(&self, id: &ApplicationId) -> Result<Option<Application>, Fault>;
    /// In the order of ids. A broken or foreign cursor is refused.
    async fn applications(&self, tenant: &TenantId, page: &PageRequest)
    -> Result<Page<Application>, Failure>;
    /// Writes a changed application and the difference of its origins; `after.version` is still the one that was read.
    async fn save_application(
        &self,
        before: &Application,
        after: &Application,
        copied: Option<CopiedFrom>,
        event: &AuditEvent,
    ) -> Result<Saved, Fault>;
    /// Removes the application as it was read, with its origins.
    async fn delete_application(&self, application: &Application, event: &AuditEvent)
    -> Result<Saved, Fault>;
}

#[async_trait]
pub trait IdentitySources: Send + Sync {
    async fn create_source(
        &self,
        tenant: &TenantId,
        source: &IdentitySource,
        event: &AuditEvent,
    ) -> Result<(), Fault>;
    async fn source(&self, tenant: &TenantId, id: &SourceId) -> Result<Option<IdentitySource>, Fault>;
    async fn sources(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<IdentitySource>, Failure>;
    /// Removes the source and its switch in the tenant's settings. `false` when there is none.
    async fn delete_source(
        &self,
        tenant: &TenantId,
        id: &SourceId,
        event: &AuditEvent,
    ) -> Result<bool, Fault>;
}

/// All that a check of an administrator's credential needs; every function with administration calls has one.
#[async_trait]
pub trait AdminKeyLookup: Send + Sync {
    async fn admin_key(&self, tenant: &TenantId, id: &KeyId) -> Result<Option<AdminKey>, Fault>;
    /// The key with the console's sessions that it opened, in one request.
    async fn admin_key_with_sessions(
        &self,
        tenant: &TenantId,
        id: &KeyId,
    ) -> Result<Option<(AdminKey, ConsoleSessions)>, Fault>;
}

#[async_trait]
pub trait ConsoleSessionStore: Send + Sync {
    /// Keeps the sessions of a key that is still there; `sessions.revision` is still the one that was read.
    async fn save_console_sessions(
        &self,
        key: &AdminKey,
        sessions: &ConsoleSessions,
        event: &AuditEvent,
    ) -> Result<Saved, Fault>;
}

#[async_trait]
pub trait AdminKeys: AdminKeyLookup {
    async fn create_admin_key(&self, key: &AdminKey, event: &AuditEvent) -> Result<(), Fault>;
    async fn admin_keys(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<AdminKey>, Failure>;
    /// Removes a key as it was read, and the sessions that it opened.
    async fn delete_admin_key(&self, key: &AdminKey, event: &AuditEvent) -> Result<KeyDeletion, Fault>;
}

#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDeletion {
    Done,
    Missing,
    /// It is the tenant's last owner key that never expires: without it nobody could manage keys any more.
    LastOwner,
}

/// What decides whether a login asks for MFA.
#[derive(Debug)]
pub struct PolicyFacts {
    pub tenant: Tenant,
    pub application: Application,
    /// Whether the source that was asked about exists; `false` where none was.
    pub source_exists: bool,
    /// The same of the user.
    pub user_exists: bool,
}

#[async_trait]
pub trait PolicyReader: Send + Sync {
    /// `None` when the application or its tenant doesn't exist.
    async fn policy_facts(
        &self,
        application: &ApplicationId,
        source: Option<&SourceId>,
        user: Option<&UserId>,
    ) -> Result<Option<PolicyFacts>, Fault>;
}
