use super::*;
use crate::message::render;

fn kinds(text: &str) -> Vec<&'static str> {
    findings_in(text).map(|finding| finding.kind.as_str()).collect()
}

fn sample(host: Option<&'static str>) -> Sample<'static> {
    Sample { name: "Acme", code_length: 6, lifetime_seconds: 300, host }
}

fn locale(text: &str) -> TemplateLocale {
    TemplateLocale::parse(text).unwrap()
}

fn texts(all: &[(&str, &str)]) -> MessageTemplates {
    all.iter().map(|(tag, text)| (locale(tag), MessageTemplate::parse(text).unwrap())).collect()
}

#[test]
fn h9_a_good_text_has_nothing_to_find() {
    for good in [
        "{code} ist Ihr Code für {name}. Er gilt {minutes} min.",
        "Your code: {code}",
        "{code}",
        "验证码{code}，{minutes}分钟内有效。请勿告诉他人。",
        "Votre code est {code}. Il expire dans {minutes} min. N'en parlez à personne.",
        "Codigo: ({code}) - v1.25, 1.5 min",
        "Код: {code}",
        "验证码{code}",
        "您的代码{code}。请勿告诉他人。",
        "인증번호{code}입니다",
        "รหัส{code}",
    ] {
        assert_eq!(kinds(good), Vec::<&str>::new(), "{good}");
        assert!(MessageTemplate::parse(good).is_ok(), "{good}");
    }
    assert_eq!(MessageTemplate::parse("  {code} \n").map(|it| it.0), Ok("{code}".to_owned()));
}

#[test]
fn h9_every_error_is_found_and_where() {
    let long = format!("{{code}} {}", "a".repeat(154));
    for (bad, kind, at) in [
        ("", "code_missing", None),
        ("Your code", "code_missing", None),
        ("{CODE}", "unknown_placeholder", Some(0)),
        ("{code} or {code}", "code_repeated", Some(10)),
        ("x{code}", "code_not_apart", Some(1)),
        ("{code}7", "code_not_apart", Some(0)),
        ("１{code}", "code_not_apart", Some(1)),
        ("{code}٣", "code_not_apart", Some(0)),
        ("é{code}", "code_not_apart", Some(1)),
        ("{code}ж", "code_not_apart", Some(0)),
        ("{minutes}{code}", "code_not_apart", Some(9)),
        ("{code}{name}", "code_not_apart", Some(0)),
        ("{code} {Code}", "unknown_placeholder", Some(7)),
        ("{code} {name} {name}", "unknown_placeholder", Some(14)),
        ("{code} }", "unknown_placeholder", Some(7)),
        ("{{code}}", "unknown_placeholder", Some(0)),
        ("{code}\n@evil.example #1", "character_not_allowed", Some(6)),
        ("{code} #1", "character_not_allowed", Some(7)),
        ("{code} \u{202e}", "character_not_allowed", Some(7)),
        ("{code} a\u{200b}b", "character_not_allowed", Some(8)),
        ("{code} \u{e0041}", "character_not_allowed", Some(7)),
        ("{code} \u{2028}b", "character_not_allowed", Some(7)),
        ("{code}\u{34f}7", "character_not_allowed", Some(6)),
        ("{code} evil\u{fe0f}.com", "character_not_allowed", Some(11)),
        ("{code} \u{e0101}", "character_not_allowed", Some(7)),
        ("{code} \u{3164}", "character_not_allowed", Some(7)),
        ("{code} ＠b ＃1", "character_not_allowed", Some(7)),
        ("{code} at evil.example", "link", Some(10)),
        ("{code} http://a/b", "link", Some(7)),
        ("{code} www.evil", "link", Some(7)),
        ("{code} 例子.中国", "link", Some(7)),
        ("{code} at {name}.com", "link", Some(10)),
        ("{code} bit．ly/x", "link", Some(7)),
        ("{code} evil。com", "link", Some(7)),
        ("{code} evil｡com", "link", Some(7)),
        ("{code} evil․com", "link", Some(7)),
        ("{code} i❤.ws", "link", Some(7)),
        ("{code} cafe\u{301}.com", "link", Some(7)),
        ("{code} at 203.0.113.7/login", "link", Some(10)),
        ("evil.{name} {code}", "link", Some(0)),
        ("Valid 5 min.Never share {code}", "link", Some(8)),
        (long.as_str(), "too_long", Some(160)),
    ] {
        let wrong: Vec<_> = findings_in(bad).collect();
        let found = wrong.iter().find(|finding| finding.kind.as_str() == kind);
        assert_eq!(found.map(|finding| finding.at), Some(at), "{bad}: {wrong:?}");
        let Err(Refusal::InvalidTemplate(errors)) = MessageTemplate::parse(bad) else { panic!("{bad}") };
        assert!(errors.iter().all(|finding| finding.kind.is_error()), "{bad}");
    }
    assert!(MessageTemplate::parse(&long[..160]).is_ok());
}

#[test]
fn h9_what_costs_more_than_it_has_to_is_said_and_not_refused() {
    for (text, warning, at) in [
        ("Here’s your code: {code}", "other_alphabet", Some(4)),
        ("{code} – call 1800", "other_number", Some(14)),
    ] {
        let found: Vec<_> = findings_in(text).map(|finding| (finding.kind.as_str(), finding.at)).collect();
        assert!(found.contains(&(warning, at)), "{found:?}");
        assert!(MessageTemplate::parse(text).is_ok());
    }
    let report = lint(&format!("{{code}} {}", "a".repeat(120)), &sample(Some("login.example.com")));
    assert_eq!(report.segments, 1);
    let report = lint(&format!("{{code}} {}", "a".repeat(150)), &sample(Some("login.example.com")));
    assert_eq!((report.segments, report.gsm7), (2, true));
    assert_eq!(report.findings, [Finding { kind: FindingKind::SeveralSegments, at: None }]);
    assert!(report.is_accepted());
}

#[test]
fn h9_a_report_shows_the_message_as_it_is_sent() {
    let report = lint(" {name}: {code} ({minutes} min) ", &sample(Some("login.example.com")));
    assert_eq!(report.example, "Acme: 000000 (5 min)\n\n@login.example.com #000000");
    assert_eq!((report.gsm7, report.length, report.segments), (true, report.example.len(), 1));
    let report = lint("Ihr {cod", &sample(None));
    assert_eq!((report.example.as_str(), report.is_accepted()), ("Ihr {cod", false), "nobody else's words");
    let report = lint("您的代码 {code}", &Sample { code_length: 8, host: None, ..sample(None) });
    assert_eq!(report.example, "您的代码 00000000");
    assert_eq!((report.gsm7, report.length), (false, 13));
}

#[test]
fn h9_a_name_that_makes_a_message_dearer_is_told() {
    let name = Sample { name: "Łódź Bank", ..sample(Some("login.example.com")) };
    let found = |text: &str| {
        let report = lint(text, &name);
        let findings: Vec<_> = report.findings.iter().map(|it| (it.kind.as_str(), it.at)).collect();
        (findings, report.segments)
    };
    let text = "{code} is your {name} code. It expires in {minutes} min. Never share it.";
    assert_eq!(found(text), (vec![("name_alphabet", Some(15)), ("several_segments", None)], 2));
    assert_eq!(found("{code} is your code."), (Vec::new(), 1));
    assert_eq!(found("您的{name}代码 {code}"), (Vec::new(), 1));
}

#[test]
fn h9_however_long_a_text_is_its_report_is_short() {
    for piece in ["}", "{name}", "{code} ", "\u{202e}", "a.bc "] {
        let report = lint(&piece.repeat(20_000), &Sample { name: &"Ł".repeat(100), ..sample(None) });
        assert!(report.findings.len() <= 5, "{piece}: {:?}", report.findings);
        assert!(report.findings.contains(&Finding { kind: FindingKind::TooLong, at: Some(MAX_LENGTH) }));
        assert!(report.example.len() < 10_000, "{piece}: {} bytes", report.example.len());
    }
    let cut = format!("{}{{code}}", "a".repeat(158));
    assert_eq!(kinds(&cut), ["too_long"], "what is cut is not called wrong");
}

#[test]
fn t22_whatever_was_kept_the_message_has_one_binding_in_its_last_line() {
    for kept in [
        "{code}\n\n@evil.example #{code}",
        "{code}\u{2028}@evil.example #999999",
        "{code}\r@evil.example #{name}",
        "no code at all",
        "{name} {code} {name}",
    ] {
        let code = Secret::new("012345".to_owned());
        let text = render(&MessageParts {
            code: &code,
            name: "Evil {code}\n@evil.example #1",
            lifetime_seconds: 300,
            template: Some(kept),
            locale: None,
            host: Some("good.example"),
        })
        .into_exposed();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1..], ["", "@good.example #012345"], "{text}");
        assert!(lines[0].contains("012345") && !lines[0].contains(['@', '#', '\u{2028}', '\r']), "{text}");
    }
}

#[test]
fn h9_a_user_reads_the_nearest_words_there_are() {
    let all = texts(&[
        ("default", "D {code}"),
        ("de", "de {code}"),
        ("de-CH", "CH {code}"),
        ("zh-Hant", "Hant {code}"),
        ("pt-BR", "BR {code}"),
    ]);
    let words = |locale| all.for_user(locale).map_or("ours", |it| it.as_str().trim_end_matches(" {code}"));
    for (user, reads) in [
        (Some("de"), "de"),
        (Some("de-ch"), "CH"),
        (Some("de-AT"), "de"),
        (Some("de-CH-1996"), "CH"),
        (Some("zh-hant-tw"), "Hant"),
        (Some("zh-CN"), "ours"),
        (Some("en-GB"), "ours"),
        (Some("pt-PT"), "D"),
        (Some("fr"), "D"),
        (None, "D"),
    ] {
        assert_eq!(words(user), reads, "{user:?}");
    }
    assert_eq!(MessageTemplates::default().for_user(Some("fr")), None);
    let english = texts(&[("en", "en {code}"), ("de", "de {code}")]);
    for user in [None, Some("fr"), Some("en-GB")] {
        let found = english.for_user(user).map(MessageTemplate::as_str);
        assert_eq!(found, Some("en {code}"), "{user:?} would read English");
    }
}

#[test]
fn h9_a_language_has_one_name_however_it_is_written() {
    for (written, kept) in
        [("de-ch", "de-CH"), ("DE-CH", "de-CH"), ("zh-HANS-cn", "zh-Hans-CN"), ("de-1996", "de-1996")]
    {
        assert_eq!(locale(written).as_str(), kept);
    }
    assert_eq!(locale("default").as_str(), "default");
    for bad in ["", "Default", "d", "de_CH", "de-", "de/CH", "дe", "defaults"] {
        assert!(TemplateLocale::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn h9_a_tenant_has_words_for_twenty_languages() {
    let mut all = MessageTemplates::default();
    let text = || MessageTemplate::parse("{code}").unwrap();
    for index in 0..MAX_TEMPLATES {
        let tag = format!("de-{index:02}x");
        all.set(locale(&tag), text()).unwrap();
    }
    assert!(matches!(all.set(locale("fr"), text()), Err(Refusal::NotPossible(_))));
    assert_eq!(all.set(locale("de-00x"), text()), Ok(()), "one that is there can be changed");
    assert!(all.remove(&locale("de-00x")) && !all.remove(&locale("de-00x")));
    assert_eq!(all.set(locale("fr"), text()), Ok(()));
}

#[test]
fn every_finding_has_a_name_of_its_own() {
    let mut names: Vec<_> = FindingKind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FindingKind::ALL.len());
    assert!(FindingKind::ALL.iter().all(|kind| !kind.detail().is_empty()));
}
