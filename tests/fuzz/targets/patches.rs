//! Merge patches of administrators. Whatever is accepted is within its bounds, and taken again it changes nothing more.

use serde_json::Value;
use shared::domain::application::Application;
use shared::domain::application_patch::{ApplicationPatch, MAX_ORIGINS, MAX_REDIRECT_URIS};
use shared::domain::ids::ApplicationId;
use shared::domain::settings::{CodeRules, Limits, SecurityRules, TenantSecurity, TrustedDevices};
use shared::domain::settings_patch::{RulesPatch, TenantSecurityPatch};
use shared::domain::time::Timestamp;
use shared::domain::{name, phone, web};

pub fn tenant(data: &[u8]) {
    if let Ok(patch) = serde_json::from_slice::<RulesPatch>(data) {
        let mut own = SecurityRules::default();
        own.code.length = 8;
        if let Ok(rules) = patch.clone().apply(&own) {
            bounded(&rules);
            assert_eq!(patch.apply(&rules).as_ref(), Ok(&rules));
        }
    }
    let Ok(patch) = serde_json::from_slice::<TenantSecurityPatch>(data) else { return };
    let before = TenantSecurity::for_home_country("DE");
    let Ok(after) = patch.clone().apply(&before, "DE", |_| true) else { return };
    bounded(&after.rules);
    let limits = after.limits;
    for count in [
        limits.per_phone_hour,
        limits.per_phone_day,
        limits.per_user_hour,
        limits.per_ip_hour,
        limits.per_range_hour,
        limits.per_country_day,
        limits.per_application_day,
        limits.per_tenant_day,
    ] {
        assert!(Limits::COUNT.contains(&count), "{limits:?}");
    }
    assert!(Limits::BUDGET_USD_DAY.contains(&limits.budget_usd_day), "{limits:?}");
    let countries = &after.countries_allow;
    assert!(countries.is_sorted() && countries.iter().all(|code| phone::is_country(code)), "{countries:?}");
    assert!(countries.windows(2).all(|pair| pair[0] != pair[1]), "{countries:?}");
    for number in after.test_numbers.keys() {
        assert!(number.starts_with('+') && number[1..].bytes().all(|b| b.is_ascii_digit()), "{number}");
    }
    // A member that isn't named keeps what it was.
    let named: Value = serde_json::from_slice(data).expect("it was JSON");
    for (member, kept) in [
        ("limits", before.limits == after.limits),
        ("countries", before.countries_allow == after.countries_allow),
        ("code", before.rules.code == after.rules.code),
        ("test_numbers", before.test_numbers == after.test_numbers),
        ("sending", before.sending_enabled == after.sending_enabled),
    ] {
        assert!(kept || named.get(member).is_some(), "{member} changed by itself");
    }
    assert_eq!(patch.apply(&after, "DE", |_| true).as_ref(), Ok(&after), "twice is once");
}

fn bounded(rules: &SecurityRules) {
    let code = rules.code;
    assert!(CodeRules::LENGTH.contains(&u32::from(code.length)), "{code:?}");
    assert!(CodeRules::LIFETIME_SECONDS.contains(&code.lifetime_seconds), "{code:?}");
    assert!(CodeRules::MAX_ATTEMPTS.contains(&u32::from(code.max_attempts)), "{code:?}");
    assert!(CodeRules::RESEND_COOLDOWN_SECONDS.contains(&code.resend_cooldown_seconds), "{code:?}");
    assert!(CodeRules::MAX_SENDS.contains(&u32::from(code.max_sends)), "{code:?}");
    assert!(TrustedDevices::DAYS.contains(&u32::from(rules.trusted_devices.days)));
}

pub fn application(data: &[u8]) {
    let Ok(patch) = serde_json::from_slice::<ApplicationPatch>(data) else { return };
    let id = ApplicationId::parse("app_aaaaaaaaaaaabbbbbbbbbb").expect("an id");
    let before = Application::new(id, "Shop", Timestamp::from_secs(0));
    let Ok(after) = patch.clone().apply(&before) else { return };
    assert_eq!(name::parse(&after.name).as_ref(), Ok(&after.name));
    assert!(after.origins.len() <= MAX_ORIGINS && after.redirect_uris.len() <= MAX_REDIRECT_URIS);
    for origin in &after.origins {
        assert_eq!(web::origin(origin).as_ref(), Ok(origin));
    }
    for redirect in &after.redirect_uris {
        assert_eq!(web::redirect_uri(redirect).as_ref(), Ok(redirect));
    }
    assert_eq!((&after.id, &after.secrets, &after.custom_security), (&before.id, &before.secrets, &None));
    let again = patch.apply(&after).expect("it was taken before");
    assert_eq!(Application { version: after.version, ..again }, after, "twice is once");
}
