//! How a user's subject at an external identity source is kept.

use crate::domain::factor::owner_scope;
use crate::domain::identifier::SUBJECT;
use crate::domain::identity_source::ExternalSubject;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{SealedIdentifier, identity_field, place};
use crate::ports::PersonalData;

/// What a subject's owner item is found by.
pub(super) fn subject_hash(
    personal: &dyn PersonalData,
    tenant: &TenantId,
    subject: &ExternalSubject,
) -> String {
    personal.hash(&owner_scope(tenant, SUBJECT), &subject.canonical())
}

/// A subject as the user's item keeps it.
pub(super) fn seal_subject(
    personal: &dyn PersonalData,
    tenant: &TenantId,
    user: &UserId,
    subject: &ExternalSubject,
) -> SealedIdentifier {
    let field = identity_field(subject.source());
    SealedIdentifier {
        sealed: personal.seal(&place(tenant, user, &field), subject.sub()),
        hash: subject_hash(personal, tenant, subject),
    }
}
