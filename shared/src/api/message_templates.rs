//! `/v1/tenants/{tenant}/message-templates`

use super::paging::{self, PageBody};
use super::policy_admin::PolicyAdmin;
use crate::domain::ids::ApplicationId;
use crate::domain::message_template::TemplateLocale;
use crate::domain::price::USD;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply, finding};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
use crate::usecase::message_templates::{Kept, Looked};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextBody {
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LintBody {
    text: String,
    /// Whose host, and rules of codes, the message has. Absent or `null`: the hosted pages', and the tenant's.
    application: Option<String>,
}

#[derive(Debug, Serialize)]
struct TemplateBody {
    locale: String,
    #[serde(flatten)]
    looked: LookedBody,
}

#[derive(Debug, Serialize)]
struct LintedBody {
    accepted: bool,
    #[serde(flatten)]
    looked: LookedBody,
}

#[derive(Debug, Serialize)]
struct LookedBody {
    text: String,
    example: String,
    alphabet: &'static str,
    length: usize,
    segments: u64,
    estimated_usd: f64,
    findings: Vec<Value>,
}

impl From<&Looked> for LookedBody {
    #[allow(clippy::cast_precision_loss, reason = "a few cents")]
    fn from(Looked { text, report, price }: &Looked) -> Self {
        Self {
            text: text.clone(),
            example: report.example.clone(),
            alphabet: if report.gsm7 { "gsm7" } else { "ucs2" },
            length: report.length,
            segments: report.segments,
            estimated_usd: *price as f64 / USD as f64,
            findings: report.findings.iter().map(finding).collect(),
        }
    }
}

impl From<&Kept> for TemplateBody {
    fn from(Kept { locale, looked }: &Kept) -> Self {
        Self { locale: locale.to_string(), looked: LookedBody::from(looked) }
    }
}

fn in_path(call: &Call) -> Result<TemplateLocale, Refusal> {
    TemplateLocale::parse(call.param("locale")).map_err(|_| Refusal::NotFound)
}

pub(super) async fn list(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let page = app.templates.list(&allowed, &paging::requested(&call)?).await?;
    Ok(Reply::ok(&PageBody::<TemplateBody>::of(page)))
}

pub(super) async fn get(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let kept = app.templates.read(&allowed, in_path(&call)?).await?;
    Ok(Reply::ok(&TemplateBody::from(&kept)))
}

/// A locale that is none is the caller's mistake here, and not merely a place with nothing in it.
pub(super) async fn put(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let body: TextBody = call.json()?;
    let kept = app.templates.put(&allowed, TemplateLocale::parse(call.param("locale"))?, &body.text).await?;
    Ok(Reply::ok(&TemplateBody::from(&kept)))
}

pub(super) async fn delete(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    app.templates.delete(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}

pub(super) async fn lint(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let body: LintBody = call.json()?;
    let application = body.application.as_deref().map(ApplicationId::parse);
    let wrong = || Refusal::InvalidRequest("application must be an id of its kind".into());
    let application = application.map(|id| id.ok_or_else(wrong)).transpose()?;
    let looked = app.templates.lint(&allowed, application.as_ref(), &body.text).await?;
    let accepted = looked.report.is_accepted();
    Ok(Reply::ok(&LintedBody { accepted, looked: LookedBody::from(&looked) }))
}
