//! A tenant's own words in messages (acceptance H9). Sign-in reads them with the tenant, so that what is changed here counts from the next
//! login on, and costs no request.

use super::TRIES;
use super::authenticate::{Allowed, Needed, ReadPolicy, WritePolicy};
use crate::domain::audit::AuditedChange;
use crate::domain::ids::ApplicationId;
use crate::domain::message_template::{
    MessageTemplate, MessageTemplates, Report, Sample, TemplateLocale, lint,
};
use crate::domain::policy::effective_rules;
use crate::domain::price::{MicroUsd, estimate};
use crate::domain::refusal::Refusal;
use crate::domain::settings::CodeRules;
use crate::domain::tenant::Tenant;
use crate::ports::{Clock, Entropy, Failure, Page, PageRequest, PolicyReader, Saved, Tenants};
use std::sync::Arc;

pub struct ManageTemplates {
    pub tenants: Arc<dyn Tenants>,
    pub policy: Arc<dyn PolicyReader>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Host of the hosted pages, which stands in messages of applications that name none.
    pub own_host: Option<String>,
}

/// A text, and what it comes to.
#[derive(Debug)]
pub struct Looked {
    pub text: String,
    pub report: Report,
    /// Of one message to the tenant's own country.
    pub price: MicroUsd,
}

/// A text that is kept.
#[derive(Debug)]
pub struct Kept {
    pub locale: TemplateLocale,
    pub looked: Looked,
}

impl ManageTemplates {
    /// In the order of their locales; a cursor is the last one's.
    ///
    /// # Errors
    /// [`Refusal::InvalidRequest`] for a cursor that is none.
    pub async fn list(
        &self,
        allowed: &Allowed<ReadPolicy>,
        page: &PageRequest,
    ) -> Result<Page<Kept>, Failure> {
        let after = page.cursor.as_deref().map(TemplateLocale::parse).transpose();
        let after = after.map_err(|_| Refusal::InvalidRequest("cursor is not one of this list".into()))?;
        let tenant = self.tenant(allowed).await?;
        let follows = |locale: &TemplateLocale| after.as_ref().is_none_or(|after| locale > after);
        let mut rest = tenant.message_templates.iter().filter(|(locale, _)| follows(locale));
        let items: Vec<_> = rest
            .by_ref()
            .take(page.limit.into())
            .map(|(locale, text)| self.kept(&tenant, locale.clone(), text))
            .collect();
        let next = items.last().filter(|_| rest.next().is_some()).map(|last| last.locale.to_string());
        Ok(Page { items, next })
    }

    pub async fn read(&self, allowed: &Allowed<ReadPolicy>, locale: TemplateLocale) -> Result<Kept, Failure> {
        let tenant = self.tenant(allowed).await?;
        let text = tenant.message_templates.get(&locale).ok_or(Refusal::NotFound)?;
        Ok(self.kept(&tenant, locale, text))
    }

    /// # Errors
    /// [`Refusal::InvalidTemplate`], and [`Refusal::NotPossible`] where there are too many.
    pub async fn put(
        &self,
        allowed: &Allowed<WritePolicy>,
        locale: TemplateLocale,
        text: &str,
    ) -> Result<Kept, Failure> {
        let text = MessageTemplate::parse(text)?;
        let tenant = self.change(allowed, |all| all.set(locale.clone(), text.clone())).await?;
        Ok(self.kept(&tenant, locale, &text))
    }

    /// Users of the language read the next words there are.
    pub async fn delete(
        &self,
        allowed: &Allowed<WritePolicy>,
        locale: &TemplateLocale,
    ) -> Result<(), Failure> {
        let gone = |all: &mut MessageTemplates| all.remove(locale).then_some(()).ok_or(Refusal::NotFound);
        self.change(allowed, gone).await.map(|_| ())
    }

    /// Looks at a text without keeping it: as an application sends it, or the hosted pages.
    pub async fn lint(
        &self,
        allowed: &Allowed<ReadPolicy>,
        application: Option<&ApplicationId>,
        text: &str,
    ) -> Result<Looked, Failure> {
        let Some(id) = application else { return Ok(self.look(&self.tenant(allowed).await?, text)) };
        let facts = self.policy.policy_facts(allowed.own(id)?, None, None).await?.ok_or(Refusal::NotFound)?;
        let rules = effective_rules(&facts.tenant, &facts.application).code;
        let host = facts.application.code_host().or(self.own_host.as_deref());
        Ok(looked(&facts.tenant, text, rules, host))
    }

    async fn change(
        &self,
        allowed: &Allowed<WritePolicy>,
        apply: impl Fn(&mut MessageTemplates) -> Result<(), Refusal>,
    ) -> Result<Tenant, Failure> {
        for _ in 0..TRIES {
            let now = self.tenant(allowed).await?;
            let mut after = now.clone();
            apply(&mut after.message_templates)?;
            let Some(change) = AuditedChange::tenant_changed(&now, &after) else { return Ok(now) };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            if self.tenants.save_tenant(&after, None, &event).await? == Saved::Done {
                return Ok(after);
            }
        }
        Err(Refusal::Conflict.into())
    }

    async fn tenant<P: Needed>(&self, allowed: &Allowed<P>) -> Result<Tenant, Failure> {
        Ok(self.tenants.tenant(allowed.tenant()).await?.ok_or(Refusal::NotFound)?)
    }

    fn kept(&self, tenant: &Tenant, locale: TemplateLocale, text: &MessageTemplate) -> Kept {
        Kept { locale, looked: self.look(tenant, text.as_str()) }
    }

    fn look(&self, tenant: &Tenant, text: &str) -> Looked {
        looked(tenant, text, tenant.security.rules.code, self.own_host.as_deref())
    }
}

fn looked(tenant: &Tenant, text: &str, code: CodeRules, host: Option<&str>) -> Looked {
    let sample = Sample {
        name: &tenant.name,
        code_length: code.length,
        lifetime_seconds: code.lifetime_seconds,
        host,
    };
    let report = lint(text, &sample);
    let price = estimate(&tenant.home_country) * report.segments;
    Looked { text: text.trim().to_owned(), report, price }
}
