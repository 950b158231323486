//! The security settings of a tenant and of an application that customises its own.

use super::ids::SourceId;
use super::test_number::Scenario;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What an application has of its own once *customize security rules* is on; a tenant has the same and more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRules {
    pub sms_enabled: bool,
    pub code: CodeRules,
    pub phone_binding: PhoneBinding,
    pub trusted_devices: TrustedDevices,
}

/// Length, life and limits of one code. Every default and bound is in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRules {
    /// Decimal digits.
    pub length: u8,
    pub lifetime_seconds: u32,
    pub max_attempts: u8,
    pub resend_cooldown_seconds: u32,
    pub max_sends: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneBinding {
    /// Whether a user without a number may bind one at login.
    pub self_service: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedDevices {
    pub enabled: bool,
    pub days: u16,
}

/// All security settings of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSecurity {
    pub rules: SecurityRules,
    /// Only the sources that an administrator set; a source that isn't in here is *unset* (acceptance C3).
    pub identity_sources: BTreeMap<SourceId, bool>,
    /// ISO 3166-1 alpha-2 codes, upper case, sorted, no repeats.
    pub countries_allow: Vec<String>,
    pub limits: Limits,
    pub recovery_codes_enabled: bool,
    pub sending_enabled: bool,
    /// By number, in E.164. They are an administrator's own and nobody's telephone, so they are kept readable.
    pub test_numbers: BTreeMap<String, Scenario>,
}

/// Sending limits of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub per_phone_hour: u32,
    pub per_phone_day: u32,
    pub per_user_hour: u32,
    pub per_ip_hour: u32,
    /// Messages to one range of numbers (all but the last four digits) in an hour.
    pub per_range_hour: u32,
    pub per_country_day: u32,
    pub per_application_day: u32,
    pub per_tenant_day: u32,
    pub budget_usd_day: u32,
}

/// Bounds of the contract, both ends included.
impl CodeRules {
    pub const LENGTH: RangeInclusive<u32> = 6..=10;
    pub const LIFETIME_SECONDS: RangeInclusive<u32> = 60..=600;
    pub const MAX_ATTEMPTS: RangeInclusive<u32> = 1..=10;
    pub const RESEND_COOLDOWN_SECONDS: RangeInclusive<u32> = 15..=600;
    pub const MAX_SENDS: RangeInclusive<u32> = 1..=10;
}

impl TrustedDevices {
    pub const DAYS: RangeInclusive<u32> = 1..=90;
}

impl Limits {
    /// Every limit that counts messages. At least one: to send nothing, there is the sending switch, which says so in its refusal.
    pub const COUNT: RangeInclusive<u32> = 1..=1_000_000_000;
    /// Whole US dollars. Zero sends nothing that costs.
    pub const BUDGET_USD_DAY: RangeInclusive<u32> = 0..=100_000;
}

impl Default for CodeRules {
    fn default() -> Self {
        Self { length: 6, lifetime_seconds: 300, max_attempts: 5, resend_cooldown_seconds: 30, max_sends: 5 }
    }
}

impl Default for PhoneBinding {
    fn default() -> Self {
        Self { self_service: true }
    }
}

impl Default for TrustedDevices {
    fn default() -> Self {
        Self { enabled: false, days: 30 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_phone_hour: 5,
            per_phone_day: 10,
            per_user_hour: 10,
            per_ip_hour: 20,
            per_range_hour: 100,
            per_country_day: 10_000,
            per_application_day: 10_000,
            per_tenant_day: 10_000,
            budget_usd_day: 50,
        }
    }
}

impl Default for SecurityRules {
    /// A fresh tenant asks for no MFA (acceptance A3).
    fn default() -> Self {
        Self {
            sms_enabled: false,
            code: CodeRules::default(),
            phone_binding: PhoneBinding::default(),
            trusted_devices: TrustedDevices::default(),
        }
    }
}

impl TenantSecurity {
    /// The settings that a new tenant starts with: everything at its default, messages to its own country only.
    pub fn for_home_country(country: &str) -> Self {
        Self {
            rules: SecurityRules::default(),
            identity_sources: BTreeMap::new(),
            countries_allow: vec![country.to_owned()],
            limits: Limits::default(),
            recovery_codes_enabled: false,
            sending_enabled: true,
            test_numbers: BTreeMap::new(),
        }
    }
}
