//! Items of the `policy#…` partitions: tenants, applications, identity sources, administrator keys.
//!
//! Settings are native maps, so that a switch can be read in the console and changed in an expression. Sign-in reads the same items in
//! a batch of its own, hence the public decoders. An item's key is added where it is written.

use super::request::{Item, from_item, to_item};
use super::settings_item::{RulesItem, SecurityItem};
use crate::domain::admin_key::{AdminKey, Role};
use crate::domain::application::{Application, ApplicationSecret, ApplicationType};
use crate::domain::branding::{Branding, Color};
use crate::domain::console_session::{ConsoleSession, ConsoleSessions};
use crate::domain::identity_source::{IdentitySource, Provisioning};
use crate::domain::ids::{ApplicationId, KeyId, SessionId, SourceId, TenantId};
use crate::domain::message_template::{MessageTemplate, MessageTemplates, TemplateLocale};
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A tenant. `permanent_owners` counts its owner keys that never expire; it is no part of [`Tenant`] and is never written with it.
#[derive(Debug, Serialize, Deserialize)]
struct TenantItem {
    v: u8,
    id: String,
    name: String,
    home_country: String,
    /// Epoch milliseconds, as every time here.
    created_at: i64,
    /// Absent in items of before there was a choice.
    #[serde(default)]
    production: bool,
    /// Absent in items of before there was any.
    #[serde(default)]
    branding: BrandingItem,
    /// Texts by language. Absent where there are none.
    #[serde(skip_serializing_if = "TemplatesItem::is_empty", default)]
    message_templates: TemplatesItem,
    security: SecurityItem,
    version: u64,
}

/// As a map of its own, that an expression can write beside the owners' count.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TemplatesItem(BTreeMap<String, String>);

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct BrandingItem {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    logo_url: Option<String>,
    /// `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    accent_color: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ApplicationItem {
    v: u8,
    id: String,
    name: String,
    kind: String,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    message_host: Option<String>,
    /// Absent while the application follows its tenant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    custom_security: Option<RulesItem>,
    #[serde(default)]
    secrets: Vec<SecretItem>,
    created_at: i64,
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SecretItem {
    id: String,
    #[serde(with = "hash_hex")]
    hash: [u8; 32],
    created_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SourceItem {
    v: u8,
    id: String,
    name: String,
    issuer: String,
    audience: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    jwks_uri: Option<String>,
    /// Absent in items of before there was a choice: `linked_only`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    provisioning: Option<String>,
    created_at: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct AdminKeyItem {
    v: u8,
    id: String,
    tenant: String,
    role: String,
    name: String,
    #[serde(with = "hash_hex")]
    hash: [u8; 32],
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    expires_at: Option<i64>,
}

/// The sessions of the console that one key opened.
#[derive(Debug, Serialize, Deserialize)]
struct ConsoleSessionsItem {
    v: u8,
    revision: u64,
    sessions: Vec<ConsoleSessionItem>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ConsoleSessionItem {
    id: String,
    #[serde(with = "hash_hex")]
    hash: [u8; 32],
    created_at: i64,
    expires_at: i64,
}

/// The tenant of an item read at [`keys::tenant`](super::keys::tenant).
pub fn decode_tenant(item: Item) -> Result<Tenant, Fault> {
    let item: TenantItem = from_item(item)?;
    Ok(Tenant {
        id: id(TenantId::parse(&item.id))?,
        name: item.name,
        home_country: item.home_country,
        created_at: Timestamp::from_millis(item.created_at),
        production: item.production,
        branding: item.branding.try_into()?,
        message_templates: item.message_templates.try_into()?,
        security: item.security.try_into()?,
        version: item.version,
    })
}

pub(super) fn encode_tenant(tenant: &Tenant) -> Result<Item, Fault> {
    to_item(&TenantItem {
        v: 1,
        id: tenant.id.as_str().to_owned(),
        name: tenant.name.clone(),
        home_country: tenant.home_country.clone(),
        created_at: tenant.created_at.millis(),
        production: tenant.production,
        branding: BrandingItem::from(&tenant.branding),
        message_templates: TemplatesItem::from(&tenant.message_templates),
        security: SecurityItem::from(&tenant.security),
        version: tenant.version,
    })
}

impl TemplatesItem {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&MessageTemplates> for TemplatesItem {
    fn from(templates: &MessageTemplates) -> Self {
        let text = |(locale, text): (&TemplateLocale, &MessageTemplate)| {
            (locale.as_str().to_owned(), text.as_str().to_owned())
        };
        Self(templates.iter().map(text).collect())
    }
}

impl TryFrom<TemplatesItem> for MessageTemplates {
    type Error = Fault;

    fn try_from(TemplatesItem(item): TemplatesItem) -> Result<Self, Fault> {
        let text = |(locale, text): (String, String)| {
            let locale = TemplateLocale::parse(&locale);
            let locale = locale.map_err(|_| Fault::new("a stored language tag is none"))?;
            Ok((locale, MessageTemplate::restored(text)))
        };
        item.into_iter().map(text).collect()
    }
}

impl From<&Branding> for BrandingItem {
    fn from(branding: &Branding) -> Self {
        let Branding { logo_url, accent_color } = branding;
        Self { logo_url: logo_url.clone(), accent_color: accent_color.map(Color::hex) }
    }
}

impl TryFrom<BrandingItem> for Branding {
    type Error = Fault;

    fn try_from(item: BrandingItem) -> Result<Self, Fault> {
        let color = |text: String| Color::parse(&text).ok_or_else(|| Fault::new("a stored colour is none"));
        Ok(Self { logo_url: item.logo_url, accent_color: item.accent_color.map(color).transpose()? })
    }
}

/// The application of an item read at [`keys::application`](super::keys::application).
pub fn decode_application(item: Item) -> Result<Application, Fault> {
    let item: ApplicationItem = from_item(item)?;
    Ok(Application {
        id: id(ApplicationId::parse(&item.id))?,
        name: item.name,
        kind: ApplicationType::parse(&item.kind).ok_or_else(|| Fault::new("unknown application type"))?,
        origins: item.origins,
        redirect_uris: item.redirect_uris,
        message_host: item.message_host,
        custom_security: item.custom_security.map(Into::into),
        secrets: item.secrets.into_iter().map(ApplicationSecret::try_from).collect::<Result<_, _>>()?,
        created_at: Timestamp::from_millis(item.created_at),
        version: item.version,
    })
}

pub(super) fn encode_application(application: &Application) -> Result<Item, Fault> {
    to_item(&ApplicationItem {
        v: 1,
        id: application.id.as_str().to_owned(),
        name: application.name.clone(),
        kind: application.kind.as_str().to_owned(),
        origins: application.origins.clone(),
        redirect_uris: application.redirect_uris.clone(),
        message_host: application.message_host.clone(),
        custom_security: application.custom_security.as_ref().map(RulesItem::from),
        secrets: application.secrets.iter().map(SecretItem::from).collect(),
        created_at: application.created_at.millis(),
        version: application.version,
    })
}

impl From<&ApplicationSecret> for SecretItem {
    fn from(secret: &ApplicationSecret) -> Self {
        Self { id: secret.id.as_str().to_owned(), hash: secret.hash, created_at: secret.created_at.millis() }
    }
}

impl TryFrom<SecretItem> for ApplicationSecret {
    type Error = Fault;

    fn try_from(item: SecretItem) -> Result<Self, Fault> {
        Ok(Self {
            id: id(KeyId::parse(&item.id))?,
            hash: item.hash,
            created_at: Timestamp::from_millis(item.created_at),
        })
    }
}

/// The source of an item read at [`keys::source`](super::keys::source).
pub fn decode_source(item: Item) -> Result<IdentitySource, Fault> {
    let item: SourceItem = from_item(item)?;
    let provisioning = match item.provisioning.as_deref() {
        Some(text) => Provisioning::parse(text).ok_or_else(|| Fault::new("unknown provisioning"))?,
        None => Provisioning::LinkedOnly,
    };
    Ok(IdentitySource {
        id: id(SourceId::parse(&item.id))?,
        name: item.name,
        issuer: item.issuer,
        audience: item.audience,
        jwks_uri: item.jwks_uri,
        provisioning,
        created_at: Timestamp::from_millis(item.created_at),
    })
}

pub(super) fn encode_source(source: &IdentitySource) -> Result<Item, Fault> {
    to_item(&SourceItem {
        v: 1,
        id: source.id.as_str().to_owned(),
        name: source.name.clone(),
        issuer: source.issuer.clone(),
        audience: source.audience.clone(),
        jwks_uri: source.jwks_uri.clone(),
        provisioning: Some(source.provisioning.as_str().to_owned()),
        created_at: source.created_at.millis(),
    })
}

pub(super) fn decode_admin_key(item: Item) -> Result<AdminKey, Fault> {
    let item: AdminKeyItem = from_item(item)?;
    Ok(AdminKey {
        id: id(KeyId::parse(&item.id))?,
        tenant: id(TenantId::parse(&item.tenant))?,
        role: Role::parse(&item.role).ok_or_else(|| Fault::new("unknown role"))?,
        name: item.name,
        hash: item.hash,
        created_at: Timestamp::from_millis(item.created_at),
        expires_at: item.expires_at.map(Timestamp::from_millis),
    })
}

pub(super) fn encode_admin_key(key: &AdminKey) -> Result<Item, Fault> {
    to_item(&AdminKeyItem {
        v: 1,
        id: key.id.as_str().to_owned(),
        tenant: key.tenant.as_str().to_owned(),
        role: key.role.as_str().to_owned(),
        name: key.name.clone(),
        hash: key.hash,
        created_at: key.created_at.millis(),
        expires_at: key.expires_at.map(Timestamp::millis),
    })
}

/// The sessions of an item read at [`keys::console_sessions`](super::keys::console_sessions).
pub(super) fn decode_console_sessions(item: Item) -> Result<ConsoleSessions, Fault> {
    let item: ConsoleSessionsItem = from_item(item)?;
    let session = |item: ConsoleSessionItem| {
        Ok::<_, Fault>(ConsoleSession {
            id: id(SessionId::parse(&item.id))?,
            hash: item.hash,
            created_at: Timestamp::from_millis(item.created_at),
            expires_at: Timestamp::from_millis(item.expires_at),
        })
    };
    let sessions = item.sessions.into_iter().map(session).collect::<Result<_, _>>()?;
    Ok(ConsoleSessions::restored(sessions, item.revision))
}

/// As the write after the one that was read.
pub(super) fn encode_console_sessions(sessions: &ConsoleSessions) -> Result<Item, Fault> {
    let session = |session: &ConsoleSession| ConsoleSessionItem {
        id: session.id.as_str().to_owned(),
        hash: session.hash,
        created_at: session.created_at.millis(),
        expires_at: session.expires_at.millis(),
    };
    to_item(&ConsoleSessionsItem {
        v: 1,
        revision: sessions.revision + 1,
        sessions: sessions.iter().map(session).collect(),
    })
}

fn id<T>(parsed: Option<T>) -> Result<T, Fault> {
    parsed.ok_or_else(|| Fault::new("a stored id has the wrong form"))
}

/// A hash as lower-case hexadecimal: an array would be kept as 32 numbers.
mod hash_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Write;

    pub fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(64);
        for byte in hash {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(D::Error::custom("not a hash"));
        }
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(D::Error::custom)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| D::Error::custom("not a hash"))?;
        }
        Ok(hash)
    }
}
