//! Administrator keys and what each role may do.

use super::ids::{KeyId, TenantId};
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminKey {
    pub id: KeyId,
    pub tenant: TenantId,
    pub role: Role,
    pub name: String,
    /// SHA-256 of the whole credential.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

impl AdminKey {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// An owner key that never expires. A tenant always has one, or a forgotten expiry could lock everybody out for good.
    pub fn is_permanent_owner(&self) -> bool {
        self.role == Role::Owner && self.expires_at.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, keys included.
    Owner,
    /// Settings, applications, identity sources; no users, no keys.
    Policy,
    /// Users and their binding only.
    Support,
    /// Reads everything, changes nothing.
    Auditor,
}

/// What a call needs from a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    ReadPolicy,
    WritePolicy,
    ReadUsers,
    WriteUsers,
    ReadKeys,
    WriteKeys,
    ReadAudit,
}

impl Permission {
    /// Whether it only reads: the operator may read everything.
    pub const fn is_read(self) -> bool {
        use Permission::*;
        match self {
            ReadPolicy | ReadUsers | ReadKeys | ReadAudit => true,
            WritePolicy | WriteUsers | WriteKeys => false,
        }
    }
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Owner, Role::Policy, Role::Support, Role::Auditor];

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Policy => "policy",
            Role::Support => "support",
            Role::Auditor => "auditor",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The one place that says which role may do what.
    pub const fn may(self, permission: Permission) -> bool {
        use Permission::*;
        match self {
            Role::Owner => true,
            Role::Policy => matches!(permission, ReadPolicy | WritePolicy | ReadAudit),
            Role::Support => matches!(permission, ReadUsers | WriteUsers),
            Role::Auditor => matches!(permission, ReadPolicy | ReadUsers | ReadKeys | ReadAudit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::*;

    #[test]
    fn a1_each_role_may_do_its_own_work_and_no_more() {
        let all = [ReadPolicy, WritePolicy, ReadUsers, WriteUsers, ReadKeys, WriteKeys, ReadAudit];
        let may = |role: Role| all.into_iter().filter(|p| role.may(*p)).collect::<Vec<_>>();
        assert_eq!(may(Role::Owner), all);
        assert_eq!(may(Role::Policy), [ReadPolicy, WritePolicy, ReadAudit]);
        assert_eq!(may(Role::Support), [ReadUsers, WriteUsers]);
        assert_eq!(may(Role::Auditor), [ReadPolicy, ReadUsers, ReadKeys, ReadAudit]);
    }

    #[test]
    fn a_role_is_named_as_in_the_contract() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }
}
