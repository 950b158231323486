//! Changes to security settings, as JSON merge patches with the contract's own names. A patch is judged as a whole: one value out of
//! bounds and nothing changes.

use super::change::Change;
use super::country;
use super::ids::SourceId;
use super::refusal::Refusal;
use super::settings::{CodeRules, Limits, PhoneBinding, SecurityRules, TenantSecurity, TrustedDevices};
use super::test_number;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What an application's security settings take, and the first part of a tenant's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesPatch {
    #[serde(default)]
    pub mfa: Change<MfaPatch>,
    #[serde(default)]
    pub code: Change<CodePatch>,
    #[serde(default)]
    pub phone_binding: Change<PhoneBindingPatch>,
    #[serde(default)]
    pub trusted_devices: Change<TrustedDevicesPatch>,
    /// Answers have it, and whoever sends an answer back changes nothing by it.
    #[serde(default)]
    pub notices: IgnoredAny,
}

/// What a tenant's security settings take. It repeats [`RulesPatch`]'s members, because serde can't refuse unknown fields of a
/// flattened struct.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSecurityPatch {
    #[serde(default)]
    pub mfa: Change<MfaPatch>,
    #[serde(default)]
    pub code: Change<CodePatch>,
    #[serde(default)]
    pub phone_binding: Change<PhoneBindingPatch>,
    #[serde(default)]
    pub trusted_devices: Change<TrustedDevicesPatch>,
    #[serde(default)]
    pub identity_sources: Change<BTreeMap<String, Change<bool>>>,
    #[serde(default)]
    pub countries: Change<CountriesPatch>,
    #[serde(default)]
    pub limits: Change<LimitsPatch>,
    #[serde(default)]
    pub recovery_codes: Change<SwitchPatch>,
    #[serde(default)]
    pub sending: Change<SwitchPatch>,
    #[serde(default)]
    pub test_numbers: Change<BTreeMap<String, Change<String>>>,
    /// As in [`RulesPatch`].
    #[serde(default)]
    pub notices: IgnoredAny,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MfaPatch {
    #[serde(default)]
    pub sms: Change<SwitchPatch>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchPatch {
    #[serde(default)]
    pub enabled: Change<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePatch {
    #[serde(default)]
    pub length: Change<u32>,
    #[serde(default)]
    pub lifetime_seconds: Change<u32>,
    #[serde(default)]
    pub max_attempts: Change<u32>,
    #[serde(default)]
    pub resend_cooldown_seconds: Change<u32>,
    #[serde(default)]
    pub max_sends: Change<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhoneBindingPatch {
    #[serde(default)]
    pub self_service: Change<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedDevicesPatch {
    #[serde(default)]
    pub enabled: Change<bool>,
    #[serde(default)]
    pub days: Change<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountriesPatch {
    /// RFC 7396 replaces a list as a whole.
    #[serde(default)]
    pub allow: Change<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsPatch {
    #[serde(default)]
    pub per_phone_hour: Change<u32>,
    #[serde(default)]
    pub per_phone_day: Change<u32>,
    #[serde(default)]
    pub per_user_hour: Change<u32>,
    #[serde(default)]
    pub per_ip_hour: Change<u32>,
    #[serde(default)]
    pub per_range_hour: Change<u32>,
    #[serde(default)]
    pub per_country_day: Change<u32>,
    #[serde(default)]
    pub per_application_day: Change<u32>,
    #[serde(default)]
    pub per_tenant_day: Change<u32>,
    #[serde(default)]
    pub budget_usd_day: Change<u32>,
}

impl RulesPatch {
    /// The rules after the patch.
    pub fn apply(self, rules: &SecurityRules) -> Result<SecurityRules, Refusal> {
        let default = SecurityRules::default();
        Ok(SecurityRules {
            sms_enabled: self.mfa.resolve(
                rules.sms_enabled,
                || default.sms_enabled,
                |mfa| switch(mfa.sms, rules.sms_enabled, default.sms_enabled),
            )?,
            code: self.code.resolve(rules.code, CodeRules::default, |patch| patch.apply(&rules.code))?,
            phone_binding: self.phone_binding.resolve(
                rules.phone_binding,
                PhoneBinding::default,
                |patch| patch.apply(rules.phone_binding),
            )?,
            trusted_devices: self.trusted_devices.resolve(
                rules.trusted_devices,
                TrustedDevices::default,
                |patch| patch.apply(rules.trusted_devices),
            )?,
        })
    }
}

impl TenantSecurityPatch {
    /// The settings after the patch. `home_country` is what the country list restores to; `exists` says whether the tenant has this
    /// identity source.
    pub fn apply(
        self,
        security: &TenantSecurity,
        home_country: &str,
        exists: impl Fn(&SourceId) -> bool,
    ) -> Result<TenantSecurity, Refusal> {
        let default = TenantSecurity::for_home_country(home_country);
        let rules = RulesPatch {
            mfa: self.mfa,
            code: self.code,
            phone_binding: self.phone_binding,
            trusted_devices: self.trusted_devices,
            notices: self.notices,
        };
        Ok(TenantSecurity {
            rules: rules.apply(&security.rules)?,
            identity_sources: self.identity_sources.resolve(
                security.identity_sources.clone(),
                BTreeMap::new,
                |changes| source_switches(changes, &security.identity_sources, exists),
            )?,
            countries_allow: self.countries.resolve(
                security.countries_allow.clone(),
                || default.countries_allow.clone(),
                |patch| {
                    patch.allow.resolve(
                        security.countries_allow.clone(),
                        || default.countries_allow.clone(),
                        |codes| country::parse_list(&codes, "countries.allow"),
                    )
                },
            )?,
            limits: self
                .limits
                .resolve(security.limits, Limits::default, |patch| patch.apply(&security.limits))?,
            recovery_codes_enabled: switch(
                self.recovery_codes,
                security.recovery_codes_enabled,
                default.recovery_codes_enabled,
            )?,
            sending_enabled: switch(self.sending, security.sending_enabled, default.sending_enabled)?,
            test_numbers: self.test_numbers.resolve(
                security.test_numbers.clone(),
                BTreeMap::new,
                |changes| test_number::apply(changes, &security.test_numbers),
            )?,
        })
    }
}

/// One bounded number of a group. A macro, so that patch, current value, default and the name in the refusal can't be of different fields.
macro_rules! number {
    ($group:literal . $field:ident, $patch:expr, $current:expr, $default:expr, $bounds:expr) => {
        bounded(
            $patch.$field,
            $current.$field,
            $default.$field,
            $bounds,
            concat!($group, ".", stringify!($field)),
        )?
    };
}

impl CodePatch {
    fn apply(self, now: &CodeRules) -> Result<CodeRules, Refusal> {
        type Bounds = CodeRules;
        let default = CodeRules::default();
        Ok(CodeRules {
            length: number!("code".length, self, now, default, Bounds::LENGTH),
            lifetime_seconds: number!("code".lifetime_seconds, self, now, default, Bounds::LIFETIME_SECONDS),
            max_attempts: number!("code".max_attempts, self, now, default, Bounds::MAX_ATTEMPTS),
            resend_cooldown_seconds: number!(
                "code".resend_cooldown_seconds,
                self,
                now,
                default,
                Bounds::RESEND_COOLDOWN_SECONDS
            ),
            max_sends: number!("code".max_sends, self, now, default, Bounds::MAX_SENDS),
        })
    }
}

impl PhoneBindingPatch {
    fn apply(self, binding: PhoneBinding) -> Result<PhoneBinding, Refusal> {
        let default = PhoneBinding::default();
        let self_service = self.self_service.resolve(binding.self_service, || default.self_service, Ok)?;
        Ok(PhoneBinding { self_service })
    }
}

impl TrustedDevicesPatch {
    fn apply(self, now: TrustedDevices) -> Result<TrustedDevices, Refusal> {
        let default = TrustedDevices::default();
        Ok(TrustedDevices {
            enabled: self.enabled.resolve(now.enabled, || default.enabled, Ok)?,
            days: number!("trusted_devices".days, self, now, default, TrustedDevices::DAYS),
        })
    }
}

impl LimitsPatch {
    fn apply(self, now: &Limits) -> Result<Limits, Refusal> {
        let default = Limits::default();
        Ok(Limits {
            per_phone_hour: number!("limits".per_phone_hour, self, now, default, Limits::COUNT),
            per_phone_day: number!("limits".per_phone_day, self, now, default, Limits::COUNT),
            per_user_hour: number!("limits".per_user_hour, self, now, default, Limits::COUNT),
            per_ip_hour: number!("limits".per_ip_hour, self, now, default, Limits::COUNT),
            per_range_hour: number!("limits".per_range_hour, self, now, default, Limits::COUNT),
            per_country_day: number!("limits".per_country_day, self, now, default, Limits::COUNT),
            per_application_day: number!("limits".per_application_day, self, now, default, Limits::COUNT),
            per_tenant_day: number!("limits".per_tenant_day, self, now, default, Limits::COUNT),
            budget_usd_day: number!("limits".budget_usd_day, self, now, default, Limits::BUDGET_USD_DAY),
        })
    }
}

/// `{enabled}` one level down.
fn switch(change: Change<SwitchPatch>, current: bool, default: bool) -> Result<bool, Refusal> {
    change.resolve(current, || default, |patch| patch.enabled.resolve(current, || default, Ok))
}

/// A number within its bounds, in the type that the setting is kept in.
fn bounded<T: TryFrom<u32>>(
    change: Change<u32>,
    current: T,
    default: T,
    bounds: RangeInclusive<u32>,
    name: &str,
) -> Result<T, Refusal> {
    change.resolve(
        current,
        || default,
        |value| match T::try_from(value) {
            Ok(kept) if bounds.contains(&value) => Ok(kept),
            _ => Err(Refusal::InvalidRequest(format!(
                "{name} must be from {} to {}",
                bounds.start(),
                bounds.end()
            ))),
        },
    )
}

/// Every source named must exist, also one that is only unset: a slip in an id must not pass in silence.
fn source_switches(
    changes: BTreeMap<String, Change<bool>>,
    current: &BTreeMap<SourceId, bool>,
    exists: impl Fn(&SourceId) -> bool,
) -> Result<BTreeMap<SourceId, bool>, Refusal> {
    let mut switches = current.clone();
    for (text, change) in changes {
        let source = SourceId::parse(&text).filter(&exists).ok_or_else(|| {
            Refusal::InvalidRequest("identity_sources names a source that this tenant does not have".into())
        })?;
        match change {
            Change::Keep => {}
            Change::Restore => {
                switches.remove(&source);
            }
            Change::Set(on) => {
                switches.insert(source, on);
            }
        }
    }
    Ok(switches)
}

#[cfg(test)]
mod tests;
