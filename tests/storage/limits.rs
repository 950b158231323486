//! Limits: each stops at its own number, names itself, tells when it ends, and counts the repetition of a lost answer once.

use crate::{Engine, Stage, T0, at, fresh};
use aws_sdk_dynamodb::types::AttributeValue;
use shared::domain::admin_key::{AdminKey, Role};
use shared::domain::branding::Branding;
use shared::domain::ids::{ApplicationId, KeyId};
use shared::domain::message_template::MessageTemplates;
use shared::domain::settings::{Limits, TenantSecurity};
use shared::domain::tenant::Tenant;
use shared::domain::time::Timestamp;
use shared::dynamodb::keys;
use shared::ports::limits::{LimitRequest, LimitStore, Reserved};
use shared::ports::{Saved, Tenants};
use std::collections::{BTreeSet, HashMap};

/// The ends of the hour and of the day that begin with or hold [`T0`], which is 14:00.
const HOUR_END: u32 = 3600;
const DAY_END: u32 = 10 * 3600;

/// Messages of one application, each to a number of its own unless it is set.
struct Sending<'a> {
    stage: &'a Stage,
    application: ApplicationId,
    limits: Limits,
    country: &'static str,
    number: Option<String>,
    range: String,
    address: Option<String>,
    price: u64,
}

impl<'a> Sending<'a> {
    fn new(stage: &'a Stage, limits: Limits) -> Self {
        let application = ApplicationId::generate(&stage.tenant, fresh());
        let range = stage.user.to_string();
        Self { stage, application, limits, country: "US", number: None, range, address: None, price: 1 }
    }

    async fn reserve(&self, now: Timestamp, attempt: &str) -> Reserved {
        let number = self.number.clone().unwrap_or_else(|| format!("{}{attempt}", self.stage.user));
        let request = LimitRequest {
            tenant: &self.stage.tenant,
            application: &self.application,
            country: self.country,
            number,
            range: self.range.clone(),
            address: self.address.clone(),
            limits: &self.limits,
            price: self.price,
            attempt,
            now,
        };
        self.stage.store.reserve(&request).await.unwrap()
    }

    async fn is_granted(&self, now: Timestamp, attempt: &str) -> bool {
        matches!(self.reserve(now, attempt).await, Reserved::Granted { .. })
    }
}

fn refused(rule: &'static str, end: u32) -> Reserved {
    Reserved::Refused { rule, retry_at: at(end) }
}

impl Stage {
    /// A number of an item of the logins table.
    async fn count(&self, key: &keys::Key, name: &str) -> Option<i64> {
        self.item(key).await?.get(name).map(|value| value.as_n().unwrap().parse().unwrap())
    }

    fn day(&self, shard: u32) -> keys::Key {
        keys::tenant_day(&self.tenant, T0.secs().div_euclid(86_400), shard)
    }

    async fn messages(&self) -> [Option<i64>; 4] {
        let mut counts = [None; 4];
        for (shard, count) in (0..).zip(&mut counts) {
            *count = self.count(&self.day(shard), "messages").await;
        }
        counts
    }

    async fn fill(&self, shard: u32, messages: u32) {
        let mut item = self.day(shard).attributes();
        item.insert("v".to_owned(), AttributeValue::N("1".to_owned()));
        item.insert("messages".to_owned(), AttributeValue::N(messages.to_string()));
        let put = self.store.client().put_item().table_name(self.store.logins());
        put.set_item(Some(item)).send().await.unwrap();
    }

    async fn tenant(&self) -> Tenant {
        let tenant = Tenant {
            id: self.tenant.clone(),
            name: "Shop".to_owned(),
            home_country: "US".to_owned(),
            created_at: T0,
            production: false,
            branding: Branding::default(),
            message_templates: MessageTemplates::default(),
            security: TenantSecurity::for_home_country("US"),
            version: 1,
        };
        let owner = AdminKey {
            id: KeyId::generate(fresh()),
            tenant: self.tenant.clone(),
            role: Role::Owner,
            name: "First owner".to_owned(),
            hash: [0; 32],
            created_at: T0,
            expires_at: None,
        };
        self.store.create_tenant(&tenant, &owner, &[]).await.unwrap();
        tenant
    }
}

contract!(
    a_numbers_limit_is_exact_and_knows_its_own_retry,
    a_number_whose_limit_is_too_high_to_remember_is_counted_in_windows,
    no_limits_item_grows_with_its_age,
    a_count_by_hour_ends_with_it,
    h4_each_limit_of_a_tenants_day_stops_and_names_itself,
    h4_a_busy_tenants_day_is_spread_and_never_overrun,
    h4_the_refusal_that_holds_longest_is_heard,
    h4_the_kill_switch_holds_into_the_next_day,
    an_hour_is_kept_for_two_a_day_for_two_and_a_login_for_three_days,
);

async fn a_numbers_limit_is_exact_and_knows_its_own_retry(stage: Stage) {
    let mut sending = Sending::new(&stage, Limits { per_phone_hour: 3, ..Limits::default() });
    sending.number = Some(stage.user.to_string());
    assert_eq!(sending.reserve(T0, "1").await, Reserved::Granted { next_at: at(30) });
    assert_eq!(sending.reserve(T0, "1").await, Reserved::Granted { next_at: at(30) }, "its own lost answer");
    assert_eq!(stage.messages().await[0], Some(1), "which counts once");
    assert_eq!(sending.reserve(at(29), "2").await, refused("phone_wait", 30));
    assert_eq!(sending.reserve(at(30), "3").await, Reserved::Granted { next_at: at(90) });
    assert!(sending.is_granted(at(90), "4").await);
    assert_eq!(sending.reserve(at(3599), "5").await, refused("per_phone_hour", 3600));
    assert!(sending.is_granted(at(3600), "6").await, "the first has left the hour");
}

async fn a_number_whose_limit_is_too_high_to_remember_is_counted_in_windows(stage: Stage) {
    let limits = Limits { per_phone_hour: 21, per_phone_day: 22, ..Limits::default() };
    let mut sending = Sending::new(&stage, limits);
    sending.number = Some(stage.user.to_string());
    // From midnight on, each after the longest of the growing waits.
    let time = |n: u32| at(DAY_END + n * 1920);
    for n in 0..22 {
        assert!(sending.is_granted(time(n), &n.to_string()).await, "message {n}");
    }
    assert_eq!(sending.reserve(time(22), "22").await, refused("per_phone_day", DAY_END + 86_400));
    assert!(sending.is_granted(at(DAY_END + 86_400), "23").await);
}

async fn no_limits_item_grows_with_its_age(stage: Stage) {
    let mut sending =
        Sending::new(&stage, Limits { per_phone_hour: 21, per_phone_day: 22, ..Limits::default() });
    sending.number = Some(stage.user.to_string());
    sending.address = Some(stage.user.to_string());
    // Every other hour of three days, so that none comes right after the one before.
    for n in 0..36 {
        assert!(sending.is_granted(at(DAY_END + n * 7200), &n.to_string()).await, "message {n}");
    }
    let last = at(DAY_END + 35 * 7200);
    let names = |item: &HashMap<String, AttributeValue>| {
        let own = |name: &&String| name.starts_with(['h', 'd', 'u']);
        item.keys().filter(own).cloned().collect::<BTreeSet<_>>()
    };
    let number = stage.item(&keys::limit("number", stage.user.as_str())).await.unwrap();
    let (hour, day) = (last.secs() / 3600, last.secs() / 86_400);
    assert_eq!(names(&number), BTreeSet::from([format!("h{hour}"), format!("d{day}")]));
    let address = stage.item(&keys::hourly("address", stage.user.as_str(), last)).await.unwrap();
    assert_eq!(names(&address), BTreeSet::from(["used".to_owned()]));
}

async fn a_count_by_hour_ends_with_it(stage: Stage) {
    let limits = Limits { per_range_hour: 2, per_ip_hour: 3, ..Limits::default() };
    let mut sending = Sending::new(&stage, limits);
    for _ in 0..2 {
        assert!(sending.is_granted(T0, "one").await, "its own lost answer is no second message");
    }
    assert!(sending.is_granted(T0, "two").await);
    assert_eq!(sending.reserve(at(HOUR_END - 1), "three").await, refused("per_range_hour", HOUR_END));
    assert!(sending.is_granted(at(HOUR_END), "four").await);
    sending.address = Some(stage.user.to_string());
    for n in 0..3 {
        sending.range = format!("{}{n}", stage.user);
        assert!(sending.is_granted(at(HOUR_END), &format!("from there {n}")).await, "{n}");
    }
    sending.range = format!("{}3", stage.user);
    assert_eq!(sending.reserve(at(HOUR_END), "once more").await, refused("per_ip_hour", 2 * HOUR_END));
}

async fn h4_each_limit_of_a_tenants_day_stops_and_names_itself(stage: Stage) {
    let limits = Limits { per_range_hour: 100, ..Limits::default() };
    let mut now = T0;
    for (rule, limits) in [
        ("per_tenant_day", Limits { per_tenant_day: 3, ..limits }),
        ("per_country_day", Limits { per_country_day: 3, ..limits }),
        ("per_application_day", Limits { per_application_day: 3, ..limits }),
        ("budget_usd_day", Limits { budget_usd_day: 2, ..limits }),
    ] {
        let mut sending = Sending::new(&stage, limits);
        sending.price = 600_000;
        for n in 0..3 {
            assert!(sending.is_granted(now, &format!("{rule} {n}")).await, "{rule}, {n}");
        }
        let end = Timestamp::from_secs((now.secs().div_euclid(86_400) + 1) * 86_400);
        let refused = Reserved::Refused { rule, retry_at: end };
        assert_eq!(sending.reserve(now, &format!("{rule} too many")).await, refused);
        assert!(sending.is_granted(end, &format!("{rule} tomorrow")).await, "{rule}");
        if rule == "per_country_day" {
            sending.country = "DE";
            assert!(sending.is_granted(now, "another country").await);
        }
        if rule == "per_application_day" {
            sending.application = ApplicationId::generate(&stage.tenant, fresh());
            assert!(sending.is_granted(now, "another application").await);
        }
        now = now.plus_secs(3 * 86_400);
    }
    let mut sending = Sending::new(&stage, Limits { budget_usd_day: 1, ..limits });
    sending.price = 1_000_001;
    assert!(!sending.is_granted(now, "dearer than the budget").await);
}

/// A tenant of 5,000 messages a day has four items, of 1,250 each.
async fn h4_a_busy_tenants_day_is_spread_and_never_overrun(stage: Stage) {
    let limits = Limits { per_tenant_day: 5_000, budget_usd_day: 500, ..Limits::default() };
    let sending = Sending::new(&stage, limits);
    // Where an attempt counts, its characters say: the sum of their codes.
    for (attempt, counts) in [
        ("d", [Some(1), None, None, None]),
        ("e", [Some(1), Some(1), None, None]),
        ("f", [Some(1), Some(1), Some(1), None]),
        ("g", [Some(1), Some(1), Some(1), Some(1)]),
        ("h", [Some(2), Some(1), Some(1), Some(1)]),
    ] {
        assert!(sending.is_granted(T0, attempt).await, "{attempt}");
        assert_eq!(stage.messages().await, counts, "{attempt}");
    }
    stage.fill(3, 1_249).await;
    assert!(sending.is_granted(T0, "k").await, "the last of its part");
    assert!(sending.is_granted(T0, "o").await, "the next one has room");
    assert_eq!(stage.messages().await, [Some(3), Some(1), Some(1), Some(1_250)]);
    stage.fill(0, 1_250).await;
    assert_eq!(sending.reserve(T0, "s").await, refused("per_tenant_day", DAY_END));
    assert_eq!(stage.messages().await, [Some(1_250), Some(1), Some(1), Some(1_250)]);
    assert!(sending.is_granted(T0, "t").await, "part 0 is full, 1 has room");
    assert_eq!(stage.messages().await, [Some(1_250), Some(2), Some(1), Some(1_250)]);
}

async fn h4_the_refusal_that_holds_longest_is_heard(stage: Stage) {
    let limits = Limits { per_phone_day: 1, per_range_hour: 1, ..Limits::default() };
    let mut sending = Sending::new(&stage, limits);
    sending.number = Some(stage.user.to_string());
    assert!(sending.is_granted(T0, "one").await);
    assert_eq!(sending.reserve(at(60), "two").await, refused("per_phone_day", 86_400));
    sending.number = Some(format!("{} another", stage.user));
    assert_eq!(sending.reserve(at(60), "three").await, refused("per_range_hour", HOUR_END));
}

async fn h4_the_kill_switch_holds_into_the_next_day(stage: Stage) {
    let mut tenant = stage.tenant().await;
    let mut sending = Sending::new(&stage, Limits::default());
    sending.range = format!("{} stopped", stage.user);
    for (on, now) in [(false, at(DAY_END - 1)), (true, at(DAY_END - 1))] {
        tenant.security.sending_enabled = on;
        let saved = stage.store.save_tenant(&tenant, Some(now), &stage.event()).await.unwrap();
        assert_eq!(saved, Saved::Done);
        tenant.version += 1;
        for limits in
            [Limits::default(), Limits { per_tenant_day: 5_000, budget_usd_day: 500, ..Limits::default() }]
        {
            sending.limits = limits;
            for now in [now, at(DAY_END)] {
                for attempt in ["d", "e", "f", "g"] {
                    let attempt = format!("{attempt}{}{on}{}", now.secs(), limits.budget_usd_day);
                    let reserved = sending.reserve(now, &attempt).await;
                    assert_eq!(matches!(reserved, Reserved::Granted { .. }), on, "{attempt}: {reserved:?}");
                    assert_eq!(reserved == Reserved::Stopped, !on, "{attempt}: {reserved:?}");
                }
            }
        }
    }
}

async fn an_hour_is_kept_for_two_a_day_for_two_and_a_login_for_three_days(stage: Stage) {
    let sending = Sending::new(&stage, Limits::default());
    assert!(sending.is_granted(T0, "one").await);
    let number = format!("{}one", stage.user);
    let range = format!("{}#{}", stage.tenant, stage.user);
    for (key, kept) in [
        (keys::limit("number", &number), 172_800),
        (stage.day(0), 172_800),
        (keys::hourly("range", &range, T0), 7200),
    ] {
        assert_eq!(stage.count(&key, "ttl").await, Some(T0.secs() + kept), "{key:?}");
    }
    // A login's life and three days more, for support to see it.
    stage.sent(false).await;
    let challenge = keys::challenge(&stage.tenant, &stage.user, T0, &stage.login);
    assert_eq!(stage.count(&challenge, "ttl").await, Some(T0.secs() + 600 + 259_200));
}
