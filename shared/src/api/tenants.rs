//! `/v1/tenants`

use super::policy_admin::PolicyAdmin;
use crate::domain::change::Change;
use crate::domain::tenant::Tenant;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
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
}

#[derive(Debug, Serialize)]
struct TenantBody<'a> {
    id: &'a str,
    name: &'a str,
    home_country: &'a str,
    production: bool,
    created_at: String,
    /// In the answer to the creation only.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<SecretBody<'a>>,
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
            created_at: tenant.created_at.rfc3339(),
            admin_key,
        }
    }
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let operator = app.gate.allow_operator(call.bearer()?, call.provenance()).await?;
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
    let tenant = app.tenants.change(&allowed, &body.name, &body.home_country, &body.production).await?;
    Ok(Reply::ok(&TenantBody::of(&tenant, None)))
}
