use super::*;
use crate::ids::{ApplicationId, TenantId, UserId};
use crate::login::{FirstFactor, LOGIN_SECONDS, Purpose, Status};
use crate::settings::{CodeRules, Limits};
use crate::test_number::{Scenario, TestNumbers};

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn at(seconds: u32) -> Timestamp {
    START.plus_secs(seconds)
}

fn phone(hash: &str) -> FactorPhone {
    FactorPhone {
        sealed: "sealed".into(),
        hash: hash.into(),
        hint: format!("+1 ••• ••• ••{hash}"),
        country: "US".into(),
        since: START,
    }
}

fn ticket() -> Ticket {
    let tenant = TenantId::generate(|b| b.fill(1));
    Ticket {
        login: LoginId::generate(|b| b.fill(2)),
        application: ApplicationId::generate(&tenant, |b| b.fill(3)),
        tenant,
        user: UserId::generate(|b| b.fill(4)),
        source: None,
        purpose: Purpose::SignIn,
        first: FirstFactor::Password,
        started_at: START,
        expires_at: START.plus_secs(LOGIN_SECONDS),
        code: CodeRules::default(),
        trusted_devices: crate::settings::TrustedDevices::default(),
        self_service: true,
        countries: vec!["US".into()],
        sending_enabled: true,
        recovery_codes: false,
        limits: Limits::default(),
        sees_client: true,
        bound_hint: None,
        origins: Vec::new(),
        message_host: None,
        sender_name: "Acme".into(),
        template: None,
        locale: None,
        test_numbers: TestNumbers::default(),
    }
}

fn code(sent: u32) -> SentCode {
    SentCode {
        pepper: "p1".into(),
        mac: [7; 32],
        nonce: [8; 16],
        sent_to: SentTo {
            hash: "42".into(),
            hint: "+1 ••• ••• ••42".into(),
            since: START,
            test: None,
            country: None,
        },
        first_sent_at: at(sent),
        sent_at: at(sent),
        expires_at: at(sent + 300),
        resend_at: at(sent + 30),
        delivery: Delivery::Accepted,
        undelivered: None,
        failures_before: 0,
        spent: false,
    }
}

fn challenge(code: Option<SentCode>) -> Challenge {
    Challenge {
        login: LoginId::generate(|b| b.fill(2)),
        started_at: START,
        pending: None,
        replaces: None,
        old_proven: None,
        phone_changes: 0,
        sends: u8::from(code.is_some()),
        code,
        attempts: 0,
        max_attempts: 5,
        idempotency: Vec::new(),
        completed: None,
    }
}

fn bound() -> Factor {
    Factor { phone: Some(phone("42")), failures: 0, revision: 0, recent_sends: Vec::new() }
}

fn state(ticket: Ticket, factor: &Factor, challenge: Option<Challenge>, now: u32) -> LoginState {
    let bound_hint = factor.phone.as_ref().map(|p| p.hint.clone());
    LoginState { ticket, bound_hint, challenge, now: at(now) }
}

fn plan(factor: &Factor, challenge: Option<Challenge>, now: u32) -> Result<SendPlan, Refusal> {
    plan_send(&state(ticket(), factor, challenge, now), factor, &[])
}

#[test]
fn f5_a_bound_user_gets_a_fresh_code_at_the_bound_number() {
    let plan = plan(&bound(), None, 1).expect("sends");
    assert_eq!((plan.target, plan.effect, plan.again), (phone("42"), Effect::Completes, None));
    assert_eq!((plan.expires_at, plan.resend_at), (at(301), at(31)));
}

#[test]
fn f4_an_unbound_user_must_name_a_number_first_or_ask_the_administrator() {
    let unbound = Factor::default();
    assert_eq!(plan(&unbound, None, 1), Err(Refusal::PhoneRequired));
    let mut closed = ticket();
    closed.self_service = false;
    assert_eq!(
        plan_send(&state(closed, &unbound, None, 1), &unbound, &[]),
        Err(Refusal::SelfBindingDisabled),
        "f11"
    );
    let mut asked = challenge(None);
    asked.pending = Some(phone("77"));
    let plan = plan(&unbound, Some(asked), 1).expect("sends");
    assert_eq!((plan.target, plan.effect), (phone("77"), Effect::Binds));
}

#[test]
fn h2_a_resend_sends_the_same_code_and_lengthens_it_up_to_ten_minutes() {
    let again = plan(&bound(), Some(challenge(Some(code(0)))), 200).expect("sends");
    assert_eq!(again.again, Some(code(0)));
    assert_eq!(again.expires_at, at(500));
    let mut long = code(0);
    long.expires_at = at(500);
    let again = plan(&bound(), Some(challenge(Some(long))), 400).expect("sends");
    assert_eq!(again.expires_at, at(600), "never past the first send + 10 minutes (N2)");
}

#[test]
fn an_expired_code_or_one_for_another_number_is_not_sent_again() {
    let fresh = plan(&bound(), Some(challenge(Some(code(0)))), 300).expect("sends");
    assert_eq!((fresh.again, fresh.first_sent_at), (None, at(300)));
    let mut elsewhere = code(0);
    elsewhere.sent_to.hash = "old".into();
    let fresh = plan(&bound(), Some(challenge(Some(elsewhere))), 60).expect("sends");
    assert_eq!(fresh.again, None);
}

#[test]
fn h1_too_soon_and_too_many_say_when() {
    assert_eq!(
        plan(&bound(), Some(challenge(Some(code(0)))), 29),
        Err(Refusal::ResendTooSoon { retry_at: at(30) })
    );
    let mut spent = challenge(Some(code(0)));
    spent.sends = 5;
    assert_eq!(plan(&bound(), Some(spent), 100), Err(Refusal::TooManySends { retry_at: at(600) }));
}

#[test]
fn a_blocked_complete_or_expired_login_sends_nothing() {
    let mut blocked = challenge(Some(code(0)));
    blocked.attempts = 5;
    assert_eq!(plan(&bound(), Some(blocked), 100), Err(Refusal::TooManyAttempts { retry_at: at(600) }));
    let mut done = code(0);
    done.spent = true;
    assert_eq!(plan(&bound(), Some(challenge(Some(done))), 100), Err(Refusal::LoginComplete));
    assert_eq!(plan(&bound(), None, 600), Err(Refusal::LoginExpired));
}

#[test]
fn h4_no_message_leaves_for_a_country_or_a_tenant_that_is_closed() {
    let factor = bound();
    let mut abroad = ticket();
    abroad.countries = vec!["DE".into()];
    assert_eq!(plan_send(&state(abroad, &factor, None, 1), &factor, &[]), Err(Refusal::CountryNotAllowed));
    let mut off = ticket();
    off.sending_enabled = false;
    assert!(matches!(
        plan_send(&state(off, &factor, None, 1), &factor, &[]),
        Err(Refusal::SendingDisabled { .. })
    ));
}

#[test]
fn a_fourth_login_at_once_waits_and_kills_no_other() {
    let factor = bound();
    let others: Vec<_> = [0, 10, 20].map(|sent| challenge(Some(code(sent)))).into();
    let state = state(ticket(), &factor, None, 40);
    assert_eq!(
        plan_send(&state, &factor, &others),
        Err(Refusal::RateLimited { rule: "live_codes", retry_at: at(300) })
    );
    assert!(plan_send(&state, &factor, &others[..2]).is_ok());
    let mut finished = others.clone();
    if let Some(code) = &mut finished[0].code {
        code.spent = true;
    }
    assert!(plan_send(&state, &factor, &finished).is_ok(), "a finished login makes room");
    let mut undelivered = others;
    if let Some(code) = &mut undelivered[0].code {
        code.delivery = Delivery::Failed;
    }
    assert!(plan_send(&state, &factor, &undelivered).is_ok(), "a code that nobody got takes no room");
}

#[test]
fn n6_issuing_stops_before_a_hundred_failures_could_be_passed() {
    let mut factor = bound();
    factor.failures = 95;
    assert!(plan(&factor, None, 1).is_ok(), "95 + 5 is still 100");
    factor.failures = 96;
    assert_eq!(plan(&factor, None, 1), Err(Refusal::FactorDisabled));
    factor.failures = 91;
    let other = [challenge(Some(code(0)))];
    let state = state(ticket(), &factor, None, 10);
    assert_eq!(plan_send(&state, &factor, &other), Err(Refusal::FactorDisabled), "91 + 5 out + 5 more");
}

#[test]
fn the_status_of_a_login_follows_from_what_is_stored() {
    let unbound = Factor::default();
    let status = |factor: &Factor, c: Option<Challenge>, now| state(ticket(), factor, c, now).status();
    assert_eq!(status(&unbound, None, 1), Status::BindPhone);
    assert_eq!(status(&bound(), None, 1), Status::EnterCode);
    assert_eq!(status(&bound(), None, 600), Status::Expired);
    let mut bind = challenge(Some(code(0)));
    bind.pending = Some(phone("42"));
    if let Some(code) = &mut bind.code {
        code.spent = true;
    }
    assert_eq!(status(&unbound, Some(bind.clone()), 1), Status::EnterCode, "the bind is not committed yet");
    bind.completed = Some(at(1));
    assert_eq!(status(&unbound, Some(bind), 700), Status::Complete, "complete stays complete");
}

#[test]
fn h4_a_user_has_a_limit_over_all_logins() {
    let mut factor = bound();
    factor.recent_sends = (0..10).map(|i| at(590 - i)).collect();
    let now = state(ticket(), &factor, None, 599);
    assert_eq!(
        plan_send(&now, &factor, &[]),
        Err(Refusal::RateLimited { rule: "per_user_hour", retry_at: at(581 + 3600) })
    );
    let later = with_send(&factor.recent_sends, at(590 + 3595));
    assert_eq!(later.len(), 6, "what is older than an hour is forgotten");
}

/// A login that puts number 77 in the place of 42, with a code out to `sent`.
fn replacing(proven: Option<u32>, sent: Option<&str>) -> Challenge {
    let mut replacing = challenge(sent.map(|hash| {
        let mut code = code(0);
        code.sent_to.hash = hash.into();
        code
    }));
    replacing.pending = Some(phone("77"));
    replacing.replaces = Some("42".into());
    replacing.old_proven = proven.map(at);
    replacing
}

fn plan_replacing(
    factor: &Factor,
    challenge: Challenge,
    now: u32,
) -> Result<(FactorPhone, Effect, bool), Refusal> {
    let ticket = Ticket { purpose: Purpose::ReplacePhone, ..ticket() };
    let plan = plan_send(&state(ticket, factor, Some(challenge), now), factor, &[])?;
    Ok((plan.target, plan.effect, plan.again.is_some()))
}

#[test]
fn h8_first_the_old_number_gets_a_code_and_then_the_new_one() {
    let old = plan_replacing(&bound(), replacing(None, None), 1);
    assert_eq!(old, Ok((phone("42"), Effect::ProvesOldNumber, false)));
    let again = plan_replacing(&bound(), replacing(None, Some("42")), 60);
    assert_eq!(again, Ok((phone("42"), Effect::ProvesOldNumber, true)));
    let new = plan_replacing(&bound(), replacing(Some(60), None), 61);
    assert_eq!(new, Ok((phone("77"), Effect::Replaces, false)));
    let again = plan_replacing(&bound(), replacing(Some(60), Some("77")), 100);
    assert_eq!(again, Ok((phone("77"), Effect::Replaces, true)));
}

#[test]
fn h8_the_proof_of_the_old_number_is_good_for_five_minutes() {
    assert!(plan_replacing(&bound(), replacing(Some(60), None), 359).is_ok());
    assert_eq!(plan_replacing(&bound(), replacing(Some(60), None), 360), Err(Refusal::StepUpRequired));
    let effect = |now| replacing(Some(60), Some("77")).effect(Purpose::ReplacePhone, at(now));
    assert_eq!((effect(359), effect(360)), (Ok(Effect::Replaces), Err(Refusal::StepUpRequired)));
}

#[test]
fn h8_a_code_proves_the_number_that_it_went_to_and_no_other() {
    let effect = |proven, sent| replacing(proven, Some(sent)).effect(Purpose::ReplacePhone, at(70));
    assert_eq!(effect(None, "42"), Ok(Effect::ProvesOldNumber));
    assert_eq!(effect(None, "77"), Err(Refusal::NoCodeSent), "the new number doesn't prove the old one");
    assert_eq!(effect(Some(60), "77"), Ok(Effect::Replaces));
    assert_eq!(effect(Some(60), "42"), Err(Refusal::NoCodeSent), "the old number never binds the new one");
    let mut elsewhere = challenge(Some(code(0)));
    elsewhere.pending = Some(phone("77"));
    assert_eq!(elsewhere.effect(Purpose::SignIn, at(1)), Err(Refusal::NoCodeSent));
}

#[test]
fn h8_a_number_that_changed_meanwhile_cannot_be_replaced() {
    let other = Factor { phone: Some(phone("99")), ..Factor::default() };
    for proven in [None, Some(60)] {
        for factor in [&other, &Factor::default()] {
            let refused = plan_replacing(factor, replacing(proven, None), 61);
            assert_eq!(refused, Err(Refusal::StepUpRequired));
        }
    }
}

#[test]
fn h8_a_login_that_replaces_never_completes_as_a_sign_in() {
    let mut stripped = challenge(Some(code(0)));
    assert_eq!(stripped.effect(Purpose::SignIn, at(1)), Ok(Effect::Completes));
    assert_eq!(stripped.effect(Purpose::ReplacePhone, at(1)), Err(Refusal::NoCodeSent));
    assert_eq!(plan_replacing(&bound(), challenge(None), 1), Err(Refusal::StepUpRequired));
    stripped.replaces = Some("42".into());
    if let Some(code) = &mut stripped.code {
        code.spent = true;
    }
    assert!(!stripped.is_complete());
    let mut proven = replacing(None, Some("42"));
    if let Some(code) = &mut proven.code {
        code.spent = true;
    }
    assert!(!proven.is_complete(), "the old number's code completes nothing");
}

#[test]
fn h8_a_user_who_has_no_number_by_now_may_still_bind_the_one_asked_for() {
    let mut asked = challenge(None);
    asked.pending = Some(phone("77"));
    let bind = plan_replacing(&Factor::default(), asked.clone(), 1);
    assert_eq!(bind, Ok((phone("77"), Effect::Binds, false)));
    assert_eq!(plan_replacing(&bound(), asked, 1), Err(Refusal::StepUpRequired), "bound meanwhile");
}

#[test]
fn h8_the_hint_is_that_of_the_number_which_gets_the_next_code() {
    let hint = |challenge| {
        let ticket = Ticket { purpose: Purpose::ReplacePhone, ..ticket() };
        state(ticket, &bound(), Some(challenge), 61).phone_hint().map(str::to_owned)
    };
    assert_eq!(hint(replacing(None, None)), Some(phone("42").hint));
    assert_eq!(hint(replacing(Some(60), None)), Some(phone("77").hint));
}

#[test]
fn h6_a_test_number_is_played_only_where_the_code_goes_to_it() {
    let mut listed = TestNumbers::default();
    listed.add("42", Scenario::Expired);
    let ticket = Ticket { test_numbers: listed, ..ticket() };
    let state = |ticket: Ticket| LoginState { ticket, bound_hint: None, challenge: None, now: START };
    let factor = |hash: &str| Factor { phone: Some(phone(hash)), ..Factor::default() };
    let plan = plan_send(&state(ticket.clone()), &factor("42"), &[]).unwrap();
    assert_eq!((plan.test, plan.expires_at), (Some(Scenario::Expired), START));
    let plan = plan_send(&state(ticket), &factor("43"), &[]).unwrap();
    assert_eq!((plan.test, plan.expires_at), (None, at(300)));
}

#[test]
fn f7_a_guess_that_is_not_judged_hears_what_its_user_can_do() {
    let why = |factor: &Factor, challenge, now| why_not_judged(&state(ticket(), factor, challenge, now));
    assert_eq!(why(&Factor::default(), None, 1), Refusal::PhoneRequired);
    let mut asked = challenge(None);
    asked.pending = Some(phone("77"));
    assert_eq!(why(&Factor::default(), Some(asked), 1), Refusal::NoCodeSent);
    assert_eq!(why(&bound(), None, 1), Refusal::NoCodeSent);
    let out = challenge(Some(code(0)));
    assert_eq!(why(&bound(), Some(out.clone()), 299), Refusal::CodeAlreadyUsed);
    assert_eq!(why(&bound(), Some(out.clone()), 300), Refusal::CodeExpired);
    let blocked = Challenge { attempts: 5, ..out.clone() };
    assert_eq!(why(&bound(), Some(blocked), 300), Refusal::TooManyAttempts { retry_at: at(LOGIN_SECONDS) });
    let done = Challenge { completed: Some(at(1)), ..out.clone() };
    assert_eq!(why(&bound(), Some(done), 300), Refusal::LoginComplete);
    assert_eq!(why(&bound(), Some(out), LOGIN_SECONDS), Refusal::LoginExpired);
}

#[path = "challenge_bounds_tests.rs"]
mod bounds;

#[test]
fn h10_a_reason_is_read_as_it_was_written() {
    let names = [
        "limit",
        "sending_disabled",
        "not_counted",
        "not_reached",
        "opted_out",
        "invalid_parameter",
        "not_authorized",
        "rejected",
    ];
    assert_eq!(Undelivered::ALL.map(Undelivered::as_str), names, "what items and clients have");
    assert_eq!(names.map(Undelivered::parse), Undelivered::ALL.map(Some));
    assert_eq!(Undelivered::parse("of a later version"), None);
}
