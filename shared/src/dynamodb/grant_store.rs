//! Grants: that an authorization code was exchanged, and whether what it was exchanged for still holds.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `login` | S | which login the code was made for |
//! | `redeemed_at` | N | epoch milliseconds |
//! | `attempt` | S | which request did it: the SDK's own retry finds itself |
//! | `void_at` | N | epoch milliseconds; when the code came a second time. Absent while the tokens hold |
//! | `ttl` | N | epoch seconds: long after the tokens |

use super::factor_item::FactorItem;
use super::request::{condition_failed, fault, from_item, number, string};
use super::user_item::decode_user;
use super::{DynamoStore, keys};
use crate::domain::ids::{GrantId, TenantId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::authorization::{ClaimFacts, ClaimReader, GrantReader, GrantStore, Redeemed, Redemption};
use async_trait::async_trait;

/// How long a grant is kept, in seconds. Its tokens live for a quarter of an hour.
const KEPT_SECONDS: u32 = 24 * 60 * 60;
/// There while a grant's tokens don't hold any more.
const VOID_AT: &str = "void_at";

#[async_trait]
impl GrantStore for DynamoStore {
    async fn redeem(&self, redemption: Redemption<'_>) -> Result<Redeemed, Fault> {
        let Redemption { tenant, grant, login, attempt, now } = redemption;
        let key = keys::grant(tenant, grant);
        let request = self
            .client()
            .put_item()
            .table_name(self.logins())
            .item(keys::PK, string(key.pk))
            .item(keys::SK, string(key.sk))
            .item("v", number(1))
            .item("login", string(login.as_str()))
            .item("redeemed_at", number(now.millis()))
            .item("attempt", string(attempt))
            .item(keys::TTL, number(now.plus_secs(KEPT_SECONDS).secs()))
            .condition_expression("attribute_not_exists(#pk) OR #attempt = :attempt")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#attempt", "attempt")
            .expression_attribute_values(":attempt", string(attempt));
        match request.send().await {
            Ok(_) => Ok(Redeemed::First),
            Err(error) => condition_failed(error).map(|_| Redeemed::Again),
        }
    }

    async fn void(&self, tenant: &TenantId, grant: &GrantId, now: Timestamp) -> Result<(), Fault> {
        let request = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(keys::grant(tenant, grant).attributes()))
            .update_expression("SET #void = if_not_exists(#void, :now)")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#void", VOID_AT)
            .expression_attribute_values(":now", number(now.millis()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => condition_failed(error).map(drop),
        }
    }
}

#[async_trait]
impl GrantReader for DynamoStore {
    async fn grant_holds(&self, tenant: &TenantId, grant: &GrantId) -> Result<bool, Fault> {
        let key = keys::grant(tenant, grant).attributes();
        let request = self.client().get_item().table_name(self.logins()).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(fault)?;
        Ok(answer.item.is_some_and(|item| !item.contains_key(VOID_AT)))
    }
}

#[async_trait]
impl ClaimReader for DynamoStore {
    async fn claim_facts(
        &self,
        tenant: &TenantId,
        user: &UserId,
        grant: &GrantId,
    ) -> Result<ClaimFacts, Fault> {
        let (user, factor) = (keys::user(tenant, user), keys::factor(tenant, user));
        let grant = keys::grant(tenant, grant);
        let mut batch = self.batch(std::slice::from_ref(&user), &[factor.clone(), grant.clone()]).await?;
        let user = batch.take(&user).map(|item| decode_user(tenant, item)).transpose()?;
        let factor = batch.take(&factor).map(from_item::<FactorItem>).transpose()?;
        Ok(ClaimFacts {
            grant_holds: batch.take(&grant).is_some_and(|item| !item.contains_key(VOID_AT)),
            user: user.zip(factor.map(Into::into)),
        })
    }
}
