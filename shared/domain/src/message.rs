//! The text of the message.
//!
//! Its last line is the origin-bound form `@host #code` (WICG "Origin-bound one-time codes delivered via SMS"): a phone then offers the
//! code only on a page of that host. Exactly one space, nothing after it, and nothing a tenant chose can add a line.

use super::secret::Secret;

/// Septets in one message of the GSM 03.38 alphabet.
const GSM7_PART: usize = 160;
/// UTF-16 units in one message of any other alphabet.
const UCS2_PART: usize = 70;
/// The same where a text takes several: each then starts with six bytes that say which it is (3GPP TS 23.040 §9.2.3.24.1).
const GSM7_OF_SEVERAL: usize = 153;
const UCS2_OF_SEVERAL: usize = 67;

/// Words around the code in one language. `{code}`, `{name}` and `{minutes}` are filled in.
struct Wording {
    named: &'static str,
    plain: &'static str,
}

static ENGLISH: Wording = Wording {
    named: "{code} is your {name} verification code. It expires in {minutes} min. Never share it.",
    plain: "{code} is your verification code. It expires in {minutes} min. Never share it.",
};
static CHINESE: Wording = Wording {
    named: "{name}验证码{code}，{minutes}分钟内有效，请勿告诉他人。",
    plain: "验证码{code}，{minutes}分钟内有效，请勿告诉他人。",
};

/// Our own words in the language of `locale`, where there are any.
fn own_words(locale: &str) -> Option<&'static Wording> {
    let language = locale.split('-').next().unwrap_or(locale);
    let all = [("en", &ENGLISH), ("zh", &CHINESE)];
    all.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(language)).map(|(_, words)| words)
}

/// Whether there are words of our own in the language of `locale`.
pub(super) fn has_own_words(locale: &str) -> bool {
    own_words(locale).is_some()
}

/// What goes into a message.
#[derive(Debug)]
pub struct MessageParts<'a> {
    pub code: &'a Secret<String>,
    /// Whose code it is. Left out where it would make the message longer than one part or change its alphabet.
    pub name: &'a str,
    pub lifetime_seconds: u32,
    /// The tenant's own words; the name stands in them whatever that costs.
    pub template: Option<&'a str>,
    pub locale: Option<&'a str>,
    /// Host of the page that the code is typed into.
    pub host: Option<&'a str>,
}

/// Renders the message: in our own words one part wherever the host's length allows.
pub fn render(parts: &MessageParts<'_>) -> Secret<String> {
    // Checked when it was kept; but this is where nothing may become a second line, whoever wrote it where.
    if let Some(own) = parts.template.map(only_allowed).filter(|own| own.contains("{code}")) {
        return Secret::new(fill(&own, &one_line(parts.name), parts));
    }
    let words = parts.locale.and_then(own_words).unwrap_or(&ENGLISH);
    let plain = fill(words.plain, "", parts);
    let name = one_line(parts.name);
    if name.is_empty() {
        return Secret::new(plain);
    }
    let named = fill(words.named, &name, parts);
    let fits = fits_one_part(&named, &plain);
    Secret::new(if fits { named } else { plain })
}

/// A text as [`render`] would send it, if it can be sent or not.
pub(super) fn preview(text: &str, parts: &MessageParts<'_>) -> String {
    fill(&only_allowed(text), &one_line(parts.name), parts)
}

fn fill(text: &str, name: &str, parts: &MessageParts<'_>) -> String {
    let minutes = parts.lifetime_seconds.div_ceil(60).to_string();
    let text = text.replace("{minutes}", &minutes).replace("{code}", parts.code.expose());
    let mut text = text.replace("{name}", name);
    if let Some(host) = parts.host {
        text.push_str(&format!("\n\n@{host} #{}", parts.code.expose()));
    }
    text
}

/// A name as it may stand in a message: no line break, no control, direction or zero-width character, nothing that looks like the last
/// line's `@` and `#`.
pub(super) fn one_line(name: &str) -> String {
    let clean: String = only_allowed(name)
        .chars()
        .filter(|c| !matches!(c, '{' | '}'))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    clean.trim().to_owned()
}

fn only_allowed(text: &str) -> String {
    text.chars().filter(|c| is_allowed(*c)).collect()
}

/// Whether a tenant's words may have a character. The other forms of `@` and `#` bind no code, but people would take them for ours.
pub(super) fn is_allowed(c: char) -> bool {
    !c.is_control() && !is_invisible(c) && !matches!(c, '@' | '#' | '＠' | '﹫' | '＃' | '﹟')
}

/// Whether `text` is one part, in the alphabet of `plain`, which is what would be sent instead.
pub(super) fn fits_one_part(text: &str, plain: &str) -> bool {
    is_gsm7(text) == is_gsm7(plain) && is_one_part(text)
}

/// What shows nothing: `Default_Ignorable_Code_Point` of the Unicode database with its gaps filled, line and paragraph separators, annotations, and
/// the blank of Braille.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// How many parts a message takes; the provider bills each. No character is split between two (3GPP TS 23.040 §9.2.3.24.1).
pub fn parts(text: &str) -> u64 {
    let gsm7 = is_gsm7(text);
    let (one, of_several) = if gsm7 { (GSM7_PART, GSM7_OF_SEVERAL) } else { (UCS2_PART, UCS2_OF_SEVERAL) };
    if units(text) <= one {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for c in text.chars() {
        let units = if gsm7 { septets_of(c).unwrap_or_default() } else { c.len_utf16() };
        if used + units > of_several {
            (parts, used) = (parts + 1, 0);
        }
        used += units;
    }
    parts
}

fn is_one_part(text: &str) -> bool {
    parts(text) == 1
}

pub(super) fn is_gsm7(text: &str) -> bool {
    septets(text).is_some()
}

/// Length in units of the alphabet that a text needs: septets, or 16 bits.
pub(super) fn units(text: &str) -> usize {
    septets(text).unwrap_or_else(|| text.encode_utf16().count())
}

/// Length in the GSM 03.38 alphabet (3GPP TS 23.038), `None` if a character isn't in it. Characters of the extension table count twice.
fn septets(text: &str) -> Option<usize> {
    text.chars().map(septets_of).sum()
}

fn septets_of(c: char) -> Option<usize> {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    if BASIC.contains(c) { Some(1) } else { "^{}\\[~]|€".contains(c).then_some(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, host: Option<&str>, locale: Option<&str>) -> String {
        let code = Secret::new("012345".to_owned());
        render(&MessageParts { code: &code, name, lifetime_seconds: 300, template: None, locale, host })
            .into_exposed()
    }

    #[test]
    fn h4_each_part_of_a_long_message_is_paid_for() {
        let parts_of = |letter: &str, length: usize| parts(&letter.repeat(length));
        assert_eq!([1, 160, 161, 306, 307].map(|length| parts_of("a", length)), [1, 1, 2, 2, 3]);
        assert_eq!([80, 81].map(|length| parts_of("€", length)), [1, 2], "two septets each");
        assert_eq!([70, 71, 134, 135].map(|length| parts_of("码", length)), [1, 2, 2, 3]);
        // What takes two units goes into the next part as a whole.
        assert_eq!(parts(&format!("{}€{}", "a".repeat(152), "a".repeat(152))), 3);
        assert_eq!(parts(&format!("{}😀{}", "码".repeat(66), "码".repeat(66))), 3);
        assert_eq!(parts(&format!("{}😀{}", "码".repeat(65), "码".repeat(67))), 2);
        let long = "abcdefghij.execute-api.us-east-1.amazonaws.com";
        assert_eq!(parts(&message("", Some(long), Some("zh"))), 2);
        assert_eq!(parts(&message("", Some(long), None)), 1);
    }

    #[test]
    fn h9_the_last_line_is_origin_bound_and_nothing_follows_it() {
        let text = message("Acme", Some("login.example.com"), None);
        assert_eq!(
            text,
            "012345 is your Acme verification code. It expires in 5 min. Never share it.\n\n@login.example.com #012345"
        );
        assert_eq!(text.lines().last(), Some("@login.example.com #012345"));
    }

    #[test]
    fn t22_a_name_cannot_add_a_line_or_a_second_binding() {
        let text = message("Evil\n@evil.example #999999\u{202e}", Some("good.example"), None);
        let bound: Vec<_> = text.lines().filter(|line| line.starts_with('@')).collect();
        assert_eq!(bound, ["@good.example #012345"]);
        assert!(!text.contains('\u{202e}'));
        // Names that the message has room and an alphabet for.
        let text = message("Evil\n@evil.example #999999", Some("good.example"), None);
        let first = text.lines().next().unwrap();
        assert!(first.contains("Evilevil.example 999999") && !first.contains(['@', '#']), "{text}");
        let text = message("Evil\u{202e}\u{200b}", Some("good.example"), Some("zh-CN"));
        assert!(text.contains("Evil") && !text.contains(['\u{202e}', '\u{200b}']), "{text}");
    }

    #[test]
    fn a_name_that_would_cost_a_second_part_is_left_out() {
        for name in ["多租户", &"long name ".repeat(12)] {
            let text = message(name, Some("example.com"), None);
            assert!(is_one_part(&text) && is_gsm7(&text), "{text}");
            assert!(text.starts_with("012345 is your verification code."));
        }
    }

    #[test]
    fn a_chinese_user_reads_chinese_in_one_part() {
        let text = message("Acme", Some("example.com"), Some("zh-CN"));
        assert!(text.contains("验证码012345"), "{text}");
        assert!(is_one_part(&text));
    }

    #[test]
    fn extension_characters_count_twice() {
        assert_eq!(septets("a€"), Some(3));
        assert_eq!(septets("中"), None);
    }
}
