//! `GET /v1/tenants/{tenant}/audit-events`: a page in JSON or, for an export, as JSON lines.

use super::paging::{self, PageBody};
use super::policy_admin::PolicyAdmin;
use crate::domain::audit::{Actor, AuditEvent, Details, EventKind};
use crate::domain::ids::{ApplicationId, UserId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::http::{Call, Problem, Reply};
use crate::ports::{Page, PageRequest};
use crate::usecase::audit_trail::AuditSearch;
use crate::usecase::authenticate::ReadAudit;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

/// Most events of one page of JSON lines: nobody looks at it, and it takes a tenth of the calls.
const MAX_LINES: u16 = 1000;
/// JSON lines (ndjson.org): one event a line.
const LINES: &str = "application/x-ndjson";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    user: Option<String>,
    application: Option<String>,
    r#type: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// The same parameters, to go on with.
#[derive(Debug, Serialize)]
struct NextQuery<'a> {
    user: Option<&'a str>,
    application: Option<&'a str>,
    r#type: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    limit: Option<u16>,
    cursor: &'a str,
}

#[derive(Debug, Serialize)]
struct EventBody {
    id: String,
    at: String,
    r#type: &'static str,
    actor: ActorBody,
    /// The address that the gateway saw.
    client_ip: Option<String>,
    request_id: Option<String>,
    user: Option<String>,
    application: Option<String>,
    /// What changed, as it was and as it is: `null` for what was not there, or no longer is.
    before: Option<Details>,
    after: Option<Details>,
}

#[derive(Debug, Serialize)]
struct ActorBody {
    r#type: &'static str,
    /// Of an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Of an administrator, at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Of a user that acted for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

impl From<&AuditEvent> for EventBody {
    fn from(event: &AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at.rfc3339(),
            r#type: event.kind.as_str(),
            actor: ActorBody::from(&event.actor),
            client_ip: event.provenance.client_ip.map(|address| address.to_string()),
            request_id: event.provenance.request_id.clone(),
            user: event.user.as_ref().map(ToString::to_string),
            application: event.application.as_ref().map(ToString::to_string),
            before: event.before.clone(),
            after: event.after.clone(),
        }
    }
}

impl From<&Actor> for ActorBody {
    fn from(actor: &Actor) -> Self {
        let (key, role, user) = match actor {
            Actor::Administrator { key, role } => (Some(key.to_string()), Some(role.as_str()), None),
            Actor::User(user) => (None, None, Some(user.to_string())),
            Actor::Operator | Actor::System => (None, None, None),
        };
        Self { r#type: actor.as_str(), key, role, user }
    }
}

impl EventsQuery {
    fn search(&self) -> Result<AuditSearch, Refusal> {
        Ok(AuditSearch {
            user: parsed("user", &self.user, UserId::parse)?,
            application: parsed("application", &self.application, ApplicationId::parse)?,
            kind: parsed("type", &self.r#type, EventKind::parse)?,
            from: parsed("from", &self.from, Timestamp::parse_rfc3339)?,
            to: parsed("to", &self.to, Timestamp::parse_rfc3339)?,
        })
    }

    /// Where the list goes on, as a reference relative to the list itself (RFC 8288 §3.1).
    fn next<'a>(&'a self, cursor: &'a str) -> Option<HeaderValue> {
        let query = NextQuery {
            user: self.user.as_deref(),
            application: self.application.as_deref(),
            r#type: self.r#type.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            limit: self.limit,
            cursor,
        };
        let query = serde_urlencoded::to_string(query).ok()?;
        HeaderValue::from_str(&format!("<?{query}>; rel=\"next\"")).ok()
    }
}

pub(super) async fn list(app: &PolicyAdmin, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadAudit>(&call).await?;
    let query: EventsQuery = call.query()?;
    let search = query.search()?;
    let as_lines = call.header(header::ACCEPT)?.is_some_and(accepts_lines);
    let page =
        if as_lines { lines_page(&query)? } else { paging::request(query.limit, query.cursor.clone())? };
    let events = app.audit.search(&allowed, search, &page).await?;
    Ok(if as_lines { lines(&events, &query) } else { Reply::ok(&PageBody::<EventBody>::of(events)) })
}

fn parsed<T>(
    name: &str,
    text: &Option<String>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let wrong = || Refusal::InvalidRequest(format!("{name} has no valid value"));
    text.as_deref().map(|text| parse(text).ok_or_else(wrong)).transpose()
}

fn accepts_lines(accept: &str) -> bool {
    let media_type =
        |range: &str| range.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case(LINES));
    accept.split(',').any(media_type)
}

fn lines_page(query: &EventsQuery) -> Result<PageRequest, Refusal> {
    let limit = query.limit.unwrap_or(MAX_LINES);
    if !(1..=MAX_LINES).contains(&limit) {
        return Err(Refusal::InvalidRequest(format!("limit must be from 1 to {MAX_LINES}")));
    }
    Ok(PageRequest { limit, cursor: query.cursor.clone() })
}

/// Without a `Link` to a next page this is the last one.
fn lines(page: &Page<AuditEvent>, query: &EventsQuery) -> Reply {
    let reply = Reply::lines(page.items.iter().map(EventBody::from), HeaderValue::from_static(LINES));
    match page.next.as_deref().and_then(|cursor| query.next(cursor)) {
        Some(next) => reply.with_header(header::LINK, next),
        None => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_are_for_those_who_ask_for_them() {
        for accept in ["application/x-ndjson", "text/html, Application/X-NDJSON; q=0.9"] {
            assert!(accepts_lines(accept), "{accept}");
        }
        for accept in ["", "*/*", "application/json", "application/*"] {
            assert!(!accepts_lines(accept), "{accept}");
        }
    }

    #[test]
    fn the_next_page_is_asked_with_the_same_filters() {
        let query: EventsQuery =
            serde_urlencoded::from_str("type=user.created&from=2026-11-24T14%3A00%3A00%2B02%3A00&cursor=old")
                .unwrap();
        let next = query.next("new").unwrap();
        let expected = "<?type=user.created&from=2026-11-24T14%3A00%3A00%2B02%3A00&cursor=new>; rel=\"next\"";
        assert_eq!(next, expected);
    }
}
