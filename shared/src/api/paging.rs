//! Lists: `?limit=&cursor=` in, `{items, next}` out.

use crate::domain::refusal::Refusal;
use crate::http::Call;
use crate::ports::{Page, PageRequest};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Which page the call asks for.
pub(super) fn requested(call: &Call) -> Result<PageRequest, Refusal> {
    let query: PageQuery = call.query()?;
    request(query.limit, query.cursor)
}

/// The same from a query that has parameters of its own.
pub(super) fn request(limit: Option<u16>, cursor: Option<String>) -> Result<PageRequest, Refusal> {
    let limit = limit.unwrap_or(PageRequest::DEFAULT_LIMIT);
    if !(1..=PageRequest::MAX_LIMIT).contains(&limit) {
        let most = PageRequest::MAX_LIMIT;
        return Err(Refusal::InvalidRequest(format!("limit must be from 1 to {most}")));
    }
    Ok(PageRequest { limit, cursor })
}

/// One page on the wire.
#[derive(Debug, Serialize)]
pub(super) struct PageBody<T> {
    items: Vec<T>,
    /// `null` on the last page.
    next: Option<String>,
}

impl<T> PageBody<T> {
    pub(super) fn of<U>(page: Page<U>) -> Self
    where
        T: for<'a> From<&'a U>,
    {
        Self { items: page.items.iter().map(T::from).collect(), next: page.next }
    }
}
