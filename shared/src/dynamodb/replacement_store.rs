//! Putting another number in the place of the bound one, by its user.

use super::DynamoStore;
use super::challenge_item::binary;
use super::challenge_write;
use super::factor_item::PhoneItem;
use super::keys;
use super::login_store::{challenge_key, ttl};
use super::request::{Item, condition_failed, number, string};
use super::transaction::Actions;
use crate::domain::challenge::Challenge;
use crate::domain::ids::{ApplicationId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::login::{LoginKey, OwnerKey, SignInQuery, SignInStore};
use crate::ports::replacement::{AskFacts, AskStore, ReplaceRefused, ReplaceStore};
use crate::ports::{Binding, BindingWrite, Fault, NumberChange};
use async_trait::async_trait;

#[async_trait]
impl AskStore for DynamoStore {
    async fn ask_facts(
        &self,
        application: &ApplicationId,
        user: &UserId,
        wanted: &OwnerKey,
        now: Timestamp,
    ) -> Result<AskFacts, Fault> {
        let tenant = application.tenant();
        let query = SignInQuery {
            tenant: &tenant,
            application: Some(application),
            source: None,
            owner: Some(wanted),
            user: Some(user),
            device: None,
            qr: None,
            throttles: Vec::new(),
        };
        let (facts, (factor, challenges)) =
            futures::future::try_join(self.sign_in_facts(&query), self.recent_logins(&tenant, user, now))
                .await?;
        Ok(AskFacts {
            tenant: facts.tenant,
            application: facts.application,
            factor,
            locale: facts.user.and_then(|user| user.locale),
            owner: facts.owner,
            asked: challenges.iter().filter(|c| c.pending.is_some()).map(|c| c.started_at).collect(),
        })
    }

    async fn begin_replacement(&self, key: LoginKey<'_>, challenge: &Challenge) -> Result<(), Fault> {
        let mut item = Item::from(
            [
                ("v", number(1)),
                ("login", string(key.login.as_str())),
                ("started_at", number(key.started_at.millis())),
                ("max_attempts", number(challenge.max_attempts)),
                ("attempts", number(0)),
                ("sends", number(0)),
                ("phone_changes", number(challenge.phone_changes)),
                (keys::TTL, number(ttl(key.started_at))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if let Some(pending) = &challenge.pending {
            let pending = serde_dynamo::to_attribute_value(PhoneItem::from(pending)).map_err(Fault::new)?;
            item.insert("pending".to_owned(), pending);
        }
        if let Some(old) = &challenge.replaces {
            item.insert("replaces".to_owned(), string(old));
        }
        challenge_key(key).add_to(&mut item);
        let put = self.client().put_item().table_name(self.logins()).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            // Its login's id is random and new: what is there is our own write, whose answer was lost.
            Err(error) => condition_failed(error).map(|_| ()),
        }
    }
}

#[async_trait]
impl ReplaceStore for DynamoStore {
    async fn prove_old_number(
        &self,
        key: LoginKey<'_>,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Challenge>, Fault> {
        let update = self
            .client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(challenge_key(key).attributes()))
            .update_expression(
                "SET old_proven = :now REMOVE code_mac, nonce, guesses, expires_at, first_sent_at",
            )
            .condition_expression(
                "attribute_not_exists(completed) AND attribute_not_exists(old_proven) \
                 AND code_mac = :mac AND contains(guesses, :mac)",
            )
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":mac", binary(mac));
        let challenge = challenge_write::change(update).await?;
        Ok(challenge.filter(|challenge| challenge.old_proven.is_some()))
    }

    async fn commit_replacement(
        &self,
        key: LoginKey<'_>,
        seen: &Binding,
        change: &NumberChange<'_>,
        mac: &[u8; 32],
        now: Timestamp,
    ) -> Result<Result<(), ReplaceRefused>, Fault> {
        let phone = change.phone.ok_or_else(|| Fault::new("a number is replaced by a number"))?;
        let own = challenge_key(key);
        let mut actions = Actions::new();
        // Its condition has to be the first: a request that lost to its own twin sees all of them fail.
        actions.add(self.complete(key, phone, mac, now)?, ReplaceRefused::Completed);
        // One action for each item: this login's own is in there.
        let others = Binding {
            factor: seen.factor.clone(),
            live_challenges: seen.live_challenges.iter().filter(|sk| **sk != own.sk).cloned().collect(),
        };
        let meaning = |write| match write {
            BindingWrite::PhoneTaken => ReplaceRefused::Taken,
            _ => ReplaceRefused::Stale,
        };
        self.add_number_change(key.tenant, key.user, &others, change, meaning, &mut actions)?;
        let Err(failed) = self.run_and_look(actions).await? else { return Ok(Ok(())) };
        Ok(Err(match failed.into_iter().next() {
            Some((ReplaceRefused::Completed, old)) => {
                let done = old.is_some_and(|item| item.contains_key("completed"));
                if done { ReplaceRefused::Completed } else { ReplaceRefused::CodeChanged }
            }
            Some((refused, _)) => refused,
            None => ReplaceRefused::Stale,
        }))
    }
}
