//! Notices: written with the change that they tell of.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `kind` | S | what happened |
//! | `tenant`, `user` | S | whose number it is; both are in the place that `to` is sealed for |
//! | `to`, `country` | S | the number, sealed, and its country |
//! | `sender_name`, `locale` | S | how the message names the service, and in which language |
//! | `id`, `created_at` | S, N | both are in the key too |
//! | `claim`, `claimed_at` | S, N | id of the sender that has it, and since when |
//! | `tries` | N | how often it was claimed |
//! | `ttl` | N | epoch seconds |

use super::challenge_item::Reader;
use super::keys::Key;
use super::policy_items::decode_tenant;
use super::request::{condition_failed, fault, number, string};
use super::transaction::{self, Expression};
use super::{DynamoStore, Item, keys};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::{Addressee, KEPT_SECONDS, Notice, NoticeKind};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::notices::{Addressed, Addressees, ClaimedNotice, NoticePlace, NoticeQueue};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue::AllNew;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;

/// How many of a shard's notices one look finds.
const LOOK: i32 = 25;

#[async_trait]
impl Addressees for DynamoStore {
    async fn addressee(&self, tenant: &TenantId, user: &UserId) -> Result<Addressed, Fault> {
        let (tenant, user) = (keys::tenant(tenant), keys::user(tenant, user));
        let mut found = self.batch(&[tenant.clone(), user.clone()], &[]).await?;
        let tenant = found.take(&tenant).map(decode_tenant).transpose()?;
        let (sender_name, test_numbers) =
            tenant.map(|tenant| (tenant.name, tenant.security.test_numbers)).unwrap_or_default();
        let user = found.take(&user).unwrap_or_default();
        let locale = Reader(&user).text("locale").map(str::to_owned);
        Ok(Addressed { addressee: Addressee { sender_name, locale }, test_numbers })
    }
}

#[async_trait]
impl NoticeQueue for DynamoStore {
    async fn waiting(&self) -> Result<Vec<NoticePlace>, Fault> {
        let shards = (0..keys::NOTICE_SHARDS).map(|shard| self.unclaimed(shard));
        Ok(futures::future::try_join_all(shards).await?.concat())
    }

    async fn claim(
        &self,
        place: &NoticePlace,
        claim: &str,
        now: Timestamp,
    ) -> Result<Option<ClaimedNotice>, Fault> {
        let Some(key) = key(place) else { return Ok(None) };
        let outcome = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(key.attributes()))
            .update_expression("SET claim = :claim, claimed_at = :now ADD tries :one")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(claim)")
            .expression_attribute_values(":claim", string(claim))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":one", number(1))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let item = match outcome {
            Ok(answer) => answer.attributes,
            // The answer of our own first try was lost.
            Err(error) => condition_failed(error)?.filter(|old| Reader(old).text("claim") == Some(claim)),
        };
        let Some(item) = item else { return Ok(None) };
        let tries = Reader::need(Reader(&item).number("tries"), "tries")?;
        Ok(Some(ClaimedNotice { place: place.clone(), notice: decode(&item)?, tries }))
    }

    async fn release(&self, place: &NoticePlace, claim: &str) -> Result<(), Fault> {
        let Some(key) = key(place) else { return Ok(()) };
        let outcome = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(key.attributes()))
            .update_expression("REMOVE claim, claimed_at")
            .condition_expression("claim = :claim")
            .expression_attribute_values(":claim", string(claim))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            // Given back already, by this very request whose answer was lost.
            Err(error) => condition_failed(error).map(|_| ()),
        }
    }

    async fn finish(&self, place: &NoticePlace, claim: &str) -> Result<(), Fault> {
        let Some(key) = key(place) else { return Ok(()) };
        let outcome = self
            .client()
            .delete_item()
            .table_name(self.logins())
            .set_key(Some(key.attributes()))
            .condition_expression("claim = :claim")
            .expression_attribute_values(":claim", string(claim))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(()),
            Err(error) => condition_failed(error).map(|_| ()),
        }
    }
}

/// The key of a place, if that is one of a notice: nothing else of the table is claimed or deleted here, whoever asks.
fn key(place: &NoticePlace) -> Option<Key> {
    let NoticePlace { partition, sort } = place.clone();
    partition.starts_with(keys::NOTICE_PREFIX).then_some(Key { pk: partition, sk: sort })
}

fn decode(item: &Item) -> Result<Notice, Fault> {
    let read = Reader(item);
    let text = |name: &'static str| Reader::need(read.text(name), name).map(str::to_owned);
    Ok(Notice {
        id: text("id")?,
        kind: Reader::need(read.text("kind").and_then(NoticeKind::parse), "kind")?,
        tenant: Reader::need(read.text("tenant").and_then(TenantId::parse), "tenant")?,
        user: Reader::need(read.text("user").and_then(UserId::parse), "user")?,
        to: text("to")?,
        country: text("country")?,
        addressee: Addressee {
            sender_name: text("sender_name")?,
            locale: read.text("locale").map(str::to_owned),
        },
        created_at: Reader::need(read.time("created_at"), "created_at")?,
    })
}

impl DynamoStore {
    async fn unclaimed(&self, shard: u32) -> Result<Vec<NoticePlace>, Fault> {
        let answer = self
            .client()
            .query()
            .table_name(self.logins())
            .key_condition_expression("pk = :pk")
            .filter_expression("attribute_not_exists(claim)")
            .projection_expression("pk, sk")
            .expression_attribute_values(":pk", string(keys::notice_partition(shard)))
            .limit(LOOK)
            .send()
            .await
            .map_err(fault)?;
        let places = answer.items.unwrap_or_default();
        let places = places.iter().filter_map(Key::of);
        Ok(places.map(|Key { pk, sk }| NoticePlace { partition: pk, sort: sk }).collect())
    }

    /// The part of a transaction that leaves a notice to be sent.
    pub(super) fn put_notice(&self, notice: &Notice) -> Result<TransactWriteItem, Fault> {
        let key = keys::notice(&notice.user, notice.created_at, &notice.id);
        transaction::put(self.logins(), &key, encode(notice), Expression::default())
    }
}

fn encode(notice: &Notice) -> Item {
    let mut item = Item::from(
        [
            ("v", number(1)),
            ("id", string(&notice.id)),
            ("kind", string(notice.kind.as_str())),
            ("tenant", string(notice.tenant.as_str())),
            ("user", string(notice.user.as_str())),
            ("to", string(&notice.to)),
            ("country", string(&notice.country)),
            ("sender_name", string(&notice.addressee.sender_name)),
            ("created_at", number(notice.created_at.millis())),
            (keys::TTL, number(notice.created_at.plus_secs(KEPT_SECONDS).secs())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(locale) = &notice.addressee.locale {
        item.insert("locale".to_owned(), string(locale));
    }
    item
}
