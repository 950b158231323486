//! A tenant's test numbers as logins know them: by their keyed hashes.

use crate::domain::factor::owner_scope;
use crate::domain::identifier::PHONE;
use crate::domain::ids::TenantId;
use crate::domain::test_number::{Scenario, TestNumbers};
use crate::ports::PersonalData;
use std::collections::BTreeMap;

/// All of them: a number may be named, bound or taken away while a login is under way.
pub(super) fn hashed(
    personal: &dyn PersonalData,
    tenant: &TenantId,
    listed: &BTreeMap<String, Scenario>,
) -> TestNumbers {
    let mut numbers = TestNumbers::default();
    for (number, scenario) in listed {
        numbers.add(&personal.hash(&owner_scope(tenant, PHONE), number), *scenario);
    }
    numbers
}
