//! What the pages say, in each language: a file a language, with the direction that it is written in, every sentence, and the names of
//! countries (as CLDR has them). A new language is a new file and its line in `FILES`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The first one is for whoever asks for none of them.
const FILES: [&str; 2] = [include_str!("text/en.json"), include_str!("text/zh.json")];

static LANGUAGES: LazyLock<Vec<Words>> = LazyLock::new(|| {
    FILES.iter().map(|file| serde_json::from_str(file).expect("a test reads every language")).collect()
});

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// BCP 47.
    tag: String,
    /// What the language calls itself.
    name: String,
    dir: String,
    text: BTreeMap<String, String>,
    /// What is wrong, and what to do next.
    refusals: BTreeMap<String, (String, String)>,
    countries: BTreeMap<String, String>,
}

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(usize);

impl Language {
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FILES.len()).map(Self)
    }

    /// The first that is spoken of those that the application asked for (OpenID Connect's `ui_locales`: tags, with spaces between), then of
    /// those that the browser likes best (`Accept-Language`).
    pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales.unwrap_or_default().split(' ').find_map(Self::parse);
        asked.or_else(|| accepted(accept_language.unwrap_or_default())).unwrap_or(Self(0))
    }

    /// The language of a BCP 47 tag, by its first subtag: `zh-Hans-CN` is `zh`.
    pub fn parse(tag: &str) -> Option<Self> {
        let (primary, _) = tag.trim().split_once(['-', '_']).unwrap_or((tag.trim(), ""));
        Self::all().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    pub fn tag(self) -> &'static str {
        &self.words().tag
    }

    pub fn name(self) -> &'static str {
        &self.words().name
    }

    /// `ltr` or `rtl`.
    pub fn direction(self) -> &'static str {
        &self.words().dir
    }

    /// The sentence of a key.
    pub fn text(self, key: &str) -> Option<&'static str> {
        self.words().text.get(key).map(String::as_str)
    }

    /// What is wrong, and what to do next.
    pub fn refusal(self, code: &str) -> Option<(&'static str, &'static str)> {
        self.words().refusals.get(code).map(|(says, next)| (says.as_str(), next.as_str()))
    }

    /// A country's name by its ISO 3166-1 alpha-2 code.
    pub fn country(self, code: &str) -> Option<&'static str> {
        self.words().countries.get(code).map(String::as_str)
    }

    fn words(self) -> &'static Words {
        &LANGUAGES[self.0]
    }
}

/// The language with the greatest weight of an `Accept-Language` (RFC 9110 §12.5.4).
fn accepted(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for item in header.split(',') {
        let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok());
        let (Some(weight), Some(language)) = (weight, Language::parse(tag)) else { continue };
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// Puts values into a sentence's `{name}`s. A value may be written in another direction than the sentence, as a number in Arabic is: where
/// the sentence runs from right to left, each is set apart (Unicode's isolates).
pub fn fill(language: Language, sentence: &str, values: &[(&str, String)]) -> String {
    let isolate = language.direction() == "rtl";
    let mut text = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            if isolate {
                text.extend(['\u{2068}'].into_iter().chain(value.chars()).chain(['\u{2069}']));
            } else {
                text.push_str(value);
            }
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone::is_country;
    use std::collections::BTreeSet;

    /// The names in braces of a sentence.
    fn holes(sentence: &str) -> BTreeSet<&str> {
        sentence.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    fn words() -> impl Iterator<Item = &'static Words> {
        Language::all().map(Language::words)
    }

    #[test]
    fn every_language_says_the_same() {
        let first = Language(0).words();
        for other in words() {
            assert!(other.text.keys().eq(first.text.keys()), "{}", other.tag);
            assert!(other.refusals.keys().eq(first.refusals.keys()), "{}", other.tag);
            assert!(other.countries.keys().eq(first.countries.keys()), "{}", other.tag);
            assert!(matches!(other.dir.as_str(), "ltr" | "rtl"));
            for (key, sentence) in &other.text {
                assert!(!sentence.trim().is_empty(), "{} {key}", other.tag);
                assert_eq!(holes(sentence), holes(&first.text[key]), "{} {key}", other.tag);
            }
            for (code, (says, next)) in &other.refusals {
                assert!(!says.is_empty() && !next.is_empty(), "{} {code}", other.tag);
                let holes_of = |words: &Words| {
                    let (says, next) = &words.refusals[code];
                    holes(says).union(&holes(next)).map(|hole| hole.to_string()).collect::<BTreeSet<_>>()
                };
                assert_eq!(holes_of(other), holes_of(first), "{} {code}", other.tag);
            }
        }
    }

    #[test]
    fn every_refusal_has_a_sentence_of_its_own() {
        for words in words() {
            let says: BTreeSet<_> = words.refusals.values().map(|(says, _)| says).collect();
            assert_eq!(says.len(), words.refusals.len(), "{}: two refusals say the same", words.tag);
        }
    }

    #[test]
    fn f4_every_country_with_numbers_has_a_name() {
        for language in Language::all() {
            let named = language.words().countries.keys();
            assert!(named.clone().all(|code| is_country(code)));
            assert_eq!(named.count(), 245);
        }
        assert_eq!(Language::parse("zh").unwrap().country("DE"), Some("德国"));
    }

    #[test]
    fn the_application_asks_before_the_browser_does() {
        let tag = |ui: Option<&str>, accept: Option<&str>| Language::choose(ui, accept).tag();
        assert_eq!(tag(None, None), "en");
        assert_eq!(tag(Some("fr zh-CN en"), Some("en")), "zh");
        assert_eq!(tag(Some("fr"), Some("de, zh-TW;q=0.8, en;q=0.5")), "zh");
        assert_eq!(tag(None, Some("en;q=0.5,zh;q=0.9")), "zh");
        assert_eq!(tag(None, Some("en,zh")), "en");
        assert_eq!(tag(None, Some("zh;q=0")), "en");
        for odd in ["*", ";;;", "zh;q=x", "\u{0}", "q=1"] {
            assert_eq!(tag(Some(odd), Some(odd)), "en", "{odd}");
        }
    }

    #[test]
    fn values_go_into_their_places() {
        let values = [("a", "1".to_owned()), ("b", "{a}".to_owned())];
        assert_eq!(fill(Language(0), "{a} of {b}, {c}{", &values), "1 of {a}, {");
    }
}
