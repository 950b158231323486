//! docs/openapi.yaml against the code's own lists.

use crate::errors::every_code;
use crate::spec::{Spec, members};
use serde_json::{Value, json};
use shared::api::{
    code_issuance, code_verification, hosted_pages, phone_binding, policy_admin, sign_in, user_directory,
};
use shared::domain::audit::EventKind;
use shared::domain::settings::{SecurityRules, TenantSecurity};
use shared::http::Route;
use std::collections::{BTreeMap, BTreeSet};

type Entry = (String, String, String);

fn of_function<A>(function: &str, routes: &[Route<A>]) -> Vec<(String, Entry)> {
    let entry = |route: &Route<A>| (route.method.to_owned(), route.path.to_owned(), function.to_owned());
    routes.iter().map(|route| (route.operation.to_owned(), entry(route))).collect()
}

/// Operation → method, path, function.
fn in_code() -> BTreeMap<String, Entry> {
    let all = [
        of_function("policy-admin", policy_admin::ROUTES),
        of_function("user-directory", user_directory::ROUTES),
        of_function("sign-in", sign_in::ROUTES),
        of_function("phone-binding", phone_binding::ROUTES),
        of_function("code-issuance", code_issuance::ROUTES),
        of_function("code-verification", code_verification::ROUTES),
        of_function("hosted-pages", hosted_pages::ROUTES),
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn every_route_is_described_and_no_other() {
    let spec = Spec::read();
    let described: BTreeMap<String, Entry> = spec
        .operations()
        .into_iter()
        .map(|(name, operation)| {
            let function = operation.value["x-function"].as_str().expect("x-function").to_owned();
            (name.to_owned(), (operation.method, operation.path.to_owned(), function))
        })
        .collect();
    assert_eq!(described, in_code());
}

#[test]
fn the_codes_are_those_of_the_code() {
    let spec = Spec::read();
    let codes = spec.0["components"]["schemas"]["ProblemCode"]["enum"].as_array().expect("an enum");
    let described: BTreeSet<&str> = codes.iter().map(|code| code.as_str().expect("text")).collect();
    let codes = every_code();
    assert_eq!(described, codes.keys().map(String::as_str).collect());
}

#[test]
fn the_types_of_events_are_those_of_the_code() {
    let spec = Spec::read();
    let types = spec.0["components"]["schemas"]["AuditEventType"]["enum"].as_array().expect("an enum");
    let in_code: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(types.iter().map(|kind| kind.as_str().expect("text")).collect::<Vec<_>>(), in_code);
}

/// Every code is named at the status that it has, and only there. 405 is no operation's: it is said in the introduction.
#[test]
fn each_code_is_named_at_its_status() {
    let spec = Spec::read();
    let mut described = BTreeMap::from([("method_not_allowed".to_owned(), 405)]);
    let mut used = BTreeSet::new();
    for (name, operation) in spec.operations() {
        for (status, response) in operation.value["responses"].as_object().expect("responses") {
            let status: u16 = status.parse().expect("a status");
            if status >= 400 {
                used.insert(status);
                let text = spec.resolve(response)["description"].as_str().expect("a description");
                let codes = text.split('`').skip(1).step_by(2);
                for code in codes {
                    let before = described.insert(code.to_owned(), status);
                    assert!(
                        before.is_none_or(|before| before == status),
                        "{name}: {code} at {before:?} and {status}"
                    );
                }
            }
        }
    }
    assert_eq!(described, every_code());
    assert_eq!(used.len(), 12, "{used:?}");
}

/// Each example fits its schema, and together they show every member that a request may have.
#[test]
fn the_examples_fit_and_leave_nothing_out() {
    let spec = Spec::read();
    for (name, operation) in spec.operations() {
        let media = &operation.value["requestBody"]["content"]["application/json"];
        let (mut possible, mut shown) = (BTreeSet::new(), BTreeSet::new());
        spec.members(&media["schema"], name, &mut possible);
        for (example, text) in media["examples"].as_object().into_iter().flatten() {
            spec.check(&media["schema"], &text["value"], &format!("{name}.{example}"));
            members(&text["value"], name, &mut shown);
        }
        shown.retain(|path| ![".identity_sources.", ".test_numbers."].iter().any(|map| path.contains(map)));
        assert_eq!(shown, possible, "{name}");
    }
    let problem =
        &spec.0["components"]["responses"]["Unauthenticated"]["content"]["application/problem+json"];
    spec.check(&problem["schema"], &problem["examples"]["wrong_code"]["value"], "wrong_code");
}

/// Generators write a `default` into what a client sends, and into the types of what it has to send. In a merge patch that would restore what
/// nobody spoke of.
#[test]
fn no_body_that_is_sent_has_a_keyword_default() {
    let spec = Spec::read();
    let schemas = spec.0["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        assert!(!schema.to_string().contains("\"default\":"), "{name}");
    }
}

#[test]
fn defaults_are_those_of_the_code() {
    let spec = Spec::read();
    let schemas = &spec.0["components"]["schemas"];
    let described = |schema: &str| {
        let properties = schemas[schema]["properties"].as_object().expect("properties");
        let defaults = properties.iter().map(|(name, it)| (name.clone(), it["x-default"].clone()));
        defaults.collect::<serde_json::Map<_, _>>()
    };
    let TenantSecurity { rules, limits, .. } = TenantSecurity::for_home_country("DE");
    let SecurityRules { code, phone_binding, trusted_devices, .. } = rules;
    let expected = [
        (
            "CodePatch",
            json!({
                "length": code.length,
                "lifetime_seconds": code.lifetime_seconds,
                "max_attempts": code.max_attempts,
                "resend_cooldown_seconds": code.resend_cooldown_seconds,
                "max_sends": code.max_sends,
            }),
        ),
        ("PhoneBindingPatch", json!({ "self_service": phone_binding.self_service })),
        ("TrustedDevicesPatch", json!({ "enabled": trusted_devices.enabled, "days": trusted_devices.days })),
        (
            "LimitsPatch",
            json!({
                "per_phone_hour": limits.per_phone_hour,
                "per_phone_day": limits.per_phone_day,
                "per_user_hour": limits.per_user_hour,
                "per_ip_hour": limits.per_ip_hour,
                "per_range_hour": limits.per_range_hour,
                "per_country_day": limits.per_country_day,
                "per_application_day": limits.per_application_day,
                "per_tenant_day": limits.per_tenant_day,
                "budget_usd_day": limits.budget_usd_day,
            }),
        ),
    ];
    for (schema, defaults) in expected {
        assert_eq!(Value::Object(described(schema)), defaults, "{schema}");
    }
}
