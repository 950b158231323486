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
    let is = |text: &str| PhoneNumber::parse(text).map(|n| (n.country().to_owned(), n.number_type(), n.e164));
    let wrong: Vec<_> = cases
        .into_iter()
        .map(|(text, country, kind)| (text, is(text), Ok((country.to_owned(), kind, text.to_owned()))))
        .filter(|(_, is, should)| is != should)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every way to write the same digits that the separators allow, from the bits of a counter.
fn spelling(digits: &str, mut choice: u64) -> String {
    let separators = ["", "", "", " ", "-", ".", " (", ") ", "\u{a0}", "\u{202f}", "\u{2010}", "\u{2011}"];
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
    for digits in
        ["+12025550142", "+447400123456", "+8613800138000", "+33612345678", "+2250712345678", "+919876543210"]
    {
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

#[test]
fn f4_a_number_is_read_as_its_country_writes_it() {
    for (country, text, e164) in [
        ("US", "(202) 555-0142", "+12025550142"),
        ("US", "1 202 555 0142", "+12025550142"),
        ("GB", "07400 123456", "+447400123456"),
        ("GB", "7400123456", "+447400123456"),
        ("GB", "44 7400 123456", "+447400123456"),
        ("CN", "138 0013 8000", "+8613800138000"),
        ("CN", "１３８００１３８０００", "+8613800138000"),
        ("DE", "0033 6 12 34 56 78", "+33612345678"),
        ("US", "+44 7400 123456", "+447400123456"),
        ("US", "＋４４ 7400 123456", "+447400123456"),
        ("CI", "07 12 34 56 78", "+2250712345678"),
    ] {
        assert_eq!(PhoneNumber::parse_in(country, text).as_ref().map(PhoneNumber::e164), Ok(e164), "{text}");
    }
    for (country, text) in [
        ("US", ""),
        ("US", "555 0142"),
        ("US", "abc"),
        ("ZZ", "2025550142"),
        ("001", "2025550142"),
        ("", "2025550142"),
        ("GB", "07400 12345٦"),
    ] {
        assert!(PhoneNumber::parse_in(country, text).is_err(), "{country} {text}");
    }
}

#[test]
fn a_country_has_a_calling_code() {
    for (country, code) in [("US", "1"), ("CA", "1"), ("GB", "44"), ("CN", "86"), ("XK", "383")] {
        assert_eq!(calling_code(country), Some(code));
    }
    for none in ["001", "ZZ", "", "us"] {
        assert_eq!(calling_code(none), None);
    }
}
