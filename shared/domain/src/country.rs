//! ISO 3166-1 alpha-2 country codes, as far as the country has telephone numbers.

use super::phone;
use super::refusal::Refusal;

/// The code in its canonical form: two upper-case letters of a region that libphonenumber knows. Lower case is refused rather than
/// mended, so that what is answered is what was sent.
pub fn parse(text: &str, field: &str) -> Result<String, Refusal> {
    if phone::is_country(text) {
        return Ok(text.to_owned());
    }
    Err(Refusal::InvalidRequest(format!(
        "{field} must be an ISO 3166-1 alpha-2 code in upper case, of a country with telephone numbers"
    )))
}

/// An allow-list: sorted, without repeats. An empty one is valid and allows nobody.
pub fn parse_list(codes: &[String], field: &str) -> Result<Vec<String>, Refusal> {
    let mut list = codes.iter().map(|code| parse(code, field)).collect::<Result<Vec<_>, _>>()?;
    list.sort_unstable();
    list.dedup();
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_upper_case_codes_pass() {
        for good in ["US", "DE", "CN", "GB", "ZW"] {
            assert_eq!(parse(good, "home_country").as_deref(), Ok(good));
        }
        for bad in ["", "us", "Us", "USA", "ZZ", "XX", "UK", "1", "001", " US", "ＵＳ"] {
            assert!(parse(bad, "home_country").is_err(), "{bad}");
        }
    }

    #[test]
    fn h4_a_list_is_sorted_without_repeats_and_may_be_empty() {
        let list =
            |codes: &[&str]| parse_list(&codes.iter().map(|c| c.to_string()).collect::<Vec<_>>(), "allow");
        assert_eq!(list(&["US", "DE", "US"]), Ok(vec!["DE".to_owned(), "US".to_owned()]));
        assert_eq!(list(&[]), Ok(vec![]));
        assert!(list(&["US", "??"]).is_err());
    }
}
