//! A tenant (pool): a company's own users, applications and rules, apart from every other tenant's.

use super::branding::Branding;
use super::ids::TenantId;
use super::message_template::MessageTemplates;
use super::refusal::Refusal;
use super::settings::TenantSecurity;
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case. Bare national numbers are never guessed from it; it seeds the country allow-list.
    pub home_country: String,
    pub created_at: Timestamp,
    /// Real users sign in: nothing here is a test.
    pub production: bool,
    /// How the hosted pages look for this tenant's users.
    pub branding: Branding,
    /// Its own words in messages with a code.
    pub message_templates: MessageTemplates,
    pub security: TenantSecurity,
    /// Grows by one with every write; a write names the version it was made from.
    pub version: u64,
}

impl Tenant {
    /// What has to hold of a tenant as it is written. Both are of one item, whose version is in the condition of every write: the two
    /// never become true at once.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] where test numbers are listed in production.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.production && !self.security.test_numbers.is_empty() {
            return Err(Refusal::NotPossible("a tenant in production has no test numbers"));
        }
        Ok(())
    }
}
