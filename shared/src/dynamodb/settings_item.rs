//! Security settings inside a tenant's or an application's item.

use crate::domain::ids::SourceId;
use crate::domain::settings::{
    CodeRules, Limits, PhoneBinding, SecurityRules, TenantSecurity, TrustedDevices,
};
use crate::domain::test_number::Scenario;
use crate::ports::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RulesItem {
    sms_enabled: bool,
    code: CodeItem,
    phone_binding: PhoneBindingItem,
    trusted_devices: TrustedDevicesItem,
}

#[derive(Debug, Serialize, Deserialize)]
struct CodeItem {
    length: u8,
    lifetime_seconds: u32,
    max_attempts: u8,
    resend_cooldown_seconds: u32,
    max_sends: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct PhoneBindingItem {
    self_service: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct TrustedDevicesItem {
    enabled: bool,
    days: u16,
}

/// The attribute of a source's switch is also spelled in the expression that deletes a source (policy_store/sources.rs).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SecurityItem {
    rules: RulesItem,
    identity_sources: BTreeMap<String, bool>,
    countries_allow: Vec<String>,
    limits: LimitsItem,
    recovery_codes_enabled: bool,
    sending_enabled: bool,
    /// Scenarios by number. Absent where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    test_numbers: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LimitsItem {
    per_phone_hour: u32,
    per_phone_day: u32,
    per_user_hour: u32,
    per_ip_hour: u32,
    per_range_hour: u32,
    per_country_day: u32,
    per_application_day: u32,
    per_tenant_day: u32,
    budget_usd_day: u32,
}

impl From<&SecurityRules> for RulesItem {
    fn from(rules: &SecurityRules) -> Self {
        Self {
            sms_enabled: rules.sms_enabled,
            code: CodeItem {
                length: rules.code.length,
                lifetime_seconds: rules.code.lifetime_seconds,
                max_attempts: rules.code.max_attempts,
                resend_cooldown_seconds: rules.code.resend_cooldown_seconds,
                max_sends: rules.code.max_sends,
            },
            phone_binding: PhoneBindingItem { self_service: rules.phone_binding.self_service },
            trusted_devices: TrustedDevicesItem {
                enabled: rules.trusted_devices.enabled,
                days: rules.trusted_devices.days,
            },
        }
    }
}

impl From<RulesItem> for SecurityRules {
    fn from(item: RulesItem) -> Self {
        Self {
            sms_enabled: item.sms_enabled,
            code: CodeRules {
                length: item.code.length,
                lifetime_seconds: item.code.lifetime_seconds,
                max_attempts: item.code.max_attempts,
                resend_cooldown_seconds: item.code.resend_cooldown_seconds,
                max_sends: item.code.max_sends,
            },
            phone_binding: PhoneBinding { self_service: item.phone_binding.self_service },
            trusted_devices: TrustedDevices {
                enabled: item.trusted_devices.enabled,
                days: item.trusted_devices.days,
            },
        }
    }
}

impl From<&TenantSecurity> for SecurityItem {
    fn from(security: &TenantSecurity) -> Self {
        let limits = &security.limits;
        Self {
            rules: RulesItem::from(&security.rules),
            identity_sources: security
                .identity_sources
                .iter()
                .map(|(source, on)| (source.as_str().to_owned(), *on))
                .collect(),
            countries_allow: security.countries_allow.clone(),
            limits: LimitsItem {
                per_phone_hour: limits.per_phone_hour,
                per_phone_day: limits.per_phone_day,
                per_user_hour: limits.per_user_hour,
                per_ip_hour: limits.per_ip_hour,
                per_range_hour: limits.per_range_hour,
                per_country_day: limits.per_country_day,
                per_application_day: limits.per_application_day,
                per_tenant_day: limits.per_tenant_day,
                budget_usd_day: limits.budget_usd_day,
            },
            recovery_codes_enabled: security.recovery_codes_enabled,
            sending_enabled: security.sending_enabled,
            test_numbers: security
                .test_numbers
                .iter()
                .map(|(number, scenario)| (number.clone(), scenario.as_str().to_owned()))
                .collect(),
        }
    }
}

impl TryFrom<SecurityItem> for TenantSecurity {
    type Error = Fault;

    fn try_from(item: SecurityItem) -> Result<Self, Fault> {
        let switch = |(source, on): (String, bool)| {
            let source = SourceId::parse(&source);
            source.map(|id| (id, on)).ok_or_else(|| Fault::new("a stored source id has the wrong form"))
        };
        let scenario = |(number, scenario): (String, String)| {
            let scenario = Scenario::parse(&scenario);
            scenario.map(|it| (number, it)).ok_or_else(|| Fault::new("unknown scenario of a test number"))
        };
        Ok(Self {
            rules: item.rules.into(),
            identity_sources: item.identity_sources.into_iter().map(switch).collect::<Result<_, _>>()?,
            countries_allow: item.countries_allow,
            limits: Limits {
                per_phone_hour: item.limits.per_phone_hour,
                per_phone_day: item.limits.per_phone_day,
                per_user_hour: item.limits.per_user_hour,
                per_ip_hour: item.limits.per_ip_hour,
                per_range_hour: item.limits.per_range_hour,
                per_country_day: item.limits.per_country_day,
                per_application_day: item.limits.per_application_day,
                per_tenant_day: item.limits.per_tenant_day,
                budget_usd_day: item.limits.budget_usd_day,
            },
            recovery_codes_enabled: item.recovery_codes_enabled,
            sending_enabled: item.sending_enabled,
            test_numbers: item.test_numbers.into_iter().map(scenario).collect::<Result<_, _>>()?,
        })
    }
}
