//! The tables of libphonenumber, without its code.
//!
//! `metadata.tsv` is written from the crate `phonenumber` by `shared/domain/tests/phone_metadata.rs`, which also fails when the two differ. The crate
//! itself is not in the service, for two reasons.
//! - It reads all regions and checks thousands of patterns at its first use: 64 ms of a whole processor, of which a small Lambda
//!   function has a tenth. Here only the lines of one country code are read: 0.1 to 0.2 ms for most numbers, 1 ms for the worst of +1
//!   (release build, 2026-11).
//! - It accepts a number whose beginning alone fits, while networks ignore surplus digits: a number with one digit more would be a
//!   second spelling that reaches the same phone and has limits of its own. And it gives no type to numbers that start with
//!   a zero of their own (Ivory Coast, Gabon, Italy). Here a pattern has to cover the whole number.

use super::NumberType;
use regex_lite::Regex;

const TABLES: &str = include_str!("metadata.tsv");

/// The types in the order of the columns: the dear ones first, so that a number that fits two patterns is taken for the worse
/// (libphonenumber's own order).
const SPECIAL: [NumberType; 8] = [
    NumberType::PremiumRate,
    NumberType::TollFree,
    NumberType::SharedCost,
    NumberType::Voip,
    NumberType::PersonalNumber,
    NumberType::Pager,
    NumberType::Uan,
    NumberType::Voicemail,
];

/// One region of a country code.
#[derive(Debug)]
pub(super) struct Region {
    country: &'static str,
    /// What is dialled before a number inside the country and has no place in E.164, as the 0 of `+44 (0)20`.
    pub trunk_prefix: Option<&'static str>,
    /// Numbers that start so are this region's and no other's.
    leading_digits: Option<&'static str>,
    general: &'static str,
    special: [&'static str; SPECIAL.len()],
    fixed_line: &'static str,
    mobile: &'static str,
}

/// What a national number turned out to be.
pub(super) struct Found<'a> {
    pub national: &'a str,
    pub country: &'static str,
    pub number_type: NumberType,
}

/// The regions of a country code, the main one first; none if there is no such code.
pub(super) fn regions(code: &str) -> Vec<Region> {
    let own = |line: &'static str| line.strip_prefix(code)?.strip_prefix('\t');
    TABLES.lines().filter_map(own).filter_map(Region::read).collect()
}

/// Whether numbers of this region are in the table.
pub(super) fn has_region(region: &str) -> bool {
    let data = TABLES.lines().filter(|line| !line.starts_with('#'));
    data.filter_map(|line| line.split('\t').nth(1)).any(|known| known == region)
}

/// The country calling code of a region, without `+`.
pub(super) fn code_of(region: &str) -> Option<&'static str> {
    let data = TABLES.lines().filter(|line| !line.starts_with('#'));
    data.filter_map(|line| line.split_once('\t')).find_map(|(code, rest)| {
        let (known, _) = rest.split_once('\t')?;
        (known == region).then_some(code)
    })
}

/// The first of a country code's regions that the number exists in (libphonenumber's `getRegionCodeForNumber`), and its type there.
pub(super) fn find<'a>(regions: &[Region], national: &'a str) -> Option<Found<'a>> {
    for region in regions {
        let number_type = region.number_type(national);
        let own = regions.len() > 1 && region.leading_digits.is_some_and(|start| starts(start, national));
        if number_type.is_some() || own {
            return number_type.map(|number_type| Found { national, country: region.country, number_type });
        }
    }
    None
}

impl Region {
    /// Reads the columns after the country code.
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        let filled = |text: &'static str| (!text.is_empty()).then_some(text);
        Some(Self {
            country: next()?,
            trunk_prefix: filled(next()?),
            leading_digits: filled(next()?),
            general: next()?,
            special: [next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?],
            fixed_line: next()?,
            mobile: next()?,
        })
    }

    /// What the number is in this region; `None` when it does not exist here.
    fn number_type(&self, national: &str) -> Option<NumberType> {
        if !covers(self.general, national) {
            return None;
        }
        let mut special = SPECIAL.into_iter().zip(self.special);
        if let Some((kind, _)) = special.find(|(_, descriptor)| covers(descriptor, national)) {
            return Some(kind);
        }
        let fixed_line = covers(self.fixed_line, national);
        // Where the two can't be told apart, as in +1, they are one long pattern, which is compiled once.
        let mobile = if self.mobile == self.fixed_line { fixed_line } else { covers(self.mobile, national) };
        match (fixed_line, mobile) {
            (true, true) => Some(NumberType::FixedLineOrMobile),
            (true, false) => Some(NumberType::FixedLine),
            (false, true) => Some(NumberType::Mobile),
            (false, false) => None,
        }
    }
}

/// Whether a descriptor, `LENGTHS:PATTERN` or empty, fits the whole number. No lengths: any length.
fn covers(descriptor: &str, national: &str) -> bool {
    let Some((lengths, pattern)) = descriptor.split_once(':') else { return false };
    let fits = |length: &str| length.parse() == Ok(national.len());
    (lengths.is_empty() || lengths.split(',').any(fits)) && matches(&format!("^(?:{pattern})$"), national)
}

fn starts(pattern: &str, national: &str) -> bool {
    matches(&format!("^(?:{pattern})"), national)
}

/// Every pattern of the table compiles: the test that compares the table to its source tries them all.
fn matches(pattern: &str, national: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(national))
}
