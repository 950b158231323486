//! The audit: written in transactions with what it tells of, read by month or by user.

use super::DynamoStore;
use super::audit_item::{APPLICATION, KIND, decode_event, encode_event};
use super::keys::{self, Key};
use super::request::{Item, fault, string};
use super::transaction::{Actions, Expression, put};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{EventId, TenantId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ports::{AuditQuery, AuditReader, Failure, Fault, Page};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::TransactWriteItem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many requests one page may cost: four months that have nothing, or as many megabytes to look through, some thousand events each.
const MAX_QUERIES: usize = 4;

impl DynamoStore {
    /// Adds an event to the transaction of what it tells of. Its id was drawn for it, so it has no condition that could fail; `meaning` is
    /// just what the actions ask for.
    pub(super) fn record<M: Clone>(
        &self,
        actions: &mut Actions<M>,
        event: &AuditEvent,
        meaning: M,
    ) -> Result<(), Fault> {
        for action in self.event_puts(event)? {
            actions.add(action, meaning.clone());
        }
        Ok(())
    }

    /// The actions that write an event in a transaction.
    pub(super) fn event_puts(&self, event: &AuditEvent) -> Result<Vec<TransactWriteItem>, Fault> {
        let item = encode_event(event)?;
        let keys = keys::audit(&event.tenant, event.at, &event.id, event.user.as_ref());
        keys.iter().map(|key| put(self.directory(), key, item.clone(), Expression::default())).collect()
    }

    /// The events of one partition before `position`, newest first, and `position` itself if it is one.
    async fn events_before(
        &self,
        partition: String,
        position: &Position,
        query: &AuditQuery,
        wanted: usize,
    ) -> Result<QueryOutput, Fault> {
        let filters = [
            query.kind.map(|kind| (KIND, kind.as_str())),
            query.application.as_ref().map(|application| (APPLICATION, application.as_str())),
        ];
        let mut request = self
            .client()
            .query()
            .table_name(self.directory())
            .scan_index_forward(false)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :position")
            .expression_attribute_values(":pk", string(partition))
            .expression_attribute_values(":from", string(keys::events_since(query.from)))
            .expression_attribute_values(":position", string(position.sort_key()));
        let mut conditions = Vec::new();
        for (attribute, value) in filters.into_iter().flatten() {
            conditions.push(format!("#{attribute} = :{attribute}"));
            request = request
                .expression_attribute_names(format!("#{attribute}"), attribute)
                .expression_attribute_values(format!(":{attribute}"), string(value));
        }
        request = if conditions.is_empty() {
            // One more for the position itself, and one to know that there is more.
            request.limit(i32::try_from(wanted + 2).unwrap_or(i32::MAX))
        } else {
            // A limit would count what the filter drops.
            request.filter_expression(conditions.join(" AND "))
        };
        request.send().await.map_err(fault)
    }
}

#[async_trait]
impl AuditReader for DynamoStore {
    async fn audit_events(&self, tenant: &TenantId, query: &AuditQuery) -> Result<Page<AuditEvent>, Failure> {
        let limit = usize::from(query.limit);
        let end = Position { at: query.to, event: None };
        let mut position = match &query.cursor {
            Some(cursor) => Position::of_cursor(cursor)?.min(end),
            None => end,
        };
        let mut items: Vec<Item> = Vec::new();
        let of = |items: Vec<Item>| items.into_iter().map(decode_event).collect::<Result<_, Fault>>();
        for _ in 0..MAX_QUERIES {
            if position.newest() < query.from {
                return Ok(Page { items: of(items)?, next: None });
            }
            let month = position.newest();
            let partition = match &query.user {
                Some(user) => keys::user_audit_partition(tenant, user),
                None => keys::audit_partition(tenant, month),
            };
            let found = self.events_before(partition, &position, query, limit - items.len()).await?;
            let at = position.sort_key();
            let new = found.items.unwrap_or_default().into_iter();
            items.extend(new.filter(|item| Key::of(item).is_none_or(|key| key.sk != at)));
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(Position::of_item).transpose()?;
                return Ok(Page { items: of(items)?, next: next.map(|last| last.cursor()) });
            }
            position = match (found.last_evaluated_key, &query.user) {
                (Some(last), _) => Position::of_item(&last)?,
                (None, Some(_)) => return Ok(Page { items: of(items)?, next: None }),
                (None, None) => Position { at: keys::audit_month_start(month), event: None },
            };
        }
        let next = (position.newest() >= query.from).then(|| position.cursor());
        Ok(Page { items: of(items)?, next })
    }
}

/// A place in the order of events. What comes before it, of earlier moments or smaller ids, is still to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    at: Timestamp,
    /// `None`: before any event of that moment.
    event: Option<EventId>,
}

impl Position {
    fn of_sort_key(text: &str) -> Option<Self> {
        let (millis, event) = match text.split_once('#') {
            Some((millis, event)) => (millis, Some(EventId::parse(event)?)),
            None => (text, None),
        };
        let digits = millis.len() == keys::events_since(Timestamp::from_millis(0)).len()
            && millis.bytes().all(|b| b.is_ascii_digit());
        let at = Timestamp::from_millis(millis.parse().ok()?);
        digits.then_some(Self { at, event })
    }

    fn of_item(item: &Item) -> Result<Self, Fault> {
        let position = Key::of(item).and_then(|key| Self::of_sort_key(&key.sk));
        position.ok_or_else(|| Fault::new("an event's sort key has another form"))
    }

    fn of_cursor(cursor: &str) -> Result<Self, Refusal> {
        let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = text.and_then(|text| Self::of_sort_key(&text));
        position.ok_or_else(|| Refusal::InvalidRequest("cursor is not one that this list has given".into()))
    }

    /// It opens no other list: the partition comes from the caller's own tenant.
    fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.sort_key())
    }

    fn sort_key(&self) -> String {
        match &self.event {
            Some(event) => keys::event(self.at, event),
            None => keys::events_since(self.at),
        }
    }

    /// The last moment that an event before it can be of.
    fn newest(&self) -> Timestamp {
        match &self.event {
            Some(_) => self.at,
            None => Timestamp::from_millis(self.at.millis() - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(millis: i64, event: Option<char>) -> Position {
        let event = event.map(|letter| format!("evt_{}", letter.to_string().repeat(22)));
        let event = event.map(|text| EventId::parse(&text).expect("an id"));
        Position { at: Timestamp::from_millis(millis), event }
    }

    #[test]
    fn positions_are_in_the_order_of_their_sort_keys() {
        let order = [position(7, None), position(7, Some('a')), position(7, Some('b')), position(12, None)];
        for pair in order.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].sort_key() < pair[1].sort_key(), "{pair:?}");
        }
        assert_eq!(order.clone().map(|p| p.newest().millis()), [6, 7, 7, 11]);
    }

    #[test]
    fn a_cursor_is_read_back_and_anything_else_is_refused() {
        for position in [position(1_795_528_800_000, None), position(7, Some('z'))] {
            assert_eq!(Position::of_cursor(&position.cursor()), Ok(position));
        }
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in ["", "!", "7", "000000000000+", "0000000000007#", "0000000000007#evt_x", "00000000000007"]
        {
            assert!(Position::of_cursor(&encoded(bad)).is_err(), "{bad}");
            assert!(Position::of_cursor(bad).is_err(), "{bad}");
        }
    }
}
