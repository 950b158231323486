//! A tenant's test numbers as logins know them: by their keyed hashes.

use crate::domain::factor::owner_scope;
use crate::domain::identifier::PHONE;
use crate::domain::ids::TenantId;
use crate::domain::test_number::{Scenario, TestNumbers};
use crate::ports::PersonalData;
use std::collections::BTreeMap;

/// Those of the `listed` whose hash is `relevant`.
pub(super) fn hashed(
    personal: &dyn PersonalData,
    tenant: &TenantId,
    listed: &BTreeMap<String, Scenario>,
    relevant: impl Fn(&str) -> bool,
) -> TestNumbers {
    let mut numbers = TestNumbers::default();
    for (number, scenario) in listed {
        let hash = personal.hash(&owner_scope(tenant, PHONE), number);
        if relevant(&hash) {
            numbers.add(&hash, *scenario);
        }
    }
    numbers
}
