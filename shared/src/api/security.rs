//! `…/security` of a tenant and of an application.

use super::applications::in_path;
use super::policy_admin::PolicyAdmin;
use crate::domain::risk_notice::{self, RiskNotice};
use crate::domain::settings::{CodeRules, Limits, SecurityRules};
use crate::domain::settings_patch::{RulesPatch, TenantSecurityPatch};
use crate::http::{Call, Problem, Reply};
use crate::usecase::authenticate::{ReadPolicy, WritePolicy};
use crate::usecase::security_settings::TenantSettings;
use serde::Serialize;
use std::collections::BTreeMap;

/// What an application has, and the first part of what a tenant has.
#[derive(Debug, Serialize)]
struct RulesBody {
    mfa: MfaBody,
    code: CodeBody,
    phone_binding: PhoneBindingBody,
    trusted_devices: TrustedDevicesBody,
    /// The risk of what is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<NoticeBody>,
}

#[derive(Debug, Serialize)]
struct NoticeBody {
    code: &'static str,
    detail: &'static str,
    href: &'static str,
}

impl From<&RiskNotice> for NoticeBody {
    fn from(notice: &RiskNotice) -> Self {
        let RiskNotice { code, detail, href } = *notice;
        Self { code, detail, href }
    }
}

#[derive(Debug, Serialize)]
struct TenantSecurityBody {
    #[serde(flatten)]
    rules: RulesBody,
    /// Every source of the tenant; `null` is unset.
    identity_sources: BTreeMap<String, Option<bool>>,
    countries: CountriesBody,
    limits: LimitsBody,
    recovery_codes: SwitchBody,
    sending: SwitchBody,
    /// Scenarios by number.
    test_numbers: BTreeMap<String, &'static str>,
}

#[derive(Debug, Serialize)]
struct MfaBody {
    sms: SwitchBody,
}

#[derive(Debug, Serialize)]
struct SwitchBody {
    enabled: bool,
}

#[derive(Debug, Serialize)]
struct CodeBody {
    length: u8,
    lifetime_seconds: u32,
    max_attempts: u8,
    resend_cooldown_seconds: u32,
    max_sends: u8,
}

#[derive(Debug, Serialize)]
struct PhoneBindingBody {
    self_service: bool,
}

#[derive(Debug, Serialize)]
struct TrustedDevicesBody {
    enabled: bool,
    days: u16,
}

#[derive(Debug, Serialize)]
struct CountriesBody {
    allow: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LimitsBody {
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

impl From<&SecurityRules> for RulesBody {
    fn from(rules: &SecurityRules) -> Self {
        Self {
            mfa: MfaBody { sms: SwitchBody { enabled: rules.sms_enabled } },
            code: CodeBody::from(&rules.code),
            phone_binding: PhoneBindingBody { self_service: rules.phone_binding.self_service },
            trusted_devices: TrustedDevicesBody {
                enabled: rules.trusted_devices.enabled,
                days: rules.trusted_devices.days,
            },
            notices: risk_notice::of(rules).iter().map(NoticeBody::from).collect(),
        }
    }
}

impl From<&CodeRules> for CodeBody {
    fn from(code: &CodeRules) -> Self {
        Self {
            length: code.length,
            lifetime_seconds: code.lifetime_seconds,
            max_attempts: code.max_attempts,
            resend_cooldown_seconds: code.resend_cooldown_seconds,
            max_sends: code.max_sends,
        }
    }
}

impl From<&Limits> for LimitsBody {
    fn from(limits: &Limits) -> Self {
        Self {
            per_phone_hour: limits.per_phone_hour,
            per_phone_day: limits.per_phone_day,
            per_user_hour: limits.per_user_hour,
            per_ip_hour: limits.per_ip_hour,
            per_range_hour: limits.per_range_hour,
            per_country_day: limits.per_country_day,
            per_application_day: limits.per_application_day,
            per_tenant_day: limits.per_tenant_day,
            budget_usd_day: limits.budget_usd_day,
        }
    }
}

impl From<&TenantSettings> for TenantSecurityBody {
    fn from(settings: &TenantSettings) -> Self {
        let security = &settings.security;
        let switch = |source: &crate::domain::identity_source::IdentitySource| {
            (source.id.as_str().to_owned(), security.identity_sources.get(&source.id).copied())
        };
        Self {
            rules: RulesBody::from(&security.rules),
            identity_sources: settings.sources.iter().map(switch).collect(),
            countries: CountriesBody { allow: security.countries_allow.clone() },
            limits: LimitsBody::from(&security.limits),
            recovery_codes: SwitchBody { enabled: security.recovery_codes_enabled },
            sending: SwitchBody { enabled: security.sending_enabled },
            test_numbers: security
                .test_numbers
                .iter()
                .map(|(number, scenario)| (number.clone(), scenario.as_str()))
                .collect(),
        }
    }
}

pub(super) async fn get_tenant(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let settings = app.security.of_tenant(&allowed).await?;
    Ok(Reply::ok(&TenantSecurityBody::from(&settings)))
}

pub(super) async fn update_tenant(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let patch: TenantSecurityPatch = call.json()?;
    let settings = app.security.change_tenant(&allowed, &patch).await?;
    Ok(Reply::ok(&TenantSecurityBody::from(&settings)))
}

pub(super) async fn get_application(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadPolicy>(&call).await?;
    let rules = app.security.of_application(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&RulesBody::from(&rules)))
}

pub(super) async fn update_application(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WritePolicy>(&call).await?;
    let id = in_path(&call)?;
    let patch: RulesPatch = call.json()?;
    let rules = app.security.change_application(&allowed, &id, &patch).await?;
    Ok(Reply::ok(&RulesBody::from(&rules)))
}
