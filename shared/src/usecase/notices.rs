//! Makes the notices that a change of the second factor is told with.

use crate::domain::factor::FactorPhone;
use crate::domain::ids::{TenantId, UserId, base62};
use crate::domain::notice::{Addressee, Notice, NoticeKind};
use crate::domain::time::Timestamp;
use crate::ports::Entropy;

/// Random characters that tell two notices of one user and millisecond apart.
const ID_LENGTH: usize = 10;

/// A notice to the number that was bound.
pub(super) fn notice(
    entropy: &dyn Entropy,
    kind: NoticeKind,
    (tenant, user): (&TenantId, &UserId),
    to: &FactorPhone,
    addressee: Addressee,
    now: Timestamp,
) -> Notice {
    Notice {
        id: base62(ID_LENGTH, |buffer| entropy.fill(buffer)),
        kind,
        tenant: tenant.clone(),
        user: user.clone(),
        to: to.sealed.clone(),
        country: to.country.clone(),
        addressee,
        created_at: now,
    }
}
