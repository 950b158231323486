//! Texts that strangers and administrators write: numbers, names, addresses, credentials.

use super::sealed::edited;
use http::HeaderValue;
use shared::auth::credential::{Credential, Holder};
use shared::domain::ids::{ApplicationId, DeviceId, KeyId, QrLoginId, SessionId, TenantId};
use shared::domain::message::{MessageParts, render};
use shared::domain::message_template::{MAX_LENGTH, MessageTemplate, Sample, lint};
use shared::domain::phone::{self, PhoneNumber};
use shared::domain::secret::Secret;
use shared::domain::{name, web};

fn utf8(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// `DE|0151 …` is read in a country, anything else as it is. However a number is written, what is kept is one E.164 number.
pub fn number(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    let number = match text.split_once('|') {
        Some((country, rest)) => PhoneNumber::parse_in(country, rest),
        None => PhoneNumber::parse(text),
    };
    let Ok(number) = number else { return };
    let e164 = number.e164();
    let digits = e164.strip_prefix('+').expect("it starts with a plus");
    assert!((4..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()), "{e164}");
    assert_eq!(PhoneNumber::parse(e164).as_ref(), Ok(&number), "its own form is another number");
    assert!(e164.starts_with(number.range()) && number.range().len() + 4 == e164.len());
    assert!(number.country() == "001" || phone::is_country(number.country()), "{}", number.country());
    let shown = number.hint();
    let shown_last = shown.rsplit('•').next().expect("a piece");
    assert_eq!(shown_last, &e164[e164.len() - 2..], "{shown}");
    let code: String = shown.chars().take_while(|c| *c != ' ').collect();
    assert!(e164.starts_with(&code) && (2..=4).contains(&code.len()), "{shown}");
}

/// Lines: name, host, locale, code. Nobody's name adds a line, a host or a second code.
pub fn message(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default();
    // A name of a tenant from before a rule, or of another service, may be anything.
    let (written, host, locale) = (next(), web::host_name(next()).ok(), next());
    let code: String = next().bytes().filter(u8::is_ascii_digit).take(10).map(char::from).collect();
    if code.len() < 6 {
        return;
    }
    if let Ok(kept) = name::parse(written) {
        assert!(!kept.is_empty() && !kept.contains(['\n', '\r', '\u{202e}']), "{kept:?}");
        assert_eq!(name::parse(&kept).as_deref(), Ok(kept.as_str()));
    }
    let code = Secret::new(code);
    let parts = |name, host| MessageParts {
        code: &code,
        name,
        lifetime_seconds: 300,
        template: None,
        locale: Some(locale),
        host,
    };
    let with_name = render(&parts(written, host.as_deref()));
    let body = with_name.expose();
    let nameless = render(&parts("", host.as_deref()));
    let sentence = match &host {
        Some(host) => {
            let end = format!("\n\n@{host} #{}", code.expose());
            body.strip_suffix(end.as_str()).expect("the last line binds the code to its page")
        }
        None => body.as_str(),
    };
    assert!(!sentence.contains(['\n', '\r', '@', '#', '{', '}']), "{sentence:?}");
    assert!(sentence.contains(code.expose().as_str()), "{sentence:?}");
    let plain = nameless.expose();
    // A name is left out rather than make the message dearer.
    if body != plain {
        assert!(units(body) <= 160, "{body:?}");
    }
}

/// A text, and on the next line a tenant's name. What is kept is one line with the code in it, and stays what it is; what is not kept does not
/// become a second line either.
pub fn template(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    let (words, name) = text.split_once("\n--\n").unwrap_or((text, "Acme"));
    let code = Secret::new("735291".to_owned());
    let rendered = |words| {
        let parts = MessageParts {
            code: &code,
            name,
            lifetime_seconds: 300,
            template: Some(words),
            locale: None,
            host: Some("login.example.com"),
        };
        render(&parts).into_exposed()
    };
    let sentence = |body: &str| {
        let line =
            body.strip_suffix("\n\n@login.example.com #735291").expect("the last line is ours").to_owned();
        assert!(!line.contains(['\n', '\r', '\u{2028}', '\u{202e}', '@', '#']), "{line:?}");
        assert!(line.contains("735291"), "{line:?}");
        line
    };
    sentence(&rendered(words));
    let sample = Sample { name, code_length: 6, lifetime_seconds: 300, host: Some("login.example.com") };
    let report = lint(words, &sample);
    let length = words.trim().chars().count();
    assert!(report.findings.iter().all(|it| it.at.is_none_or(|at| at < length)), "{:?}", report.findings);
    let Ok(kept) = MessageTemplate::parse(words) else {
        assert!(!report.is_accepted());
        return;
    };
    assert!(report.is_accepted() && length <= MAX_LENGTH);
    assert_eq!(MessageTemplate::parse(kept.as_str()).as_ref(), Ok(&kept));
    let line = sentence(&rendered(kept.as_str()));
    assert!(!kept.as_str().contains("://") && !line.contains(['{', '}']), "{line:?}");
    let alone =
        line.split("735291").map(|side| (side.chars().next(), side.chars().last())).collect::<Vec<_>>();
    if let [(_, before), (after, _)] = alone[..] {
        assert!([before, after].into_iter().flatten().all(|c| !c.is_ascii_alphanumeric()), "{line:?}");
    }
}

/// An upper bound of what a part holds of one alphabet or the other.
fn units(body: &str) -> usize {
    body.encode_utf16().count()
}

/// Addresses that an administrator gives. What passes needs no mending later, and can stand in a header.
pub fn address(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    if let Ok(origin) = web::origin(text) {
        assert_eq!(web::origin(&origin).as_ref(), Ok(&origin));
        assert!(origin.matches('/').count() == 2 && !origin.contains(['@', '?', '#', '*']), "{origin}");
        assert_eq!(web::origin_of(&origin).as_ref(), Some(&origin));
        in_a_header(&origin);
    }
    if let Ok(redirect) = web::redirect_uri(text) {
        assert_eq!(redirect, text, "kept as written");
        assert!(!redirect.contains(['#', '\\', ' ']), "{redirect}");
        let (scheme, _) = redirect.split_once(':').expect("it is absolute");
        assert!(!["javascript", "data", "vbscript", "file", "blob", "about"].contains(&scheme), "{redirect}");
        assert!(
            scheme == "https" || scheme.contains('.') || web::origin_of(&redirect).is_some(),
            "{redirect}"
        );
        in_a_header(&redirect);
    }
    for kept in [web::issuer(text), web::jwks_uri(text), web::logo_url(text)].into_iter().flatten() {
        assert_eq!(kept, text, "kept as written");
        let origin = web::origin_of(&kept).expect("it has one");
        assert!(origin.starts_with("https://") || origin.starts_with("http://"), "{origin}");
        assert!(!origin.contains('@'), "{origin}");
        in_a_header(&kept);
    }
    if let Ok(host) = web::host_name(text) {
        assert_eq!(web::host_name(&host).as_ref(), Ok(&host));
        assert!(
            host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b)),
            "{host}"
        );
    }
}

fn in_a_header(text: &str) {
    assert!(HeaderValue::from_str(text).is_ok(), "{text:?}");
}

/// `=` in front takes the data as a text; else its first byte picks a holder whose credential is changed as the rest says. What is read as a
/// credential is spelled in one way only.
pub fn credential(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let written = match first {
        b'=' => utf8(rest).map(str::to_owned),
        number => edited(Credential::generate(holder(*number), |buffer| buffer.fill(7)).text.expose(), rest),
    };
    let Some(text) = written else { return };
    let Some(credential) = Credential::parse(&text) else { return };
    assert_eq!(credential.text.expose(), &text);
    let of_holder = Credential::generate(credential.holder, |buffer| buffer.fill(7));
    let head = |text: &str| text.rsplit_once('_').map(|(head, _)| head.to_owned());
    assert_eq!(head(of_holder.text.expose()), head(&text), "one holder, one spelling");
}

fn holder(number: u8) -> Holder {
    match number % 6 {
        0 => Holder::Operator,
        1 => Holder::Administrator { tenant: tenant_id(), key: key_id() },
        2 => Holder::Application {
            application: ApplicationId::generate(&tenant_id(), |b| b.fill(2)),
            key: key_id(),
        },
        3 => Holder::Console {
            tenant: tenant_id(),
            key: key_id(),
            session: SessionId::generate(|buffer| buffer.fill(3)),
        },
        4 => Holder::Device { device: DeviceId::generate(|buffer| buffer.fill(4)) },
        _ => Holder::QrLogin { qr: QrLoginId::generate(&tenant_id(), |b| b.fill(5)) },
    }
}

fn tenant_id() -> TenantId {
    TenantId::generate(|buffer| buffer.fill(1))
}

fn key_id() -> KeyId {
    KeyId::generate(|buffer| buffer.fill(6))
}
