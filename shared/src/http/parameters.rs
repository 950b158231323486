//! Parameters of OAuth's endpoints: unknown ones are ignored, known ones stand once, and one without a value is none (RFC 6749 §3.1).

use super::Call;
use crate::domain::refusal::Refusal;
use std::collections::BTreeMap;

impl Call {
    /// Those of the query that `known` lists.
    pub fn query_parameters(
        &self,
        known: &[&'static str],
    ) -> Result<BTreeMap<&'static str, String>, Refusal> {
        pick(&self.query, known)
    }

    /// Those of the form that `known` lists.
    pub fn form_parameters(&self, known: &[&'static str]) -> Result<BTreeMap<&'static str, String>, Refusal> {
        pick(self.form_text()?, known)
    }
}

fn pick(text: &str, known: &[&'static str]) -> Result<BTreeMap<&'static str, String>, Refusal> {
    let refused = |why: &str| Err(Refusal::InvalidRequest(why.into()));
    let mut picked = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let Some(name) = known.iter().find(|known| **known == name) else { continue };
        // What is not UTF-8 was read as U+FFFD.
        if value.contains(['\0', '\u{fffd}']) {
            return refused("a parameter is not text");
        }
        if picked.insert(*name, value.into_owned()).is_some() {
            return refused("a parameter stands more than once");
        }
    }
    picked.retain(|_, value| !value.is_empty());
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t28_a_known_parameter_stands_once() {
        let pick = |text| pick(text, &["a", "b"]);
        let one = |name, value: &str| BTreeMap::from([(name, value.to_owned())]);
        assert_eq!(pick("a=1+%C3%A9&x=2&x=3"), Ok(one("a", "1 é")));
        assert_eq!(pick("a=&b=1"), Ok(one("b", "1")));
        assert_eq!(pick(""), Ok(BTreeMap::new()));
        for bad in ["a=1&a=1", "a=1&%61=2", "a=&a=1", "a=%00", "a=%ff"] {
            assert!(pick(bad).is_err(), "{bad}");
        }
    }
}
