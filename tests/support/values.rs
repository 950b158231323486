//! What tests take out of answers, and the near misses that they send back.

use serde_json::Value;

/// A string in an answer, by its JSON pointer (RFC 6901).
///
/// # Panics
/// Where the answer has none there, with the answer.
pub fn text(answer: &Value, pointer: &str) -> String {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {answer}")).to_owned()
}

/// Another code of the same length. The next one, so that ten calls in a row meet none twice.
///
/// # Panics
/// Where the code does not end in an ASCII digit.
pub fn another_code(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    let last: u8 = last.parse().expect("a digit");
    format!("{rest}{}", (last + 1) % 10)
}

/// A secret, a token or an id with another last character, whatever that was: one that only *may* differ makes a test that fails at times.
pub fn changed(text: &str) -> String {
    let mut changed = text.to_owned();
    let last = changed.pop();
    changed.push(if last == Some('x') { 'y' } else { 'x' });
    changed
}

#[cfg(test)]
mod tests {
    use super::{another_code, changed};

    #[test]
    fn a_near_miss_is_never_the_thing_itself() {
        assert_eq!([changed("abc"), changed("abx"), changed("aby")], ["abx", "aby", "abx"]);
        assert_eq!([another_code("493021"), another_code("000009")], ["493022", "000000"]);
    }
}
