//! What a request takes of the tables does not depend on what else is in them: other users, other tenants, what a tenant has done before.
//! `bench-load growth` measures the time that goes with it, in tables a thousand times as large (docs/PERFORMANCE.md).
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

#[allow(dead_code, reason = "tests/budgets uses the rest of it")]
#[path = "../budgets/world.rs"]
mod world;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::proxy::Record;
use tests::values::text;
use world::World;

/// The n-th number, which nobody else has, and not next to the one before.
fn number(at: usize) -> String {
    format!("+1202{}", 2_000_000 + at * 7919 % 7_900_000)
}

/// Where somebody signs in.
#[derive(Clone)]
struct Place {
    /// `/v1/tenants/…`.
    path: String,
    admin: String,
    application: String,
    secret: String,
}

impl Place {
    fn of(world: &World) -> Self {
        Self {
            path: format!("/v1/tenants{}", world.tenant),
            admin: world.admin.clone(),
            application: world.application.clone(),
            secret: world.secret.clone(),
        }
    }

    /// Another tenant with one application.
    async fn another(world: &World) -> Self {
        let body = json!({ "name": "Other", "home_country": "US" });
        let made = post(world, "/v1/tenants", &world.operator(), body).await;
        let path = format!("/v1/tenants/{}", text(&made, "/id"));
        let admin = text(&made, "/admin_key/secret");
        let on = json!({ "mfa": { "sms": { "enabled": true } } });
        let (status, answer) =
            world.call("PATCH", &format!("{path}/security"), Some(&admin), &[], Some(on)).await;
        assert_eq!(status, 200, "{answer}");
        let made =
            post(world, &format!("{path}/applications"), &admin, json!({ "name": "Other shop" })).await;
        let (application, secret) = (text(&made, "/id"), text(&made, "/secret/secret"));
        Self { path, admin, application, secret }
    }

    async fn user(&self, world: &World, at: usize) -> String {
        let body = json!({ "username": format!("user-{at}"), "phone": number(at) });
        text(&post(world, &format!("{}/users", self.path), &self.admin, body).await, "/id")
    }

    /// A whole login; what each of its three requests took.
    async fn login(&self, world: &World, user: &str) -> Vec<Taken> {
        let body = json!({ "application": self.application, "assertion": { "user": user } });
        let (start, answer) = taken(world, "/v1/logins", &self.secret, body).await;
        let path = format!("/v1/logins/{}", text(&answer, "/login/id"));
        let token = text(&answer, "/login_token");
        let (issue, _) = taken(world, &format!("{path}/code"), &token, json!({})).await;
        let code = json!({ "code": world.code() });
        let (verify, done) = taken(world, &format!("{path}/verification"), &token, code).await;
        assert!(done["tokens"].is_object(), "{done}");
        vec![start, issue, verify]
    }
}

async fn post(world: &World, path: &str, bearer: &str, body: Value) -> Value {
    let (status, answer) = world.call("POST", path, Some(bearer), &[], Some(body)).await;
    assert!((200..300).contains(&status), "{path}: {answer}");
    answer
}

/// How often each operation was called, and what it counted on the way.
#[derive(Debug, PartialEq)]
struct Taken {
    operations: BTreeMap<String, usize>,
    units: f64,
    /// Items that a read answered, or looked at: a filter that drops most of what it reads shows here.
    items: u64,
}

fn counted(records: &[Record]) -> Taken {
    let mut operations = BTreeMap::new();
    for record in records {
        *operations.entry(record.operation.clone()).or_default() += 1;
    }
    let looked_at = |record: &Record| record.answer["ScannedCount"].as_u64().unwrap_or_default();
    Taken {
        operations,
        units: records.iter().map(Record::units).fold(0.0, |sum, units| sum + units),
        items: records.iter().map(looked_at).sum(),
    }
}

async fn taken(world: &World, path: &str, bearer: &str, body: Value) -> (Taken, Value) {
    world.proxy.take();
    let (status, answer) = world.call("POST", path, Some(bearer), &[], Some(body)).await;
    assert_eq!(status, 200, "{path}: {answer}");
    (counted(&world.proxy.take()), answer)
}

async fn read(world: &World, path: &str, bearer: &str) -> (Taken, Value) {
    world.proxy.take();
    let (status, answer) = world.call("GET", path, Some(bearer), &[], None).await;
    assert_eq!(status, 200, "{path}: {answer}");
    (counted(&world.proxy.take()), answer)
}

#[tokio::test]
async fn a_login_takes_the_same_however_many_tenants_and_users_there_are() {
    let world = World::new().await;
    let place = Place::of(&world);
    let first = place.user(&world, 0).await;
    let alone = place.login(&world, &first).await;
    for tenant in 0..40 {
        let other = Place::another(&world).await;
        for user in 0..5 {
            other.user(&world, 10_000 + tenant * 5 + user).await;
        }
    }
    for user in 1..400 {
        place.user(&world, user).await;
    }
    let second = place.user(&world, 400).await;
    assert_eq!(alone, place.login(&world, &second).await, "a user of the large tenant");
    let other = Place::another(&world).await;
    let third = other.user(&world, 20_000).await;
    assert_eq!(alone, other.login(&world, &third).await, "a user of the newest tenant");
}

#[tokio::test]
async fn a_hot_tenant_takes_no_more_for_its_three_hundredth_login_than_for_its_first() {
    let world = World::new().await;
    let limits = json!({ "per_range_hour": 1_000_000, "budget_usd_day": 100_000 });
    world.admin("PATCH", "/security", json!({ "limits": limits })).await;
    let place = Place::of(&world);
    let first = place.user(&world, 0).await;
    let alone = place.login(&world, &first).await;
    let mut shards = BTreeMap::<String, usize>::new();
    for at in 1..300 {
        let user = place.user(&world, at).await;
        world.proxy.take();
        assert_eq!(alone, place.login_noting(&world, &user, &mut shards).await, "login {at}");
    }
    // The one item that all sends of a tenant write is four, and none of them takes much more than its quarter.
    assert_eq!(shards.len(), 4, "{shards:?}");
    assert!(shards.values().all(|writes| (40..120).contains(writes)), "{shards:?}");
}

impl Place {
    /// As [`Place::login`], and notes which items of the tenant's day were written.
    async fn login_noting(
        &self,
        world: &World,
        user: &str,
        shards: &mut BTreeMap<String, usize>,
    ) -> Vec<Taken> {
        let body = json!({ "application": self.application, "assertion": { "user": user } });
        let (start, answer) = taken(world, "/v1/logins", &self.secret, body).await;
        let path = format!("/v1/logins/{}", text(&answer, "/login/id"));
        let token = text(&answer, "/login_token");
        world.proxy.take();
        let (status, answer) =
            world.call("POST", &format!("{path}/code"), Some(&token), &[], Some(json!({}))).await;
        assert_eq!(status, 200, "{answer}");
        let records = world.proxy.take();
        for record in &records {
            let key = record.body["Key"]["pk"]["S"].as_str().unwrap_or_default();
            if key.starts_with("limit#tenant#") {
                *shards.entry(key.to_owned()).or_default() += 1;
            }
        }
        let code = json!({ "code": world.code() });
        let (verify, _) = taken(world, &format!("{path}/verification"), &token, code).await;
        vec![start, counted(&records), verify]
    }
}

#[tokio::test]
async fn a_page_of_a_list_takes_what_it_shows_and_no_more() {
    let world = World::new().await;
    let place = Place::of(&world);
    for user in 0..250 {
        place.user(&world, user).await;
    }
    let path = format!("{}/users?limit=100", place.path);
    let (first, answer) = read(&world, &path, &place.admin).await;
    assert_eq!(answer["items"].as_array().unwrap().len(), 100);
    assert_eq!(first.operations["Query"], 1, "{first:?}");
    assert!(first.items <= 101, "one more tells that there is a next page: {first:?}");
    let next = format!("{path}&cursor={}", text(&answer, "/next"));
    let (second, answer) = read(&world, &next, &place.admin).await;
    assert_eq!(first.operations, second.operations, "a later page takes what the first does");
    assert!(second.items <= 102, "{second:?}");
    let last = format!("{path}&cursor={}", text(&answer, "/next"));
    let (_, answer) = read(&world, &last, &place.admin).await;
    assert_eq!((answer["items"].as_array().unwrap().len(), &answer["next"]), (50, &Value::Null));
}

/// How many months of a tenant's audit one request looks through at most (`dynamodb/audit_store.rs`).
const MOST_QUERIES: usize = 4;

#[tokio::test]
async fn a_look_into_the_audit_is_bounded_however_much_there_is_and_however_old_it_is() {
    let world = World::new().await;
    let place = Place::of(&world);
    for user in 0..150 {
        place.user(&world, user).await;
    }
    let path = format!("{}/audit-events?limit=50", place.path);
    let (newest, answer) = read(&world, &path, &place.admin).await;
    assert_eq!(answer["items"].as_array().unwrap().len(), 50);
    assert!(newest.operations["Query"] == 1 && newest.items <= 52, "{newest:?}");
    // Two years later nothing has been written for two years: a request looks through so many months and leaves the rest to the next one.
    world.advance(2 * 365 * 24 * 60 * 60);
    let key = place.admin.clone();
    let (mut next, mut found) = (String::new(), 0);
    for _ in 0..20 {
        let from = "from=2099-12-01T00:00:00Z";
        let (looked, answer) = read(&world, &format!("{path}&{from}{next}"), &key).await;
        assert!(looked.operations["Query"] <= MOST_QUERIES, "{looked:?}");
        assert!(looked.items <= 52, "{looked:?}");
        found += answer["items"].as_array().unwrap().len();
        match answer["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert!(found > 150, "{found}");
}
