//! Whether a login asks for MFA, with which factor, and which rule said so. One pure function decides for every login and for
//! `explain`, so the two can't differ.

use super::application::Application;
use super::settings::SecurityRules;
use super::tenant::Tenant;

/// A factor that a login can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    Sms,
}

impl FactorKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            FactorKind::Sms => "sms",
        }
    }
}

/// The MFA switch of one identity source, as an administrator left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceSwitch {
    /// Follows the tenant: on while it has any factor on, off while it has none (acceptance C3).
    Unset,
    On,
    Off,
}

impl From<Option<bool>> for SourceSwitch {
    fn from(set: Option<bool>) -> Self {
        match set {
            None => Self::Unset,
            Some(true) => Self::On,
            Some(false) => Self::Off,
        }
    }
}

/// Everything that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyInput {
    /// The tenant's SMS switch.
    pub tenant_sms: bool,
    /// The application's own SMS switch; `None` while it doesn't customise its security rules.
    pub application_custom_sms: Option<bool>,
    /// The switch of the source that proved the first factor; `None` for a local login (password, QR).
    pub source: Option<SourceSwitch>,
}

impl PolicyInput {
    pub fn new(tenant: &Tenant, application: &Application, source: Option<SourceSwitch>) -> Self {
        Self {
            tenant_sms: tenant.security.rules.sms_enabled,
            application_custom_sms: application.custom_security.as_ref().map(|rules| rules.sms_enabled),
            source,
        }
    }
}

/// The rule that settled it; the names are in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// The source is off, set so or unset while the tenant has no factor on: no MFA anywhere.
    SourceOff,
    /// The application customises its rules, and its own switch decided, either way.
    Application,
    /// The application follows the tenant, whose switch decided, either way.
    Tenant,
    /// The source is on, the application has no factor on, the tenant has: the tenant's is asked.
    SourceOnTenantFactor,
    /// The source is on, but neither the application nor the tenant has a factor to ask for.
    NoFactor,
}

impl DecidedBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            DecidedBy::SourceOff => "source_off",
            DecidedBy::Application => "application",
            DecidedBy::Tenant => "tenant",
            DecidedBy::SourceOnTenantFactor => "source_on_tenant_factor",
            DecidedBy::NoFactor => "no_factor",
        }
    }
}

/// One rule that was looked at on the way, in order; the last one decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainStep {
    /// `identity_source`, `application` or `tenant`.
    pub rule: &'static str,
    /// What was found, in words for an administrator.
    pub says: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub mfa_required: bool,
    /// `Some` exactly when `mfa_required`.
    pub factor: Option<FactorKind>,
    pub decided_by: DecidedBy,
    pub chain: Vec<ChainStep>,
}

/// The policy (acceptance B, C, G). A source that is off ends it. Otherwise the application's effective switch decides: its own if
/// it customises, else the tenant's. Only a source that is on looks further when that is off: at the tenant's factor.
pub fn decide(input: &PolicyInput) -> Decision {
    let mut chain = Vec::with_capacity(4);
    let mut step = |rule, says| chain.push(ChainStep { rule, says });

    let source_on = match (input.source, input.tenant_sms) {
        (None, _) => {
            step("identity_source", "local login: no identity source, so its policy does not apply");
            None
        }
        (Some(SourceSwitch::On), _) => {
            step("identity_source", "set on");
            Some(true)
        }
        (Some(SourceSwitch::Off), _) => {
            step("identity_source", "set off: skips MFA in every application");
            Some(false)
        }
        (Some(SourceSwitch::Unset), true) => {
            step("identity_source", "unset: on, because the tenant has a factor on");
            Some(true)
        }
        (Some(SourceSwitch::Unset), false) => {
            step("identity_source", "unset: off, because the tenant has no factor on");
            Some(false)
        }
    };

    let (required, decided_by) = match (source_on, input.application_custom_sms, input.tenant_sms) {
        (Some(false), _, _) => (false, DecidedBy::SourceOff),
        (_, Some(true), _) => {
            step("application", "customises its security rules: SMS on");
            (true, DecidedBy::Application)
        }
        (None, Some(false), _) => {
            step("application", "customises its security rules: SMS off");
            (false, DecidedBy::Application)
        }
        (Some(true), Some(false), tenant_sms) => {
            step("application", "customises its security rules: SMS off");
            if tenant_sms {
                step("tenant", "SMS on: its factor is asked, because the source is on");
                (true, DecidedBy::SourceOnTenantFactor)
            } else {
                step("tenant", "SMS off: no factor is left to ask for");
                (false, DecidedBy::NoFactor)
            }
        }
        (_, None, true) => {
            step("application", "follows the tenant");
            step("tenant", "SMS on");
            (true, DecidedBy::Tenant)
        }
        (None, None, false) => {
            step("application", "follows the tenant");
            step("tenant", "SMS off");
            (false, DecidedBy::Tenant)
        }
        (Some(true), None, false) => {
            step("application", "follows the tenant");
            step("tenant", "SMS off: no factor is left to ask for");
            (false, DecidedBy::NoFactor)
        }
    };
    Decision { mfa_required: required, factor: required.then_some(FactorKind::Sms), decided_by, chain }
}

/// The rules that hold in this application: its own while it customises, else the tenant's. They hold as well where the factor is the
/// tenant's ([`DecidedBy::SourceOnTenantFactor`]): that rule lends the application a factor, not the tenant's code settings.
pub fn effective_rules<'a>(tenant: &'a Tenant, application: &'a Application) -> &'a SecurityRules {
    application.custom_security.as_ref().unwrap_or(&tenant.security.rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::branding::Branding;
    use crate::ids::{ApplicationId, TenantId};
    use crate::message_template::MessageTemplates;
    use crate::settings::{CodeRules, TenantSecurity};
    use crate::time::Timestamp;
    use DecidedBy::{Application, NoFactor, SourceOff, SourceOnTenantFactor, Tenant};
    use SourceSwitch::{Off, On, Unset};

    const LOCAL: Option<SourceSwitch> = None;

    /// `customise off` in the table is `custom: None`.
    fn asks(custom: Option<bool>, tenant_sms: bool, source: Option<SourceSwitch>) -> (bool, DecidedBy) {
        let decision = decide(&PolicyInput { tenant_sms, application_custom_sms: custom, source });
        assert_eq!(decision.factor.is_some(), decision.mfa_required);
        assert!(!decision.chain.is_empty());
        (decision.mfa_required, decision.decided_by)
    }

    #[test]
    fn c_row_1_not_customised_and_tenant_off() {
        assert_eq!(asks(None, false, LOCAL), (false, Tenant));
        assert_eq!(asks(None, false, Some(On)), (false, NoFactor));
        assert_eq!(asks(None, false, Some(Unset)), (false, SourceOff));
        assert_eq!(asks(None, false, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c_row_2_c1_not_customised_and_tenant_on() {
        assert_eq!(asks(None, true, LOCAL), (true, Tenant));
        assert_eq!(asks(None, true, Some(On)), (true, Tenant));
        assert_eq!(asks(None, true, Some(Unset)), (true, Tenant));
        assert_eq!(asks(None, true, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c_row_3_b6_application_on_and_tenant_off() {
        assert_eq!(asks(Some(true), false, LOCAL), (true, Application));
        assert_eq!(asks(Some(true), false, Some(On)), (true, Application));
        assert_eq!(asks(Some(true), false, Some(Unset)), (false, SourceOff));
        assert_eq!(asks(Some(true), false, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c_row_4_both_on() {
        assert_eq!(asks(Some(true), true, LOCAL), (true, Application));
        assert_eq!(asks(Some(true), true, Some(On)), (true, Application));
        assert_eq!(asks(Some(true), true, Some(Unset)), (true, Application));
        assert_eq!(asks(Some(true), true, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c_row_5_application_off_and_tenant_on() {
        assert_eq!(asks(Some(false), true, LOCAL), (false, Application));
        assert_eq!(asks(Some(false), true, Some(On)), (true, SourceOnTenantFactor));
        assert_eq!(asks(Some(false), true, Some(Unset)), (true, SourceOnTenantFactor));
        assert_eq!(asks(Some(false), true, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c_row_6_both_off() {
        assert_eq!(asks(Some(false), false, LOCAL), (false, Application));
        assert_eq!(asks(Some(false), false, Some(On)), (false, NoFactor));
        assert_eq!(asks(Some(false), false, Some(Unset)), (false, SourceOff));
        assert_eq!(asks(Some(false), false, Some(Off)), (false, SourceOff));
    }

    #[test]
    fn c3_unset_equals_on_or_off_as_the_tenant_has_a_factor_or_not() {
        for custom in [None, Some(false), Some(true)] {
            assert_eq!(asks(custom, true, Some(Unset)), asks(custom, true, Some(On)));
            assert_eq!(asks(custom, false, Some(Unset)), asks(custom, false, Some(Off)));
        }
    }

    #[test]
    fn c4_a_source_that_is_off_skips_mfa_whatever_the_rest_says() {
        for custom in [None, Some(false), Some(true)] {
            for tenant in [false, true] {
                assert_eq!(asks(custom, tenant, Some(Off)), (false, SourceOff));
            }
        }
    }

    #[test]
    fn c5_a_source_that_is_on_is_exempt_only_where_no_factor_exists() {
        for custom in [None, Some(false), Some(true)] {
            for tenant in [false, true] {
                let any = tenant || custom == Some(true);
                assert_eq!(asks(custom, tenant, Some(On)).0, any, "{custom:?} {tenant}");
            }
        }
    }

    #[test]
    fn c6_a_local_login_is_decided_by_the_switches_alone() {
        for custom in [None, Some(false), Some(true)] {
            for tenant in [false, true] {
                assert_eq!(asks(custom, tenant, LOCAL).0, custom.unwrap_or(tenant));
            }
        }
    }

    #[test]
    fn b8_g1_g2_g3_switching_off_is_seen_by_whom_it_concerns_only() {
        // G2: the tenant's switch, for applications that follow it; G3: and for no other.
        assert!(!asks(None, false, LOCAL).0);
        assert!(asks(Some(true), false, LOCAL).0);
        // G1, G3: the application's own, with the tenant's on.
        assert!(!asks(Some(false), true, LOCAL).0);
        assert!(asks(None, true, LOCAL).0);
    }

    #[test]
    fn h3_the_chain_ends_with_the_rule_that_decided() {
        let last = |custom, tenant_sms, source| {
            let input = PolicyInput { tenant_sms, application_custom_sms: custom, source };
            decide(&input).chain.last().map(|step| step.rule)
        };
        assert_eq!(last(Some(true), true, Some(Off)), Some("identity_source"));
        assert_eq!(last(Some(true), false, LOCAL), Some("application"));
        assert_eq!(last(Some(false), true, Some(On)), Some("tenant"));
        assert_eq!(last(None, true, LOCAL), Some("tenant"));
    }

    #[test]
    fn h3_rules_and_factors_have_the_contracts_names() {
        let names = [SourceOff, Application, Tenant, SourceOnTenantFactor, NoFactor].map(DecidedBy::as_str);
        assert_eq!(names, ["source_off", "application", "tenant", "source_on_tenant_factor", "no_factor"]);
        assert_eq!(FactorKind::Sms.as_str(), "sms");
    }

    #[test]
    fn b6_the_rules_in_force_are_the_applications_own_while_it_customises() {
        let id = TenantId::generate(|b| b.fill(1));
        let mut application = crate::application::Application::new(
            ApplicationId::generate(&id, |b| b.fill(2)),
            "Shop",
            Timestamp::from_secs(0),
        );
        let mut security = TenantSecurity::for_home_country("DE");
        security.rules.code.length = 7;
        let tenant = crate::tenant::Tenant {
            id,
            name: "Acme".into(),
            home_country: "DE".into(),
            created_at: Timestamp::from_secs(0),
            branding: Branding::default(),
            message_templates: MessageTemplates::default(),
            production: false,
            security,
            version: 1,
        };
        assert_eq!(effective_rules(&tenant, &application).code.length, 7);
        let own = SecurityRules {
            code: CodeRules { length: 8, ..CodeRules::default() },
            ..SecurityRules::default()
        };
        application.custom_security = Some(own);
        assert_eq!(effective_rules(&tenant, &application).code.length, 8);
    }
}
