//! Administrator keys, and the sessions of the console that they opened.

use super::super::policy_items::{
    decode_admin_key, decode_console_sessions, encode_admin_key, encode_console_sessions,
};
use super::super::request::number;
use super::super::transaction::{Actions, Expression, check, delete, is_free, put, update};
use super::super::{DynamoStore, keys};
use super::{exists, saved};
use crate::domain::admin_key::AdminKey;
use crate::domain::audit::AuditEvent;
use crate::domain::console_session::ConsoleSessions;
use crate::domain::ids::{KeyId, TenantId};
use crate::ports::{
    AdminKeyLookup, AdminKeys, ConsoleSessionStore, Failure, Fault, KeyDeletion, Page, PageRequest, Saved,
};
use async_trait::async_trait;

/// Attribute of the tenant's item: how many owner keys it has that never expire
/// ([`AdminKey::is_permanent_owner`]). Counted in the transactions that add and remove them, so that it never reaches zero.
pub(super) const PERMANENT_OWNERS: &str = "permanent_owners";

#[async_trait]
impl AdminKeyLookup for DynamoStore {
    async fn admin_key(&self, tenant: &TenantId, id: &KeyId) -> Result<Option<AdminKey>, Fault> {
        self.directory_item(&keys::admin_key(tenant, id)).await?.map(decode_admin_key).transpose()
    }

    async fn admin_key_with_sessions(
        &self,
        tenant: &TenantId,
        id: &KeyId,
    ) -> Result<Option<(AdminKey, ConsoleSessions)>, Fault> {
        let (key_at, sessions_at) = (keys::admin_key(tenant, id), keys::console_sessions(tenant, id));
        let mut items = self.batch(&[key_at.clone(), sessions_at.clone()], &[]).await?;
        let Some(key) = items.take(&key_at) else { return Ok(None) };
        let sessions = items.take(&sessions_at).map(decode_console_sessions).transpose()?;
        Ok(Some((decode_admin_key(key)?, sessions.unwrap_or_default())))
    }
}

#[async_trait]
impl ConsoleSessionStore for DynamoStore {
    async fn save_console_sessions(
        &self,
        key: &AdminKey,
        sessions: &ConsoleSessions,
        event: &AuditEvent,
    ) -> Result<Saved, Fault> {
        let at = keys::console_sessions(&key.tenant, &key.id);
        let as_read = match sessions.revision {
            0 => is_free(),
            seen => Expression::new("revision = :seen").value(":seen", number(seen)),
        };
        let mut actions = Actions::new();
        actions.add(put(self.directory(), &at, encode_console_sessions(sessions)?, as_read)?, ());
        actions.add(check(self.directory(), &keys::admin_key(&key.tenant, &key.id), exists())?, ());
        self.record(&mut actions, event, ())?;
        Ok(saved(self.run(actions).await?))
    }
}

#[async_trait]
impl AdminKeys for DynamoStore {
    async fn create_admin_key(&self, key: &AdminKey, event: &AuditEvent) -> Result<(), Fault> {
        let (at, item) = (keys::admin_key(&key.tenant, &key.id), encode_admin_key(key)?);
        let mut actions = Actions::new();
        actions.add(put(self.directory(), &at, item, is_free())?, ());
        if key.is_permanent_owner() {
            actions.add(update(self.directory(), &keys::tenant(&key.tenant), count(1), exists())?, ());
        }
        self.record(&mut actions, event, ())?;
        let done = self.run(actions).await?;
        done.map_err(|_| Fault::new("a new key was not taken: its tenant is gone, or others were in the way"))
    }

    async fn admin_keys(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<AdminKey>, Failure> {
        let partition = keys::policy_partition(tenant);
        self.directory_page(&partition, keys::ADMIN_KEY_PREFIX, page, decode_admin_key).await
    }

    async fn delete_admin_key(&self, key: &AdminKey, event: &AuditEvent) -> Result<KeyDeletion, Fault> {
        let at = keys::admin_key(&key.tenant, &key.id);
        let mut actions = Actions::new();
        actions.add(delete(self.directory(), &at, Some(exists()))?, KeyDeletion::Missing);
        let sessions = keys::console_sessions(&key.tenant, &key.id);
        actions.add(delete(self.directory(), &sessions, None)?, KeyDeletion::Missing);
        if key.is_permanent_owner() {
            let another = Expression::new("#owners > :last").value(":last", number(1));
            let tenant = keys::tenant(&key.tenant);
            actions.add(update(self.directory(), &tenant, count(-1), another)?, KeyDeletion::LastOwner);
        }
        self.record(&mut actions, event, KeyDeletion::Missing)?;
        match self.run(actions).await? {
            Ok(()) => Ok(KeyDeletion::Done),
            Err(failed) => failed
                .into_iter()
                .next()
                .ok_or_else(|| Fault::new("a transaction kept meeting others on its items")),
        }
    }
}

/// Changes the count of permanent owners.
fn count(by: i8) -> Expression {
    Expression::new("ADD #owners :by").name("#owners", PERMANENT_OWNERS).value(":by", number(by))
}
