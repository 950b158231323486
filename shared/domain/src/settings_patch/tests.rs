use super::*;

fn source(letter: char) -> SourceId {
    SourceId::parse(&format!("src_{}", letter.to_string().repeat(22))).expect("an id")
}

fn tenant() -> TenantSecurity {
    TenantSecurity::for_home_country("US")
}

fn patch(security: &TenantSecurity, text: &str) -> Result<TenantSecurity, Refusal> {
    let patch = serde_json::from_str::<TenantSecurityPatch>(text)
        .map_err(|error| Refusal::InvalidRequest(error.to_string()))?;
    patch.apply(security, "US", |id| *id == source('a') || *id == source('b'))
}

#[test]
fn an_empty_patch_changes_nothing() {
    assert_eq!(patch(&tenant(), "{}"), Ok(tenant()));
    assert_eq!(patch(&tenant(), r#"{"mfa":{},"code":{},"limits":{},"identity_sources":{}}"#), Ok(tenant()));
}

#[test]
fn b6_c1_the_sms_switch_turns_on_off_and_back_to_its_default() {
    let on = patch(&tenant(), r#"{"mfa":{"sms":{"enabled":true}}}"#).expect("valid");
    assert!(on.rules.sms_enabled);
    for off in [
        r#"{"mfa":{"sms":{"enabled":false}}}"#,
        r#"{"mfa":{"sms":{"enabled":null}}}"#,
        r#"{"mfa":{"sms":null}}"#,
        r#"{"mfa":null}"#,
    ] {
        assert!(!patch(&on, off).expect(off).rules.sms_enabled, "{off}");
    }
    for same in [r#"{"mfa":{"sms":{}}}"#, r#"{"mfa":{}}"#, "{}"] {
        assert!(patch(&on, same).expect(same).rules.sms_enabled, "{same}");
    }
}

#[test]
fn every_number_is_held_to_its_bounds() {
    let numbers = [
        ("code", "length", 6, 10),
        ("code", "lifetime_seconds", 60, 600),
        ("code", "max_attempts", 1, 10),
        ("code", "resend_cooldown_seconds", 15, 600),
        ("code", "max_sends", 1, 10),
        ("trusted_devices", "days", 1, 90),
        ("limits", "per_phone_hour", 1, 1_000_000_000),
        ("limits", "per_phone_day", 1, 1_000_000_000),
        ("limits", "per_user_hour", 1, 1_000_000_000),
        ("limits", "per_ip_hour", 1, 1_000_000_000),
        ("limits", "per_range_hour", 1, 1_000_000_000),
        ("limits", "per_country_day", 1, 1_000_000_000),
        ("limits", "per_application_day", 1, 1_000_000_000),
        ("limits", "per_tenant_day", 1, 1_000_000_000),
        ("limits", "budget_usd_day", 0, 100_000),
    ];
    for (group, field, low, high) in numbers {
        let with = |value: i64| patch(&tenant(), &format!(r#"{{"{group}":{{"{field}":{value}}}}}"#));
        assert!(with(low).is_ok() && with(high).is_ok(), "{group}.{field}");
        for bad in [low - 1, high + 1, -1, i64::MAX] {
            assert!(matches!(with(bad), Err(Refusal::InvalidRequest(_))), "{group}.{field} {bad}");
        }
    }
}

#[test]
fn a_value_of_256_more_than_an_allowed_one_is_not_cut_down_to_it() {
    assert!(patch(&tenant(), r#"{"code":{"length":262}}"#).is_err());
}

#[test]
fn one_member_changes_and_its_neighbours_stay() {
    let changed = patch(&tenant(), r#"{"code":{"length":8,"max_sends":2}}"#).expect("valid");
    let changed = patch(&changed, r#"{"code":{"max_attempts":3}}"#).expect("valid");
    let expected = CodeRules { length: 8, max_sends: 2, max_attempts: 3, ..CodeRules::default() };
    assert_eq!(changed.rules.code, expected);
    let restored = patch(&changed, r#"{"code":{"length":null}}"#).expect("valid");
    assert_eq!(restored.rules.code, CodeRules { length: 6, ..expected });
    assert_eq!(patch(&changed, r#"{"code":null}"#).expect("valid").rules.code, CodeRules::default());
}

#[test]
fn null_restores_every_group() {
    let all = r#"{"mfa":{"sms":{"enabled":true}},"code":{"length":9},"phone_binding":{"self_service":false},
        "countries":{"allow":["DE","FR"]},"limits":{"per_ip_hour":1,"budget_usd_day":0},
        "trusted_devices":{"enabled":true,"days":3},"recovery_codes":{"enabled":true},"sending":{"enabled":false}}"#;
    let changed = patch(&tenant(), all).expect("valid");
    assert_eq!(changed.countries_allow, ["DE", "FR"]);
    assert!(!changed.sending_enabled && changed.recovery_codes_enabled);
    assert!(!changed.rules.phone_binding.self_service);
    assert_eq!(changed.rules.trusted_devices, TrustedDevices { enabled: true, days: 3 });
    let nulls = r#"{"mfa":null,"code":null,"phone_binding":null,"countries":null,"limits":null,"trusted_devices":null,
        "recovery_codes":null,"sending":null,"identity_sources":null}"#;
    assert_eq!(patch(&changed, nulls), Ok(tenant()));
    assert_eq!(patch(&changed, r#"{"countries":{"allow":null}}"#).expect("valid").countries_allow, ["US"]);
}

#[test]
fn c3_c7_a_source_is_set_and_unset_alone() {
    let (a, b) = (source('a'), source('b'));
    let set =
        patch(&tenant(), &format!(r#"{{"identity_sources":{{"{a}":false,"{b}":true}}}}"#)).expect("valid");
    assert_eq!(set.identity_sources, BTreeMap::from([(a.clone(), false), (b.clone(), true)]));
    let unset = patch(&set, &format!(r#"{{"identity_sources":{{"{a}":null}}}}"#)).expect("valid");
    assert_eq!(unset.identity_sources, BTreeMap::from([(b, true)]));
    // What was set survives the tenant's own switch.
    let off = patch(&set, r#"{"mfa":{"sms":{"enabled":true}}}"#).expect("valid");
    let off = patch(&off, r#"{"mfa":{"sms":{"enabled":false}}}"#).expect("valid");
    assert_eq!(off.identity_sources, set.identity_sources);
    assert!(patch(&set, r#"{"identity_sources":null}"#).expect("valid").identity_sources.is_empty());
}

#[test]
fn c2_a_source_that_the_tenant_does_not_have_is_refused_also_when_only_unset() {
    let foreign = source('z');
    for value in ["true", "false", "null"] {
        let text = format!(r#"{{"identity_sources":{{"{foreign}":{value}}}}}"#);
        assert!(matches!(patch(&tenant(), &text), Err(Refusal::InvalidRequest(_))));
    }
    assert!(patch(&tenant(), r#"{"identity_sources":{"oops":true}}"#).is_err());
}

#[test]
fn what_does_not_belong_is_refused() {
    for bad in [
        r#"{"mfa":{"totp":{"enabled":true}}}"#,
        r#"{"mfa":{"sms":{"on":true}}}"#,
        r#"{"mfa":{"sms":true}}"#,
        r#"{"mfa":{"sms":{"enabled":"true"}}}"#,
        r#"{"mfa":{"sms":{"enabled":1}}}"#,
        r#"{"mfa":{"sms":{"enabled":true,"enabled":false}}}"#,
        r#"{"code":{"length":6.5}}"#,
        r#"{"countries":{"allow":["usa"]}}"#,
        r#"{"countries":{"allow":[null]}}"#,
        r#"{"countries":"US"}"#,
        r#"{"sending":false}"#,
        r#"{"version":3}"#,
        "null",
    ] {
        assert!(patch(&tenant(), bad).is_err(), "{bad}");
    }
}

#[test]
fn an_application_takes_only_the_rules_that_it_has() {
    let rules = |text: &str| serde_json::from_str::<RulesPatch>(text);
    let on = rules(r#"{"mfa":{"sms":{"enabled":true}},"code":{"length":7}}"#).expect("valid");
    let applied = on.apply(&SecurityRules::default()).expect("valid");
    assert!(applied.sms_enabled);
    assert_eq!(applied.code.length, 7);
    for tenant_only in ["identity_sources", "countries", "limits", "recovery_codes", "sending"] {
        assert!(rules(&format!(r#"{{"{tenant_only}":{{}}}}"#)).is_err(), "{tenant_only}");
    }
}
