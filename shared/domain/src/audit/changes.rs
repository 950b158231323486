//! What an administrator's change comes down to: one event, or none where nothing is different afterwards.

use super::{Actor, AuditEvent, Details, EventKind, Provenance, describe};
use crate::admin_key::AdminKey;
use crate::application::Application;
use crate::console_session::ConsoleSession;
use crate::factor::{Factor, FactorPhone};
use crate::identity_source::IdentitySource;
use crate::ids::{ApplicationId, EventId, LoginId, TenantId, UserId};
use crate::login::Purpose;
use crate::settings::{SecurityRules, TenantSecurity};
use crate::tenant::Tenant;
use crate::time::Timestamp;
use crate::trusted_device::TrustedDevice;
use crate::user::User;
use serde_json::Value;

/// An event that lacks only who and when.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditedChange {
    kind: EventKind,
    user: Option<UserId>,
    application: Option<ApplicationId>,
    before: Option<Details>,
    after: Option<Details>,
}

impl AuditedChange {
    pub fn tenant_created(tenant: &Tenant) -> Self {
        Self::created(EventKind::TenantCreated, describe::tenant(tenant))
    }

    pub fn tenant_changed(before: &Tenant, after: &Tenant) -> Option<Self> {
        Self::changed(EventKind::TenantChanged, describe::tenant(before), describe::tenant(after))
    }

    pub fn tenant_security_changed(before: &TenantSecurity, after: &TenantSecurity) -> Option<Self> {
        let (was, mut is) = (describe::tenant_security(before), describe::tenant_security(after));
        if before.test_numbers != after.test_numbers && was.get("test_numbers") == is.get("test_numbers") {
            describe::replace_test_numbers(&mut is);
        }
        Self::changed(EventKind::TenantSecurityChanged, was, is)
    }

    pub fn application_created(new: &Application) -> Self {
        Self::created(EventKind::ApplicationCreated, describe::application(new)).in_application(&new.id)
    }

    pub fn application_changed(before: &Application, after: &Application) -> Option<Self> {
        Self::application(EventKind::ApplicationChanged, before, after)
    }

    pub fn application_secret_added(before: &Application, after: &Application) -> Option<Self> {
        Self::application(EventKind::ApplicationSecretAdded, before, after)
    }

    pub fn application_secret_removed(before: &Application, after: &Application) -> Option<Self> {
        Self::application(EventKind::ApplicationSecretRemoved, before, after)
    }

    /// An application's own rules.
    pub fn application_security_changed(
        application: &ApplicationId,
        before: &SecurityRules,
        after: &SecurityRules,
    ) -> Option<Self> {
        let (before, after) = (describe::rules(before), describe::rules(after));
        let change = Self::changed(EventKind::ApplicationSecurityChanged, before, after)?;
        Some(change.in_application(application))
    }

    pub fn application_deleted(old: &Application) -> Self {
        Self::deleted(EventKind::ApplicationDeleted, describe::application(old)).in_application(&old.id)
    }

    pub fn identity_source_created(source: &IdentitySource) -> Self {
        Self::created(EventKind::IdentitySourceCreated, describe::identity_source(source))
    }

    pub fn identity_source_deleted(source: &IdentitySource) -> Self {
        Self::deleted(EventKind::IdentitySourceDeleted, describe::identity_source(source))
    }

    pub fn admin_key_created(key: &AdminKey) -> Self {
        Self::created(EventKind::AdminKeyCreated, describe::admin_key(key))
    }

    pub fn admin_key_deleted(key: &AdminKey) -> Self {
        Self::deleted(EventKind::AdminKeyDeleted, describe::admin_key(key))
    }

    pub fn console_session_started(session: &ConsoleSession) -> Self {
        Self::created(EventKind::ConsoleSessionStarted, describe::console_session(session))
    }

    pub fn console_session_ended(session: &ConsoleSession) -> Self {
        Self::deleted(EventKind::ConsoleSessionEnded, describe::console_session(session))
    }

    /// The user and, if it has one, its number.
    pub fn user_created(user: &User, factor: &Factor) -> Vec<Self> {
        let new = Self::created(EventKind::UserCreated, describe::user(user)).of_user(&user.id);
        let bound = Self::phone_changed(&user.id, &Factor::default(), factor.phone.as_ref());
        std::iter::once(new).chain(bound).collect()
    }

    /// `None` also where the same identifier was only encrypted anew.
    pub fn user_changed(before: &User, after: &User) -> Option<Self> {
        let (old, mut new) = (describe::user(before), describe::user(after));
        if before.password_hash.is_some()
            && after.password_hash.is_some()
            && before.password_hash != after.password_hash
        {
            describe::replace_password(&mut new);
        }
        Some(Self::changed(EventKind::UserChanged, old, new)?.of_user(&before.id))
    }

    /// The user and, if it has one, its number.
    pub fn user_deleted(user: &User, factor: &Factor) -> Vec<Self> {
        let unbound = factor.phone.as_ref().and_then(|_| Self::phone_changed(&user.id, factor, None));
        let gone = Self::deleted(EventKind::UserDeleted, describe::user(user)).of_user(&user.id);
        unbound.into_iter().chain([gone]).collect()
    }

    /// `after` put in the place of the factor's number, which clears the failures.
    pub fn phone_changed(user: &UserId, before: &Factor, after: Option<&FactorPhone>) -> Option<Self> {
        let old = before.phone.as_ref();
        let same = old.map(|phone| &phone.hash) == after.map(|phone| &phone.hash);
        let kind = match (old, after) {
            _ if same => EventKind::FactorReset,
            (None, _) => EventKind::PhoneBound,
            (_, None) => EventKind::PhoneUnbound,
            (Some(_), Some(_)) => EventKind::PhoneReplaced,
        };
        let (mut was, mut is) = (Details::new(), Details::new());
        if !same {
            was.insert("phone".to_owned(), describe::phone(old));
            is.insert("phone".to_owned(), describe::phone(after));
        }
        if before.failures > 0 {
            was.insert("failed_codes".to_owned(), before.failures.into());
            is.insert("failed_codes".to_owned(), 0.into());
        }
        let happened = !was.is_empty();
        let change = Self { kind, user: None, application: None, before: Some(was), after: Some(is) };
        happened.then(|| change.of_user(user))
    }

    /// A user's first number, proven in a login. Nobody reads the factor for it: that it has no number is the write's condition.
    pub fn phone_bound_at_login(user: &UserId, application: &ApplicationId, phone: &FactorPhone) -> Self {
        let side = |phone| Some(Details::from_iter([("phone".to_owned(), describe::phone(phone))]));
        let (before, after) = (side(None), side(Some(phone)));
        let change = Self { kind: EventKind::PhoneBound, user: None, application: None, before, after };
        change.of_user(user).in_application(application)
    }

    /// All of before are gone.
    pub fn recovery_codes_made(user: &UserId, count: usize) -> Self {
        Self::created(EventKind::RecoveryCodesMade, describe::recovery_codes(count)).of_user(user)
    }

    /// One less than before.
    pub fn recovery_code_used(
        user: &UserId,
        application: &ApplicationId,
        login: &LoginId,
        purpose: Purpose,
    ) -> Self {
        let used = describe::recovery_code(login, purpose);
        Self::created(EventKind::RecoveryCodeUsed, used).of_user(user).in_application(application)
    }

    pub fn trusted_device_added(user: &UserId, device: &TrustedDevice) -> Self {
        let new = Self::created(EventKind::TrustedDeviceAdded, describe::trusted_device(device));
        new.of_user(user).in_application(&device.application)
    }

    pub fn trusted_device_revoked(user: &UserId, device: &TrustedDevice) -> Self {
        let gone = Self::deleted(EventKind::TrustedDeviceRevoked, describe::trusted_device(device));
        gone.of_user(user).in_application(&device.application)
    }

    /// The event, once it is known who does it, when and from where.
    pub fn by(
        self,
        actor: Actor,
        provenance: Provenance,
        tenant: TenantId,
        at: Timestamp,
        id: EventId,
    ) -> AuditEvent {
        let Self { kind, user, application, before, after } = self;
        AuditEvent { id, tenant, at, kind, actor, provenance, user, application, before, after }
    }

    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    fn application(kind: EventKind, before: &Application, after: &Application) -> Option<Self> {
        let change = Self::changed(kind, describe::application(before), describe::application(after))?;
        Some(change.in_application(&after.id))
    }

    fn created(kind: EventKind, after: Details) -> Self {
        Self { kind, user: None, application: None, before: None, after: Some(after) }
    }

    fn deleted(kind: EventKind, before: Details) -> Self {
        Self { kind, user: None, application: None, before: Some(before), after: None }
    }

    fn changed(kind: EventKind, before: Details, after: Details) -> Option<Self> {
        let (before, after) = difference(before, after)?;
        Some(Self { kind, user: None, application: None, before: Some(before), after: Some(after) })
    }

    fn in_application(self, application: &ApplicationId) -> Self {
        Self { application: Some(application.clone()), ..self }
    }

    fn of_user(self, user: &UserId) -> Self {
        Self { user: Some(user.clone()), ..self }
    }
}

/// What differs between two objects, member by member at any depth; where one of them has no such member, its side says `null`. `None`: nothing.
fn difference(before: Details, mut after: Details) -> Option<(Details, Details)> {
    let (mut old, mut new) = (Details::new(), Details::new());
    let mut differs = |name: String, was: Value, is: Value| {
        old.insert(name.clone(), was);
        new.insert(name, is);
    };
    for (name, was) in before {
        match (was, after.remove(&name).unwrap_or_default()) {
            (was, is) if was == is => {}
            (Value::Object(was), Value::Object(is)) => {
                if let Some((was, is)) = difference(was, is) {
                    differs(name, was.into(), is.into());
                }
            }
            (was, is) => differs(name, was, is),
        }
    }
    for (name, is) in after.into_iter().filter(|(_, is)| !is.is_null()) {
        differs(name, Value::Null, is);
    }
    (!old.is_empty()).then_some((old, new))
}
