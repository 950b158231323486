//! Who calls an administration endpoint, and what they may do there.
//!
//! A use case takes an [`Allowed`] as proof. Only the gate makes one, for one tenant and one permission, so a use case can't be reached with
//! another tenant's credential or with too small a role: such a call doesn't compile or has no tenant to name.

use crate::auth::credential::{Credential, Holder};
use crate::domain::admin_key::{AdminKey, Permission, Role};
use crate::domain::audit::{self, AuditEvent, AuditedChange, Provenance};
use crate::domain::console_session::{ConsoleSession, ConsoleSessions};
use crate::domain::ids::{ApplicationId, EventId, KeyId, TenantId};
use crate::domain::refusal::Refusal;
use crate::ports::{AdminKeyLookup, Clock, Entropy, Failure};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Checks credentials of administrators and of the operator.
pub struct AdminGate {
    pub keys: Arc<dyn AdminKeyLookup>,
    pub clock: Arc<dyn Clock>,
    /// SHA-256 of each live operator credential; two during a rotation.
    pub operator_hashes: Vec<[u8; 32]>,
}

/// What a caller shows of itself.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A key, in a header.
    Bearer(&'a str),
    /// A session of the console, in a cookie. Whoever makes one has made sure that our own page sent the request: browsers add cookies
    /// to everybody's requests.
    Session(&'a str),
}

/// A live session of the console, with what is kept of its key.
#[derive(Debug)]
pub struct SignedIn {
    pub key: AdminKey,
    pub session: ConsoleSession,
    pub sessions: ConsoleSessions,
}

/// Whose credential was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Operator,
    Administrator { tenant: TenantId, key: KeyId, role: Role },
}

/// Proof that the caller may do `P` in a tenant.
pub struct Allowed<P> {
    tenant: TenantId,
    actor: Actor,
    provenance: Provenance,
    permission: PhantomData<fn() -> P>,
}

/// Proof that the caller is the operator.
#[derive(Debug)]
pub struct OperatorAllowed {
    provenance: Provenance,
}

/// A permission as a type, one for each [`Permission`].
pub trait Needed: Send + Sync + 'static {
    const PERMISSION: Permission;
}

macro_rules! needed {
    ($($name:ident),*) => {$(
        #[doc = concat!("[`Permission::", stringify!($name), "`] as a type.")]
        #[derive(Debug)]
        pub enum $name {}

        impl Needed for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

needed!(ReadPolicy, WritePolicy, ReadUsers, WriteUsers, ReadKeys, WriteKeys, ReadAudit);

impl AdminGate {
    /// Whose credential it is. 401 for everything that isn't a live key of an administrator or the operator, or a live session of a live
    /// key.
    pub async fn identify(&self, shown: Shown<'_>) -> Result<Actor, Failure> {
        match shown {
            Shown::Bearer(bearer) => self.identify_bearer(bearer).await,
            Shown::Session(session) => {
                let AdminKey { tenant, id, role, .. } = self.signed_in(session).await?.key;
                Ok(Actor::Administrator { tenant, key: id, role })
            }
        }
    }

    /// The live session that a cookie names. Its key is read in the same request, so that one that was revoked a moment ago, or has
    /// another role now, counts as it is.
    pub async fn signed_in(&self, session: &str) -> Result<SignedIn, Failure> {
        let credential = Credential::parse(session).ok_or(Refusal::Unauthenticated)?;
        let Holder::Console { tenant, key, session } = &credential.holder else {
            return Err(Refusal::Unauthenticated.into());
        };
        let kept = self.keys.admin_key_with_sessions(tenant, key).await?;
        let (key, sessions) = kept.ok_or(Refusal::Unauthenticated)?;
        let now = self.clock.now();
        let live = sessions.live(session, now).filter(|session| credential.matches(&session.hash));
        match live.cloned() {
            Some(session) if key.is_live(now) => Ok(SignedIn { key, session, sessions }),
            _ => Err(Refusal::Unauthenticated.into()),
        }
    }

    /// The live administrator key that `bearer` is, with the sessions that it has opened. The operator has none.
    pub(super) async fn key_of_administrator(
        &self,
        bearer: &str,
    ) -> Result<(AdminKey, ConsoleSessions), Failure> {
        let credential = Credential::parse(bearer).ok_or(Refusal::Unauthenticated)?;
        let Holder::Administrator { tenant, key } = &credential.holder else {
            // Whoever is known all the same is the operator.
            self.identify_bearer(bearer).await?;
            return Err(Refusal::Forbidden("the console is for the administrators of a tenant").into());
        };
        let kept = self.keys.admin_key_with_sessions(tenant, key).await?;
        let (key, sessions) = kept.ok_or(Refusal::Unauthenticated)?;
        if credential.matches(&key.hash) && key.is_live(self.clock.now()) {
            Ok((key, sessions))
        } else {
            Err(Refusal::Unauthenticated.into())
        }
    }

    async fn identify_bearer(&self, bearer: &str) -> Result<Actor, Failure> {
        let credential = Credential::parse(bearer).ok_or(Refusal::Unauthenticated)?;
        match &credential.holder {
            Holder::Operator => {
                let known = self.operator_hashes.iter().any(|hash| credential.matches(hash));
                if known { Ok(Actor::Operator) } else { Err(Refusal::Unauthenticated.into()) }
            }
            Holder::Administrator { tenant, key } => {
                let kept = self.keys.admin_key(tenant, key).await?.ok_or(Refusal::Unauthenticated)?;
                if !credential.matches(&kept.hash) || !kept.is_live(self.clock.now()) {
                    return Err(Refusal::Unauthenticated.into());
                }
                Ok(Actor::Administrator { tenant: kept.tenant, key: kept.id, role: kept.role })
            }
            Holder::Application { .. }
            | Holder::Console { .. }
            | Holder::Device { .. }
            | Holder::QrLogin { .. } => Err(Refusal::Unauthenticated.into()),
        }
    }

    /// Proves that the caller may do `P` in the tenant that the path names.
    pub async fn allow<P: Needed>(
        &self,
        shown: Shown<'_>,
        tenant_in_path: &str,
        provenance: Provenance,
    ) -> Result<Allowed<P>, Failure> {
        let actor = self.identify(shown).await?;
        let tenant = permit(&actor, tenant_in_path, P::PERMISSION)?;
        Ok(Allowed { tenant, actor, provenance, permission: PhantomData })
    }

    pub async fn allow_operator(
        &self,
        shown: Shown<'_>,
        provenance: Provenance,
    ) -> Result<OperatorAllowed, Failure> {
        match self.identify(shown).await? {
            Actor::Operator => Ok(OperatorAllowed { provenance }),
            Actor::Administrator { .. } => {
                Err(Refusal::Forbidden("only the operator may create tenants").into())
            }
        }
    }
}

/// An administrator acts in its own tenant as its role allows. The operator reads every tenant and writes in none (A1: a change takes
/// an administrator of that tenant). Answers the tenant to act in.
fn permit(actor: &Actor, tenant_in_path: &str, permission: Permission) -> Result<TenantId, Refusal> {
    match actor {
        Actor::Operator if !permission.is_read() => {
            Err(Refusal::Forbidden("the operator reads; changes take an administrator key of this tenant"))
        }
        Actor::Operator => TenantId::parse(tenant_in_path).ok_or(Refusal::NotFound),
        Actor::Administrator { tenant, .. } if tenant.as_str() != tenant_in_path => {
            Err(Refusal::Forbidden("the credential is of another tenant"))
        }
        Actor::Administrator { role, .. } if !role.may(permission) => {
            Err(Refusal::Forbidden("the role of this key does not allow it"))
        }
        Actor::Administrator { tenant, .. } => Ok(tenant.clone()),
    }
}

impl<P> Allowed<P> {
    /// The tenant to act in. Storage keys come from here.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The event of a change that this caller makes now.
    pub(super) fn event(
        &self,
        change: AuditedChange,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> AuditEvent {
        let actor = match &self.actor {
            Actor::Operator => audit::Actor::Operator,
            Actor::Administrator { key, role, .. } => {
                audit::Actor::Administrator { key: key.clone(), role: *role }
            }
        };
        let id = EventId::generate(|buffer| entropy.fill(buffer));
        change.by(actor, self.provenance.clone(), self.tenant.clone(), clock.now(), id)
    }

    /// An application's id, if it is of this tenant. Its key in storage comes from the id itself, hence this check.
    pub fn own<'a>(&self, application: &'a ApplicationId) -> Result<&'a ApplicationId, Refusal> {
        if application.tenant() == self.tenant { Ok(application) } else { Err(Refusal::NotFound) }
    }
}

impl OperatorAllowed {
    /// The event of a change that the operator makes now in a tenant.
    pub(super) fn event(
        &self,
        change: AuditedChange,
        tenant: &TenantId,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> AuditEvent {
        let id = EventId::generate(|buffer| entropy.fill(buffer));
        change.by(audit::Actor::Operator, self.provenance.clone(), tenant.clone(), clock.now(), id)
    }
}

impl<P> fmt::Debug for Allowed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Allowed({} by {:?})", self.tenant, self.actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(letter: char) -> TenantId {
        TenantId::parse(&format!("ten_{}", letter.to_string().repeat(12))).expect("an id")
    }

    fn administrator(role: Role) -> Actor {
        let key = KeyId::parse("key_kkkkkkkkkkkk").expect("an id");
        Actor::Administrator { tenant: tenant('a'), key, role }
    }

    #[test]
    fn a1_another_tenant_in_the_path_is_forbidden_even_to_an_owner() {
        let owner = administrator(Role::Owner);
        assert_eq!(permit(&owner, tenant('a').as_str(), Permission::WritePolicy), Ok(tenant('a')));
        for path in [tenant('b').as_str(), "ten_", "", "no id at all"] {
            let refused = permit(&owner, path, Permission::ReadPolicy);
            assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{path}");
        }
    }

    #[test]
    fn a1_a_role_that_is_too_small_is_forbidden() {
        for role in Role::ALL {
            let actor = administrator(role);
            for permission in [Permission::WritePolicy, Permission::WriteKeys, Permission::ReadUsers] {
                let allowed = permit(&actor, tenant('a').as_str(), permission).is_ok();
                assert_eq!(allowed, role.may(permission), "{role:?} {permission:?}");
            }
        }
    }

    #[test]
    fn a2_the_operator_reads_everything_and_writes_in_no_tenant() {
        let path = tenant('a');
        for read in
            [Permission::ReadPolicy, Permission::ReadUsers, Permission::ReadKeys, Permission::ReadAudit]
        {
            assert_eq!(permit(&Actor::Operator, path.as_str(), read), Ok(path.clone()));
        }
        for write in [Permission::WritePolicy, Permission::WriteUsers, Permission::WriteKeys] {
            assert!(matches!(permit(&Actor::Operator, path.as_str(), write), Err(Refusal::Forbidden(_))));
        }
        assert_eq!(permit(&Actor::Operator, "nonsense", Permission::ReadPolicy), Err(Refusal::NotFound));
    }
}
