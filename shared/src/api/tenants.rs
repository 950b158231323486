//! `/v1/tenants`

use super::console_session;
use super::policy_admin::PolicyAdmin;
use crate::domain::branding::{Branding, Color};
use crate::domain::change::Change;
use crate::domain::tenant::Tenant;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
use crate::usecase::tenants::{BrandingPatch, TenantPatch};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTenantBody {
    name: String,
    home_country: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantPatchBody {
    #[serde(default)]
    name: Change<String>,
    #[serde(default)]
    home_country: Change<String>,
    #[serde(default)]
    production: Change<bool>,
    #[serde(default)]
    branding: Change<BrandingPatchBody>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandingPatchBody {
    #[serde(default)]
    logo_url: Change<String>,
    #[serde(default)]
    accent_color: Change<String>,
}

impl From<TenantPatchBody> for TenantPatch {
    fn from(body: TenantPatchBody) -> Self {
        let TenantPatchBody { name, home_country, production, branding } = body;
        let branding = match branding {
            Change::Keep => BrandingPatch::default(),
            Change::Restore => BrandingPatch { logo_url: Change::Restore, accent_color: Change::Restore },
            Change::Set(BrandingPatchBody { logo_url, accent_color }) => {
                BrandingPatch { logo_url, accent_color }
            }
        };
        Self { name, home_country, production, branding }
    }
}

#[derive(Debug, Serialize)]
struct TenantBody<'a> {
    id: &'a str,
    name: &'a str,
    home_country: &'a str,
    production: bool,
    branding: BrandingBody<'a>,
    created_at: String,
    /// In the answer to the creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<SecretBody<'a>>,
}

#[derive(Debug, Serialize)]
struct BrandingBody<'a> {
    logo_url: Option<&'a str>,
    accent_color: Option<String>,
}

impl<'a> From<&'a Branding> for BrandingBody<'a> {
    fn from(branding: &'a Branding) -> Self {
        let Branding { logo_url, accent_color } = branding;
        Self { logo_url: logo_url.as_deref(), accent_color: accent_color.map(Color::hex) }
    }
}

/// A new credential, shown this once.
#[derive(Debug, Serialize)]
pub(super) struct SecretBody<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

impl<'a> TenantBody<'a> {
    fn of(tenant: &'a Tenant, admin_key: Option<SecretBody<'a>>) -> Self {
        Self {
            id: tenant.id.as_str(),
            name: &tenant.name,
            home_country: &tenant.home_country,
            production: tenant.production,
            branding: BrandingBody::from(&tenant.branding),
            created_at: tenant.created_at.rfc3339(),
            admin_key,
        }
    }
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let shown = console_session::shown(&call, &app.own_origin)?;
    let operator = app.gate.allow_operator(shown, call.provenance()).await?;
    let body: NewTenantBody = call.json()?;
    let new = app.tenants.create(&operator, &body.name, &body.home_country).await?;
    let key = SecretBody { id: new.owner.value.id.as_str(), secret: new.owner.secret.expose() };
    Ok(Reply::created(&TenantBody::of(&new.tenant, Some(key))))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let tenant = app.tenants.read(&allowed).await?;
    Ok(Reply::ok(&TenantBody::of(&tenant, None)))
}

pub(super) async fn update(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let body: TenantPatchBody = call.json()?;
    let tenant = app.tenants.change(&allowed, &body.into()).await?;
    Ok(Reply::ok(&TenantBody::of(&tenant, None)))
}
