//! A tenant's own words around the code, one text for each language (acceptance H9), and what can be wrong with them.
//!
//! The text is the message's first line. What a phone reads by machine, the last line, stays ours: a text admits no line feed and neither `@`
//! nor `#`, and no link, since a message with a code is what people are told to trust.

use super::message::{MessageParts, has_own_words, is_allowed, is_gsm7, parts, preview, units};
use super::refusal::Refusal;
use super::secret::Secret;
use super::user::Locale;
use std::collections::BTreeMap;
use std::fmt;

/// How many languages a tenant may have words for. They lie in the tenant's item, which every sign-in reads.
pub const MAX_TEMPLATES: usize = 20;
/// Longest text, in characters: one message of the GSM alphabet.
pub const MAX_LENGTH: usize = 160;
/// Digits in a row that a phone might take for the code.
const NUMBER: usize = 4;
/// Up to so many different characters outside the GSM alphabet are likely a slip (a typographic quote), and not the language's own.
const SLIPS: usize = 5;

const CODE: &str = "{code}";
const NAME: &str = "{name}";
const MINUTES: &str = "{minutes}";

/// What is found in a text. An error keeps it from being a message; a warning only costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// Where it begins, in characters from 0; `None` for what is of the whole.
    pub at: Option<usize>,
}

macro_rules! findings {
    ($($kind:ident = $code:literal, $error:literal, $detail:literal;)*) => {
        /// What there is to find. The names are a contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FindingKind {
            $($kind,)*
        }

        impl FindingKind {
            pub const ALL: &'static [FindingKind] = &[$(Self::$kind),*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)*
                }
            }

            pub const fn is_error(self) -> bool {
                match self {
                    $(Self::$kind => $error,)*
                }
            }

            /// In words for whoever writes the text.
            pub const fn detail(self) -> &'static str {
                match self {
                    $(Self::$kind => $detail,)*
                }
            }
        }
    };
}

findings! {
    CodeMissing = "code_missing", true, "{code} must be there: it is where the code goes.";
    CodeRepeated = "code_repeated", true, "{code} may be there only once.";
    CodeNotApart = "code_not_apart", true, "Between {code} and a letter or a digit there must be something, or nobody can tell where the code ends. Letters without upper and lower case may touch it.";
    UnknownPlaceholder = "unknown_placeholder", true, "Braces stand around code, name and minutes only, each once.";
    CharacterNotAllowed = "character_not_allowed", true, "A text has no line end, no control, direction or invisible character, and neither @ nor #, which are the last line's.";
    Link = "link", true, "A phone would take it for a web address, and a message with a code must have none. After a full stop belongs a space.";
    TooLong = "too_long", true, "A text has up to 160 characters.";
    SeveralSegments = "several_segments", false, "The message is sent and billed in several segments.";
    OtherAlphabet = "other_alphabet", false, "A few characters outside the GSM alphabet leave room for 70 characters instead of 160. Replace them.";
    NameAlphabet = "name_alphabet", false, "Characters of the tenant's name leave room for 70 characters instead of 160. Write a name in the text that has none such.";
    OtherNumber = "other_number", false, "A phone may take these digits for the code.";
}

/// A text that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTemplate(String);

impl MessageTemplate {
    /// # Errors
    /// [`Refusal::InvalidTemplate`] with all its errors.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let errors = findings_in(text).filter(|finding| finding.kind.is_error()).collect::<Vec<_>>();
        if errors.is_empty() { Ok(Self(text.to_owned())) } else { Err(Refusal::InvalidTemplate(errors)) }
    }

    /// One that was parsed when it was kept. Whatever it is by today's rules, the message makes one line of it.
    pub fn restored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which users a text is for: those of a language, or whoever has none that there are words for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateLocale(String);

impl TemplateLocale {
    pub const DEFAULT: &'static str = "default";

    /// A language tag, whose case means nothing, in the one that RFC 5646 §2.1.1 recommends; or `default`.
    ///
    /// # Errors
    /// [`Refusal::InvalidRequest`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text == Self::DEFAULT {
            return Ok(Self(text.to_owned()));
        }
        Ok(Self(Locale::parse(&canonical(text))?.as_str().to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TemplateLocale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `zh-hans-cn` as `zh-Hans-CN`.
fn canonical(tag: &str) -> String {
    let subtag = |(index, tag): (usize, &str)| match tag.len() {
        _ if index == 0 => tag.to_ascii_lowercase(),
        2 => tag.to_ascii_uppercase(),
        4 if tag.starts_with(|first: char| first.is_ascii_alphabetic()) => {
            tag[..1].to_ascii_uppercase() + &tag[1..].to_ascii_lowercase()
        }
        _ => tag.to_ascii_lowercase(),
    };
    tag.split('-').enumerate().map(subtag).collect::<Vec<_>>().join("-")
}

/// All of a tenant's texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTemplates(BTreeMap<TemplateLocale, MessageTemplate>);

impl MessageTemplates {
    pub fn get(&self, locale: &TemplateLocale) -> Option<&MessageTemplate> {
        self.0.get(locale)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&TemplateLocale, &MessageTemplate)> {
        self.0.iter()
    }

    /// # Errors
    /// [`Refusal::NotPossible`] where there are [`MAX_TEMPLATES`] others.
    pub fn set(&mut self, locale: TemplateLocale, template: MessageTemplate) -> Result<(), Refusal> {
        if self.0.len() >= MAX_TEMPLATES && !self.0.contains_key(&locale) {
            return Err(Refusal::NotPossible("a tenant has words for up to 20 languages"));
        }
        self.0.insert(locale, template);
        Ok(())
    }

    /// Whether there was one.
    pub fn remove(&mut self, locale: &TemplateLocale) -> bool {
        self.0.remove(locale).is_some()
    }

    /// The text for a user's language, by lookup (RFC 4647 §3.4): `zh-Hans-CN`, then `zh-Hans`, then `zh`. After those come our own words where
    /// there are any in that language; for everybody else `default`, and then `en`, since it is English that they would read. `None`: our own words.
    pub fn for_user(&self, locale: Option<&str>) -> Option<&MessageTemplate> {
        let wanted = locale.map(canonical);
        let mut tag = wanted.as_deref();
        while let Some(text) = tag {
            if let Some(found) = self.0.get(&TemplateLocale(text.to_owned())) {
                return Some(found);
            }
            tag = text.rsplit_once('-').map(|(shorter, _)| shorter);
        }
        if locale.is_some_and(has_own_words) {
            return None;
        }
        [TemplateLocale::DEFAULT, "en"]
            .into_iter()
            .find_map(|tag| self.0.get(&TemplateLocale(tag.to_owned())))
    }
}

impl FromIterator<(TemplateLocale, MessageTemplate)> for MessageTemplates {
    fn from_iter<T: IntoIterator<Item = (TemplateLocale, MessageTemplate)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}

/// What a text is tried with.
#[derive(Debug)]
pub struct Sample<'a> {
    pub name: &'a str,
    pub code_length: u8,
    pub lifetime_seconds: u32,
    pub host: Option<&'a str>,
}

/// What a text comes to.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// The message, with zeros for the code. Of a text that is too long, its beginning.
    pub example: String,
    /// Whether the message is written in the GSM 03.38 alphabet (3GPP TS 23.038), and not in UCS-2.
    pub gsm7: bool,
    /// Its length in units of its alphabet: septets, or 16 bits.
    pub length: usize,
    /// What the provider bills.
    pub segments: u64,
}

impl Report {
    pub fn is_accepted(&self) -> bool {
        !self.findings.iter().any(|finding| finding.kind.is_error())
    }
}

/// Looks at a text as it would be sent.
pub fn lint(text: &str, sample: &Sample<'_>) -> Report {
    let text = text.trim();
    let code = Secret::new("0".repeat(usize::from(sample.code_length)));
    let message = MessageParts {
        code: &code,
        name: sample.name,
        lifetime_seconds: sample.lifetime_seconds,
        template: None,
        locale: None,
        host: sample.host,
    };
    let start: String = text.chars().take(MAX_LENGTH).collect();
    let example = preview(&start, &message);
    let segments = parts(&example);
    let mut findings: Vec<_> = findings_in(text).collect();
    if is_gsm7(&start) && !is_gsm7(&example) {
        let at = start.find(NAME).map(|bytes| start[..bytes].chars().count());
        findings.push(Finding { kind: FindingKind::NameAlphabet, at });
    }
    if segments > 1 {
        findings.push(Finding { kind: FindingKind::SeveralSegments, at: None });
    }
    Report { findings, gsm7: is_gsm7(&example), length: units(&example), segments, example }
}

/// What can be said of a text alone.
fn findings_in(text: &str) -> impl Iterator<Item = Finding> {
    // What is beyond the longest text is not looked at: there could be more to find than an answer has room for. Where it was cut, a placeholder
    // may be missing that isn't.
    let chars: Vec<char> = text.chars().take(MAX_LENGTH).collect();
    let is_whole = text.chars().nth(MAX_LENGTH).is_none();
    let mut found = Vec::new();
    let mut note = |kind, at| found.push(Finding { kind, at });
    if is_whole {
        placeholders(&chars, &mut note);
    } else {
        note(FindingKind::TooLong, Some(MAX_LENGTH));
    }
    if let Some(at) = chars.iter().position(|c| !is_allowed(*c)) {
        note(FindingKind::CharacterNotAllowed, Some(at));
    }
    if let Some(at) = link(&chars) {
        note(FindingKind::Link, Some(at));
    }
    if let Some(at) = slip(&chars) {
        note(FindingKind::OtherAlphabet, Some(at));
    }
    let number = chars.windows(NUMBER).position(|digits| digits.iter().all(char::is_ascii_digit));
    if number.is_some() {
        note(FindingKind::OtherNumber, number);
    }
    found.into_iter()
}

/// The first of a few characters that take a text of the GSM alphabet out of it. Where they are most of what is written, it is the language's own.
fn slip(chars: &[char]) -> Option<usize> {
    let foreign = |c: &char| !is_gsm7(c.encode_utf8(&mut [0; 4]));
    let mut slips: Vec<_> = chars.iter().copied().filter(foreign).collect();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    let text: String = chars.iter().filter(|c| !foreign(c)).collect();
    let own = letters(&text.replace(CODE, "").replace(NAME, "").replace(MINUTES, ""));
    let few = slips.len() < own;
    slips.sort_unstable();
    slips.dedup();
    (few && slips.len() <= SLIPS).then(|| chars.iter().position(foreign)).flatten()
}

/// Braces, and what is between them.
fn placeholders(chars: &[char], note: &mut impl FnMut(FindingKind, Option<usize>)) {
    let mut seen: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(brace) = chars[at..].iter().position(|c| matches!(c, '{' | '}')).map(|more| at + more) {
        let here: String = chars[brace..].iter().take(MINUTES.len()).collect();
        let known = [CODE, NAME, MINUTES].into_iter().find(|known| here.starts_with(known));
        match known {
            Some(CODE) if seen.contains(&CODE) => note(FindingKind::CodeRepeated, Some(brace)),
            Some(known) if seen.contains(&known) => note(FindingKind::UnknownPlaceholder, Some(brace)),
            Some(known) => {
                let sides = [brace.checked_sub(1), Some(brace + known.len())];
                // A brace is another placeholder's: what comes in its place may end in a digit.
                let joins = |c: &char| c.is_numeric() || has_case(*c) || matches!(c, '{' | '}');
                let touches = |side: usize| chars.get(side).is_some_and(joins);
                if known == CODE && sides.into_iter().flatten().any(touches) {
                    note(FindingKind::CodeNotApart, Some(brace));
                }
                seen.push(known);
            }
            None => note(FindingKind::UnknownPlaceholder, Some(brace)),
        }
        at = brace + known.map_or_else(|| 1 + unknown_length(&chars[brace..]), str::len);
    }
    if !seen.contains(&CODE) {
        note(FindingKind::CodeMissing, None);
    }
}

/// Between such letters and a number people expect a space; between Chinese, Thai or Korean ones they don't.
fn has_case(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase()
}

/// How far the braces of something unknown reach after their first, so that it is told once.
fn unknown_length(chars: &[char]) -> usize {
    let rest = &chars[1..];
    match rest.iter().position(|c| matches!(c, '{' | '}')) {
        Some(end) if chars[0] == '{' && rest[end] == '}' => end + 1,
        _ => 0,
    }
}

/// Where something begins that a phone takes for a web address: a scheme, names with a dot between them whose last could be a domain's, or four
/// numbers with dots. A placeholder counts as a name.
fn link(chars: &[char]) -> Option<usize> {
    let start = |at: usize| chars[..at].iter().rposition(|c| !in_name(*c)).map_or(0, |before| before + 1);
    (0..chars.len()).find_map(|at| {
        let scheme = chars[at..].starts_with(&[':', '/', '/']);
        let found = scheme || joins_names(chars, at) || joins_numbers(chars, at);
        found.then(|| start(at))
    })
}

/// Addresses have names in any script, and with emoji.
fn in_name(c: char) -> bool {
    !c.is_whitespace() && !is_dot(c) && (!c.is_ascii_punctuation() || matches!(c, '-' | '_' | '{' | '}'))
}

/// What a full stop is taken for where an address is read (UTS 46, NFKC).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '\u{3002}' | '\u{fe52}' | '\u{ff0e}' | '\u{ff61}')
}

fn joins_names(chars: &[char], dot: usize) -> bool {
    let Some(before) = dot.checked_sub(1).map(|before| chars[before]) else { return false };
    let label: Vec<char> = chars[dot + 1..].iter().copied().take_while(|c| in_name(*c)).collect();
    let names = in_name(before) && label.len() >= 2 && !label[0].is_numeric();
    // It also ends Chinese and Japanese sentences, which have no space after it.
    let sentence = chars[dot] == '\u{3002}'
        && !(before.is_ascii_alphanumeric() && label.first().is_some_and(char::is_ascii));
    is_dot(chars[dot]) && names && !sentence
}

/// The first dot of four numbers.
fn joins_numbers(chars: &[char], dot: usize) -> bool {
    if !is_dot(chars[dot]) || !dot.checked_sub(1).is_some_and(|before| chars[before].is_numeric()) {
        return false;
    }
    let rest: String = chars[dot + 1..].iter().map(|c| if is_dot(*c) { '.' } else { *c }).collect();
    let number = |part: &str| part.starts_with(char::is_numeric);
    rest.split('.').take_while(|part| number(part)).count() >= 3
}

#[cfg(test)]
#[path = "message_template_tests.rs"]
mod tests;
