use super::*;
use crate::application::tests::application;
use crate::factor::{Factor, FactorPhone};
use crate::ids::SourceId;
use crate::settings::{SecurityRules, TenantSecurity};
use crate::user::{SealedIdentifier, User};
use serde_json::json;
use std::collections::BTreeMap;

fn event(change: AuditedChange) -> AuditEvent {
    let tenant = TenantId::parse("ten_aaaaaaaaaaaa").expect("an id");
    let id = EventId::parse(&format!("evt_{}", "e".repeat(22))).expect("an id");
    change.by(Actor::System, Provenance::default(), tenant, Timestamp::from_secs(1), id)
}

/// What an event says of a change: its name, before and after.
fn told(change: Option<AuditedChange>) -> Option<(&'static str, Value, Value)> {
    let event = event(change?);
    Some((event.kind.as_str(), event.before.into(), event.after.into()))
}

fn user(username: &str, password: Option<&str>) -> User {
    User {
        id: UserId::parse(&format!("usr_{}", "u".repeat(22))).expect("an id"),
        tenant: TenantId::parse("ten_aaaaaaaaaaaa").expect("an id"),
        username: Some(SealedIdentifier { sealed: "sealed".to_owned(), hash: username.to_owned() }),
        email: None,
        identities: BTreeMap::new(),
        locale: None,
        password_hash: password.map(str::to_owned),
        created_at: Timestamp::from_secs(0),
        version: 1,
    }
}

fn factor(number: Option<(&str, &str)>, failures: u32) -> Factor {
    let text = |text: &str| text.to_owned();
    let phone = |(hash, hint)| FactorPhone {
        sealed: text("sealed"),
        hash: text(hash),
        hint: text(hint),
        country: text("US"),
        since: Timestamp::from_secs(0),
    };
    Factor { phone: number.map(phone), failures, ..Factor::default() }
}

fn phone_changed(before: &Factor, after: &Factor) -> Option<(&'static str, Value, Value)> {
    told(AuditedChange::phone_changed(&user("ana", None).id, before, after.phone.as_ref()))
}

#[test]
fn kinds_have_names_of_their_own_that_can_be_read_back() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
        assert!(kind.as_str().bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'.' | b'_')));
    }
    assert_eq!(EventKind::parse("tenant"), None);
}

#[test]
fn only_what_differs_is_told_at_any_depth() {
    let mut before = TenantSecurity::for_home_country("US");
    let mut after = before.clone();
    assert_eq!(AuditedChange::tenant_security_changed(&before, &after), None);
    let ids = ["src_1", "src_2"].map(|id| format!("{id}{}", "s".repeat(21)));
    let [one, two] = ids.map(|id| SourceId::parse(&id).expect("an id"));
    before.identity_sources.insert(one.clone(), true);
    after.identity_sources.insert(two.clone(), false);
    after.rules.sms_enabled = true;
    after.rules.code.length = 8;
    after.countries_allow.push("CA".to_owned());
    let (kind, was, is) = told(AuditedChange::tenant_security_changed(&before, &after)).expect("a change");
    assert_eq!(kind, "tenant.security.changed");
    let expected = |sms: bool, length: u8, sources: Value, countries: Value| {
        json!({
            "mfa": {"sms": {"enabled": sms}}, "code": {"length": length},
            "identity_sources": sources, "countries": {"allow": countries},
        })
    };
    let (one, two) = (one.as_str(), two.as_str());
    assert_eq!(was, expected(false, 6, json!({one: true, two: null}), json!(["US"])));
    assert_eq!(is, expected(true, 8, json!({one: null, two: false}), json!(["US", "CA"])));
}

#[test]
fn b4_the_switch_shows_the_rules_that_were_copied() {
    let before = application();
    let mut after = before.clone();
    after.customize_security(&SecurityRules::default());
    let on = told(AuditedChange::application_changed(&before, &after)).expect("a change");
    assert_eq!(
        (on.0, &on.1),
        ("application.changed", &json!({"customize_security": false, "security": null}))
    );
    assert_eq!(on.2["security"]["code"]["length"], 6);
    let off = told(AuditedChange::application_changed(&after, &before)).expect("a change");
    assert_eq!((off.1, off.2), (on.2, on.1));
    assert_eq!(AuditedChange::application_changed(&before, &before.clone()), None);
}

#[test]
fn every_change_of_a_number_has_its_own_name() {
    let (none, a) = (factor(None, 0), factor(Some(("a", "+1 ••42")), 0));
    // Another number may have the same hint.
    let b = factor(Some(("b", "+1 ••42")), 2);
    let (shown_a, shown_b) =
        (json!({"hash": "a", "hint": "+1 ••42"}), json!({"hash": "b", "hint": "+1 ••42"}));
    let bound = ("phone.bound", json!({"phone": null}), json!({"phone": shown_a}));
    assert_eq!(phone_changed(&none, &a), Some(bound));
    let was = json!({"phone": shown_b, "failed_codes": 2});
    let replaced = ("phone.replaced", was.clone(), json!({"phone": shown_a, "failed_codes": 0}));
    assert_eq!(phone_changed(&b, &a), Some(replaced));
    assert_eq!(
        phone_changed(&b, &none),
        Some(("phone.unbound", was, json!({"phone": null, "failed_codes": 0})))
    );
    let reset = ("factor.reset", json!({"failed_codes": 2}), json!({"failed_codes": 0}));
    assert_eq!(phone_changed(&b, &b), Some(reset));
    assert_eq!(phone_changed(&a, &a), None);
    assert_eq!(phone_changed(&none, &none), None);
}

#[test]
fn h14_a_user_is_shown_by_keyed_hashes_and_its_password_not_at_all() {
    let before = user("hash-of-ana", Some("$argon2id$one"));
    let mut same = before.clone();
    same.username =
        Some(SealedIdentifier { sealed: "sealed anew".to_owned(), hash: "hash-of-ana".to_owned() });
    assert_eq!(AuditedChange::user_changed(&before, &same), None);
    let renamed = told(AuditedChange::user_changed(&before, &user("hash-of-bob", Some("$argon2id$one"))));
    let name = |hash: &str| json!({"username": {"hash": hash}});
    assert_eq!(renamed, Some(("user.changed", name("hash-of-ana"), name("hash-of-bob"))));
    let password = |after| {
        let told = told(AuditedChange::user_changed(&before, &user("hash-of-ana", after)));
        told.map(|(_, was, is)| (was["password"].clone(), is["password"].clone()))
    };
    assert_eq!(password(Some("$argon2id$two")), Some((json!("set"), json!("replaced"))));
    assert_eq!(password(None), Some((json!("set"), Value::Null)));
}

#[test]
fn a_linked_subject_is_shown_by_its_source_and_its_keyed_hash() {
    let source = SourceId::parse(&format!("src_{}", "s".repeat(22))).expect("an id");
    let before = user("hash-of-ana", None);
    let subject = SealedIdentifier { sealed: "sealed".to_owned(), hash: "hash-of-subject".to_owned() };
    let linked = before.with_identity(&source, Some(&subject));
    let (kind, was, is) = told(AuditedChange::user_changed(&before, &linked)).expect("a change");
    let expected = |value: Value| json!({"identities": {source.as_str(): value}});
    assert_eq!((kind, was), ("user.changed", expected(Value::Null)));
    assert_eq!(is, expected(json!({"hash": "hash-of-subject"})));
    assert_eq!(AuditedChange::user_changed(&before, &linked.with_identity(&source, None)), None);
}

#[test]
fn a_user_and_its_number_come_and_go_in_two_events() {
    let kinds = |changes: Vec<AuditedChange>| changes.iter().map(AuditedChange::kind).collect::<Vec<_>>();
    let (ana, bound, unbound) = (user("ana", None), factor(Some(("a", "h")), 3), factor(None, 3));
    let created = [EventKind::UserCreated, EventKind::PhoneBound];
    assert_eq!(kinds(AuditedChange::user_created(&ana, &bound)), created);
    assert_eq!(kinds(AuditedChange::user_created(&ana, &Factor::default())), created[..1]);
    let deleted = [EventKind::PhoneUnbound, EventKind::UserDeleted];
    assert_eq!(kinds(AuditedChange::user_deleted(&ana, &bound)), deleted);
    assert_eq!(kinds(AuditedChange::user_deleted(&ana, &unbound)), deleted[1..]);
}
