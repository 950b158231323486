//! The administration of tenants: everything that the function `policy-admin` serves.

use super::{
    admin_keys, applications, audit_events, console_session, explain, identity_sources, message_templates,
    security, tenants,
};
use crate::http::{Call, Problem, Route};
use crate::ports::{
    AdminKeys, Applications, AuditReader, Clock, ConsoleSessionStore, Entropy, IdentitySources, PolicyReader,
    Tenants,
};
use crate::usecase::admin_keys::ManageAdminKeys;
use crate::usecase::applications::ManageApplications;
use crate::usecase::audit_trail::AuditTrail;
use crate::usecase::authenticate::{AdminGate, Allowed, Needed};
use crate::usecase::console_session::ManageConsoleSessions;
use crate::usecase::explain::ExplainPolicy;
use crate::usecase::identity_sources::ManageSources;
use crate::usecase::message_templates::ManageTemplates;
use crate::usecase::security_settings::SecuritySettings;
use crate::usecase::tenants::ManageTenants;
use std::sync::Arc;

/// The use cases of `policy-admin`.
pub struct PolicyAdmin {
    pub gate: AdminGate,
    /// The deployment's own: where its pages are.
    pub own_origin: String,
    pub sessions: ManageConsoleSessions,
    pub tenants: ManageTenants,
    pub applications: ManageApplications,
    pub security: SecuritySettings,
    pub sources: ManageSources,
    pub keys: ManageAdminKeys,
    pub templates: ManageTemplates,
    pub explain: ExplainPolicy,
    pub audit: AuditTrail,
}

impl PolicyAdmin {
    /// `operator_hashes`: SHA-256 of each live operator credential
    /// ([`Credential::hash`](crate::auth::credential::Credential::hash)).
    pub fn new<S>(
        store: Arc<S>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        operator_hashes: Vec<[u8; 32]>,
        own_origin: String,
        own_host: Option<String>,
    ) -> Self
    where
        S: Tenants
            + Applications
            + IdentitySources
            + AdminKeys
            + ConsoleSessionStore
            + PolicyReader
            + AuditReader
            + 'static,
    {
        Self {
            gate: AdminGate { keys: store.clone(), clock: clock.clone(), operator_hashes },
            own_origin,
            sessions: ManageConsoleSessions {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            tenants: ManageTenants { tenants: store.clone(), clock: clock.clone(), entropy: entropy.clone() },
            applications: ManageApplications {
                applications: store.clone(),
                tenants: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            security: SecuritySettings {
                tenants: store.clone(),
                applications: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            },
            sources: ManageSources { sources: store.clone(), clock: clock.clone(), entropy: entropy.clone() },
            keys: ManageAdminKeys { keys: store.clone(), clock: clock.clone(), entropy: entropy.clone() },
            templates: ManageTemplates {
                tenants: store.clone(),
                policy: store.clone(),
                clock: clock.clone(),
                entropy,
                own_host,
            },
            explain: ExplainPolicy { policy: store.clone() },
            audit: AuditTrail { events: store.clone(), tenants: store, clock },
        }
    }

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

pub const ROUTES: &[Route<PolicyAdmin>] = &[
    route!("POST", "/v1/console/session", "create_console_session", console_session::create),
    route!("GET", "/v1/console/session", "get_console_session", console_session::get),
    route!("DELETE", "/v1/console/session", "delete_console_session", console_session::delete),
    route!("POST", "/v1/tenants", "create_tenant", tenants::create),
    route!("GET", "/v1/tenants/{tenant}", "get_tenant", tenants::get),
    route!("PATCH", "/v1/tenants/{tenant}", "update_tenant", tenants::update),
    route!("GET", "/v1/tenants/{tenant}/security", "get_tenant_security", security::get_tenant),
    route!("PATCH", "/v1/tenants/{tenant}/security", "update_tenant_security", security::update_tenant),
    route!("POST", "/v1/tenants/{tenant}/applications", "create_application", applications::create),
    route!("GET", "/v1/tenants/{tenant}/applications", "list_applications", applications::list),
    route!("GET", "/v1/tenants/{tenant}/applications/{application}", "get_application", applications::get),
    route!(
        "PATCH",
        "/v1/tenants/{tenant}/applications/{application}",
        "update_application",
        applications::update
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/applications/{application}",
        "delete_application",
        applications::delete
    ),
    route!(
        "POST",
        "/v1/tenants/{tenant}/applications/{application}/secrets",
        "create_application_secret",
        applications::create_secret
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/applications/{application}/secrets/{key}",
        "delete_application_secret",
        applications::delete_secret
    ),
    route!(
        "GET",
        "/v1/tenants/{tenant}/applications/{application}/security",
        "get_application_security",
        security::get_application
    ),
    route!(
        "PATCH",
        "/v1/tenants/{tenant}/applications/{application}/security",
        "update_application_security",
        security::update_application
    ),
    route!(
        "POST",
        "/v1/tenants/{tenant}/identity-sources",
        "create_identity_source",
        identity_sources::create
    ),
    route!("GET", "/v1/tenants/{tenant}/identity-sources", "list_identity_sources", identity_sources::list),
    route!(
        "GET",
        "/v1/tenants/{tenant}/identity-sources/{source}",
        "get_identity_source",
        identity_sources::get
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/identity-sources/{source}",
        "delete_identity_source",
        identity_sources::delete
    ),
    route!("POST", "/v1/tenants/{tenant}/admin-keys", "create_admin_key", admin_keys::create),
    route!("GET", "/v1/tenants/{tenant}/admin-keys", "list_admin_keys", admin_keys::list),
    route!("GET", "/v1/tenants/{tenant}/admin-keys/{key}", "get_admin_key", admin_keys::get),
    route!("DELETE", "/v1/tenants/{tenant}/admin-keys/{key}", "delete_admin_key", admin_keys::delete),
    route!(
        "GET",
        "/v1/tenants/{tenant}/message-templates",
        "list_message_templates",
        message_templates::list
    ),
    route!(
        "POST",
        "/v1/tenants/{tenant}/message-templates/lint",
        "lint_message_template",
        message_templates::lint
    ),
    route!(
        "GET",
        "/v1/tenants/{tenant}/message-templates/{locale}",
        "get_message_template",
        message_templates::get
    ),
    route!(
        "PUT",
        "/v1/tenants/{tenant}/message-templates/{locale}",
        "put_message_template",
        message_templates::put
    ),
    route!(
        "DELETE",
        "/v1/tenants/{tenant}/message-templates/{locale}",
        "delete_message_template",
        message_templates::delete
    ),
    route!("POST", "/v1/tenants/{tenant}/policy/explain", "explain_policy", explain::explain),
    route!("GET", "/v1/tenants/{tenant}/audit-events", "list_audit_events", audit_events::list),
];
