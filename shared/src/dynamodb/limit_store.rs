//! The limits' items.
//!
//! A number's item remembers its last sends as `t1` (the last one) to `t20`: an update's right sides are the values before it, so one
//! write shifts them all. An hour's count is an item of its own, and so is a tenant's day: no window ever has to be reset, and no item grows
//! with its age. Every item has a `ttl`, and none needs it: an old window is never looked at again.

use super::DynamoStore;
use super::challenge_item::Reader;
use super::keys::{self, Key};
use super::request::{Item, condition_failed, number, string};
use crate::domain::ids::TenantId;
use crate::domain::limits::{MAX_SHARDS, NumberLimit, REMEMBERED, Window, shards, share};
use crate::domain::price::USD;
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::limits::{LimitRequest, LimitStore, Reserved};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue::{AllNew, None as Nothing};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

/// How long an item is kept after its last send, in seconds: longer than any of its windows.
const KEPT_SECONDS: u32 = 2 * 86_400;

/// The same for an item that counts an hour.
const HOUR_KEPT_SECONDS: u32 = 2 * 3600;

/// How many limits are asked side by side, each over a connection of its own.
pub const LIMITS_AT_ONCE: usize = 4;

#[async_trait]
impl LimitStore for DynamoStore {
    async fn reserve(&self, request: &LimitRequest<'_>) -> Result<Reserved, Fault> {
        let limits = request.limits;
        let (attempt, now) = (request.attempt, request.now);
        let range = self.hourly(
            keys::hourly("range", &format!("{}#{}", request.tenant, request.range), now),
            "per_range_hour",
            limits.per_range_hour,
            attempt,
            now,
        );
        let address = async {
            match &request.address {
                Some(subject) => {
                    let key = keys::hourly("address", subject, now);
                    self.hourly(key, "per_ip_hour", limits.per_ip_hour, attempt, now).await
                }
                None => Ok(Reserved::Granted { next_at: request.now }),
            }
        };
        let reserved: [Reserved; LIMITS_AT_ONCE] =
            futures::future::try_join4(self.number(request), range, address, self.tenant_day(request))
                .await?
                .into();
        let [number, ..] = reserved;
        // The refusal that holds longest is the one worth hearing.
        let refusals = reserved.into_iter().filter(|r| !matches!(r, Reserved::Granted { .. }));
        Ok(refusals
            .max_by_key(|refusal| match refusal {
                Reserved::Refused { retry_at, .. } => Some(*retry_at),
                _ => None,
            })
            .unwrap_or(number))
    }
}

impl DynamoStore {
    fn limit_update(&self, key: &Key, attempt: &str, ends: Timestamp) -> UpdateItemFluentBuilder {
        self.client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(key.attributes()))
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":v", number(1))
            .expression_attribute_values(":attempt", string(attempt))
            .expression_attribute_values(":ttl", number(ends.secs()))
            .return_values_on_condition_check_failure(AllOld)
    }

    /// One number, over all tenants: exact.
    async fn number(&self, request: &LimitRequest<'_>) -> Result<Reserved, Fault> {
        let limit = NumberLimit::of(request.limits);
        let now = request.now;
        let before = |seconds: u32| number(now.millis() - i64::from(seconds) * 1000);
        let ends = now.plus_secs(KEPT_SECONDS);
        let mut update = self
            .limit_update(&keys::limit("number", &request.number), request.attempt, ends)
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":window", number(NumberLimit::window_start(now).millis()));
        let shift: Vec<String> =
            (2..=REMEMBERED).map(|n| format!("t{n} = if_not_exists(t{}, :never)", n - 1)).collect();
        let mut conditions = vec!["(attribute_not_exists(attempt) OR attempt <> :attempt)".to_owned()];
        for (i, rule) in limit.rules.iter().enumerate() {
            conditions.push(format!("(attribute_not_exists(t{0}) OR t{0} <= :rule{i})", rule.nth));
            update = update.expression_attribute_values(format!(":rule{i}"), before(rule.seconds));
        }
        for (i, wait) in limit.waits.iter().enumerate() {
            conditions
                .push(format!("(attribute_not_exists(t{0}) OR t{0} <= :window OR t1 <= :wait{i})", wait.nth));
            update = update.expression_attribute_values(format!(":wait{i}"), before(wait.seconds));
        }
        let (mut counted, mut forgotten) = (String::new(), String::new());
        for (i, rule) in limit.windows.iter().enumerate() {
            let separator = |clause: &'static str| if i == 0 { clause } else { ", " };
            counted.push_str(&format!("{}#w{i} :v", separator(" ADD ")));
            forgotten.push_str(&format!("{}{}", separator(" REMOVE "), past_windows(rule.window, now)));
            conditions.push(format!("(attribute_not_exists(#w{i}) OR #w{i} < :w{i})"));
            update = update
                .expression_attribute_names(format!("#w{i}"), window_attribute(rule.window, now))
                .expression_attribute_values(format!(":w{i}"), number(rule.max));
        }
        let outcome = update
            .update_expression(format!(
                "SET v = :v, attempt = :attempt, #ttl = :ttl, t1 = :now, {}{forgotten}{counted}",
                shift.join(", ")
            ))
            .condition_expression(conditions.join(" AND "))
            .return_values(AllNew)
            .send()
            .await;
        let (item, granted) = match outcome {
            Ok(answer) => (answer.attributes.unwrap_or_default(), true),
            Err(error) => {
                let old = condition_failed(error)?.unwrap_or_default();
                let ours = is_ours(&old, request.attempt);
                (old, ours)
            }
        };
        let recent = recent(&item);
        if granted {
            return Ok(Reserved::Granted { next_at: limit.next_at(&recent, now) });
        }
        let full = limit.windows.iter().find(|rule| {
            let count: Option<u32> = Reader(&item).count(&window_attribute(rule.window, now));
            count.is_some_and(|count| count >= rule.max)
        });
        let full = full.map(|rule| (rule.name, rule.window.end(now)));
        // What the condition refuses, one of the two refuses as well.
        let (rule, retry_at) =
            limit.refuses(&recent, now).or(full).unwrap_or(("phone_wait", now.plus_secs(1)));
        Ok(Reserved::Refused { rule, retry_at })
    }

    /// A count of the hour that `now` is in; the key is that hour's.
    pub(super) async fn hourly(
        &self,
        key: Key,
        rule: &'static str,
        limit: u32,
        attempt: &str,
        now: Timestamp,
    ) -> Result<Reserved, Fault> {
        let outcome = self
            .limit_update(&key, attempt, now.plus_secs(HOUR_KEPT_SECONDS))
            .update_expression("SET v = :v, attempt = :attempt, #ttl = :ttl ADD used :v")
            .condition_expression(
                "(attribute_not_exists(used) OR used < :max) AND :v <= :max \
                 AND (attribute_not_exists(attempt) OR attempt <> :attempt)",
            )
            .expression_attribute_values(":max", number(limit))
            .return_values(Nothing)
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(Reserved::Granted { next_at: now }),
            Err(error) => {
                let old = condition_failed(error)?.unwrap_or_default();
                Ok(if is_ours(&old, attempt) {
                    Reserved::Granted { next_at: now }
                } else {
                    Reserved::Refused { rule, retry_at: Window::Hour.end(now) }
                })
            }
        }
    }

    /// The tenant's day: messages in all, by country and by application, and money. Sharded; a full shard is not the end while there is
    /// another, so little is refused early, and nothing is ever overrun.
    async fn tenant_day(&self, request: &LimitRequest<'_>) -> Result<Reserved, Fault> {
        let shards = shards(request.limits);
        let first =
            request.attempt.bytes().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(byte))) % shards;
        let mut outcome = self.tenant_shard(request, first, shards).await?;
        if shards > 1 && matches!(outcome, Reserved::Refused { .. }) {
            outcome = self.tenant_shard(request, (first + 1) % shards, shards).await?;
        }
        Ok(outcome)
    }

    async fn tenant_shard(
        &self,
        request: &LimitRequest<'_>,
        shard: u32,
        shards: u32,
    ) -> Result<Reserved, Fault> {
        let limits = request.limits;
        let part = |limit: u32| share(u64::from(limit), shard, shards);
        let counts = DayCounts {
            max: [
                ("per_tenant_day", part(limits.per_tenant_day)),
                ("per_country_day", part(limits.per_country_day)),
                ("per_application_day", part(limits.per_application_day)),
            ],
            budget: share(u64::from(limits.budget_usd_day) * USD, shard, shards),
        };
        let names = DayCounts::names(request);
        let key = keys::tenant_day(request.tenant, Window::Day.index(request.now), shard);
        let mut update = self
            .limit_update(&key, request.attempt, request.now.plus_secs(KEPT_SECONDS))
            .update_expression(
                "SET v = :v, attempt = :attempt, #ttl = :ttl ADD #n0 :v, #n1 :v, #n2 :v, #n3 :price",
            )
            .expression_attribute_values(":price", number(request.price))
            .expression_attribute_values(
                ":room",
                number(i128::from(counts.budget) - i128::from(request.price)),
            );
        let mut conditions = vec![
            "attribute_not_exists(stopped) AND (attribute_not_exists(attempt) OR attempt <> :attempt)"
                .to_owned(),
            "(attribute_not_exists(#n3) OR #n3 <= :room) AND :price <= :budget".to_owned(),
        ];
        update = update.expression_attribute_values(":budget", number(counts.budget));
        for (i, (_, max)) in counts.max.iter().enumerate() {
            conditions.push(format!("(attribute_not_exists(#n{i}) OR #n{i} < :max{i}) AND :v <= :max{i}"));
            update = update.expression_attribute_values(format!(":max{i}"), number(max));
        }
        for (i, name) in names.iter().enumerate() {
            update = update.expression_attribute_names(format!("#n{i}"), name);
        }
        let outcome =
            update.condition_expression(conditions.join(" AND ")).return_values(Nothing).send().await;
        match outcome {
            Ok(_) => Ok(Reserved::Granted { next_at: request.now }),
            Err(error) => {
                let old = condition_failed(error)?.unwrap_or_default();
                Ok(counts.why(&old, &names, request))
            }
        }
    }
}

impl DynamoStore {
    /// Sets or lifts the kill switch where sends are counted: today, and tomorrow for a login that crosses midnight. It has to reach only
    /// logins that are under way, which live ten minutes.
    pub(super) fn switch_sending(
        &self,
        tenant: &TenantId,
        on: bool,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, Fault> {
        let today = Window::Day.index(now);
        let keys = (today..=today + 1)
            .flat_map(|day| (0..MAX_SHARDS).map(move |shard| keys::tenant_day(tenant, day, shard)));
        keys.map(|key| {
            let change = if on { "REMOVE stopped" } else { "ADD stopped :v" };
            let update = Update::builder()
                .table_name(self.logins())
                .set_key(Some(key.attributes()))
                .update_expression(format!("SET v = :v, #ttl = :ttl {change}"))
                .expression_attribute_names("#ttl", keys::TTL)
                .expression_attribute_values(":v", number(1))
                .expression_attribute_values(":ttl", number(now.plus_secs(KEPT_SECONDS).secs()));
            Ok(TransactWriteItem::builder().update(update.build().map_err(Fault::new)?).build())
        })
        .collect()
    }
}

/// What one shard of a tenant's day may hold.
struct DayCounts {
    max: [(&'static str, u64); 3],
    budget: u64,
}

impl DayCounts {
    /// Attributes: messages, messages to the country, messages of the application, money in millionths of a dollar.
    fn names(request: &LimitRequest<'_>) -> [String; 4] {
        [
            "messages".to_owned(),
            format!("country_{}", request.country),
            format!("application_{}", request.application),
            "micro_usd".to_owned(),
        ]
    }

    fn why(&self, old: &Item, names: &[String; 4], request: &LimitRequest<'_>) -> Reserved {
        if is_ours(old, request.attempt) {
            return Reserved::Granted { next_at: request.now };
        }
        if old.contains_key("stopped") {
            return Reserved::Stopped;
        }
        let count = |name: &String| -> u64 { Reader(old).count(name).unwrap_or(0) };
        let full = self.max.iter().zip(names).find(|((_, max), name)| count(name) >= *max);
        let rule = full.map_or("budget_usd_day", |((rule, _), _)| *rule);
        Reserved::Refused { rule, retry_at: Window::Day.end(request.now) }
    }
}

fn is_ours(old: &Item, attempt: &str) -> bool {
    Reader(old).text("attempt") == Some(attempt)
}

/// The attribute that counts in the window that `now` is in.
fn window_attribute(window: Window, now: Timestamp) -> String {
    window_name(window, window.index(now))
}

fn window_name(window: Window, index: i64) -> String {
    let prefix = match window {
        Window::Hour => 'h',
        Window::Day => 'd',
    };
    format!("{prefix}{index}")
}

/// The attributes of the windows before it, as far back as an item is kept: what nobody uses for longer is swept as a whole.
fn past_windows(window: Window, now: Timestamp) -> String {
    let this = window.index(now);
    let held = i64::from(KEPT_SECONDS.div_ceil(window.seconds()));
    let names: Vec<_> = (this - held..this).map(|index| window_name(window, index)).collect();
    names.join(", ")
}

/// A number's last sends, newest first. Where there were fewer than are remembered, the rest are of 1970, where no rule looks.
fn recent(item: &Item) -> Vec<Timestamp> {
    const NAMES: [&str; REMEMBERED] = [
        "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12", "t13", "t14", "t15",
        "t16", "t17", "t18", "t19", "t20",
    ];
    NAMES.iter().map_while(|name| Reader(item).time(name)).collect()
}
