//! Every bound of a challenge from both sides.

use super::*;

#[test]
fn n6_a_hundred_failures_ten_minutes_and_three_days_are_the_bounds() {
    assert_eq!((MAX_FAILURES, MAX_CODE_SECONDS, OLD_PROOF_SECONDS), (100, 600, 300));
    assert_eq!(KEPT_SECONDS, 259_200);
}

#[test]
fn what_the_provider_said_is_kept_by_its_name() {
    for (delivery, name) in
        [(Delivery::Accepted, "accepted"), (Delivery::Unknown, "unknown"), (Delivery::Failed, "failed")]
    {
        assert_eq!((delivery.as_str(), Delivery::parse(name)), (name, Some(delivery)));
        let sent = SentCode { delivery, ..code(0) };
        assert_eq!(sent.was_accepted(), delivery == Delivery::Accepted, "{name}");
    }
    assert_eq!(Delivery::parse(""), None);
}

#[test]
fn support_sees_in_one_word_where_a_login_is() {
    let stage = |challenge: &Challenge, now: u32| challenge.stage(at(now));
    assert_eq!(stage(&challenge(None), 1), "started");
    let asked = Challenge { pending: Some(phone("77")), ..challenge(None) };
    assert_eq!(stage(&asked, 1), "number_given");
    let sent = challenge(Some(code(0)));
    assert_eq!((stage(&sent, 299), stage(&sent, 300)), ("sent", "expired"));
    let blocked = Challenge { attempts: 5, ..sent.clone() };
    assert_eq!(
        (stage(&blocked, 1), stage(&Challenge { attempts: 4, ..sent.clone() }, 1)),
        ("blocked", "sent")
    );
    let spent = Challenge { code: Some(SentCode { spent: true, ..code(0) }), attempts: 5, ..sent };
    assert_eq!(stage(&spent, 1), "complete", "its last attempt was the right one");
}

#[test]
fn f4_a_code_binds_the_number_that_it_went_to_and_no_other() {
    let asked = |hash: &str| Challenge { pending: Some(phone(hash)), ..challenge(Some(code(0))) };
    assert_eq!(asked("42").effect(Purpose::SignIn, at(1)), Ok(Effect::Binds));
    assert_eq!(asked("77").effect(Purpose::SignIn, at(1)), Err(Refusal::NoCodeSent));
}

#[test]
fn a_code_can_be_guessed_until_its_end_its_cap_or_its_right_guess() {
    let out = challenge(Some(code(0)));
    assert!(out.is_live(at(299)) && !out.is_live(at(300)));
    assert!(!challenge(None).is_live(at(1)));
    assert!(Challenge { attempts: 4, ..out.clone() }.is_live(at(1)));
    assert!(!Challenge { attempts: 5, ..out.clone() }.is_live(at(1)));
    assert!(!Challenge { completed: Some(at(1)), ..out.clone() }.is_live(at(1)));
    let spent = SentCode { spent: true, ..code(0) };
    let binds = Challenge { pending: Some(phone("42")), code: Some(spent), ..out };
    assert!(
        !binds.is_complete() && !binds.is_live(at(1)),
        "its bind is not committed, and no guess is worth anything"
    );
}

#[test]
fn h1_h2_a_code_is_sent_again_from_its_cooldown_to_its_end() {
    let sent = || Some(challenge(Some(code(0))));
    assert_eq!(plan(&bound(), sent(), 29).err(), Some(Refusal::ResendTooSoon { retry_at: at(30) }));
    assert_eq!(plan(&bound(), sent(), 30).expect("sends").again, Some(code(0)));
    assert_eq!(plan(&bound(), sent(), 299).expect("sends").again, Some(code(0)));
    assert_eq!(plan(&bound(), sent(), 300).expect("sends").again, None);
    let spent = SentCode { spent: true, ..code(0) };
    let binds = Challenge { pending: Some(phone("42")), code: Some(spent), ..challenge(None) };
    let plan = plan(&Factor::default(), Some(binds), 30).expect("sends");
    assert_eq!(plan.again, None, "a code that was given is not sent again");
}

#[test]
fn h4_the_hour_of_a_user_ends_with_its_second() {
    let sends = |count: u32| Factor { recent_sends: (0..count).map(|n| at(count - n)).collect(), ..bound() };
    let mut ticket = ticket();
    ticket.limits.per_user_hour = 3;
    assert!(user_has_room(&ticket, &sends(2), at(4)).is_ok());
    let full = Err(Refusal::RateLimited { rule: "per_user_hour", retry_at: at(3601) });
    assert_eq!(user_has_room(&ticket, &sends(3), at(3600)), full);
    assert!(user_has_room(&ticket, &sends(3), at(3601)).is_ok());
    ticket.limits.per_user_hour = 1_000_000;
    assert!(user_has_room(&ticket, &sends(100), at(101)).is_err(), "no more than are remembered");
    assert!(user_has_room(&ticket, &sends(99), at(101)).is_ok());
}

#[test]
fn the_sends_of_the_last_hour_are_remembered_the_newest_first() {
    assert_eq!(with_send(&[at(5), at(1)], at(3600)), [at(3600), at(5), at(1)]);
    assert_eq!(with_send(&[at(5), at(1)], at(3601)), [at(3601), at(5)]);
    let many: Vec<_> = (0..100).map(|n| at(100 - n)).collect();
    let kept = with_send(&many, at(101));
    assert_eq!((kept.len(), kept[0], kept[99]), (MAX_RECENT, at(101), at(2)));
}

#[test]
fn n6_the_hundredth_failure_is_the_last() {
    let failed = |failures| Factor { failures, ..bound() };
    assert!(!is_disabled(&failed(95), 5) && is_disabled(&failed(96), 5));
    let others = |count: u8| -> Vec<_> {
        (0..count)
            .map(|n| Challenge { login: LoginId::generate(|b| b.fill(20 + n)), ..challenge(Some(code(0))) })
            .collect()
    };
    let room = |failures, count| room_for_another(&ticket(), &failed(failures), &others(count), at(1));
    assert_eq!((room(95, 0), room(96, 0)), (Ok(()), Err(Refusal::FactorDisabled)));
    assert_eq!((room(90, 1), room(91, 1)), (Ok(()), Err(Refusal::FactorDisabled)));
    assert_eq!(room(0, 2), Ok(()));
    assert_eq!(room(0, 3), Err(Refusal::RateLimited { rule: "live_codes", retry_at: at(300) }));
    let unsent =
        Challenge { code: Some(SentCode { delivery: Delivery::Failed, ..code(0) }), ..challenge(None) };
    let mut three = others(2);
    three.push(unsent);
    assert_eq!(room_for_another(&ticket(), &failed(0), &three, at(1)), Ok(()), "nobody has the third");
}
