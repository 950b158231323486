use super::*;
use crate::domain::branding::{Accent, Color};
use crate::domain::time::Timestamp;
use crate::pages::view::*;
use crate::pages::{CODE_SENT, Drawing, Language};

const NOW: Timestamp = Timestamp::from_secs(1_795_521_600);
const BASE: &str = "/t/ten_0000000000aa/login/abcDEF123456";

fn frame(language: Language) -> Frame<'static> {
    Frame {
        language,
        tenant: "Northwind",
        application: "Orders",
        logo_url: None,
        accent: None,
        nonce: "n0nce",
        base: BASE,
        csrf: "c5rf",
        now: NOW,
    }
}

fn languages() -> impl Iterator<Item = Language> {
    Language::all()
}

fn english() -> Language {
    Language::parse("en").unwrap()
}

fn countries(codes: &[&str]) -> BindPhone {
    let codes: Vec<String> = codes.iter().map(|code| code.to_string()).collect();
    BindPhone::new(english(), &codes, Some("US"), false)
}

fn entering() -> EnterCode {
    EnterCode {
        hint: "+1 ••• ••• ••42".into(),
        length: 6,
        attempts_left: 5,
        sends_left: 4,
        code: Some(CodeOut { expires_at: NOW.plus_secs(300).millis(), accepted: true }),
        resend_at: Some(NOW.plus_secs(30).millis()),
        send_key: "again-1".into(),
        trust_days: Some(30),
        recovery: true,
        may_change: true,
        login_expires_at: NOW.plus_secs(590).millis(),
    }
}

fn panel() -> QrPanel {
    let url = "https://login.example.com/t/ten_0000000000aa/scan?qr=qr_0000000000aa0000000000000000000000";
    QrPanel { code: Drawing::of(url).unwrap(), url: url.into(), expires_at: NOW.plus_secs(119).millis() }
}

fn scan(state: ScanState) -> Scan {
    Scan {
        state,
        action: "/t/ten_0000000000aa/scan".into(),
        qr: "qr_0000000000aa0000000000000000000000".into(),
        asked_by: AskedBy {
            address: Some("2001:db8::7".into()),
            browser: Some("Firefox"),
            system: Some("Linux"),
            seconds: 12,
        },
        expires_at: NOW.plus_secs(100).millis(),
    }
}

/// Every step in every state that looks otherwise.
fn steps() -> Vec<(&'static str, Step)> {
    let stop = |reason, again| Step::Stop(Stop { reason, again });
    let all: Vec<String> = ["AC", "AD", "CA", "CN", "DE", "FR", "GB", "US", "ZW"].map(str::to_owned).to_vec();
    let old = CodeOut { expires_at: NOW.millis(), accepted: false };
    let claim = |name: &str, value: &str| Claim { name: name.into(), value: value.into() };
    vec![
        ("sign-in", Step::SignIn(SignIn::default())),
        ("sign-in-hint", Step::SignIn(SignIn { account: "ann@example.com".into(), qr: None })),
        ("sign-in-qr", Step::SignIn(SignIn { account: String::new(), qr: Some(panel()) })),
        ("phone-one", Step::BindPhone(countries(&["US"]))),
        ("phone-many", Step::BindPhone(BindPhone::new(english(), &all, Some("GB"), true))),
        ("phone-none", Step::BindPhone(countries(&[]))),
        ("code", Step::EnterCode(entering())),
        ("code-unsent", Step::EnterCode(EnterCode { code: None, resend_at: None, ..entering() })),
        (
            "code-over",
            Step::EnterCode(EnterCode {
                code: Some(old),
                resend_at: None,
                sends_left: 0,
                attempts_left: 1,
                trust_days: None,
                recovery: false,
                may_change: false,
                ..entering()
            }),
        ),
        (
            "recovery-codes",
            Step::RecoveryCodes(RecoveryCodes {
                codes: (0..10).map(|i| format!("{i}fk3-9x2m-0qwe-r7ty-8zpa-s5df")).collect(),
            }),
        ),
        ("administrator", stop(StopReason::Administrator, true)),
        ("blocked", stop(StopReason::Blocked, true)),
        ("expired", stop(StopReason::Expired, true)),
        ("complete", stop(StopReason::Complete, true)),
        ("error", stop(StopReason::Error, false)),
        ("scan-ask", Step::Scan(scan(ScanState::Ask))),
        ("scan-approved", Step::Scan(scan(ScanState::Approved))),
        ("scan-rejected", Step::Scan(scan(ScanState::Rejected))),
        (
            "experience",
            Step::Experience(Experience {
                claims: vec![
                    claim("iss", "https://login.example.com/t/ten_0000000000aa"),
                    claim("sub", "usr_Vd7kTnB2QfXw3LzR9mHy5C"),
                    claim("amr", "pwd sms mfa"),
                    claim("acr", "aal2"),
                    claim("auth_time", "2026-11-24T12:00:00.000Z"),
                ],
                acr: "aal2".into(),
                again: "/t/ten_0000000000aa/experience/app_1".into(),
            }),
        ),
    ]
}

#[test]
fn every_step_is_a_page_in_every_language() {
    for language in languages() {
        for (name, step) in steps() {
            let html = render(&frame(language), &step, None).unwrap();
            assert!(html.starts_with("<!doctype html>"), "{name}: {}", &html[..40]);
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", language.tag())));
            assert_eq!(html.matches("<h1 ").count(), 1, "{name}");
            assert!(!html.contains("{{") && !html.contains("}}") && !html.contains("{%"), "{name}");
            let posts = html.matches("method=\"post\"").count();
            assert_eq!(html.matches("name=\"csrf\" value=\"c5rf\"").count(), posts, "{name}");
            // The policy of the pages allows no script or style in them.
            for inline in [" style=", " onclick=", "<style", "javascript:"] {
                assert!(!html.contains(inline), "{name}: {inline}");
            }
            assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/assets/login-").count());
        }
    }
}

#[test]
fn every_refusal_can_stand_on_every_page() {
    for language in languages() {
        // Where a login has come to its end, that is what the page says.
        let ended = |step: &Step| matches!(step, Step::Stop(stop) if stop.reason != StopReason::Error);
        for (name, step) in steps().into_iter().filter(|(_, step)| !ended(step)) {
            for code in [
                "wrong_code",
                "first_factor_failed",
                "invalid_phone",
                "wrong_recovery_code",
                "odd",
                CODE_SENT,
            ] {
                let said = Said { code, ..Said::default() };
                let html = render(&frame(language), &step, Some(&said)).unwrap();
                let alert = if code == CODE_SENT { "role=\"status\"" } else { "role=\"alert\"" };
                let (says, _) = language.refusal(code).or(language.refusal("unavailable")).unwrap();
                let says = if code == CODE_SENT { language.text("code.resent").unwrap() } else { says };
                assert!(html.contains(alert) && html.contains(says), "{name} {code}");
            }
        }
    }
}

#[test]
fn f7_a_refusal_says_when_and_marks_its_field() {
    let step = Step::EnterCode(entering());
    let rule = Some("phone_wait");
    let said = Said { code: "rate_limited", rule, retry_at: Some(NOW.plus_secs(119)) };
    let html = render(&frame(english()), &step, Some(&said)).unwrap();
    assert!(html.contains("Try again in 2 minutes."), "{html}");
    let said = Said { code: "wrong_code", ..Said::default() };
    let html = render(&frame(english()), &step, Some(&said)).unwrap();
    let field = html.split("<input").find(|field| field.contains("id=\"code\"")).unwrap();
    assert!(field.contains("aria-invalid=\"true\" aria-describedby=\"notice code-state\""), "{field}");
    assert!(html.contains("5 attempts left"));
}

#[test]
fn t25_hostile_names_are_text() {
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ csrf }} {% raw %}";
    for language in languages() {
        let hostile_frame = Frame { tenant: hostile, application: hostile, ..frame(language) };
        for (name, mut step) in steps() {
            match &mut step {
                Step::SignIn(step) => step.account = hostile.into(),
                Step::EnterCode(step) => {
                    step.hint = hostile.into();
                    step.send_key = hostile.into();
                }
                Step::RecoveryCodes(step) => step.codes = vec![hostile.into()],
                Step::Experience(step) => {
                    step.claims = vec![Claim { name: hostile.into(), value: hostile.into() }];
                }
                Step::Scan(step) => step.asked_by.address = Some(hostile.into()),
                Step::BindPhone(_) | Step::Stop(_) => {}
            }
            let html = render(&hostile_frame, &step, None).unwrap();
            assert!(!html.contains("<script>") && !html.contains("<img"), "{name}");
            assert!(html.contains("&lt;script&gt;"), "{name}");
            // No text leaves its attribute.
            assert!(!html.contains("\"'>"), "{name}");
        }
    }
}

#[test]
fn a_tenants_colour_is_worn_as_it_can_be_read() {
    let step = Step::SignIn(SignIn::default());
    let accent = Color::parse("#aa3300").map(Accent::of);
    let html = render(&Frame { accent, ..frame(english()) }, &step, None).unwrap();
    assert!(
        html.contains("<style nonce=\"n0nce\">:root{--accent:#aa3300;--on-accent:#ffffff}@media"),
        "{html}"
    );
    assert!(!render(&frame(english()), &step, None).unwrap().contains("<style"));
}

#[test]
fn a_step_is_small() {
    let everywhere: Vec<String> =
        ('A'..='Z').flat_map(|a| ('A'..='Z').map(move |b| format!("{a}{b}"))).collect();
    let assets = assets::style().content.len() + assets::script().content.len();
    for language in languages() {
        let all = BindPhone::new(language, &everywhere, None, false);
        assert_eq!(all.countries.len(), 245);
        let largest = render(&frame(language), &Step::BindPhone(all), None).unwrap().len();
        assert!(largest + assets < 60_000, "{largest} and {assets}");
    }
}

#[test]
fn the_first_country_is_chosen_where_the_preferred_one_is_not_allowed() {
    let chosen = |codes: &[&str]| {
        countries(codes).countries.into_iter().find(|country| country.selected).map(|country| country.code)
    };
    assert_eq!(chosen(&["DE", "US"]).as_deref(), Some("US"));
    assert_eq!(chosen(&["GB", "FR"]).as_deref(), Some("FR"));
    assert_eq!(chosen(&[]), None);
}

#[test]
fn clocks_and_durations_are_rounded_up() {
    let of = |seconds| duration(english(), seconds);
    assert_eq!(
        [of(1), of(99), of(100), of(3600), of(6000), of(86_400)],
        ["1 second", "99 seconds", "2 minutes", "60 minutes", "2 hours", "24 hours"]
    );
    assert_eq!(
        [clock(61_000, 0), clock(59_001, 0), clock(-5, 0), clock(600_000, 1)],
        ["1:01", "1:00", "0:00", "10:00"]
    );
}
