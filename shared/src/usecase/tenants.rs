//! Tenants: created by the operator, described by their own administrators.

use super::authenticate::{Allowed, OperatorAllowed, ReadPolicy, WritePolicy};
use super::{Created, TRIES};
use crate::auth::credential::{Credential, Holder};
use crate::domain::admin_key::{AdminKey, Role};
use crate::domain::audit::AuditedChange;
use crate::domain::branding::{Branding, Color};
use crate::domain::change::Change;
use crate::domain::ids::{KeyId, TenantId};
use crate::domain::message_template::MessageTemplates;
use crate::domain::refusal::Refusal;
use crate::domain::settings::TenantSecurity;
use crate::domain::tenant::Tenant;
use crate::domain::{country, name};
use crate::ports::{Clock, Entropy, Failure, Saved, Tenants};
use std::sync::Arc;

pub struct ManageTenants {
    pub tenants: Arc<dyn Tenants>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A new tenant and its first administrator key (acceptance A2).
#[derive(Debug)]
pub struct NewTenant {
    pub tenant: Tenant,
    pub owner: Created<AdminKey>,
}

/// What a tenant's administrators change.
#[derive(Debug, Default)]
pub struct TenantPatch {
    pub name: Change<String>,
    pub home_country: Change<String>,
    pub production: Change<bool>,
    pub branding: BrandingPatch,
}

#[derive(Debug, Default)]
pub struct BrandingPatch {
    pub logo_url: Change<String>,
    pub accent_color: Change<String>,
}

impl BrandingPatch {
    fn apply(&self, now: &Branding) -> Result<Branding, Refusal> {
        let color = |text: String| {
            let parsed = Color::parse(&text);
            parsed.ok_or_else(|| Refusal::InvalidRequest("accent_color must be like #1d4ed8".into()))
        };
        let Self { logo_url, accent_color } = self;
        Ok(Branding {
            logo_url: logo_url.clone().resolve(
                now.logo_url.clone(),
                || None,
                |text| Branding::logo_url(&text).map(Some),
            )?,
            accent_color: accent_color.clone().resolve(
                now.accent_color,
                || None,
                |text| color(text).map(Some),
            )?,
        })
    }
}

impl ManageTenants {
    pub async fn create(
        &self,
        operator: &OperatorAllowed,
        name: &str,
        home_country: &str,
    ) -> Result<NewTenant, Failure> {
        let name = name::parse(name)?;
        let home_country = country::parse(home_country, "home_country")?;
        let now = self.clock.now();
        let id = TenantId::generate(|buffer| self.entropy.fill(buffer));
        let key = KeyId::generate(|buffer| self.entropy.fill(buffer));
        let holder = Holder::Administrator { tenant: id.clone(), key: key.clone() };
        let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
        let owner = AdminKey {
            id: key,
            tenant: id.clone(),
            role: Role::Owner,
            name: "First owner".to_owned(),
            hash: credential.hash(),
            created_at: now,
            expires_at: None,
        };
        let security = TenantSecurity::for_home_country(&home_country);
        let tenant = Tenant {
            id,
            name,
            home_country,
            created_at: now,
            production: false,
            branding: Branding::default(),
            message_templates: MessageTemplates::default(),
            security,
            version: 1,
        };
        let events = [AuditedChange::tenant_created(&tenant), AuditedChange::admin_key_created(&owner)]
            .map(|change| operator.event(change, &tenant.id, &*self.clock, &*self.entropy));
        self.tenants.create_tenant(&tenant, &owner, &events).await?;
        Ok(NewTenant { tenant, owner: Created { value: owner, secret: credential.text } })
    }

    pub async fn read(&self, allowed: &Allowed<ReadPolicy>) -> Result<Tenant, Failure> {
        Ok(self.tenants.tenant(allowed.tenant()).await?.ok_or(Refusal::NotFound)?)
    }

    /// Changes name, home country, branding and whether it is production. A new home country leaves the allow-list as it is: it is what the list
    /// restores to, and nobody asked to send anywhere else.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] where test numbers are listed and it is to be production.
    pub async fn change(
        &self,
        allowed: &Allowed<WritePolicy>,
        patch: &TenantPatch,
    ) -> Result<Tenant, Failure> {
        let TenantPatch { name: new_name, home_country: new_country, production, branding } = patch;
        let no_default = |field| Refusal::InvalidRequest(format!("{field} has no default"));
        let new_name = match new_name {
            Change::Keep => None,
            Change::Set(text) => Some(name::parse(text)?),
            Change::Restore => return Err(no_default("name").into()),
        };
        let new_country = match new_country {
            Change::Keep => None,
            Change::Set(text) => Some(country::parse(text, "home_country")?),
            Change::Restore => return Err(no_default("home_country").into()),
        };
        for _ in 0..TRIES {
            let now = self.tenants.tenant(allowed.tenant()).await?.ok_or(Refusal::NotFound)?;
            let after = Tenant {
                name: new_name.clone().unwrap_or_else(|| now.name.clone()),
                home_country: new_country.clone().unwrap_or_else(|| now.home_country.clone()),
                production: match production {
                    Change::Keep => now.production,
                    Change::Restore => false,
                    Change::Set(production) => *production,
                },
                branding: branding.apply(&now.branding)?,
                ..now.clone()
            };
            after.check()?;
            let Some(change) = AuditedChange::tenant_changed(&now, &after) else { return Ok(now) };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            if self.tenants.save_tenant(&after, None, &event).await? == Saved::Done {
                return Ok(after);
            }
        }
        Err(Refusal::Conflict.into())
    }
}
