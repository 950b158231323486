//! Administrator keys of a tenant, managed by its owners.

use super::Created;
use super::authenticate::{Allowed, Needed, ReadKeys, WriteKeys};
use crate::auth::credential::{Credential, Holder};
use crate::domain::admin_key::{AdminKey, Role};
use crate::domain::audit::AuditedChange;
use crate::domain::ids::KeyId;
use crate::domain::name;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{AdminKeys, Clock, Entropy, Failure, KeyDeletion, Page, PageRequest};
use std::sync::Arc;

pub struct ManageAdminKeys {
    pub keys: Arc<dyn AdminKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl ManageAdminKeys {
    pub async fn create(
        &self,
        allowed: &Allowed<WriteKeys>,
        role: Role,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Created<AdminKey>, Failure> {
        let name = name::parse(name)?;
        let now = self.clock.now();
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::InvalidRequest("expires_at must be in the future".into()).into());
        }
        let tenant = allowed.tenant().clone();
        let id = KeyId::generate(|buffer| self.entropy.fill(buffer));
        let holder = Holder::Administrator { tenant: tenant.clone(), key: id.clone() };
        let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
        let key = AdminKey { id, tenant, role, name, hash: credential.hash(), created_at: now, expires_at };
        let change = AuditedChange::admin_key_created(&key);
        let event = allowed.event(change, &*self.clock, &*self.entropy);
        self.keys.create_admin_key(&key, &event).await?;
        Ok(Created { value: key, secret: credential.text })
    }

    pub async fn read(&self, allowed: &Allowed<ReadKeys>, id: &KeyId) -> Result<AdminKey, Failure> {
        self.key(allowed, id).await
    }

    pub async fn list(
        &self,
        allowed: &Allowed<ReadKeys>,
        page: &PageRequest,
    ) -> Result<Page<AdminKey>, Failure> {
        self.keys.admin_keys(allowed.tenant(), page).await
    }

    /// Revokes a key at once. The last owner key without an expiry stays: without it nobody could manage keys any more.
    pub async fn delete(&self, allowed: &Allowed<WriteKeys>, id: &KeyId) -> Result<(), Failure> {
        let key = self.key(allowed, id).await?;
        let change = AuditedChange::admin_key_deleted(&key);
        let event = allowed.event(change, &*self.clock, &*self.entropy);
        match self.keys.delete_admin_key(&key, &event).await? {
            KeyDeletion::Done => Ok(()),
            KeyDeletion::Missing => Err(Refusal::NotFound.into()),
            KeyDeletion::LastOwner => {
                Err(Refusal::NotPossible("a tenant keeps one owner key that never expires").into())
            }
        }
    }

    async fn key<P: Needed>(&self, allowed: &Allowed<P>, id: &KeyId) -> Result<AdminKey, Failure> {
        Ok(self.keys.admin_key(allowed.tenant(), id).await?.ok_or(Refusal::NotFound)?)
    }
}
