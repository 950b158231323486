//! Trusted devices: each is an item in its user's partition, right after the factor.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `device` | S | its id; it is in the key too |
//! | `hash` | B | SHA-256 of its token |
//! | `application` | S | where it is trusted |
//! | `created_at`, `expires_at` | N | epoch milliseconds |
//! | `phone_hash`, `phone_since` | S, N | the binding that it was trusted with: keyed hash of the number, and since when |
//! | `ttl` | N | epoch seconds: when it expires |

use super::challenge_item::{Reader, binary};
use super::factor_item::FactorItem;
use super::request::{Item, fault, from_item, number, string};
use super::transaction::{self, Actions, Expression};
use super::{DynamoStore, keys};
use crate::domain::audit::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::ids::{ApplicationId, DeviceId, TenantId, UserId};
use crate::domain::trusted_device::{BoundPhone, TrustedDevice};
use crate::ports::Fault;
use crate::ports::trusted_devices::{DeviceFacts, DeviceReader, RevokeStore, TrustStore};
use async_trait::async_trait;

#[async_trait]
impl DeviceReader for DynamoStore {
    async fn device_facts(&self, tenant: &TenantId, user: &UserId) -> Result<Option<DeviceFacts>, Fault> {
        let mut items = self
            .client()
            .query()
            .table_name(self.logins())
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :factor AND :last")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":pk", string(keys::login_partition(tenant, user)))
            .expression_attribute_values(":factor", string(keys::FACTOR))
            .expression_attribute_values(":last", string(keys::after_trusted_devices()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut factor, mut devices) = (None, Vec::new());
        while let Some(item) = items.next().await {
            let item = item.map_err(fault)?;
            let Some(key) = keys::Key::of(&item) else { continue };
            if key.sk == keys::FACTOR {
                factor = Some(from_item::<FactorItem>(item)?.into());
            } else if key.sk.starts_with(keys::TRUSTED_DEVICE_PREFIX) {
                devices.push(decode(&item)?);
            }
        }
        Ok(factor.map(|factor| DeviceFacts { factor, devices }))
    }
}

#[async_trait]
impl TrustStore for DynamoStore {
    async fn trust_device(
        &self,
        user: &UserId,
        seen: &Factor,
        device: &TrustedDevice,
        gone: &[&TrustedDevice],
        event: &AuditEvent,
    ) -> Result<bool, Fault> {
        let tenant = &device.application.tenant();
        let mut actions = Actions::new();
        let next = Expression::new("SET #revision = :next")
            .name("#revision", "revision")
            .value(":next", number(seen.revision + 1));
        let unchanged = Expression::new("#revision = :seen").value(":seen", number(seen.revision));
        let factor = keys::factor(tenant, user);
        actions.add(transaction::update(self.logins(), &factor, next, unchanged)?, ());
        let key = keys::trusted_device(tenant, user, &device.id);
        actions.add(transaction::put(self.logins(), &key, encode(device), transaction::is_free())?, ());
        for old in gone {
            let key = keys::trusted_device(tenant, user, &old.id);
            actions.add(transaction::delete(self.logins(), &key, None)?, ());
        }
        self.record(&mut actions, event, ())?;
        Ok(self.run(actions).await?.is_ok())
    }
}

#[async_trait]
impl RevokeStore for DynamoStore {
    async fn revoke_devices(
        &self,
        tenant: &TenantId,
        user: &UserId,
        devices: &[&DeviceId],
        events: &[AuditEvent],
    ) -> Result<bool, Fault> {
        let mut actions = Actions::new();
        for device in devices {
            let there = Expression::new("attribute_exists(#pk)").name("#pk", keys::PK);
            let key = keys::trusted_device(tenant, user, device);
            actions.add(transaction::delete(self.logins(), &key, Some(there))?, ());
        }
        for event in events {
            self.record(&mut actions, event, ())?;
        }
        Ok(self.run(actions).await?.is_ok())
    }
}

fn encode(device: &TrustedDevice) -> Item {
    Item::from(
        [
            ("v", number(1)),
            ("device", string(device.id.as_str())),
            ("hash", binary(&device.hash)),
            ("application", string(device.application.as_str())),
            ("created_at", number(device.created_at.millis())),
            ("expires_at", number(device.expires_at.millis())),
            ("phone_hash", string(&device.bound.hash)),
            ("phone_since", number(device.bound.since.millis())),
            (keys::TTL, number(device.expires_at.secs())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

pub(super) fn decode(item: &Item) -> Result<TrustedDevice, Fault> {
    let read = Reader(item);
    Ok(TrustedDevice {
        id: Reader::need(read.text("device").and_then(DeviceId::parse), "device")?,
        hash: Reader::need(read.bytes("hash"), "hash")?,
        application: Reader::need(read.text("application").and_then(ApplicationId::parse), "application")?,
        created_at: Reader::need(read.time("created_at"), "created_at")?,
        expires_at: Reader::need(read.time("expires_at"), "expires_at")?,
        bound: BoundPhone {
            hash: Reader::need(read.text("phone_hash"), "phone_hash")?.to_owned(),
            since: Reader::need(read.time("phone_since"), "phone_since")?,
        },
    })
}
