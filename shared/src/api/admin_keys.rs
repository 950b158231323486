//! `/v1/tenants/{tenant}/admin-keys`

use super::paging::{self, PageBody};
use super::policy_admin::PolicyAdmin;
use crate::domain::admin_key::{AdminKey, Role};
use crate::domain::ids::KeyId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadKeys, WriteKeys};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKeyBody {
    role: String,
    name: String,
    expires_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct KeyBody {
    id: String,
    role: &'static str,
    name: String,
    created_at: String,
    /// `null`: never.
    expires_at: Option<String>,
}

/// The answer to the creation.
#[derive(Debug, Serialize)]
struct NewKeyAnswer<'a> {
    #[serde(flatten)]
    key: KeyBody,
    secret: &'a str,
}

impl From<&AdminKey> for KeyBody {
    fn from(key: &AdminKey) -> Self {
        Self {
            id: key.id.as_str().to_owned(),
            role: key.role.as_str(),
            name: key.name.clone(),
            created_at: key.created_at.rfc3339(),
            expires_at: key.expires_at.map(Timestamp::rfc3339),
        }
    }
}

fn in_path(call: &Call) -> Result<KeyId, Refusal> {
    KeyId::parse(call.param("key")).ok_or(Refusal::NotFound)
}

pub(super) async fn create(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteKeys>(&call).await?;
    let body: NewKeyBody = call.json()?;
    let role = Role::parse(&body.role)
        .ok_or_else(|| Refusal::InvalidRequest("role must be owner, policy, support or auditor".into()))?;
    let expires_at = body.expires_at.map(|text| {
        Timestamp::parse_rfc3339(&text)
            .ok_or_else(|| Refusal::InvalidRequest("expires_at must be an RFC 3339 date and time".into()))
    });
    let new = app.keys.create(&allowed, role, &body.name, expires_at.transpose()?).await?;
    Ok(Reply::created(&NewKeyAnswer { key: KeyBody::from(&new.value), secret: new.secret.expose() }))
}

pub(super) async fn list(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadKeys>(&call).await?;
    let page = app.keys.list(&allowed, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<KeyBody>::of(page)))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadKeys>(&call).await?;
    let key = app.keys.read(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&KeyBody::from(&key)))
}

pub(super) async fn delete(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteKeys>(&call).await?;
    app.keys.delete(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}
