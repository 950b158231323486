//! The table of numbers is what libphonenumber says, and is read as libphonenumber means it.
//!
//! After an update of the crate `phonenumber`: `UPDATE_PHONE_METADATA=1 cargo test -p domain --test phone_metadata`.

use domain::phone::{NumberType, PhoneNumber};
use phonenumber::Type;
use phonenumber::metadata::{DATABASE, Descriptor};
use std::fmt::Write;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/phone/metadata.tsv");

const HEAD: &str = "\
# From libphonenumber (Copyright Google, Apache License 2.0). Written by shared/domain/tests/phone_metadata.rs.
# code\tregion\ttrunk prefix\tleading digits\tgeneral\tpremium rate\ttoll free\tshared cost\tVoIP\tpersonal number\tpager\tUAN\tvoicemail\tfixed line\tmobile
";

/// The columns after the general one, in their order.
const COLUMNS: [(Type, NumberType); 10] = [
    (Type::PremiumRate, NumberType::PremiumRate),
    (Type::TollFree, NumberType::TollFree),
    (Type::SharedCost, NumberType::SharedCost),
    (Type::Voip, NumberType::Voip),
    (Type::PersonalNumber, NumberType::PersonalNumber),
    (Type::Pager, NumberType::Pager),
    (Type::Uan, NumberType::Uan),
    (Type::Voicemail, NumberType::Voicemail),
    (Type::FixedLine, NumberType::FixedLine),
    (Type::Mobile, NumberType::Mobile),
];

/// A pattern without the white space that the source breaks it with.
fn pattern(text: &str) -> String {
    text.split_whitespace().collect()
}

fn descriptor(of: Option<&Descriptor>) -> String {
    of.map_or_else(String::new, |descriptor| {
        let lengths: Vec<_> = descriptor.possible_length().iter().map(u16::to_string).collect();
        format!("{}:{}", lengths.join(","), pattern(descriptor.national_number().as_str()))
    })
}

fn table() -> String {
    let mut table = HEAD.to_owned();
    // Codes are tried one by one: a walk over the regions would miss all but one of those that are of no country.
    for code in 1..=999u16 {
        for region in DATABASE.by_code(&code).unwrap_or_default() {
            let trunk_prefix = region.national_prefix().unwrap_or_default();
            let leading = region.leading_digits().map(|digits| pattern(digits.as_str())).unwrap_or_default();
            let of = region.descriptors();
            let general = descriptor(Some(of.general()));
            write!(table, "{code}\t{}\t{trunk_prefix}\t{leading}\t{general}", region.id()).expect("memory");
            for (kind, _) in COLUMNS {
                write!(table, "\t{}", descriptor(of.get(kind))).expect("memory");
            }
            table.push('\n');
        }
    }
    table
}

#[test]
fn the_table_is_what_libphonenumber_says() {
    let fresh = table();
    if std::env::var_os("UPDATE_PHONE_METADATA").is_some() {
        std::fs::write(FILE, &fresh).expect("the table is written");
    }
    let kept = std::fs::read_to_string(FILE).expect("the table");
    assert!(kept == fresh, "metadata.tsv differs from its source: see the head of this test");
}

#[test]
fn every_pattern_compiles() {
    for line in table().lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let patterns = columns[4..].iter().filter_map(|descriptor| descriptor.split_once(':'));
        for pattern in patterns.map(|(_, pattern)| pattern).chain([columns[3]]) {
            assert!(regex_lite::Regex::new(&format!("^(?:{pattern})$")).is_ok(), "{pattern}");
        }
    }
}

#[test]
fn libphonenumbers_own_examples_are_numbers_of_their_region_and_type() {
    let mut wrong = Vec::new();
    let mut examples = 0;
    for region in (1..=999u16).flat_map(|code| DATABASE.by_code(&code).unwrap_or_default()) {
        let regions = DATABASE.by_code(&region.country_code()).unwrap_or_default();
        for (kind, should) in COLUMNS {
            let Some(example) = region.descriptors().get(kind).and_then(Descriptor::example) else {
                continue;
            };
            examples += 1;
            let text = format!("+{}{example}", region.country_code());
            let is = PhoneNumber::parse(&text).map(|n| (n.e164().to_owned(), n.country(), n.number_type()));
            let is_line = matches!(should, NumberType::FixedLine | NumberType::Mobile);
            let fits = is.as_ref().is_ok_and(|(e164, country, kind)| {
                // Regions of one code share some of their numbers, freephone most of all; such a number is the first one's.
                let mut up_to_this =
                    regions.iter().take_while(|other| other.id() != region.id()).chain([&region]);
                let right_country = up_to_this.any(|other| other.id() == *country);
                let right_type = *kind == should || (is_line && *kind == NumberType::FixedLineOrMobile);
                *e164 == text && right_country && right_type
            });
            if !fits {
                wrong.push(format!("{text} of {} should be {should:?}, is {is:?}", region.id()));
            }
        }
    }
    assert!(examples > 1000, "{examples}");
    assert!(wrong.is_empty(), "{} of {examples}: {wrong:#?}", wrong.len());
}
