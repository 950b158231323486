//! The user item and the owner items of its identifiers. Nothing in them is readable (acceptance H14): what names a user is sealed,
//! and a password is a slow hash.

use super::keys;
use super::request::{Item, from_item, to_item};
use crate::domain::ids::{SourceId, TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::{Locale, SealedIdentifier, User};
use crate::ports::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Serialize, Deserialize)]
struct UserItem {
    /// Version of the item's format.
    v: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    username: Option<IdentifierItem>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    email: Option<IdentifierItem>,
    /// By source. Never empty, so that the attribute's being there says that there is one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    identities: BTreeMap<String, IdentifierItem>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    password_hash: Option<String>,
    /// Epoch milliseconds.
    created_at: i64,
    version: u64,
}

/// A sealed identifier, as an attribute of a user.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct IdentifierItem {
    sealed: String,
    hash: String,
}

impl From<&SealedIdentifier> for IdentifierItem {
    fn from(identifier: &SealedIdentifier) -> Self {
        Self { sealed: identifier.sealed.clone(), hash: identifier.hash.clone() }
    }
}

impl From<IdentifierItem> for SealedIdentifier {
    fn from(item: IdentifierItem) -> Self {
        Self { sealed: item.sealed, hash: item.hash }
    }
}

/// A user's subjects, as its item has them.
pub(super) fn identities(user: &User) -> BTreeMap<String, IdentifierItem> {
    user.identities.iter().map(|(source, subject)| (source.to_string(), subject.into())).collect()
}

/// Says whose an identifier is. Its key holds the identifier's keyed hash.
#[derive(Debug, Serialize, Deserialize)]
struct OwnerItem {
    v: u8,
    user: String,
}

/// A user's item, without its key.
pub fn encode_user(user: &User) -> Result<Item, Fault> {
    to_item(&UserItem {
        v: 1,
        username: user.username.as_ref().map(IdentifierItem::from),
        email: user.email.as_ref().map(IdentifierItem::from),
        identities: identities(user),
        locale: user.locale.as_ref().map(|locale| locale.as_str().to_owned()),
        password_hash: user.password_hash.clone(),
        created_at: user.created_at.millis(),
        version: user.version,
    })
}

/// The user of an item that was read from the tenant's partition. Nothing is unsealed for it.
pub fn decode_user(tenant: &TenantId, item: Item) -> Result<User, Fault> {
    let id = keys::Key::of(&item).and_then(|key| UserId::parse(&key.sk));
    let id = id.ok_or_else(|| Fault::new("a user item has no user id in its key"))?;
    let item: UserItem = from_item(item)?;
    let identity = |(source, subject): (String, IdentifierItem)| {
        let source = SourceId::parse(&source);
        let source = source.ok_or_else(|| Fault::new("a user item has a malformed source id"))?;
        Ok::<_, Fault>((source, SealedIdentifier::from(subject)))
    };
    let locale = item.locale.map(|text| Locale::parse(&text)).transpose();
    Ok(User {
        id,
        tenant: tenant.clone(),
        username: item.username.map(SealedIdentifier::from),
        email: item.email.map(SealedIdentifier::from),
        identities: item.identities.into_iter().map(identity).collect::<Result<_, _>>()?,
        locale: locale.map_err(|_| Fault::new("a user item has a malformed locale"))?,
        password_hash: item.password_hash,
        created_at: Timestamp::from_millis(item.created_at),
        version: item.version,
    })
}

/// An owner item, without its key.
pub fn encode_owner(user: &UserId) -> Result<Item, Fault> {
    to_item(&OwnerItem { v: 1, user: user.as_str().to_owned() })
}

/// Whose identifier an owner item's is.
pub fn decode_owner(item: Item) -> Result<UserId, Fault> {
    let item: OwnerItem = from_item(item)?;
    UserId::parse(&item.user).ok_or_else(|| Fault::new("an owner item has no user id"))
}
