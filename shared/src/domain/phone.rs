//! Phone numbers: parsed once, canonical from there on.
//!
//! The tables of libphonenumber decide which numbers exist; the matching is our own. The crate that carries the tables accepts a number
//! whose beginning alone fits, and networks ignore surplus digits, so `+44 7700 900123` with a digit more would be a second
//! spelling that reaches the same phone and has a limit of its own. Here a pattern has to cover the whole number.
//!
//! Validity and type change with the tables: a stored number is parsed again before it is used, and neither is ever stored.

use super::refusal::Refusal;
use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex::Regex;
use std::fmt;

/// ITU-T E.164 §6.2.1: country code and national number together.
const MAX_DIGITS: usize = 15;
/// The longest text that is looked at: fifteen digits with separators between them all.
const MAX_TEXT: usize = 40;
/// What libphonenumber calls the numbers of no country: international freephone, satellite networks and the like.
const NO_COUNTRY: &str = "001";

/// A number that exists, in E.164. It has no `Display`, and `Debug` shows the hint only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    e164: String,
    /// Digits of the country calling code.
    code_length: usize,
    country: String,
    number_type: NumberType,
}

/// What kind of line answers a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberType {
    Mobile,
    /// Countries like those of +1, whose numbers don't tell the two apart.
    FixedLineOrMobile,
    FixedLine,
    /// Follows its owner from line to line, at the caller's cost.
    PersonalNumber,
    TollFree,
    PremiumRate,
    SharedCost,
    Voip,
    Pager,
    /// A company's number, routed to its offices.
    Uan,
    Voicemail,
}

impl NumberType {
    /// Whether a code may be sent to it. Only lines that receive messages as a rule and cost the ordinary rate may get one: a personal
    /// number (+44 70…) is billed at what its owner chose, and a VoIP number is no proof of a device (NIST SP 800-63B-4 §3.1.3.1).
    pub const fn receives_codes(self) -> bool {
        matches!(self, Self::Mobile | Self::FixedLineOrMobile)
    }
}

impl PhoneNumber {
    /// Parses an E.164 number: a leading `+`, ASCII digits, and between them the separators that people type or paste. A trunk prefix that
    /// has no place in E.164, as in `+44 (0)7700 900123`, is dropped, so that every spelling becomes the same value.
    ///
    /// # Errors
    /// [`Refusal::InvalidPhone`] for anything else: no `+`, letters, digits of other scripts, an extension, a number that does not exist.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let digits = digits(text)?;
        // Country codes are prefix-free and have one to three digits.
        for code_length in 1..=3 {
            let Some((code, national)) = digits.split_at_checked(code_length) else { break };
            let Some(regions) = code.parse::<u16>().ok().and_then(|code| DATABASE.by_code(&code)) else {
                continue;
            };
            let found = find(&regions, national).map(|(region, kind)| (national, region, kind));
            let found = found.or_else(|| {
                let national = national.strip_prefix(regions.first()?.national_prefix()?)?;
                find(&regions, national).map(|(region, kind)| (national, region, kind))
            });
            let (national, region, number_type) = found.ok_or(NOT_A_NUMBER)?;
            if code_length + national.len() > MAX_DIGITS {
                return Err(NOT_A_NUMBER);
            }
            return Ok(Self {
                e164: format!("+{code}{national}"),
                code_length,
                country: region.id().to_owned(),
                number_type,
            });
        }
        Err(NOT_A_NUMBER)
    }

    /// `+` and up to fifteen digits.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// ISO 3166-1 alpha-2, upper case; `001` for a number of no country.
    pub fn country(&self) -> &str {
        &self.country
    }

    pub const fn number_type(&self) -> NumberType {
        self.number_type
    }

    /// Country code and last two digits: all that may be shown. It doesn't tell the number's length either.
    pub fn hint(&self) -> String {
        let (code, _) = self.e164.split_at(1 + self.code_length);
        let (_, last) = self.e164.split_at(self.e164.len().saturating_sub(2));
        format!("{code} ••• ••• ••{last}")
    }

    /// All but the last four digits. A fraudster's numbers come in ranges, so limits count those too.
    pub fn range(&self) -> &str {
        &self.e164[..self.e164.len().saturating_sub(4)]
    }

    /// Whether this is a line that a code may be sent to at all, wherever it is.
    ///
    /// # Errors
    /// [`Refusal::NumberTypeNotAllowed`].
    pub fn check_type(&self) -> Result<(), Refusal> {
        if self.number_type.receives_codes() && self.country != NO_COUNTRY {
            Ok(())
        } else {
            Err(Refusal::NumberTypeNotAllowed)
        }
    }

    /// Whether a code may be sent to it where `countries` are allowed.
    ///
    /// # Errors
    /// [`Refusal::CountryNotAllowed`] before [`Refusal::NumberTypeNotAllowed`].
    pub fn check_allowed(&self, countries: &[String]) -> Result<(), Refusal> {
        if !countries.contains(&self.country) {
            return Err(Refusal::CountryNotAllowed);
        }
        self.check_type()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.hint())
    }
}

const NOT_A_NUMBER: Refusal = Refusal::InvalidPhone("no such number exists");

/// The digits of a number as a person types it.
fn digits(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let rest =
        text.strip_prefix('+').ok_or(Refusal::InvalidPhone("a number starts with + and its country code"))?;
    if rest.chars().count() > MAX_TEXT {
        return Err(Refusal::InvalidPhone("the number is too long"));
    }
    let mut digits = String::with_capacity(MAX_DIGITS);
    for character in rest.chars() {
        match character {
            '0'..='9' => digits.push(character),
            // The last four are the no-break spaces and hyphens that address books copy out.
            ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2010}' | '\u{2011}' => {}
            _ => return Err(Refusal::InvalidPhone("a number has digits 0 to 9 only")),
        }
    }
    // "01" would read as country code 1.
    if digits.starts_with('0') { Err(NOT_A_NUMBER) } else { Ok(digits) }
}

/// The first of the regions of one country code that the number exists in (libphonenumber's `getRegionCodeForNumber`), and its type there.
/// The main region comes first, so `+1` is tried as the United States before any other.
fn find<'a>(regions: &[&'a Metadata], national: &str) -> Option<(&'a Metadata, NumberType)> {
    let own = |region: &Metadata| {
        region.leading_digits().is_some_and(|start| start.find(national).is_some_and(|m| m.start() == 0))
    };
    for region in regions {
        let number_type = number_type(region, national);
        if number_type.is_some() || (regions.len() > 1 && own(region)) {
            return number_type.map(|kind| (*region, kind));
        }
    }
    None
}

/// What the number is in a region; `None` when it does not exist there.
fn number_type(region: &Metadata, national: &str) -> Option<NumberType> {
    let known = region.descriptors();
    if !matches(known.general(), national) {
        return None;
    }
    let is = |descriptor: Option<&Descriptor>| descriptor.is_some_and(|d| matches(d, national));
    // The dear ones first: a number that fits two patterns is taken for the worse.
    let special = [
        (known.premium_rate(), NumberType::PremiumRate),
        (known.toll_free(), NumberType::TollFree),
        (known.shared_cost(), NumberType::SharedCost),
        (known.voip(), NumberType::Voip),
        (known.personal_number(), NumberType::PersonalNumber),
        (known.pager(), NumberType::Pager),
        (known.uan(), NumberType::Uan),
        (known.voicemail(), NumberType::Voicemail),
    ];
    if let Some((_, kind)) = special.into_iter().find(|(descriptor, _)| is(*descriptor)) {
        return Some(kind);
    }
    match (is(known.fixed_line()), is(known.mobile())) {
        (true, true) => Some(NumberType::FixedLineOrMobile),
        (true, false) => Some(NumberType::FixedLine),
        (false, true) => Some(NumberType::Mobile),
        (false, false) => None,
    }
}

/// Whether a pattern covers the whole number.
fn matches(descriptor: &Descriptor, national: &str) -> bool {
    let lengths = descriptor.possible_length();
    if !lengths.is_empty() && !lengths.iter().any(|length| usize::from(*length) == national.len()) {
        return false;
    }
    match descriptor.national_number().find(national) {
        Some(found) if found.start() != 0 => false,
        Some(found) if found.end() == national.len() => true,
        // A pattern's first alternative may end early where a later one would cover it all.
        Some(_) => Regex::new(&format!("^(?x:{})$", descriptor.national_number().as_str()))
            .is_ok_and(|whole| whole.is_match(national)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_knows_its_country_and_type() {
        use NumberType::*;
        let cases = [
            // Set aside for stories and examples, as are 555-0100 to 555-0199 of every area code of +1.
            ("+12025550100", "US", FixedLineOrMobile),
            ("+12025550199", "US", FixedLineOrMobile),
            ("+447400123456", "GB", Mobile),
            ("+33612345678", "FR", Mobile),
            ("+61491570156", "AU", Mobile),
            // +1 is twenty-five countries.
            ("+14165550123", "CA", FixedLineOrMobile),
            ("+18765550123", "JM", Mobile),
            ("+12423591234", "BS", Mobile),
            ("+17875550123", "PR", FixedLineOrMobile),
            ("+447797123456", "JE", Mobile),
            ("+447911123456", "GG", Mobile),
            ("+77012345678", "KZ", Mobile),
            ("+79123456789", "RU", Mobile),
            ("+4915123456789", "DE", Mobile),
            ("+8613800138000", "CN", Mobile),
            ("+819012345678", "JP", Mobile),
            ("+919876543210", "IN", Mobile),
            ("+5511987654321", "BR", Mobile),
            ("+5491123456789", "AR", Mobile),
            ("+393123456789", "IT", Mobile),
            // National numbers that start with a zero of their own.
            ("+2250712345678", "CI", Mobile),
            ("+24106031234", "GA", Mobile),
            ("+390236618300", "IT", FixedLine),
            // Lines that get no code.
            ("+442071234567", "GB", FixedLine),
            ("+447012345678", "GB", PersonalNumber),
            ("+447640123456", "GB", Pager),
            ("+445612345678", "GB", Voip),
            ("+18005550123", "US", TollFree),
            ("+19005550123", "US", PremiumRate),
            ("+448450123456", "GB", PremiumRate),
        ];
        let is =
            |text: &str| PhoneNumber::parse(text).map(|n| (n.country().to_owned(), n.number_type(), n.e164));
        let wrong: Vec<_> = cases
            .into_iter()
            .map(|(text, country, kind)| (text, is(text), Ok((country.to_owned(), kind, text.to_owned()))))
            .filter(|(_, is, should)| is != should)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// Every way to write the same digits that the separators allow, from the bits of a counter.
    fn spelling(digits: &str, mut choice: u64) -> String {
        let separators =
            ["", "", "", " ", "-", ".", " (", ") ", "\u{a0}", "\u{202f}", "\u{2010}", "\u{2011}"];
        let mut text = String::from("+");
        for digit in digits.chars() {
            text.push_str(separators[(choice % 12) as usize]);
            choice = (choice / 12) ^ choice.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            text.push(digit);
        }
        text
    }

    #[test]
    fn t_every_spelling_of_a_number_is_one_number_with_one_limit() {
        for digits in ["12025550142", "447400123456", "390236618300", "2250712345678", "4915123456789"] {
            let one = PhoneNumber::parse(&format!("+{digits}"));
            for choice in 0..2000 {
                let text = spelling(digits, choice * 7919);
                if text.chars().count() <= MAX_TEXT {
                    let other = PhoneNumber::parse(&text);
                    assert_eq!(other, one, "{text:?}");
                }
            }
        }
        let twenty = [
            "+12025550142",
            "+1 202 555 0142",
            "+1-202-555-0142",
            "+1.202.555.0142",
            "+1 (202) 555-0142",
            "+1(202)5550142",
            " +12025550142 ",
            "+1 2025550142",
            "+1 202 5550142",
            "+1 202555 0142",
            "+1-202-5550142",
            "+1 202-555-0142",
            "+1 202.555.0142",
            "+1 (202) 555 0142",
            "+1 (202)-555-0142",
            "+ 1 202 555 0142",
            "+1 20 25 55 01 42",
            "+1\u{a0}202\u{a0}555\u{a0}0142",
            "+1 202\u{2011}555\u{2011}0142",
            "+1 1 202 555 0142",
        ];
        for text in twenty {
            assert_eq!(PhoneNumber::parse(text).map(|n| n.e164), Ok("+12025550142".into()), "{text:?}");
        }
    }

    #[test]
    fn a_trunk_prefix_has_no_place_in_a_number() {
        for (text, e164) in [
            ("+44 (0)7400 123456", "+447400123456"),
            ("+49 (0) 151 23456789", "+4915123456789"),
            ("+33 (0)6 12 34 56 78", "+33612345678"),
            ("+7 8 912 345-67-89", "+79123456789"),
        ] {
            assert_eq!(PhoneNumber::parse(text).map(|n| n.e164), Ok(e164.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let long = format!("+1{}2025550142", " ".repeat(60));
        let refused = [
            "",
            "+",
            "++12025550142",
            "12025550142",
            "0012025550142",
            "(202) 555-0142",
            "+01 202 555 0142",
            "+1 202 CALL NOW",
            "+1 202 555 0142 ext 3",
            "+1 202 555 0142x3",
            "+1 202 555 0142,3",
            "+1 202 555 0142;ext=3",
            "+1 202 555 0142#",
            "tel:+12025550142",
            "+１２０２５５５０１４２",
            "＋12025550142",
            "+1202555014٢",
            "+12025550142\n+12025550143",
            "+1\u{200b}2025550142",
            "+1\u{202e}2025550142",
            "+1 202 555 014",
            "+1 202 155 0142",
            "+1 555 555 0142",
            "+210 1234567",
            "+999 1234567",
            "+99999999999999999999",
            &long,
        ];
        for text in refused {
            let answer = PhoneNumber::parse(text);
            assert!(matches!(answer, Err(Refusal::InvalidPhone(_))), "{text:?}: {answer:?}");
        }
    }

    #[test]
    fn t_surplus_digits_make_no_second_spelling() {
        for digits in [
            "+12025550142",
            "+447400123456",
            "+8613800138000",
            "+33612345678",
            "+2250712345678",
            "+919876543210",
        ] {
            for more in ["0", "7", "00", "42", "123"] {
                let text = format!("{digits}{more}");
                assert!(PhoneNumber::parse(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn only_mobile_lines_in_allowed_countries_get_codes() {
        let allowed =
            |text: &str| PhoneNumber::parse(text).and_then(|n| n.check_allowed(&["US".into(), "GB".into()]));
        assert_eq!(allowed("+12025550142"), Ok(()));
        assert_eq!(allowed("+447400123456"), Ok(()));
        assert_eq!(allowed("+14165550123"), Err(Refusal::CountryNotAllowed));
        assert_eq!(allowed("+447797123456"), Err(Refusal::CountryNotAllowed));
        for text in ["+442071234567", "+447012345678", "+445612345678", "+18005550123", "+19005550123"] {
            assert_eq!(allowed(text), Err(Refusal::NumberTypeNotAllowed), "{text}");
        }
        // Satellite networks: mobile by type, of no country, and dear.
        let satellite = PhoneNumber::parse("+881612345678").map(|n| (n.number_type(), n.check_type()));
        assert_eq!(satellite, Ok((NumberType::Mobile, Err(Refusal::NumberTypeNotAllowed))));
    }

    #[test]
    fn h14_what_is_shown_of_a_number_is_its_country_code_and_two_digits() {
        for (text, hint, range) in [
            ("+12025550142", "+1 ••• ••• ••42", "+1202555"),
            ("+447400123456", "+44 ••• ••• ••56", "+44740012"),
            ("+2250712345678", "+225 ••• ••• ••78", "+225071234"),
        ] {
            let number = PhoneNumber::parse(text);
            assert_eq!(number.as_ref().map(PhoneNumber::hint), Ok(hint.to_owned()));
            assert_eq!(number.as_ref().map(PhoneNumber::range), Ok(range));
            assert_eq!(format!("{number:?}"), format!("Ok(PhoneNumber({hint}))"));
        }
    }
}
