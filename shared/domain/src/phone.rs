//! Phone numbers: parsed once, canonical from there on.
//!
//! The tables of libphonenumber decide which numbers exist (`metadata.tsv`).
//!
//! Validity and type change with the tables: a stored number is parsed again before it is used, and neither is ever stored.

mod metadata;

use super::refusal::Refusal;
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
    country: &'static str,
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
            let regions = metadata::regions(code);
            let Some(main) = regions.first() else { continue };
            let found = metadata::find(&regions, national).or_else(|| {
                let without_trunk_prefix = national.strip_prefix(main.trunk_prefix?)?;
                metadata::find(&regions, without_trunk_prefix)
            });
            let found = found.filter(|found| code_length + found.national.len() <= MAX_DIGITS);
            let found = found.ok_or(NOT_A_NUMBER)?;
            return Ok(Self {
                e164: format!("+{code}{}", found.national),
                code_length,
                country: found.country,
                number_type: found.number_type,
            });
        }
        Err(NOT_A_NUMBER)
    }

    /// Parses a number as it is written inside `country`: with or without the trunk prefix. One that starts with `+`, or with 00 where that
    /// is no number of the country, is read as an international one, whatever the country. Digits of full width, which East Asian
    /// keyboards write, count as digits.
    ///
    /// # Errors
    /// [`Refusal::InvalidPhone`], also for a country that has no numbers.
    pub fn parse_in(country: &str, text: &str) -> Result<Self, Refusal> {
        let text: String = text.trim().chars().map(half_width).collect();
        if text.starts_with('+') {
            return Self::parse(&text);
        }
        let code = calling_code(country).ok_or(NOT_A_NUMBER)?;
        let national = Self::parse(&format!("+{code}{text}"));
        let international = text.strip_prefix("00").unwrap_or(&text);
        national.or_else(|refusal| Self::parse(&format!("+{international}")).map_err(|_| refusal))
    }

    /// `+` and up to fifteen digits.
    pub fn e164(&self) -> &str {
        &self.e164
    }

    /// ISO 3166-1 alpha-2, upper case; `001` for a number of no country.
    pub fn country(&self) -> &'static str {
        self.country
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
        if !countries.iter().any(|country| country == self.country) {
            return Err(Refusal::CountryNotAllowed);
        }
        self.check_type()
    }
}

/// Whether this is the ISO 3166-1 alpha-2 code, in upper case, of a country that has numbers.
pub fn is_country(code: &str) -> bool {
    code != NO_COUNTRY && metadata::has_region(code)
}

/// The calling code, without `+`, of a country by its ISO 3166-1 alpha-2 code.
pub fn calling_code(country: &str) -> Option<&'static str> {
    metadata::code_of(country).filter(|_| country != NO_COUNTRY)
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

/// A character of full width, as East Asian keyboards write digits and what stands between them, as the one that it stands for.
pub fn half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{ff0b}' => '+',
        '\u{ff0d}' => '-',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff10}'..='\u{ff19}' => char::from(b'0' + (u32::from(character) - 0xff10) as u8),
        other => other,
    }
}

#[cfg(test)]
mod tests;
