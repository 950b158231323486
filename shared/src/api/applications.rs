//! `/v1/tenants/{tenant}/applications`

use super::paging::{self, PageBody};
use super::policy_admin::PolicyAdmin;
use super::tenants::SecretBody;
use crate::domain::application::{Application, ApplicationSecret};
use crate::domain::application_patch::ApplicationPatch;
use crate::domain::ids::{ApplicationId, KeyId};
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
struct ApplicationBody {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    origins: Vec<String>,
    redirect_uris: Vec<String>,
    customize_security: bool,
    message_host: Option<String>,
    /// The live secrets, without what is secret of them: whoever rotates must know which one to delete.
    secrets: Vec<SecretInfo>,
    created_at: String,
}

#[derive(Debug, Serialize)]
struct SecretInfo {
    id: String,
    created_at: String,
}

/// The answer to the creation.
#[derive(Debug, Serialize)]
struct NewApplicationBody<'a> {
    #[serde(flatten)]
    application: ApplicationBody,
    secret: SecretBody<'a>,
}

#[derive(Debug, Serialize)]
struct NewSecretBody<'a> {
    id: &'a str,
    secret: &'a str,
    created_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl From<&Application> for ApplicationBody {
    fn from(application: &Application) -> Self {
        Self {
            id: application.id.as_str().to_owned(),
            name: application.name.clone(),
            kind: application.kind.as_str(),
            origins: application.origins.clone(),
            redirect_uris: application.redirect_uris.clone(),
            customize_security: application.custom_security.is_some(),
            message_host: application.message_host.clone(),
            secrets: application.secrets.iter().map(SecretInfo::from).collect(),
            created_at: application.created_at.rfc3339(),
        }
    }
}

impl From<&ApplicationSecret> for SecretInfo {
    fn from(secret: &ApplicationSecret) -> Self {
        Self { id: secret.id.as_str().to_owned(), created_at: secret.created_at.rfc3339() }
    }
}

/// The application that the path names. What is no id at all names nothing either.
pub(super) fn in_path(call: &Call) -> Result<ApplicationId, Refusal> {
    ApplicationId::parse(call.param("application")).ok_or(Refusal::NotFound)
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let details: ApplicationPatch = call.json()?;
    let new = app.applications.create(&allowed, details).await?;
    Ok(Reply::created(&NewApplicationBody {
        application: ApplicationBody::from(&new.application),
        secret: SecretBody { id: new.secret.value.id.as_str(), secret: new.secret.secret.expose() },
    }))
}

pub(super) async fn list(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let page = app.applications.list(&allowed, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<ApplicationBody>::of(page)))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let application = app.applications.read(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&ApplicationBody::from(&application)))
}

pub(super) async fn update(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let id = in_path(&call)?;
    let patch: ApplicationPatch = call.json()?;
    let application = app.applications.change(&allowed, &id, &patch).await?;
    Ok(Reply::ok(&ApplicationBody::from(&application)))
}

pub(super) async fn delete(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    app.applications.delete(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}

pub(super) async fn create_secret(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let id = in_path(&call)?;
    let Nothing {} = call.json_or_empty()?;
    let new = app.applications.add_secret(&allowed, &id).await?;
    Ok(Reply::created(&NewSecretBody {
        id: new.value.id.as_str(),
        secret: new.secret.expose(),
        created_at: new.value.created_at.rfc3339(),
    }))
}

pub(super) async fn delete_secret(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let id = in_path(&call)?;
    let secret = KeyId::parse(call.param("key")).ok_or(Refusal::NotFound)?;
    app.applications.remove_secret(&allowed, &id, &secret).await?;
    Ok(Reply::no_content())
}
