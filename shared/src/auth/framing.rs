//! Unambiguous concatenation.

/// Joins fields, each after its length in bytes (32 bits, big endian), so that no two lists of fields give the same bytes. Whatever
/// is authenticated goes through this: `("ab", "c")` must not pass for `("a", "bc")`.
pub(super) fn framed(fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(fields.iter().map(|field| field.len() + 4).sum());
    for field in fields {
        let length = u32::try_from(field.len()).expect("a field is far below 4 GiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_join_to_the_same_text_differ() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"ab", b""]), framed(&[b"ab"]));
    }
}
