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
//! | `ttl` | N | epoch seconds |

use super::challenge_item::Reader;
use super::policy_items::decode_tenant;
use super::request::{number, string};
use super::transaction::{self, Expression};
use super::{DynamoStore, Item, keys};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::notice::{Addressee, KEPT_SECONDS, Notice};
use crate::ports::Fault;
use crate::ports::notices::Addressees;
use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

#[async_trait]
impl Addressees for DynamoStore {
    async fn addressee(&self, tenant: &TenantId, user: &UserId) -> Result<Addressee, Fault> {
        let (tenant, user) = (keys::tenant(tenant), keys::user(tenant, user));
        let mut found = self.batch(&[tenant.clone(), user.clone()], &[]).await?;
        let sender_name = found.take(&tenant).map(decode_tenant).transpose()?.map(|tenant| tenant.name);
        let user = found.take(&user).unwrap_or_default();
        Ok(Addressee {
            sender_name: sender_name.unwrap_or_default(),
            locale: Reader(&user).text("locale").map(str::to_owned),
        })
    }
}

impl DynamoStore {
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
