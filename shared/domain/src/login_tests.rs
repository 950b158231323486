use super::*;
use crate::application::tests::application;
use crate::branding::Branding;
use crate::challenge::{Delivery, SentCode, SentTo};
use crate::factor::FactorPhone;
use crate::message_template::{MessageTemplate, MessageTemplates, TemplateLocale};
use crate::settings::TenantSecurity;

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn tenant() -> Tenant {
    let words = |tag: &str, text: &str| {
        let template = MessageTemplate::parse(text).expect("words");
        (TemplateLocale::parse(tag).expect("a language"), template)
    };
    Tenant {
        id: application().id.tenant(),
        name: "Acme".into(),
        home_country: "DE".into(),
        created_at: START,
        production: false,
        branding: Branding::default(),
        message_templates: MessageTemplates::from_iter([words("de", "{code} ist der Code.")]),
        security: TenantSecurity::for_home_country("DE"),
        version: 1,
    }
}

fn ticket(locale: Option<&str>) -> Ticket {
    Ticket::new(LoginStart {
        login: LoginId::generate(|b| b.fill(1)),
        tenant: &tenant(),
        application: &application(),
        user: UserId::generate(|b| b.fill(2)),
        source: None,
        purpose: Purpose::SignIn,
        first: FirstFactor::Password,
        sees_client: true,
        bound_hint: None,
        locale: locale.map(str::to_owned),
        own_host: Some("login.example"),
        test_numbers: TestNumbers::default(),
        now: START,
    })
}

fn number(hint: &str) -> FactorPhone {
    FactorPhone {
        sealed: "sealed".into(),
        hash: hint.into(),
        hint: hint.into(),
        country: "US".into(),
        since: START,
    }
}

fn challenge() -> Challenge {
    let sent_to = SentTo { hash: "s".into(), hint: "sent".into(), since: START, test: None, country: None };
    Challenge {
        login: LoginId::generate(|b| b.fill(1)),
        started_at: START,
        pending: None,
        replaces: None,
        old_proven: None,
        phone_changes: 0,
        code: Some(SentCode {
            pepper: "p".into(),
            mac: [7; 32],
            nonce: [8; 16],
            sent_to,
            first_sent_at: START,
            sent_at: START,
            expires_at: START.plus_secs(300),
            resend_at: START.plus_secs(30),
            delivery: Delivery::Accepted,
            undelivered: None,
            failures_before: 0,
            spent: false,
        }),
        attempts: 2,
        max_attempts: 5,
        sends: 1,
        idempotency: Vec::new(),
        completed: None,
    }
}

fn state(challenge: Option<Challenge>) -> LoginState {
    LoginState { challenge, ..LoginState::started(ticket(None)) }
}

#[test]
fn h11_the_tokens_say_what_this_service_saw_itself() {
    use FirstFactor::{Assertion, IdToken, Password, Qr};
    use SecondFactor::{RecoveryCode, Sms, TrustedDevice};
    let says = |first, second| {
        let proof = Proof { first, second };
        (proof.amr(), proof.acr())
    };
    assert_eq!(says(Password, Some(Sms)), (&["pwd", "sms", "mfa"][..], "aal2"));
    assert_eq!(says(Password, Some(RecoveryCode)), (&["pwd", "mfa"][..], "aal2"));
    assert_eq!(says(Password, Some(TrustedDevice)), (&["pwd"][..], "aal1"));
    assert_eq!(says(Password, None), (&["pwd"][..], "aal1"));
    assert_eq!(says(Qr, Some(Sms)), (&["qr", "sms"][..], "aal2"));
    assert_eq!(says(Qr, Some(RecoveryCode)), (&["qr"][..], "aal2"));
    assert_eq!(says(Qr, Some(TrustedDevice)), (&["qr"][..], "aal1"));
    assert_eq!(says(Qr, None), (&["qr"][..], "aal1"));
    for first in [Assertion, IdToken] {
        assert_eq!(says(first, Some(Sms)), (&["sms"][..], "aal2"));
        assert_eq!(says(first, Some(RecoveryCode)), (&[][..], "aal2"));
        assert_eq!(says(first, Some(TrustedDevice)), (&[][..], "aal1"));
        assert_eq!(says(first, None), (&[][..], "aal1"));
    }
}

#[test]
fn each_thing_has_one_name_and_is_read_back_by_it() {
    let purposes = [Purpose::SignIn, Purpose::ReplacePhone];
    assert_eq!(purposes.map(Purpose::as_str), ["sign_in", "replace_phone"]);
    assert_eq!(purposes.map(|it| Purpose::parse(it.as_str())), purposes.map(Some));
    let first = FirstFactor::ALL;
    assert_eq!(first.map(FirstFactor::as_str), ["password", "access_token", "assertion", "id_token", "qr"]);
    assert_eq!(first.map(|it| FirstFactor::parse(it.as_str())), first.map(Some));
    let second = SecondFactor::ALL;
    assert_eq!(second.map(SecondFactor::as_str), ["sms", "recovery_code", "trusted_device"]);
    assert_eq!(second.map(|it| SecondFactor::parse(it.as_str())), second.map(Some));
    for other in ["", "Sms", "sign-in"] {
        assert!(Purpose::parse(other).is_none() && FirstFactor::parse(other).is_none(), "{other}");
        assert!(SecondFactor::parse(other).is_none(), "{other}");
    }
    use Status::{BindPhone, Blocked, Complete, ContactAdministrator, EnterCode, Expired};
    assert_eq!(
        [BindPhone, ContactAdministrator, EnterCode, Complete, Expired, Blocked].map(Status::as_str),
        ["bind_phone", "contact_administrator", "enter_code", "complete", "expired", "blocked"]
    );
}

#[test]
fn a_login_takes_nothing_from_its_end_on() {
    let ticket = ticket(None);
    let end = START.plus_secs(LOGIN_SECONDS);
    assert!(!ticket.is_over(START) && !ticket.is_over(Timestamp::from_millis(end.millis() - 1)));
    assert!(ticket.is_over(end) && ticket.is_over(end.plus_secs(1)));
    let at = |now| LoginState { now, ..state(None) }.open();
    assert_eq!((at(START), at(end)), (Ok(()), Err(Refusal::LoginExpired)));
    let blocked = state(Some(Challenge { attempts: 5, ..challenge() }));
    assert_eq!(blocked.open(), Err(Refusal::TooManyAttempts { retry_at: end }));
    let complete = state(Some(Challenge { completed: Some(START), ..challenge() }));
    assert_eq!(complete.open(), Err(Refusal::LoginComplete));
}

#[test]
fn a_login_says_what_it_has_left() {
    let before = state(None);
    assert_eq!((before.attempts_left(), before.sends_left()), (5, 5));
    let after = state(Some(challenge()));
    assert_eq!((after.attempts_left(), after.sends_left()), (3, 4));
    // Another login's policy may have allowed more.
    let over = state(Some(Challenge { attempts: 9, sends: 9, ..challenge() }));
    assert_eq!((over.attempts_left(), over.sends_left()), (0, 0));
}

#[test]
fn the_number_shown_is_the_one_that_the_code_goes_to() {
    assert_eq!(state(None).phone_hint(), None);
    let sent = challenge();
    assert_eq!(state(Some(sent.clone())).phone_hint(), Some("sent"));
    let asked = Challenge { pending: Some(number("new")), ..sent };
    assert_eq!(state(Some(asked.clone())).phone_hint(), Some("new"));
    let bound = |challenge| {
        let state = LoginState { bound_hint: Some("old".into()), ..state(Some(challenge)) };
        state.phone_hint().map(str::to_owned)
    };
    assert_eq!(bound(asked.clone()).as_deref(), Some("old"));
    // A replacement's codes go to the old number first, and to the new one once that is proven.
    let replaces = Challenge { replaces: Some("old".into()), ..asked.clone() };
    assert_eq!(bound(replaces.clone()).as_deref(), Some("old"));
    assert_eq!(bound(Challenge { old_proven: Some(START), ..replaces }).as_deref(), Some("new"));
    assert_eq!(bound(Challenge { old_proven: Some(START), ..asked }).as_deref(), Some("old"));
}

#[test]
fn h9_a_login_has_its_tenants_words_in_its_users_language() {
    assert_eq!(ticket(Some("de-AT")).template.as_deref(), Some("{code} ist der Code."));
    assert_eq!(ticket(Some("en")).template, None);
    assert_eq!(ticket(Some("fr")).template, None);
    assert_eq!(ticket(None).template, None);
}
