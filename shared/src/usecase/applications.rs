//! Applications of a tenant and their secrets.

use super::authenticate::{Allowed, ReadPolicy, WritePolicy};
use super::{Created, TRIES};
use crate::auth::credential::{Credential, Holder};
use crate::domain::application::{Application, ApplicationSecret};
use crate::domain::application_patch::ApplicationPatch;
use crate::domain::audit::AuditedChange;
use crate::domain::change::Change;
use crate::domain::ids::{ApplicationId, KeyId};
use crate::domain::refusal::Refusal;
use crate::ports::{Applications, Clock, CopiedFrom, Entropy, Failure, Page, PageRequest, Saved, Tenants};
use std::sync::Arc;

pub struct ManageApplications {
    pub applications: Arc<dyn Applications>,
    pub tenants: Arc<dyn Tenants>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A new application and its first secret, which a public one needs for assertions only.
#[derive(Debug)]
pub struct NewApplication {
    pub application: Application,
    pub secret: Created<ApplicationSecret>,
}

impl ManageApplications {
    pub async fn create(
        &self,
        allowed: &Allowed<WritePolicy>,
        details: ApplicationPatch,
    ) -> Result<NewApplication, Failure> {
        if matches!(details.name, Change::Keep) {
            return Err(Refusal::InvalidRequest("name is missing".into()).into());
        }
        let id = ApplicationId::generate(allowed.tenant(), |buffer| self.entropy.fill(buffer));
        let secret = self.new_secret(&id);
        let secrets = vec![secret.value.clone()];
        let blank = Application { secrets, ..Application::new(id, "", self.clock.now()) };
        let customizes = details.customizes(&blank);
        let application = details.apply(&blank)?;
        for _ in 0..TRIES {
            let mut application = application.clone();
            let copied = self.customize(&mut application, customizes).await?;
            let change = AuditedChange::application_created(&application);
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            if self.applications.create_application(&application, copied, &event).await? == Saved::Done {
                return Ok(NewApplication { application, secret });
            }
        }
        Err(Refusal::Conflict.into())
    }

    pub async fn read(
        &self,
        allowed: &Allowed<ReadPolicy>,
        id: &ApplicationId,
    ) -> Result<Application, Failure> {
        Ok(self.applications.application(allowed.own(id)?).await?.ok_or(Refusal::NotFound)?)
    }

    pub async fn list(
        &self,
        allowed: &Allowed<ReadPolicy>,
        page: &PageRequest,
    ) -> Result<Page<Application>, Failure> {
        self.applications.applications(allowed.tenant(), page).await
    }

    pub async fn change(
        &self,
        allowed: &Allowed<WritePolicy>,
        id: &ApplicationId,
        patch: &ApplicationPatch,
    ) -> Result<Application, Failure> {
        for _ in 0..TRIES {
            let before = self.owned(allowed, id).await?;
            let mut after = patch.clone().apply(&before)?;
            let copied = self.customize(&mut after, patch.customizes(&before)).await?;
            let change = AuditedChange::application_changed(&before, &after);
            if self.save(allowed, &before, &after, copied, change).await? == Saved::Done {
                return Ok(after);
            }
        }
        Err(Refusal::Conflict.into())
    }

    pub async fn delete(&self, allowed: &Allowed<WritePolicy>, id: &ApplicationId) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let application = self.owned(allowed, id).await?;
            let change = AuditedChange::application_deleted(&application);
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            if self.applications.delete_application(&application, &event).await? == Saved::Done {
                return Ok(());
            }
        }
        Err(Refusal::Conflict.into())
    }

    pub async fn add_secret(
        &self,
        allowed: &Allowed<WritePolicy>,
        id: &ApplicationId,
    ) -> Result<Created<ApplicationSecret>, Failure> {
        let secret = self.new_secret(allowed.own(id)?);
        for _ in 0..TRIES {
            let before = self.owned(allowed, id).await?;
            let mut after = before.clone();
            after.add_secret(secret.value.clone())?;
            let change = AuditedChange::application_secret_added(&before, &after);
            if self.save(allowed, &before, &after, None, change).await? == Saved::Done {
                return Ok(secret);
            }
        }
        Err(Refusal::Conflict.into())
    }

    pub async fn remove_secret(
        &self,
        allowed: &Allowed<WritePolicy>,
        id: &ApplicationId,
        secret: &KeyId,
    ) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let before = self.owned(allowed, id).await?;
            let mut after = before.clone();
            after.remove_secret(secret)?;
            let change = AuditedChange::application_secret_removed(&before, &after);
            if self.save(allowed, &before, &after, None, change).await? == Saved::Done {
                return Ok(());
            }
        }
        Err(Refusal::Conflict.into())
    }

    async fn owned(
        &self,
        allowed: &Allowed<WritePolicy>,
        id: &ApplicationId,
    ) -> Result<Application, Failure> {
        Ok(self.applications.application(allowed.own(id)?).await?.ok_or(Refusal::NotFound)?)
    }

    /// Writes nothing where nothing has changed.
    async fn save(
        &self,
        allowed: &Allowed<WritePolicy>,
        before: &Application,
        after: &Application,
        copied: Option<CopiedFrom>,
        change: Option<AuditedChange>,
    ) -> Result<Saved, Failure> {
        let Some(change) = change else { return Ok(Saved::Done) };
        let event = allowed.event(change, &*self.clock, &*self.entropy);
        Ok(self.applications.save_application(before, after, copied, &event).await?)
    }

    /// Turns the switch, reading the tenant only where its rules are to be copied. The write then holds the tenant to the version that
    /// was copied, so that the copy is what the tenant has at that instant (B4).
    async fn customize(
        &self,
        application: &mut Application,
        on: bool,
    ) -> Result<Option<CopiedFrom>, Failure> {
        if !on {
            application.follow_tenant();
            return Ok(None);
        }
        if application.custom_security.is_some() {
            return Ok(None);
        }
        let tenant = self.tenants.tenant(&application.id.tenant()).await?.ok_or(Refusal::NotFound)?;
        application.customize_security(&tenant.security.rules);
        Ok(Some(CopiedFrom { tenant_version: tenant.version }))
    }

    fn new_secret(&self, application: &ApplicationId) -> Created<ApplicationSecret> {
        let id = KeyId::generate(|buffer| self.entropy.fill(buffer));
        let holder = Holder::Application { application: application.clone(), key: id.clone() };
        let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
        let value = ApplicationSecret { id, hash: credential.hash(), created_at: self.clock.now() };
        Created { value, secret: credential.text }
    }
}
