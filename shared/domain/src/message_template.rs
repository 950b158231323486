//! A tenant's own words around the code, one text for each language (acceptance H9), and what can be wrong with them.
//!
//! The text is the message's first line. What a phone reads by machine, the last line, stays ours: a text admits no line feed and neither `@`
//! nor `#`, and no link, since a message with a code is what people are told to trust.

use super::message::{MessageParts, is_allowed, is_gsm7, parts, render, units};
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
    CodeNotApart = "code_not_apart", true, "Between {code} and a letter or digit there must be something, or nobody can tell where the code ends.";
    UnknownPlaceholder = "unknown_placeholder", true, "Braces stand around code, name and minutes only, each once.";
    CharacterNotAllowed = "character_not_allowed", true, "A text has no line end, no control, direction or invisible character, and neither @ nor #, which are the last line's.";
    Link = "link", true, "A phone would make a link of it, and a message with a code must have none. After a full stop belongs a space.";
    TooLong = "too_long", true, "A text has up to 160 characters.";
    SeveralSegments = "several_segments", false, "The message is sent and billed in several segments.";
    OtherAlphabet = "other_alphabet", false, "A few characters outside the GSM alphabet leave room for 70 characters instead of 160. Replace them.";
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

    /// One that was parsed when it was kept. Whatever it is by today's rules, [`render`] makes one line of it.
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
    /// there are any in that language, and `default` only for everybody else. `None`: our own words.
    pub fn for_user(
        &self,
        locale: Option<&str>,
        has_own_words: impl Fn(&str) -> bool,
    ) -> Option<&MessageTemplate> {
        let wanted = locale.map(canonical);
        let mut tag = wanted.as_deref();
        while let Some(text) = tag {
            if let Some(found) = self.0.get(&TemplateLocale(text.to_owned())) {
                return Some(found);
            }
            tag = text.rsplit_once('-').map(|(shorter, _)| shorter);
        }
        let language = wanted.as_deref().and_then(|tag| tag.split('-').next());
        if language.is_some_and(has_own_words) {
            return None;
        }
        self.0.get(&TemplateLocale(TemplateLocale::DEFAULT.to_owned()))
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
    /// The message, with zeros for the code.
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
    let message = render(&MessageParts {
        code: &code,
        name: sample.name,
        lifetime_seconds: sample.lifetime_seconds,
        template: Some(text),
        locale: None,
        host: sample.host,
    });
    let example = message.into_exposed();
    let segments = parts(&example);
    let mut findings: Vec<_> = findings_in(text).collect();
    if segments > 1 {
        findings.push(Finding { kind: FindingKind::SeveralSegments, at: None });
    }
    Report { findings, gsm7: is_gsm7(&example), length: units(&example), segments, example }
}

/// What can be said of a text alone.
fn findings_in(text: &str) -> impl Iterator<Item = Finding> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut note = |kind, at| found.push(Finding { kind, at });
    placeholders(&chars, &mut note);
    if let Some(at) = chars.iter().position(|c| !is_allowed(*c)) {
        note(FindingKind::CharacterNotAllowed, Some(at));
    }
    if let Some(at) = link(&chars) {
        note(FindingKind::Link, Some(at));
    }
    if chars.len() > MAX_LENGTH {
        note(FindingKind::TooLong, Some(MAX_LENGTH));
    }
    let foreign = |c: &char| !is_gsm7(c.encode_utf8(&mut [0; 4]));
    let mut slips: Vec<_> = chars.iter().copied().filter(|c| foreign(c)).collect();
    slips.sort_unstable();
    slips.dedup();
    if (1..=SLIPS).contains(&slips.len()) {
        note(FindingKind::OtherAlphabet, chars.iter().position(foreign));
    }
    let number = chars.windows(NUMBER).position(|digits| digits.iter().all(char::is_ascii_digit));
    if number.is_some() {
        note(FindingKind::OtherNumber, number);
    }
    found.into_iter()
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
                let touches = |side: usize| chars.get(side).is_some_and(char::is_ascii_alphanumeric);
                // Another placeholder's brace: what comes in its place may end in a digit.
                let joins = |side: usize| chars.get(side).is_some_and(|c| matches!(c, '{' | '}'));
                if known == CODE && sides.into_iter().flatten().any(|side| touches(side) || joins(side)) {
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

/// How far the braces of something unknown reach after their first, so that it is told once.
fn unknown_length(chars: &[char]) -> usize {
    let rest = &chars[1..];
    match rest.iter().position(|c| matches!(c, '{' | '}')) {
        Some(end) if chars[0] == '{' && rest[end] == '}' => end + 1,
        _ => 0,
    }
}

/// Where something begins that phones make a link of: an address with its scheme, or names with a dot between them whose last could be a
/// domain's. A placeholder counts as a name.
fn link(chars: &[char]) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '{' | '}');
    let dotted = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        let after = chars.get(at + 1..).unwrap_or_default();
        let label: Vec<_> = after.iter().take_while(|c| word(**c)).collect();
        before.is_some_and(|c| word(*c)) && label.len() >= 2 && !label.iter().all(|c| c.is_numeric())
    };
    (0..chars.len()).find_map(|at| {
        let scheme = chars[at..].starts_with(&[':', '/', '/']);
        let dot = matches!(chars[at], '.' | '\u{ff0e}') && dotted(at);
        (scheme || dot).then(|| {
            let start = chars[..at].iter().rposition(|c| !word(*c));
            start.map_or(0, |before| before + 1)
        })
    })
}

#[cfg(test)]
#[path = "message_template_tests.rs"]
mod tests;
