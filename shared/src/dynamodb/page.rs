//! Lists of one partition, a page at a time.

use super::DynamoStore;
use super::keys::{Key, PK, SK};
use super::request::{Item, fault, string};
use crate::domain::refusal::Refusal;
use crate::ports::{Failure, Fault, Page, PageRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A list: the items of partition `pk` whose sort keys start with `prefix`.
#[derive(Clone, Copy)]
struct List<'a> {
    table: &'a str,
    pk: &'a str,
    prefix: &'a str,
    newest_first: bool,
}

impl DynamoStore {
    /// One page of the directory's items in partition `pk` whose sort keys start with `prefix`, in their order.
    pub(super) async fn directory_page<T>(
        &self,
        pk: &str,
        prefix: &str,
        page: &PageRequest,
        decode: impl Fn(Item) -> Result<T, Fault>,
    ) -> Result<Page<T>, Failure> {
        self.page(List { table: self.directory(), pk, prefix, newest_first: false }, page, decode).await
    }

    /// The same of the logins table, last sort key first.
    pub(super) async fn latest_logins_page<T>(
        &self,
        pk: &str,
        prefix: &str,
        page: &PageRequest,
        decode: impl Fn(Item) -> Result<T, Fault>,
    ) -> Result<Page<T>, Failure> {
        self.page(List { table: self.logins(), pk, prefix, newest_first: true }, page, decode).await
    }

    async fn page<T>(
        &self,
        list: List<'_>,
        page: &PageRequest,
        decode: impl Fn(Item) -> Result<T, Fault>,
    ) -> Result<Page<T>, Failure> {
        let List { table, pk, prefix, newest_first } = list;
        let start = page.cursor.as_deref().map(|cursor| start_key(cursor, pk, prefix)).transpose()?;
        let limit = usize::from(page.limit);
        let answer = self
            .client()
            .query()
            .table_name(table)
            .scan_index_forward(!newest_first)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", string(pk))
            .expression_attribute_values(":prefix", string(prefix))
            .set_exclusive_start_key(start.map(|key| key.attributes()))
            // One more than asked for, so that the last page knows that it is the last.
            .limit(i32::from(page.limit) + 1)
            .send()
            .await
            .map_err(fault)?;
        let cut_short = answer.last_evaluated_key.is_some();
        let mut items = answer.items.unwrap_or_default();
        let more = items.len() > limit || cut_short;
        items.truncate(limit);
        let next = items.last().filter(|_| more).and_then(Key::of).map(|key| cursor(&key));
        Ok(Page { items: items.into_iter().map(decode).collect::<Result<_, _>>()?, next })
    }
}

/// The last key of a page. It is no secret, only none of the caller's business.
fn cursor(key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", key.pk, key.sk))
}

/// The key that a cursor stands for, if it is one of this very list.
fn start_key(cursor: &str, pk: &str, prefix: &str) -> Result<Key, Refusal> {
    let refused = || Refusal::InvalidRequest("cursor is not one that this list has given".into());
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let text = String::from_utf8(bytes).map_err(|_| refused())?;
    let sk = text.strip_prefix(pk).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(refused)?;
    let ours = sk.starts_with(prefix)
        && sk.len() <= 200
        && sk[prefix.len()..].bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'#'));
    if ours { Ok(Key { pk: pk.to_owned(), sk: sk.to_owned() }) } else { Err(refused()) }
}

/// The names of the key attributes, as [`Key`] spells them, are also in the condition above.
const _: () = assert!(matches!(PK.as_bytes(), b"pk") && matches!(SK.as_bytes(), b"sk"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_the_list_that_gave_it_and_no_other() {
        let key = Key { pk: "policy#ten_a".into(), sk: "source#src_a".into() };
        let given = cursor(&key);
        assert_eq!(start_key(&given, "policy#ten_a", "source#"), Ok(key));
        assert!(start_key(&given, "policy#ten_b", "source#").is_err());
        assert!(start_key(&given, "policy#ten", "source#").is_err());
        assert!(start_key(&given, "policy#ten_a", "key#").is_err());
        for bad in ["", "!", "AAAA", &given[1..], &format!("{given}=")] {
            assert!(start_key(bad, "policy#ten_a", "source#").is_err(), "{bad}");
        }
    }
}
