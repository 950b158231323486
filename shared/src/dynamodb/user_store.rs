//! [`UserStore`]: the user item, its owners and its factor, over both tables.

use super::factor_item::FactorItem;
use super::request::{fault, number, string, to_item};
use super::transaction::{self, Actions, Expression, MAX_ACTIONS, is_free, is_owned_by};
use super::user_item::{IdentifierItem, decode_owner, decode_user, encode_owner, encode_user, identities};
use super::{DynamoStore, keys};
use crate::domain::audit::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::identifier::{EMAIL, PHONE, SUBJECT, USERNAME};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{SealedIdentifier, User};
use crate::ports::{Failure, Fault, Page, PageRequest, UserStore, UserWrite};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::BTreeSet;

impl DynamoStore {
    /// Runs the actions. A stale user comes before anything else: what is said of one who has changed since may not hold any more.
    async fn write_user(&self, actions: Actions<UserWrite>) -> Result<UserWrite, Fault> {
        let Err(failed) = self.run(actions).await? else { return Ok(UserWrite::Done) };
        let stale = failed.contains(&UserWrite::Stale);
        Ok(failed.into_iter().next().filter(|_| !stale).unwrap_or(UserWrite::Stale))
    }

    fn put_owner(
        &self,
        user: &User,
        kind: &'static str,
        hash: &str,
        actions: &mut Actions<UserWrite>,
    ) -> Result<(), Fault> {
        let key = keys::owner(&user.tenant, kind, hash);
        let put = transaction::put(&self.directory, &key, encode_owner(&user.id)?, is_free())?;
        actions.add(put, UserWrite::Duplicate(kind));
        Ok(())
    }

    fn delete_owner(
        &self,
        user: &User,
        kind: &'static str,
        hash: &str,
        actions: &mut Actions<UserWrite>,
    ) -> Result<(), Fault> {
        let key = keys::owner(&user.tenant, kind, hash);
        let owned = is_owned_by(user.id.as_str());
        actions.add(transaction::delete(&self.directory, &key, Some(owned))?, UserWrite::Stale);
        Ok(())
    }

    fn record_all(&self, actions: &mut Actions<UserWrite>, events: &[AuditEvent]) -> Result<(), Fault> {
        events.iter().try_for_each(|event| self.record(actions, event, UserWrite::Stale))
    }

    /// Everything in a user's login partition but the factor: the keys only.
    async fn challenge_keys(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<keys::Key>, Fault> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.logins)
            .key_condition_expression("#pk = :pk")
            .projection_expression("#pk, #sk")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":pk", string(keys::login_partition(tenant, user)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            found.extend(keys::Key::of(&item.map_err(fault)?).filter(|key| key.sk != keys::FACTOR));
        }
        Ok(found)
    }
}

#[async_trait]
impl UserStore for DynamoStore {
    async fn create_user(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<UserWrite, Fault> {
        let mut actions = Actions::new();
        let key = keys::user(&user.tenant, &user.id);
        let put = transaction::put(&self.directory, &key, encode_user(user)?, is_free())?;
        actions.add(put, UserWrite::Stale);
        let key = keys::factor(&user.tenant, &user.id);
        let put = transaction::put(&self.logins, &key, to_item(&FactorItem::from(factor))?, is_free())?;
        actions.add(put, UserWrite::Stale);
        if let Some(username) = &user.username {
            self.put_owner(user, USERNAME, &username.hash, &mut actions)?;
        }
        if let Some(email) = &user.email {
            self.put_owner(user, EMAIL, &email.hash, &mut actions)?;
        }
        for subject in user.identities.values() {
            self.put_owner(user, SUBJECT, &subject.hash, &mut actions)?;
        }
        if let Some(phone) = &factor.phone {
            self.put_owner(user, PHONE, &phone.hash, &mut actions)?;
        }
        self.record_all(&mut actions, events)?;
        self.write_user(actions).await
    }

    async fn find_user(&self, tenant: &TenantId, user: &UserId) -> Result<Option<(User, Factor)>, Fault> {
        let (user, factor) = (keys::user(tenant, user), keys::factor(tenant, user));
        let mut found = self.batch(std::slice::from_ref(&user), std::slice::from_ref(&factor)).await?;
        let user = found.take(&user).map(|item| decode_user(tenant, item)).transpose()?;
        Ok(user.zip(found.factor(&factor)?))
    }

    async fn list_users(
        &self,
        tenant: &TenantId,
        page: &PageRequest,
    ) -> Result<Page<(User, Factor)>, Failure> {
        let partition = keys::user_partition(tenant);
        let users =
            self.directory_page(&partition, UserId::PREFIX, page, |item| decode_user(tenant, item)).await?;
        if users.items.is_empty() {
            return Ok(Page { items: Vec::new(), next: users.next });
        }
        let wanted: Vec<_> = users.items.iter().map(|user| keys::factor(tenant, &user.id)).collect();
        let mut factors = self.batch(&[], &wanted).await?;
        let mut items = Vec::with_capacity(wanted.len());
        for (user, key) in users.items.into_iter().zip(&wanted) {
            // A user without a factor has been deleted in between.
            items.extend(factors.factor(key)?.map(|factor| (user, factor)));
        }
        Ok(Page { items, next: users.next })
    }

    async fn identifier_owner(
        &self,
        tenant: &TenantId,
        kind: &str,
        hash: &str,
    ) -> Result<Option<UserId>, Fault> {
        let key = keys::owner(tenant, kind, hash).attributes();
        let request = self.client.get_item().table_name(&self.directory).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(fault)?;
        answer.item.map(decode_owner).transpose()
    }

    async fn change_user(&self, before: &User, after: &User, event: &AuditEvent) -> Result<UserWrite, Fault> {
        let mut actions = Actions::new();
        let user = keys::user(&before.tenant, &before.id);
        let seen = Expression::new("#version = :seen").value(":seen", number(before.version));
        let update = transaction::update(&self.directory, &user, changed_attributes(after)?, seen)?;
        actions.add(update, UserWrite::Stale);
        let sources = before.identities.keys().chain(after.identities.keys()).collect::<BTreeSet<_>>();
        let subjects = sources
            .into_iter()
            .map(|source| (SUBJECT, before.identities.get(source), after.identities.get(source)));
        let named = [
            (USERNAME, before.username.as_ref(), after.username.as_ref()),
            (EMAIL, before.email.as_ref(), after.email.as_ref()),
        ];
        for (kind, old, new) in named.into_iter().chain(subjects) {
            let (old, new) = (old.map(|i| &i.hash), new.map(|i| &i.hash));
            if old != new {
                if let Some(new) = new {
                    self.put_owner(before, kind, new, &mut actions)?;
                }
                if let Some(old) = old {
                    self.delete_owner(before, kind, old, &mut actions)?;
                }
            }
        }
        if after.username.is_none() && after.email.is_none() && after.identities.is_empty() {
            let bound = Expression::new("attribute_exists(#phone)").name("#phone", "phone");
            let factor = keys::factor(&before.tenant, &before.id);
            actions.add(transaction::check(&self.logins, &factor, bound)?, UserWrite::LastIdentifier);
        }
        self.record(&mut actions, event, UserWrite::Stale)?;
        self.write_user(actions).await
    }

    async fn delete_user(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<UserWrite, Fault> {
        let mut actions = Actions::new();
        let key = keys::user(&user.tenant, &user.id);
        let seen = Expression::new("#version = :seen")
            .name("#version", "version")
            .value(":seen", number(user.version));
        actions.add(transaction::delete(&self.directory, &key, Some(seen))?, UserWrite::Stale);
        let key = keys::factor(&user.tenant, &user.id);
        let seen = Expression::new("#revision = :seen")
            .name("#revision", "revision")
            .value(":seen", number(factor.revision));
        actions.add(transaction::delete(&self.logins, &key, Some(seen))?, UserWrite::Stale);
        if let Some(username) = &user.username {
            self.delete_owner(user, USERNAME, &username.hash, &mut actions)?;
        }
        if let Some(email) = &user.email {
            self.delete_owner(user, EMAIL, &email.hash, &mut actions)?;
        }
        for subject in user.identities.values() {
            self.delete_owner(user, SUBJECT, &subject.hash, &mut actions)?;
        }
        if let Some(phone) = &factor.phone {
            self.delete_owner(user, PHONE, &phone.hash, &mut actions)?;
        }
        self.record_all(&mut actions, events)?;
        // The newest go in the transaction: those are the ones that may be alive. Every new code raises the factor's revision,
        // so none can come up between this read and the write.
        let challenges = self.challenge_keys(&user.tenant, &user.id).await?;
        let room = actions.room();
        let (old, recent) = challenges.split_at(challenges.len().saturating_sub(room));
        for keys in old.chunks(MAX_ACTIONS) {
            let mut deletions = Actions::new();
            for key in keys {
                deletions.add(transaction::delete(&self.logins, key, None)?, UserWrite::Stale);
            }
            if self.write_user(deletions).await? != UserWrite::Done {
                return Ok(UserWrite::Stale);
            }
        }
        for key in recent {
            actions.add(transaction::delete(&self.logins, key, None)?, UserWrite::Stale);
        }
        self.write_user(actions).await
    }
}

/// Sets what a user has, removes what it has not. Attributes of the item that aren't in [`User`] stay.
fn changed_attributes(after: &User) -> Result<Expression, Fault> {
    let identifier = |of: &Option<SealedIdentifier>| -> Result<Option<AttributeValue>, Fault> {
        of.as_ref().map(|i| to_item(&IdentifierItem::from(i)).map(AttributeValue::M)).transpose()
    };
    let subjects = identities(after);
    let subjects = (!subjects.is_empty()).then(|| to_item(&subjects).map(AttributeValue::M)).transpose()?;
    let attributes = [
        ("identities", subjects),
        ("username", identifier(&after.username)?),
        ("email", identifier(&after.email)?),
        ("locale", after.locale.as_ref().map(|locale| string(locale.as_str()))),
        ("password_hash", after.password_hash.as_ref().map(string)),
        ("version", Some(number(after.version))),
    ];
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let mut change = Expression::default();
    for (name, value) in attributes {
        change = change.name(&format!("#{name}"), name);
        match value {
            Some(value) => {
                set.push(format!("#{name} = :{name}"));
                change = change.value(&format!(":{name}"), value);
            }
            None => remove.push(format!("#{name}")),
        }
    }
    change.text = format!("SET {}", set.join(", "));
    if !remove.is_empty() {
        change.text.push_str(&format!(" REMOVE {}", remove.join(", ")));
    }
    Ok(change)
}
