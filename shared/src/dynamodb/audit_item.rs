//! The item of an event. It carries no `ttl`, and nothing ever updates or deletes one.

use super::request::{Item, from_item, to_item};
use crate::domain::admin_key::Role;
use crate::domain::audit::{Actor, AuditEvent, Details, EventKind, Provenance};
use crate::domain::ids::{ApplicationId, EventId, KeyId, TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Attribute that a query may filter by.
pub(super) const KIND: &str = "kind";
/// Attribute that a query may filter by.
pub(super) const APPLICATION: &str = "application";

#[derive(Debug, Serialize, Deserialize)]
struct EventItem {
    v: u8,
    id: String,
    tenant: String,
    /// Epoch milliseconds.
    at: i64,
    kind: String,
    actor: ActorItem,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    client_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    application: Option<String>,
    /// Native maps, so that an event can be read in the console.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    after: Option<Details>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ActorItem {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    user: Option<String>,
}

/// An event's item, without its key.
pub(super) fn encode_event(event: &AuditEvent) -> Result<Item, Fault> {
    to_item(&EventItem {
        v: 1,
        id: event.id.to_string(),
        tenant: event.tenant.to_string(),
        at: event.at.millis(),
        kind: event.kind.as_str().to_owned(),
        actor: ActorItem::from(&event.actor),
        client_ip: event.provenance.client_ip,
        request_id: event.provenance.request_id.clone(),
        user: event.user.as_ref().map(ToString::to_string),
        application: event.application.as_ref().map(ToString::to_string),
        before: event.before.clone(),
        after: event.after.clone(),
    })
}

pub(super) fn decode_event(item: Item) -> Result<AuditEvent, Fault> {
    let item: EventItem = from_item(item)?;
    Ok(AuditEvent {
        id: known(EventId::parse(&item.id))?,
        tenant: known(TenantId::parse(&item.tenant))?,
        at: Timestamp::from_millis(item.at),
        kind: known(EventKind::parse(&item.kind))?,
        actor: known(item.actor.into_actor())?,
        provenance: Provenance { client_ip: item.client_ip, request_id: item.request_id },
        user: item.user.map(|id| known(UserId::parse(&id))).transpose()?,
        application: item.application.map(|id| known(ApplicationId::parse(&id))).transpose()?,
        before: item.before,
        after: item.after,
    })
}

impl From<&Actor> for ActorItem {
    fn from(actor: &Actor) -> Self {
        let (key, role, user) = match actor {
            Actor::Administrator { key, role } => (Some(key), Some(role), None),
            Actor::User(user) => (None, None, Some(user)),
            Actor::Operator | Actor::System => (None, None, None),
        };
        Self {
            kind: actor.as_str().to_owned(),
            key: key.map(ToString::to_string),
            role: role.map(|role| role.as_str().to_owned()),
            user: user.map(ToString::to_string),
        }
    }
}

impl ActorItem {
    fn into_actor(self) -> Option<Actor> {
        let key = self.key.as_deref().and_then(KeyId::parse);
        let role = self.role.as_deref().and_then(Role::parse);
        let user = self.user.as_deref().and_then(UserId::parse);
        let candidates = [
            Some(Actor::Operator),
            Some(Actor::System),
            key.zip(role).map(|(key, role)| Actor::Administrator { key, role }),
            user.map(Actor::User),
        ];
        candidates.into_iter().flatten().find(|actor| actor.as_str() == self.kind)
    }
}

fn known<T>(value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::new("a stored event has a value of another form"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(actor: Actor) -> AuditEvent {
        let details = |value: serde_json::Value| value.as_object().cloned();
        AuditEvent {
            id: EventId::parse(&format!("evt_{}", "e".repeat(22))).expect("an id"),
            tenant: TenantId::parse("ten_aaaaaaaaaaaa").expect("an id"),
            at: Timestamp::from_millis(1_795_528_800_123),
            kind: EventKind::UserChanged,
            actor,
            provenance: Provenance {
                client_ip: Some(IpAddr::from([192, 0, 2, 7])),
                request_id: Some("req_1".to_owned()),
            },
            user: UserId::parse(&format!("usr_{}", "u".repeat(22))),
            application: ApplicationId::parse(&format!("app_{}", "a".repeat(22))),
            before: details(json!({"limits": {"per_phone_hour": 5}, "origins": [], "name": "", "on": null})),
            after: None,
        }
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let key = KeyId::parse("key_kkkkkkkkkkkk").expect("an id");
        let user = UserId::parse(&format!("usr_{}", "u".repeat(22))).expect("an id");
        let administrator = Actor::Administrator { key, role: Role::Support };
        for actor in [Actor::Operator, administrator, Actor::User(user), Actor::System] {
            let mut event = event(actor);
            let item = encode_event(&event).expect("an item");
            assert!(!item.contains_key("ttl"));
            assert_eq!(decode_event(item).expect("an event"), event);
            (event.provenance, event.user, event.application, event.before) = Default::default();
            assert_eq!(decode_event(encode_event(&event).expect("an item")).expect("an event"), event);
        }
    }
}
