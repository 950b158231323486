//! `/v1/tenants/{tenant}/identity-sources`

use super::paging::{self, PageBody};
use super::policy_admin::PolicyAdmin;
use crate::domain::identity_source::{IdentitySource, KIND_OIDC, SourceDetails};
use crate::domain::ids::SourceId;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSourceBody {
    kind: String,
    name: String,
    issuer: String,
    audience: String,
    jwks_uri: Option<String>,
    provisioning: Option<String>,
}

#[derive(Debug, Serialize)]
struct SourceBody {
    id: String,
    kind: &'static str,
    name: String,
    issuer: String,
    audience: String,
    jwks_uri: Option<String>,
    provisioning: &'static str,
    created_at: String,
}

impl From<&IdentitySource> for SourceBody {
    fn from(source: &IdentitySource) -> Self {
        Self {
            id: source.id.as_str().to_owned(),
            kind: KIND_OIDC,
            name: source.name.clone(),
            issuer: source.issuer.clone(),
            audience: source.audience.clone(),
            jwks_uri: source.jwks_uri.clone(),
            provisioning: source.provisioning.as_str(),
            created_at: source.created_at.rfc3339(),
        }
    }
}

fn in_path(call: &Call) -> Result<SourceId, Refusal> {
    SourceId::parse(call.param("source")).ok_or(Refusal::NotFound)
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let body: NewSourceBody = call.json()?;
    let details = SourceDetails {
        kind: body.kind,
        name: body.name,
        issuer: body.issuer,
        audience: body.audience,
        jwks_uri: body.jwks_uri,
        provisioning: body.provisioning,
    };
    let source = app.sources.create(&allowed, details).await?;
    Ok(Reply::created(&SourceBody::from(&source)))
}

pub(super) async fn list(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let page = app.sources.list(&allowed, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<SourceBody>::of(page)))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let source = app.sources.read(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&SourceBody::from(&source)))
}

pub(super) async fn delete(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    app.sources.delete(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}
