//! A tenant (pool): a company's own users, applications and rules, apart from every other tenant's.

use super::ids::TenantId;
use super::settings::TenantSecurity;
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case. Bare national numbers are never guessed from it; it seeds the country allow-list.
    pub home_country: String,
    pub created_at: Timestamp,
    pub security: TenantSecurity,
    /// Grows by one with every write; a write names the version it was made from.
    pub version: u64,
}
