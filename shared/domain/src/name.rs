//! Display names of tenants, applications, sources and keys.

use super::refusal::Refusal;

/// Longest name, in characters.
pub const MAX_LENGTH: usize = 100;

/// A name without the space around it. Refused: nothing left, too long, or a character that makes a console or a log show
/// something else than what is there (controls, line ends, direction marks: CVE-2021-42574).
pub fn parse(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_LENGTH {
        return Err(Refusal::InvalidRequest(format!("name must have from 1 to {MAX_LENGTH} characters")));
    }
    if name.chars().any(misleads) {
        return Err(Refusal::InvalidRequest(
            "name must not have control, line-end or direction characters".into(),
        ));
    }
    Ok(name.to_owned())
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(parse("  Acme GmbH "), Ok("Acme GmbH".to_owned()));
        assert!(parse(&"ü".repeat(100)).is_ok());
        assert!(parse(&"ü".repeat(101)).is_err());
        for empty in ["", "   ", "\u{3000}"] {
            assert!(parse(empty).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn what_misleads_a_reader_is_refused() {
        for bad in ["a\nb", "a\u{0}b", "a\u{202E}b", "a\u{2066}b", "a\u{200F}b", "a\u{2028}b", "a\u{85}b"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        // Joiners are part of names in Persian and of emoji.
        assert!(parse("می\u{200C}خواهم").is_ok());
    }
}
