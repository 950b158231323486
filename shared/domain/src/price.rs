//! Estimated prices of one message, for the money budget.
//!
//! Estimates, rounded up to whole cents: the providers' price lists change monthly and differ by route. They only have to be of the right
//! size, so that a budget of USD 50 a day stays one of about USD 50. docs/SECURITY.md says how to read the real spend.

/// Millionths of a US dollar.
pub type MicroUsd = u64;

/// One million.
pub const USD: MicroUsd = 1_000_000;

/// What one message to a number of this country costs at most, roughly. A country that isn't listed counts as expensive.
pub fn estimate(country: &str) -> MicroUsd {
    let cents = match country {
        "US" | "CA" | "PR" => 1,
        "CN" | "BR" | "MX" | "PT" | "PL" | "LT" | "SE" | "DK" | "FI" | "CZ" => 5,
        "GB" | "IE" | "AU" | "NZ" | "ES" | "NO" | "KR" | "SG" | "HK" | "TW" | "TH" | "ZA" | "IN" => 6,
        "DE" | "FR" | "IT" | "AT" | "CH" | "NL" | "BE" | "LU" | "JP" | "GR" | "RO" | "HU" => 10,
        _ => 25,
    };
    cents * USD / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_country_counts_as_expensive() {
        assert!(estimate("ZZ") > estimate("DE"));
        assert_eq!(estimate("US"), 10_000);
    }
}
