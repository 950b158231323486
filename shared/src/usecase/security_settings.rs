//! Security settings: a tenant's, and those of an application that customises its own.

use super::TRIES;
use super::authenticate::{Allowed, Needed, ReadPolicy, WritePolicy};
use crate::domain::application::Application;
use crate::domain::audit::AuditedChange;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::ApplicationId;
use crate::domain::refusal::Refusal;
use crate::domain::settings::{SecurityRules, TenantSecurity};
use crate::domain::settings_patch::{RulesPatch, TenantSecurityPatch};
use crate::domain::tenant::Tenant;
use crate::ports::{Applications, Clock, Entropy, Failure, Saved, Tenants};
use std::sync::Arc;

pub struct SecuritySettings {
    pub tenants: Arc<dyn Tenants>,
    pub applications: Arc<dyn Applications>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A tenant's settings with all its identity sources, set or unset (C2).
#[derive(Debug)]
pub struct TenantSettings {
    pub security: TenantSecurity,
    pub sources: Vec<IdentitySource>,
}

impl SecuritySettings {
    pub async fn of_tenant(&self, allowed: &Allowed<ReadPolicy>) -> Result<TenantSettings, Failure> {
        let (tenant, sources) = self.with_sources(allowed).await?;
        Ok(TenantSettings { security: tenant.security, sources })
    }

    pub async fn change_tenant(
        &self,
        allowed: &Allowed<WritePolicy>,
        patch: &TenantSecurityPatch,
    ) -> Result<TenantSettings, Failure> {
        for _ in 0..TRIES {
            let (now, sources) = self.with_sources(allowed).await?;
            let exists = |id: &_| sources.iter().any(|source| source.id == *id);
            let security = patch.clone().apply(&now.security, &now.home_country, exists)?;
            let after = Tenant { security, ..now.clone() };
            after.check()?;
            let Some(change) = AuditedChange::tenant_security_changed(&now.security, &after.security) else {
                return Ok(TenantSettings { security: after.security, sources });
            };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            let switched = after.security.sending_enabled != now.security.sending_enabled;
            let switched_at = switched.then(|| self.clock.now());
            if self.tenants.save_tenant(&after, switched_at, &event).await? == Saved::Done {
                return Ok(TenantSettings { security: after.security, sources });
            }
        }
        Err(Refusal::Conflict.into())
    }

    /// Refused while the application follows its tenant: it has no settings of its own (B2).
    pub async fn of_application(
        &self,
        allowed: &Allowed<ReadPolicy>,
        id: &ApplicationId,
    ) -> Result<SecurityRules, Failure> {
        Ok(self.application(allowed, id).await?.custom_security.ok_or(Refusal::SecurityNotCustomized)?)
    }

    pub async fn change_application(
        &self,
        allowed: &Allowed<WritePolicy>,
        id: &ApplicationId,
        patch: &RulesPatch,
    ) -> Result<SecurityRules, Failure> {
        for _ in 0..TRIES {
            let now = self.application(allowed, id).await?;
            let own = now.custom_security.as_ref().ok_or(Refusal::SecurityNotCustomized)?;
            let rules = patch.clone().apply(own)?;
            let Some(change) = AuditedChange::application_security_changed(id, own, &rules) else {
                return Ok(rules);
            };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            let after = Application { custom_security: Some(rules.clone()), ..now.clone() };
            if self.applications.save_application(&now, &after, None, &event).await? == Saved::Done {
                return Ok(rules);
            }
        }
        Err(Refusal::Conflict.into())
    }

    async fn with_sources<P: Needed>(
        &self,
        allowed: &Allowed<P>,
    ) -> Result<(Tenant, Vec<IdentitySource>), Failure> {
        Ok(self.tenants.tenant_with_sources(allowed.tenant()).await?.ok_or(Refusal::NotFound)?)
    }

    async fn application<P: Needed>(
        &self,
        allowed: &Allowed<P>,
        id: &ApplicationId,
    ) -> Result<Application, Failure> {
        Ok(self.applications.application(allowed.own(id)?).await?.ok_or(Refusal::NotFound)?)
    }
}
