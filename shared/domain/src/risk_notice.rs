//! What an administrator is told about the risk of what is on.

use super::settings::SecurityRules;

/// One notice. Its code is stable; its words are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskNotice {
    pub code: &'static str,
    pub detail: &'static str,
    pub href: &'static str,
}

/// NIST SP 800-63B-4 §3.1.3.3 and §3.2.9.
const SMS: RiskNotice = RiskNotice {
    code: "sms_is_restricted",
    detail: "A code by SMS is a restricted authenticator (NIST SP 800-63B-4 §3.1.3.3): it can be relayed, intercepted, and taken over with \
             the number. Whoever offers it has to offer an authenticator that is not restricted beside it, tell its users the risk, keep an \
             assessment of the risk, and plan for the day when it may no longer be used (§3.2.9).",
    href: "https://doi.org/10.6028/NIST.SP.800-63B-4",
};

/// The notices of these rules.
pub fn of(rules: &SecurityRules) -> &'static [RiskNotice] {
    if rules.sms_enabled { &[SMS] } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_of_sms_is_told_while_it_is_on() {
        let mut rules = SecurityRules::default();
        assert!(of(&rules).is_empty());
        rules.sms_enabled = true;
        assert_eq!(of(&rules).iter().map(|notice| notice.code).collect::<Vec<_>>(), ["sms_is_restricted"]);
    }
}
