use super::*;
use crate::challenge::MAX_FAILURES;
use crate::ids::TenantId;

const START: Timestamp = Timestamp::from_secs(1_000_000);
const RULES: TrustedDevices = TrustedDevices { enabled: true, days: 30 };

fn application(byte: u8) -> ApplicationId {
    ApplicationId::generate(&TenantId::generate(|b| b.fill(1)), |b| b.fill(byte))
}

fn bound() -> Factor {
    let text = |text: &str| text.to_owned();
    let since = Timestamp::from_secs(900_000);
    let phone =
        FactorPhone { sealed: text("s"), hash: text("h"), hint: text(""), country: text("US"), since };
    Factor { phone: Some(phone), ..Factor::default() }
}

/// The `n`th device; each was trusted a second after the one before it.
fn device(n: u8) -> TrustedDevice {
    let created_at = START.plus_secs(u32::from(n));
    TrustedDevice {
        id: DeviceId::generate(|b| b.fill(n)),
        hash: [n; 32],
        application: application(1),
        created_at,
        expires_at: TrustedDevice::end(created_at, RULES),
        bound: bound().phone.as_ref().map(BoundPhone::from).expect("a number"),
    }
}

fn after_days(days: u32) -> Timestamp {
    START.plus_secs(days * DAY_SECONDS)
}

fn spares(device: &TrustedDevice, factor: &Factor, rules: TrustedDevices, now: Timestamp) -> bool {
    device.spares_code(&application(1), factor, rules, CodeRules::default(), now)
}

#[test]
fn h7_a_trusted_device_spares_the_code_for_its_days() {
    let (device, factor) = (device(0), bound());
    let last = Timestamp::from_millis(after_days(30).millis() - 1);
    for (now, spared) in [(START, true), (after_days(29), true), (last, true), (after_days(30), false)] {
        assert_eq!(spares(&device, &factor, RULES, now), spared, "{now:?}");
    }
}

#[test]
fn h7_a_trusted_device_is_trusted_in_its_own_application_only() {
    let (device, factor, code) = (device(0), bound(), CodeRules::default());
    assert!(device.spares_code(&application(1), &factor, RULES, code, START));
    assert!(!device.spares_code(&application(2), &factor, RULES, code, START));
}

#[test]
fn h7_what_policy_says_now_decides() {
    let (device, factor) = (device(0), bound());
    assert!(!spares(&device, &factor, TrustedDevices { enabled: false, ..RULES }, START));
    let (shorter, longer) = (TrustedDevices { days: 7, ..RULES }, TrustedDevices { days: 90, ..RULES });
    assert!(
        spares(&device, &factor, shorter, after_days(6)) && !spares(&device, &factor, shorter, after_days(7))
    );
    assert!(!spares(&device, &factor, longer, after_days(31)));
}

#[test]
fn h7_trust_ends_with_the_binding_it_was_given_for() {
    let device = device(0);
    let unbound = Factor::default();
    let with = |change: fn(&mut FactorPhone)| {
        let mut factor = bound();
        factor.phone.iter_mut().for_each(change);
        factor
    };
    let other = with(|phone| phone.hash = "other".into());
    let again = with(|phone| phone.since = START);
    for factor in [unbound, other, again] {
        assert!(!spares(&device, &factor, RULES, START.plus_secs(1)), "{factor:?}");
        assert!(!device.is_valid(&factor, START.plus_secs(1)));
    }
}

#[test]
fn h7_a_disabled_factor_is_not_spared() {
    let most = MAX_FAILURES - u32::from(CodeRules::default().max_attempts);
    for (failures, spared) in [(most, true), (most + 1, false), (MAX_FAILURES, false)] {
        let factor = Factor { failures, ..bound() };
        assert_eq!(spares(&device(0), &factor, RULES, START), spared, "{failures}");
    }
}

#[test]
fn h7_one_device_too_many_takes_the_place_of_the_oldest() {
    let now = START.plus_secs(60);
    let devices: Vec<_> = (0..20).rev().map(device).collect();
    assert!(make_room(&devices[1..], &bound(), now).is_empty());
    assert_eq!(make_room(&devices, &bound(), now), [&device(0)]);
    let more: Vec<_> = (0..23).map(device).collect();
    assert_eq!(make_room(&more, &bound(), now), [&device(0), &device(1), &device(2), &device(3)]);
}

#[test]
fn h7_devices_that_are_worth_nothing_go_before_any_other() {
    let now = START.plus_secs(60);
    let mut devices: Vec<_> = (0..20).map(device).collect();
    devices[7].bound.since = START;
    devices[9].expires_at = now;
    assert_eq!(make_room(&devices, &bound(), now), [&devices[7], &devices[9]]);
    let left = valid(devices, &bound(), now);
    assert_eq!((left.len(), &left[0].id, &left[17].id), (18, &device(19).id, &device(0).id));
}
