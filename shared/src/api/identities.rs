//! `/v1/tenants/{tenant}/users/{user}/identities`

use super::paging::PageBody;
use super::user_directory::UserDirectory;
use super::users::in_path;
use crate::domain::identity_source::ExternalSubject;
use crate::domain::ids::SourceId;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::ports::Page;
use crate::usecase::authenticate::{ReadUsers, WriteUsers};
use crate::usecase::link_identity::LinkedIdentity;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectBody {
    subject: String,
}

#[derive(Serialize)]
struct IdentityBody {
    identity_source: String,
    subject: String,
}

impl From<&LinkedIdentity> for IdentityBody {
    fn from(identity: &LinkedIdentity) -> Self {
        Self { identity_source: identity.source.to_string(), subject: identity.subject.clone() }
    }
}

fn source(call: &Call) -> Result<SourceId, Refusal> {
    SourceId::parse(call.param("source")).ok_or(Refusal::NotFound)
}

/// All of them: there is at most one for each source.
pub(super) async fn list(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let items = app.identities.list(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&PageBody::<IdentityBody>::of(Page { items, next: None })))
}

pub(super) async fn get(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let identity = app.identities.read(&allowed, &in_path(&call)?, &source(&call)?).await?;
    Ok(Reply::ok(&IdentityBody::from(&identity)))
}

pub(super) async fn link(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    let body: SubjectBody = call.json()?;
    let (user, source) = (in_path(&call)?, source(&call)?);
    let subject = ExternalSubject::parse(&source, &body.subject).ok_or_else(|| {
        Refusal::InvalidRequest("subject must have 1 to 255 printable ASCII characters".into())
    })?;
    let identity = app.identities.link(&allowed, &user, &subject).await?;
    Ok(Reply::ok(&IdentityBody::from(&identity)))
}

pub(super) async fn unlink(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    app.identities.unlink(&allowed, &in_path(&call)?, &source(&call)?).await?;
    Ok(Reply::no_content())
}
