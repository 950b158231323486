//! Items of another shape, of what a plain login does not have: each attribute is left out, also those within others, where the whole item
//! refuses somebody; and what is left out opens nothing.

use crate::code;
use crate::flows::{is_defined, new_number};
use crate::world::{Login, PASSWORD, World};
use serde_json::{Value, json};
use shared::ports::Clock;
use tests::values::text;

const UNKNOWN: &str = "0000-0000-0000-0000-0000-0000";

fn tokens(answer: &(u16, Value)) -> bool {
    answer.1["tokens"].is_object()
}

#[tokio::test]
async fn h3_h7_without_an_attribute_no_device_is_trusted_for_longer_or_for_more() {
    let world = World::new().await;
    world.allows("trusted_devices").await;
    let user = world.person(Some(&new_number())).await;
    let trusting = json!({ "trust_device": true });
    let done = world.signs_in(&user, trusting.clone()).await;
    let (device, access) = (text(&done, "/trusted_device/token"), text(&done, "/tokens/access_token"));
    let kinds = ["trusted-device#", "factor"];
    let path = format!("/v1/me/trusted-devices/{}", text(&done, "/trusted_device/id"));
    let calls = async |_: &str| {
        let shown = world.shows(&user, &device).await;
        let listed = world.get("/v1/me/trusted-devices", &access).await;
        vec![shown, listed, world.call("DELETE", &path, Some(&access), &[], None).await]
    };
    assert!(world.without_each(&kinds, calls).await > 10);
    // Of another user's login it is no device.
    let other = world.person(Some(&new_number())).await;
    let asked = async |place: &str, user: &str, device: &str| {
        let shown = world.shows(user, device).await;
        assert!(!tokens(&shown), "{place}: spared the code");
        vec![shown]
    };
    world.without_each(&kinds, async |place| asked(place, &other, &device).await).await;
    // With another number than it was trusted with.
    world.admin("PUT", &format!("/users/{user}/phone"), json!({ "phone": new_number() })).await;
    world.without_each(&kinds, async |place| asked(place, &user, &device).await).await;
    // When its days are over.
    world.advance(3600);
    let device = text(&world.signs_in(&user, trusting).await, "/trusted_device/token");
    assert!(tokens(&world.shows(&user, &device).await));
    world.advance(31 * 86_400);
    world.without_each(&kinds, async |place| asked(place, &user, &device).await).await;
}

#[tokio::test]
async fn h3_h11_without_an_attribute_no_code_is_exchanged_again() {
    let world = World::new().await;
    world.has_redirect().await;
    let user = world.person(Some(&new_number())).await;
    let sealed = world.authorization_code(&user);
    let access = text(&world.exchanges(&sealed).await.json, "/access_token");
    let again = async |place: &str| {
        let claims = world.claims(&access).await;
        let again = world.exchanges(&sealed).await;
        assert_eq!((again.status, &again.json["error"]), (400, &json!("invalid_grant")), "{place}");
        // Whoever exchanged it has lost what it gave.
        assert_eq!(code(&world.claims(&access).await), (401, "unauthenticated"), "{place}");
        vec![claims]
    };
    world.without_each(&["grant"], again).await;
    assert_eq!(world.exchanges(&sealed).await.status, 400);
    let void = async |place: &str| {
        let claims = world.claims(&access).await;
        // That it is void is all that this attribute says.
        assert!(claims.0 != 200 || place.ends_with(" without void_at"), "{place}: {claims:?}");
        assert_eq!(world.exchanges(&sealed).await.status, 400, "{place}");
        vec![claims]
    };
    world.without_each(&["grant"], void).await;
}

#[tokio::test]
async fn h3_f2_without_an_attribute_no_qr_login_signs_in() {
    let world = World::new().await;
    world.sms(false).await;
    let user = world.person(Some(&new_number())).await;
    let other = world.person(Some(&new_number())).await;
    let (access, others) = (world.access_of(&user).await, world.access_of(&other).await);
    for steps in
        [&[][..], &["scan"], &["scan", "rejection"], &["scan", "approval", "use"], &["scan", "approval"]]
    {
        let qr = world.asks_qr().await;
        for step in steps {
            let answer = match *step {
                "use" => world.uses_qr(&qr).await,
                step => world.steps_qr(&qr, step, &access).await,
            };
            assert_eq!(answer.0, 200, "{step}: {answer:?}");
        }
        let is_approved = steps.last() == Some(&"approval");
        let calls = async |place: &str| {
            let looked = world.looks_at_qr(&qr).await;
            let used = world.uses_qr(&qr).await;
            assert!(is_approved || used.0 != 200, "{place}, after {steps:?}: {used:?}");
            // Somebody else decides nothing about what somebody has scanned.
            let approved = world.steps_qr(&qr, "approval", &others).await;
            assert_ne!(approved.0, 200, "{place}, after {steps:?}: {approved:?}");
            vec![looked, used, approved, world.steps_qr(&qr, "rejection", &access).await]
        };
        assert!(world.without_each(&["qr#"], calls).await > 8);
        if is_approved {
            world.advance(120);
            let late = async |place: &str| {
                let used = world.uses_qr(&qr).await;
                assert_ne!(used.0, 200, "{place}: {used:?}");
                vec![used]
            };
            world.without_each(&["qr#"], late).await;
        }
        world.sweeps("qr#").await;
    }
}

#[tokio::test]
async fn h3_t21_without_an_attribute_no_session_of_the_console_lasts() {
    let world = World::new().await;
    let (ended, live) = (world.opens_console().await, world.opens_console().await);
    let (session, tenant) = ("/v1/console/session", format!("/v1/tenants{}", world.tenant));
    assert_eq!(world.by_console("DELETE", session, &ended).await.0, 204);
    let kinds = ["console#", "key#"];
    let calls = async |place: &str| {
        let refused = world.by_console("GET", &tenant, &ended).await;
        assert_ne!(refused.0, 200, "{place}: {refused:?}");
        let seen = world.by_console("GET", &tenant, &live).await;
        let opened = world.by_console("GET", session, &live).await;
        vec![refused, seen, opened, world.by_console("DELETE", session, &live).await]
    };
    assert!(world.without_each(&kinds, calls).await > 10);
    assert_eq!(world.by_console("GET", &tenant, &live).await.0, 200);
    world.advance(3600);
    let over = async |place: &str| {
        let refused = world.by_console("GET", &tenant, &live).await;
        assert_ne!(refused.0, 200, "{place}: {refused:?}");
        vec![refused]
    };
    world.without_each(&kinds, over).await;
}

#[tokio::test]
async fn h3_c5_without_an_attribute_no_source_lets_in_without_a_code() {
    let world = World::new().await;
    let user = world.person(Some(&new_number())).await;
    let source = world.new_source().await;
    world.admin("PATCH", "/security", json!({ "identity_sources": { &source: true } })).await;
    let tried = world
        .without_each(&["source#", "tenant", "application#"], async |place| {
            let begun = world.asserts(&user, json!({ "identity_source": source })).await;
            // Without rules no code is asked for: that is their meaning.
            assert!(!tokens(&begun) || place.ends_with(" without security"), "{place}: {begun:?}");
            let shown = format!("/v1/tenants{}/identity-sources/{source}", world.tenant);
            vec![begun, world.get(&shown, &world.admin).await]
        })
        .await;
    assert!(tried > 40, "{tried}");
}

#[tokio::test]
async fn h3_h7_without_an_attribute_no_recovery_code_is_good_again() {
    let world = World::new().await;
    world.allows("recovery_codes").await;
    let user = world.person(Some(&new_number())).await;
    let access = world.access_of(&user).await;
    let made = world.renews_codes(&access).await.1["recovery_codes"].clone();
    let login = world.asserted(&user).await;
    assert_eq!(world.recovers(&login, &made[0]).await.0, 200);
    let fresh = world.asserted(&user).await;
    let used = async |place: &str| {
        let again = world.recovers(&fresh, &made[0]).await;
        assert_ne!(again.0, 200, "{place}: {again:?}");
        vec![again, world.recovers(&fresh, &made[1]).await, world.renews_codes(&access).await]
    };
    world.without_each(&["recovery", "factor"], used).await;
    world.sweeps("challenge#").await;
    let blocked = world.asserted(&user).await;
    for _ in 0..5 {
        assert_eq!(code(&world.recovers(&blocked, &json!(UNKNOWN)).await), (401, "wrong_code"));
    }
    let blocked = async |place: &str| {
        let judged = world.recovers(&blocked, &made[1]).await;
        // The condition has to let in the first attempt of a login that has none: the code itself has its say.
        let may_judge = place.ends_with(" without attempts");
        assert!(may_judge || judged.0 != 200, "{place}: {judged:?}");
        vec![judged]
    };
    world.without_each(&["challenge#", "recovery", "factor"], blocked).await;
}

#[tokio::test]
async fn h3_h8_without_an_attribute_no_number_is_replaced_unproven() {
    let world = World::new().await;
    let (old, new) = (new_number(), new_number());
    let user = world.person(Some(&old)).await;
    let access = world.access_of(&user).await;
    world.advance(130);
    // Of its challenges the one that is meant is left.
    world.sweeps("challenge#").await;
    let login = world.asks_for(&access, &new).await;
    let kinds = ["challenge#", "factor"];
    let goes_on = async |place: &str| {
        let sent = world.does(&login, "code", json!({})).await;
        let proven = world.gives_code(&login).await;
        assert!(!is_bound(&world, &user, &new).await, "{place}: one code replaced it");
        vec![sent, proven]
    };
    world.without_each(&kinds, goes_on).await;
    // The old one's code is given, and five minutes pass.
    world.sends(&login).await;
    assert_eq!(world.gives_code(&login).await.0, 200);
    world.advance(200);
    world.sends(&login).await;
    let right = world.code();
    world.advance(100);
    let stale = async |place: &str| {
        let judged = world.does(&login, "verification", json!({ "code": right })).await;
        assert!(judged.0 != 200 && !is_bound(&world, &user, &new).await, "{place}: {judged:?}");
        vec![judged, world.does(&login, "code", json!({})).await]
    };
    assert!(world.without_each(&kinds, stale).await > 20);
}

async fn is_bound(world: &World, user: &str, number: &str) -> bool {
    world.number_of(user).await == number
}

#[tokio::test]
async fn h3_h8_without_an_attribute_no_notice_is_sent_twice() {
    let world = World::new().await;
    let notifier = world.notifier();
    world.leaves_notice().await;
    let sends = async |place: &str| {
        let before = world.messages();
        for _ in 0..2 {
            // A fault is told to who called: another try, or an operator's alarm.
            let _ = notifier.sweep().await;
        }
        assert!(world.messages() <= before + 1, "{place}: sent twice");
        vec![]
    };
    assert!(world.without_each(&["notice#"], sends).await > 8);
    // Its sender died, and may have sent it.
    let place = notifier.queue.waiting().await.unwrap().remove(0);
    notifier.queue.claim(&place, "somebody", world.clock.now()).await.unwrap();
    let claimed = async |place: &str| {
        let before = world.messages();
        let _ = notifier.sweep().await;
        // That it is claimed is all that this attribute says.
        assert!(world.messages() == before || place.ends_with(" without claim"), "{place}: sent again");
        vec![]
    };
    world.without_each(&["notice#"], claimed).await;
}

#[tokio::test]
async fn h3_t29_without_an_attribute_a_throttle_waits_or_starts_anew_and_the_password_is_judged() {
    let world = World::new().await;
    world.is_throttled().await;
    let tries = async |place: &str| {
        let wrong = world.by_password("wrong").await;
        // Without its count or its time it is as one that was swept: nobody is locked out for good. The next failure counts again.
        let starts_anew = ["failures", "last_failure"].iter().any(|name| place.ends_with(name));
        assert!(wrong.0 == 429 || starts_anew && wrong.0 == 401, "{place}: {wrong:?}");
        if place.ends_with("last_failure") {
            assert_eq!(code(&world.by_password(PASSWORD).await), (429, "rate_limited"), "{place}");
        }
        vec![wrong]
    };
    world.without_each(&["limit#first-factor"], tries).await;
}

/// What a newer version may have left in each of them.
#[tokio::test]
async fn g5_an_attribute_that_nobody_knows_changes_no_flow() {
    let world = World::new().await;
    for what in ["trusted_devices", "recovery_codes"] {
        world.allows(what).await;
    }
    world.has_redirect().await;
    let user = world.person(Some(&new_number())).await;
    let done = world.signs_in(&user, json!({ "trust_device": true })).await;
    let (device, access) = (text(&done, "/trusted_device/token"), text(&done, "/tokens/access_token"));
    let made = world.renews_codes(&access).await.1["recovery_codes"].clone();
    let sealed = world.authorization_code(&user);
    let granted = text(&world.exchanges(&sealed).await.json, "/access_token");
    let qr = world.asks_qr().await;
    let cookie = world.opens_console().await;
    let source = world.new_source().await;
    world.leaves_notice().await;
    world.advance(70);
    let asked = world.asks_for(&access, &new_number()).await;
    world.gains_attributes().await;

    assert!(tokens(&world.shows(&user, &device).await));
    assert_eq!(code(&world.claims(&granted).await), (200, ""));
    assert_eq!(world.exchanges(&sealed).await.status, 400);
    assert_eq!(code(&world.claims(&granted).await), (401, "unauthenticated"));
    for step in ["scan", "approval"] {
        assert_eq!(code(&world.steps_qr(&qr, step, &access).await), (200, ""));
    }
    assert_eq!(code(&world.uses_qr(&qr).await), (200, ""));
    assert_eq!(world.by_console("GET", &format!("/v1/tenants{}", world.tenant), &cookie).await.0, 200);
    let begun = world.asserts(&user, json!({ "identity_source": source })).await;
    assert_eq!((begun.0, tokens(&begun)), (200, false));
    let login = Login { id: text(&begun.1, "/login/id"), token: text(&begun.1, "/login_token") };
    assert_eq!(code(&world.recovers(&login, &made[0]).await), (200, ""));
    for _ in 0..2 {
        world.sends(&asked).await;
        assert_eq!(code(&world.gives_code(&asked).await), (200, ""));
    }
    let messages = world.messages();
    world.notifier().sweep().await.unwrap();
    assert_eq!(
        world.messages(),
        messages + 3,
        "of the number that was removed, of the recovery code, and of the number that was replaced"
    );
    for answer in [world.get("/v1/me/trusted-devices", &access).await, world.renews_codes(&access).await] {
        assert!(is_defined(&answer), "{answer:?}");
    }
}
