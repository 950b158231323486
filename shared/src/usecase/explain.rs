//! What would be decided for a login, and why (acceptance H3). It asks the very function that decides logins.

use super::authenticate::{Allowed, ReadPolicy};
use crate::domain::ids::{ApplicationId, SourceId, UserId};
use crate::domain::policy::{Decision, PolicyInput, SourceSwitch, decide};
use crate::domain::refusal::Refusal;
use crate::ports::{Failure, PolicyReader};
use std::sync::Arc;

pub struct ExplainPolicy {
    pub policy: Arc<dyn PolicyReader>,
}

impl ExplainPolicy {
    /// `source` is the identity source of the first factor; `None` asks about a local login. No rule depends on the user, but one that
    /// doesn't exist is the asker's slip.
    pub async fn explain(
        &self,
        allowed: &Allowed<ReadPolicy>,
        application: &ApplicationId,
        source: Option<&SourceId>,
        user: Option<&UserId>,
    ) -> Result<Decision, Failure> {
        let facts = self.policy.policy_facts(allowed.own(application)?, source, user).await?;
        let facts = facts.ok_or(Refusal::NotFound)?;
        if (source.is_some() && !facts.source_exists) || (user.is_some() && !facts.user_exists) {
            return Err(Refusal::NotFound.into());
        }
        let switches = &facts.tenant.security.identity_sources;
        let switch = source.map(|id| SourceSwitch::from(switches.get(id).copied()));
        Ok(decide(&PolicyInput::new(&facts.tenant, &facts.application, switch)))
    }
}
