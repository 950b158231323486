//! `/v1/tenants/{tenant}/policy/explain`

use super::policy_admin::PolicyAdmin;
use crate::domain::ids::{ApplicationId, SourceId, UserId};
use crate::domain::policy::{Decision, FactorKind};
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::ReadPolicy;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainBody {
    application: String,
    /// Absent or `null`: a local login (password, QR).
    identity_source: Option<String>,
    user: Option<String>,
}

#[derive(Debug, Serialize)]
struct DecisionBody {
    mfa_required: bool,
    factor: Option<&'static str>,
    decided_by: &'static str,
    chain: Vec<StepBody>,
}

#[derive(Debug, Serialize)]
struct StepBody {
    rule: &'static str,
    says: &'static str,
}

impl From<Decision> for DecisionBody {
    fn from(decision: Decision) -> Self {
        Self {
            mfa_required: decision.mfa_required,
            factor: decision.factor.map(FactorKind::as_str),
            decided_by: decision.decided_by.as_str(),
            chain: decision.chain.iter().map(|step| StepBody { rule: step.rule, says: step.says }).collect(),
        }
    }
}

pub(super) async fn explain(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let body: ExplainBody = call.json()?;
    let wrong = |field: &str| Refusal::InvalidRequest(format!("{field} must be an id of its kind"));
    let application = ApplicationId::parse(&body.application).ok_or_else(|| wrong("application"))?;
    let source = body.identity_source.as_deref();
    let source =
        source.map(|text| SourceId::parse(text).ok_or_else(|| wrong("identity_source"))).transpose()?;
    let user = body.user.as_deref();
    let user = user.map(|text| UserId::parse(text).ok_or_else(|| wrong("user"))).transpose()?;
    let decision = app.explain.explain(&allowed, &application, source.as_ref(), user.as_ref()).await?;
    Ok(Reply::ok(&DecisionBody::from(decision)))
}
