//! Users of a tenant, as its administrators keep them.

use super::TRIES;
use super::admin_binding::seal_number;
use super::authenticate::{Allowed, ReadUsers, WriteUsers};
use crate::domain::audit::{AuditEvent, AuditedChange};
use crate::domain::change::Change;
use crate::domain::factor::{Factor, owner_scope, phone_place};
use crate::domain::identifier::{Account, EMAIL, Email, USERNAME, Username};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::{Locale, SealedIdentifier, User, place};
use crate::ports::{
    Clock, Entropy, Failure, Fault, Page, PageRequest, Passwords, PersonalData, UserStore, UserWrite,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Creates, reads, changes and deletes users.
#[derive(Clone)]
pub struct ManageUsers {
    pub users: Arc<dyn UserStore>,
    pub personal: Arc<dyn PersonalData>,
    pub passwords: Arc<dyn Passwords>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// What a new user has. One of the first three is needed; a user with a number is bound to it from the start (acceptance D3).
#[derive(Debug, Default)]
pub struct NewUser {
    pub username: Option<Username>,
    pub email: Option<Email>,
    pub phone: Option<PhoneNumber>,
    /// As [`crate::domain::user::new_password`] made it.
    pub password: Option<Secret<String>>,
    pub locale: Option<Locale>,
}

/// What to change of a user; [`Change::Restore`] removes. The number is [`super::admin_binding::AdminBinding`]'s.
#[derive(Debug, Default)]
pub struct UserPatch {
    pub username: Change<Username>,
    pub email: Change<Email>,
    pub password: Change<Secret<String>>,
    pub locale: Change<Locale>,
}

/// A user in clear, for an administrator of its tenant.
pub struct OpenedUser {
    pub id: UserId,
    pub username: Option<String>,
    pub email: Option<String>,
    pub phone: Option<OpenedPhone>,
    pub locale: Option<Locale>,
    pub has_password: bool,
    /// Wrong codes in a row.
    pub failures: u32,
    pub created_at: Timestamp,
}

/// A bound number in clear.
pub struct OpenedPhone {
    pub e164: String,
    pub bound_at: Timestamp,
}

impl ManageUsers {
    /// # Errors
    /// [`Refusal::Duplicate`] names the identifier that is taken.
    pub async fn create(&self, allowed: &Allowed<WriteUsers>, new: NewUser) -> Result<OpenedUser, Failure> {
        if new.username.is_none() && new.email.is_none() && new.phone.is_none() {
            return Err(Refusal::InvalidRequest("username, phone or email is needed".into()).into());
        }
        if let Some(phone) = &new.phone {
            phone.check_type()?;
        }
        let tenant = allowed.tenant();
        let id = UserId::generate(|buffer| self.entropy.fill(buffer));
        let password_hash = match new.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let now = self.clock.now();
        let user = User {
            username: new.username.map(|name| self.seal(tenant, &id, USERNAME, name.as_str())),
            email: new.email.map(|email| self.seal(tenant, &id, EMAIL, email.as_str())),
            identities: BTreeMap::new(),
            id,
            tenant: tenant.clone(),
            locale: new.locale,
            password_hash,
            created_at: now,
            version: 1,
        };
        let phone = new.phone.map(|phone| seal_number(&*self.personal, tenant, &user.id, &phone, now));
        let factor = Factor { phone, revision: 1, ..Factor::default() };
        for _ in 0..TRIES {
            let events = self.events(allowed, AuditedChange::user_created(&user, &factor));
            match self.users.create_user(&user, &factor, &events).await? {
                UserWrite::Done => return Ok(open(&*self.personal, &user, &factor)?),
                UserWrite::Duplicate(field) => return Err(Refusal::Duplicate { field }.into()),
                UserWrite::LastIdentifier | UserWrite::Stale => {}
            }
        }
        Err(Refusal::Conflict.into())
    }

    pub async fn read(&self, allowed: &Allowed<ReadUsers>, id: &UserId) -> Result<OpenedUser, Failure> {
        let (user, factor) = self.find(allowed.tenant(), id).await?;
        Ok(open(&*self.personal, &user, &factor)?)
    }

    /// In the order of ids.
    pub async fn list(
        &self,
        allowed: &Allowed<ReadUsers>,
        page: &PageRequest,
    ) -> Result<Page<OpenedUser>, Failure> {
        let page = self.users.list_users(allowed.tenant(), page).await?;
        let opened = page.items.iter().map(|(user, factor)| open(&*self.personal, user, factor));
        Ok(Page { items: opened.collect::<Result<_, _>>()?, next: page.next })
    }

    /// The user that an identifier belongs to.
    pub async fn by_account(
        &self,
        allowed: &Allowed<ReadUsers>,
        account: &Account,
    ) -> Result<Option<OpenedUser>, Failure> {
        let tenant = allowed.tenant();
        let hash = self.personal.hash(&owner_scope(tenant, account.kind()), account.canonical());
        let Some(id) = self.users.identifier_owner(tenant, account.kind(), &hash).await? else {
            return Ok(None);
        };
        let found = self.users.find_user(tenant, &id).await?;
        Ok(found.map(|(user, factor)| open(&*self.personal, &user, &factor)).transpose()?)
    }

    /// # Errors
    /// [`Refusal::Duplicate`]; [`Refusal::NotPossible`] when it would leave the user with nothing to sign in with.
    pub async fn change(
        &self,
        allowed: &Allowed<WriteUsers>,
        id: &UserId,
        patch: UserPatch,
    ) -> Result<OpenedUser, Failure> {
        let tenant = allowed.tenant();
        let username = mapped(patch.username, |name| self.seal(tenant, id, USERNAME, name.as_str()));
        let email = mapped(patch.email, |email| self.seal(tenant, id, EMAIL, email.as_str()));
        // Hashing is slow: only for a user that is there, and not between a read and its write.
        let password = match patch.password {
            Change::Keep => Change::Keep,
            Change::Restore => Change::Restore,
            Change::Set(password) => {
                self.find(tenant, id).await?;
                Change::Set(self.passwords.hash(password).await?)
            }
        };
        for _ in 0..TRIES {
            let (before, factor) = self.find(tenant, id).await?;
            let after = User {
                username: applied(&username, &before.username),
                email: applied(&email, &before.email),
                locale: applied(&patch.locale, &before.locale),
                password_hash: applied(&password, &before.password_hash),
                version: before.version + 1,
                ..before.clone()
            };
            let Some(change) = AuditedChange::user_changed(&before, &after) else {
                return Ok(open(&*self.personal, &before, &factor)?);
            };
            let event = allowed.event(change, &*self.clock, &*self.entropy);
            match self.users.change_user(&before, &after, &event).await? {
                UserWrite::Done => return Ok(open(&*self.personal, &after, &factor)?),
                UserWrite::Duplicate(field) => return Err(Refusal::Duplicate { field }.into()),
                UserWrite::LastIdentifier => {
                    return Err(
                        Refusal::NotPossible("the user would have nothing left to sign in with").into()
                    );
                }
                UserWrite::Stale => {}
            }
        }
        Err(Refusal::Conflict.into())
    }

    /// Deletes the user and everything of it; no login of it that is in flight can finish.
    pub async fn delete(&self, allowed: &Allowed<WriteUsers>, id: &UserId) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let (user, factor) = self.find(allowed.tenant(), id).await?;
            let events = self.events(allowed, AuditedChange::user_deleted(&user, &factor));
            if self.users.delete_user(&user, &factor, &events).await? == UserWrite::Done {
                return Ok(());
            }
        }
        Err(Refusal::Conflict.into())
    }

    fn events(&self, allowed: &Allowed<WriteUsers>, changes: Vec<AuditedChange>) -> Vec<AuditEvent> {
        changes.into_iter().map(|change| allowed.event(change, &*self.clock, &*self.entropy)).collect()
    }

    async fn find(&self, tenant: &TenantId, id: &UserId) -> Result<(User, Factor), Failure> {
        Ok(self.users.find_user(tenant, id).await?.ok_or(Refusal::NotFound)?)
    }

    fn seal(&self, tenant: &TenantId, user: &UserId, kind: &str, canonical: &str) -> SealedIdentifier {
        SealedIdentifier {
            sealed: self.personal.seal(&place(tenant, user, kind), canonical),
            hash: self.personal.hash(&owner_scope(tenant, kind), canonical),
        }
    }
}

fn mapped<T, U>(change: Change<T>, with: impl FnOnce(T) -> U) -> Change<U> {
    match change {
        Change::Keep => Change::Keep,
        Change::Restore => Change::Restore,
        Change::Set(value) => Change::Set(with(value)),
    }
}

fn applied<T: Clone>(change: &Change<T>, before: &Option<T>) -> Option<T> {
    match change {
        Change::Keep => before.clone(),
        Change::Restore => None,
        Change::Set(value) => Some(value.clone()),
    }
}

/// Opens what is sealed of a user.
pub(super) fn open(personal: &dyn PersonalData, user: &User, factor: &Factor) -> Result<OpenedUser, Fault> {
    let identifier = |kind: &str, of: &Option<SealedIdentifier>| {
        of.as_ref().map(|i| personal.open(&place(&user.tenant, &user.id, kind), &i.sealed)).transpose()
    };
    let phone = factor.phone.as_ref().map(|phone| {
        let e164 = personal.open(&phone_place(&user.tenant, &user.id), &phone.sealed)?;
        Ok::<_, Fault>(OpenedPhone { e164, bound_at: phone.since })
    });
    Ok(OpenedUser {
        id: user.id.clone(),
        username: identifier(USERNAME, &user.username)?,
        email: identifier(EMAIL, &user.email)?,
        phone: phone.transpose()?,
        locale: user.locale.clone(),
        has_password: user.password_hash.is_some(),
        failures: factor.failures,
        created_at: user.created_at,
    })
}
