//! Things as an event shows them: in the API's words, and of people nothing but keyed hashes and hints.
//!
//! Each is taken apart to its last field: one that is added later has to be shown too, or a change of it would go unseen.

use super::Details;
use crate::admin_key::AdminKey;
use crate::application::Application;
use crate::branding::{Branding, Color};
use crate::console_session::ConsoleSession;
use crate::factor::FactorPhone;
use crate::identity_source::{IdentitySource, KIND_OIDC};
use crate::ids::LoginId;
use crate::login::Purpose;
use crate::phone::PhoneNumber;
use crate::settings::{CodeRules, Limits, PhoneBinding, SecurityRules, TenantSecurity, TrustedDevices};
use crate::tenant::Tenant;
use crate::test_number::Scenario;
use crate::time::Timestamp;
use crate::trusted_device::TrustedDevice;
use crate::user::{SealedIdentifier, User};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn tenant(tenant: &Tenant) -> Details {
    let Tenant {
        id: _,
        name,
        home_country,
        created_at: _,
        production,
        branding,
        message_templates,
        security: _,
        version: _,
    } = tenant;
    let texts: BTreeMap<_, _> =
        message_templates.iter().map(|(locale, text)| (locale.as_str(), text.as_str())).collect();
    let Branding { logo_url, accent_color } = branding;
    details(json!({
        "name": name,
        "home_country": home_country,
        "production": production,
        "branding": {"logo_url": logo_url, "accent_color": accent_color.map(Color::hex)},
        "message_templates": texts,
    }))
}

pub(super) fn tenant_security(security: &TenantSecurity) -> Details {
    let TenantSecurity {
        rules: own,
        identity_sources,
        countries_allow,
        limits,
        recovery_codes_enabled,
        sending_enabled,
        test_numbers,
    } = security;
    let switches: BTreeMap<_, _> =
        identity_sources.iter().map(|(source, on)| (source.as_str(), *on)).collect();
    let Limits {
        per_phone_hour,
        per_phone_day,
        per_user_hour,
        per_ip_hour,
        per_range_hour,
        per_country_day,
        per_application_day,
        per_tenant_day,
        budget_usd_day,
    } = limits;
    let mut all = rules(own);
    all.extend(details(json!({
        "identity_sources": switches,
        "countries": {"allow": countries_allow},
        "limits": {
            "per_phone_hour": per_phone_hour,
            "per_phone_day": per_phone_day,
            "per_user_hour": per_user_hour,
            "per_ip_hour": per_ip_hour,
            "per_range_hour": per_range_hour,
            "per_country_day": per_country_day,
            "per_application_day": per_application_day,
            "per_tenant_day": per_tenant_day,
            "budget_usd_day": budget_usd_day,
        },
        "recovery_codes": {"enabled": recovery_codes_enabled},
        "sending": {"enabled": sending_enabled},
        "test_numbers": test_numbers.iter().map(test_number).collect::<Vec<_>>(),
    })));
    all
}

/// By its hint: numbers stand nowhere in the audit.
fn test_number((number, scenario): (&String, &Scenario)) -> Value {
    let hint = PhoneNumber::parse(number).map(|number| number.hint()).unwrap_or_default();
    json!({"phone_hint": hint, "scenario": scenario.as_str()})
}

/// Shows that one test number took the place of another whose hint is the same.
pub(super) fn replace_test_numbers(security: &mut Details) {
    security.insert("test_numbers".to_owned(), "replaced".into());
}

pub(super) fn rules(rules: &SecurityRules) -> Details {
    let SecurityRules { sms_enabled, code, phone_binding, trusted_devices } = rules;
    let CodeRules { length, lifetime_seconds, max_attempts, resend_cooldown_seconds, max_sends } = code;
    let PhoneBinding { self_service } = phone_binding;
    let TrustedDevices { enabled, days } = trusted_devices;
    details(json!({
        "mfa": {"sms": {"enabled": sms_enabled}},
        "code": {
            "length": length,
            "lifetime_seconds": lifetime_seconds,
            "max_attempts": max_attempts,
            "resend_cooldown_seconds": resend_cooldown_seconds,
            "max_sends": max_sends,
        },
        "phone_binding": {"self_service": self_service},
        "trusted_devices": {"enabled": enabled, "days": days},
    }))
}

/// Of its secrets the ids.
pub(super) fn application(application: &Application) -> Details {
    let Application {
        id: _,
        name,
        kind,
        origins,
        redirect_uris,
        message_host,
        custom_security,
        secrets,
        created_at: _,
        version: _,
    } = application;
    let secrets: Vec<_> = secrets.iter().map(|secret| secret.id.as_str()).collect();
    let mut all = details(json!({
        "name": name,
        "type": kind.as_str(),
        "origins": origins,
        "redirect_uris": redirect_uris,
        "message_host": message_host,
        "customize_security": custom_security.is_some(),
        "secrets": secrets,
    }));
    if let Some(own) = custom_security {
        all.insert("security".to_owned(), rules(own).into());
    }
    all
}

pub(super) fn identity_source(source: &IdentitySource) -> Details {
    let IdentitySource { id, name, issuer, audience, jwks_uri, provisioning, created_at: _ } = source;
    details(json!({
        "id": id.as_str(),
        "kind": KIND_OIDC,
        "name": name,
        "issuer": issuer,
        "audience": audience,
        "jwks_uri": jwks_uri,
        "provisioning": provisioning.as_str(),
    }))
}

pub(super) fn admin_key(key: &AdminKey) -> Details {
    let AdminKey { id, tenant: _, role, name, hash: _, created_at: _, expires_at } = key;
    details(json!({
        "id": id.as_str(),
        "role": role.as_str(),
        "name": name,
        "expires_at": expires_at.map(Timestamp::rfc3339),
    }))
}

pub(super) fn console_session(session: &ConsoleSession) -> Details {
    let ConsoleSession { id, hash: _, created_at: _, expires_at } = session;
    details(json!({"id": id.as_str(), "expires_at": expires_at.rfc3339()}))
}

pub(super) fn trusted_device(device: &TrustedDevice) -> Details {
    let TrustedDevice { id, hash: _, application, created_at, expires_at, bound: _ } = device;
    details(json!({
        "id": id.as_str(),
        "application": application.as_str(),
        "created_at": created_at.rfc3339(),
        "expires_at": expires_at.rfc3339(),
    }))
}

/// A user without its number, which has events of its own.
pub(super) fn user(user: &User) -> Details {
    let User {
        id: _,
        tenant: _,
        username,
        email,
        identities,
        locale,
        password_hash,
        created_at: _,
        version: _,
    } = user;
    let hash = |of: &SealedIdentifier| json!({"hash": of.hash});
    let subjects: BTreeMap<_, _> =
        identities.iter().map(|(source, subject)| (source.as_str(), hash(subject))).collect();
    details(json!({
        "username": username.as_ref().map(hash),
        "email": email.as_ref().map(hash),
        "identities": subjects,
        "locale": locale.as_ref().map(|locale| locale.as_str()),
        "password": password_hash.as_ref().map(|_| "set"),
    }))
}

/// Shows that one password took the place of another.
pub(super) fn replace_password(user: &mut Details) {
    user.insert("password".to_owned(), "replaced".into());
}

/// A number by its keyed hash within the tenant and its hint.
pub(super) fn phone(phone: Option<&FactorPhone>) -> Value {
    phone.map_or(Value::Null, |phone| json!({"hash": phone.hash, "hint": phone.hint}))
}

/// Of recovery codes nothing but how many there are.
pub(super) fn recovery_codes(count: usize) -> Details {
    details(json!({"recovery_codes": count}))
}

/// What one was used for.
pub(super) fn recovery_code(login: &LoginId, purpose: Purpose) -> Details {
    details(json!({"login": login.as_str(), "purpose": purpose.as_str()}))
}

fn details(value: Value) -> Details {
    match value {
        Value::Object(members) => members,
        // Every caller wrote an object.
        _ => Details::new(),
    }
}
