//! Finding events: filters, pages, exports, who may, and what it costs.

use crate::world::{World, text};
use http::header;
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const LINES: &str = "application/x-ndjson";

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a name")).collect()
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["id"])).collect()
}

/// Whether a list has nothing twice and the newest first.
#[track_caller]
fn assert_newest_first(events: &[Value]) {
    let keys: Vec<_> = events.iter().map(|event| (text(&event["at"]), text(&event["id"]))).collect();
    assert!(keys.windows(2).all(|pair| pair[0] > pair[1]), "{keys:?}");
}

impl World {
    /// Renames the tenant once a day.
    async fn rename_daily(&self, days: usize) {
        for day in 0..days {
            self.clock.advance(DAY);
            self.owner("PATCH", "", json!({"name": format!("Acme {day}")})).await.expect(200);
        }
    }
}

#[tokio::test]
async fn events_are_found_by_user_application_type_and_time() {
    let world = World::new().await;
    let ana = world.user(json!({"username": "ana"})).await;
    world.clock.advance(60);
    let bob = world.user(json!({"username": "bob", "phone": "+12025550142"})).await;
    world.clock.advance(60);
    let shop = world.application().await;
    let bank = world.application().await;
    world.clock.advance(60);
    world.owner("PATCH", &format!("/applications/{shop}"), json!({"name": "Store"})).await.expect(200);
    let start = "2026-11-24T14:00:00Z";
    let find = async |filters: &str| world.events(filters, 100).await;

    let all = find("").await;
    assert_newest_first(&all);
    assert_eq!(all.len(), 2 + 1 + 2 + 2 + 1);
    assert_eq!(kinds(&find(&format!("&user={ana}")).await), ["user.created"]);
    assert_eq!(find(&format!("&user={bob}")).await.len(), 2);
    assert_eq!(kinds(&find(&format!("&user={bob}&type=phone.bound")).await), ["phone.bound"]);
    let of_shop = find(&format!("&application={shop}")).await;
    assert_eq!(kinds(&of_shop), ["application.changed", "application.created"]);
    assert_eq!(kinds(&find(&format!("&application={bank}")).await), ["application.created"]);
    assert_eq!(find("&type=application.created").await.len(), 2);
    let both = find(&format!("&application={shop}&type=application.created")).await;
    assert_eq!(ids(&both), ids(&of_shop[1..]));
    assert_eq!(find(&format!("&user={ana}&application={shop}")).await, Vec::<Value>::new());

    // `from` is the first moment, `to` the first after; both may have any offset.
    assert_eq!(find(&format!("&from={start}&to=2026-11-24T14:00:00.001Z")).await.len(), 3);
    assert_eq!(find("&from=2026-11-24T14:00:00.001Z&to=2026-11-24T15:02:00.001%2B01:00").await.len(), 4);
}

#[tokio::test]
async fn a_time_without_an_event_or_before_the_tenant_finds_none() {
    let world = World::new().await;
    let ana = world.user(json!({"username": "ana"})).await;
    world.clock.advance(10 * DAY);
    for filters in ["&from=2026-11-25T00:00:00Z", "&to=2026-11-24T00:00:00Z", "&to=1970-01-02T00:00:00Z"] {
        for more in [String::new(), format!("&user={ana}")] {
            assert_eq!(world.events(&format!("{filters}{more}"), 10).await, Vec::<Value>::new(), "{filters}");
        }
    }
    for span in ["&from=1970-01-01T00:00:00Z", "&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z"] {
        assert_eq!(world.events(span, 10).await.len(), 3, "{span}");
    }
}

#[tokio::test]
async fn without_a_time_the_last_ninety_days_are_looked_through() {
    let world = World::new().await;
    world.clock.advance(90 * DAY);
    assert_eq!(world.events("", 10).await.len(), 2);
    world.clock.advance(120);
    assert_eq!(world.events("", 10).await.len(), 0);
    assert_eq!(world.events("&from=2026-01-01T00:00:00Z", 10).await.len(), 2);
}

#[tokio::test]
async fn pages_cover_every_event_once_whatever_their_size_and_over_months() {
    let world = World::new().await;
    world.rename_daily(70).await;
    // Several events of one moment.
    world.user(json!({"username": "ana", "phone": "+12025550142"})).await;
    let from = "&from=2026-01-01T00:00:00Z";
    let all = world.events(from, 100).await;
    assert_eq!(all.len(), 74);
    assert_newest_first(&all);
    for size in [1, 7, 73, 74] {
        assert_eq!(world.events(from, size).await, all, "pages of {size}");
    }
    let renames = world.events(&format!("{from}&type=tenant.changed"), 100).await;
    assert_eq!(renames.len(), 70);
    assert_eq!(world.events(&format!("{from}&type=tenant.changed"), 9).await, renames);
}

#[tokio::test]
async fn what_comes_in_meanwhile_moves_no_page() {
    let world = World::new().await;
    world.rename_daily(6).await;
    let before = world.events("", 100).await;
    let first = world.get("/audit-events?limit=3").await;
    world.rename_daily(3).await;
    let next = format!("/audit-events?limit=100&cursor={}", text(&first["next"]));
    let rest = world.get(&next).await;
    let pages = [first["items"].as_array(), rest["items"].as_array()].into_iter().flatten().flatten();
    assert_eq!(pages.cloned().collect::<Vec<_>>(), before);
}

#[tokio::test]
async fn json_lines_export_the_same_events_and_link_to_the_next() {
    let world = World::new().await;
    world.rename_daily(40).await;
    let filters = "type=tenant.changed&from=2026-01-01T00:00:00%2B02:00";
    let all = world.events(&format!("&{filters}"), 100).await;
    let list = world.path("/audit-events");
    let mut exported = Vec::new();
    let mut query = format!("?{filters}&limit=15");
    loop {
        let answer = world.call(&world.owner, "GET", &format!("{list}{query}"), "", LINES).await;
        assert_eq!((answer.status, &answer.headers[header::CONTENT_TYPE]), (200, &LINES.parse().unwrap()));
        assert!(answer.text.is_empty() || answer.text.ends_with('\n'));
        exported.extend(answer.text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
        let Some(link) = answer.headers.get(header::LINK) else { break };
        let link = link.to_str().unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        query = link.strip_prefix('<').unwrap().to_owned();
    }
    assert_eq!((exported.len(), &exported), (40, &all));
    // In one go, and both ways to ask for too much.
    let one = world.call(&world.owner, "GET", &format!("{list}?limit=1000"), "", LINES).await;
    assert_eq!((one.status, one.text.lines().count(), one.headers.get(header::LINK)), (200, 42, None));
    world
        .call(&world.owner, "GET", &format!("{list}?limit=1001"), "", LINES)
        .await
        .refused(400, "invalid_request");
    world
        .call(&world.owner, "GET", &format!("{list}?limit=101"), "", "")
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn a1_who_may_read_the_audit_reads_its_own_tenants() {
    let world = World::new().await;
    let (path, other) = (world.path("/audit-events"), world.new_tenant().await);
    let stranger = text(&other["admin_key"]["secret"]);
    let theirs = format!("/v1/tenants/{}/audit-events", text(&other["id"]));
    for role in ["owner", "policy", "auditor"] {
        let key = world.key(role).await;
        world.call(&key, "GET", &path, "", "").await.expect(200);
        world.call(&key, "GET", &theirs, "", "").await.refused(403, "forbidden");
    }
    world.call(&world.operator, "GET", &path, "", "").await.expect(200);
    let support = world.key("support").await;
    world.call(&support, "GET", &path, "", "").await.refused(403, "forbidden");
    world.call("", "GET", &path, "", "").await.refused(401, "unauthenticated");
    let nowhere = "/v1/tenants/ten_000000000000/audit-events";
    world.call(&world.operator, "GET", nowhere, "", "").await.refused(404, "not_found");
    for accept in ["", LINES] {
        let answer = world.call(&stranger, "GET", &theirs, "", accept).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(&world.tenant) && !answer.text.contains(&world.owner_id));
    }
}

#[tokio::test]
async fn a1_neither_filters_nor_a_cursor_reach_another_tenants_events() {
    let world = World::new().await;
    let user = world.user(json!({"username": "ana"})).await;
    let application = world.application().await;
    let cursor = text(&world.get("/audit-events?limit=2").await["next"]);
    let other = world.new_tenant().await;
    let stranger = text(&other["admin_key"]["secret"]);
    let list = format!("/v1/tenants/{}/audit-events", text(&other["id"]));
    let ask = async |query: String| world.call(&stranger, "GET", &format!("{list}?{query}"), "", "").await;
    assert_eq!(ask(format!("user={user}")).await.expect(200)["items"], json!([]));
    ask(format!("application={application}")).await.refused(404, "not_found");
    for query in [format!("cursor={cursor}"), format!("cursor={cursor}&user={user}")] {
        let answer = ask(query).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(&user) && !answer.text.contains(&world.owner_id));
    }
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let world = World::new().await;
    for query in [
        "user=ana",
        "user=",
        "application=shop",
        "type=login",
        "type=",
        "type=user.created&type=user.deleted",
        "from=yesterday",
        "from=2026-11-24",
        "to=2026-11-24T14:00:00",
        "from=2026-11-24T14:00:00Z&to=2026-11-24T14:00:00Z",
        "from=2026-11-25T14:00:00Z&to=2026-11-24T14:00:00Z",
        "limit=0",
        "limit=-1",
        "cursor=oops",
        "cursor=",
        "actor=key_000000000000",
    ] {
        let answer = world.owner("GET", &format!("/audit-events?{query}"), Value::Null).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_request")), "{query}");
    }
}

#[tokio::test]
async fn a_call_costs_a_few_requests_however_much_there_is() {
    let world = World::new().await;
    let user = world.user(json!({"username": "ana"})).await;
    world.clock.advance(3 * 365 * DAY);
    world.owner("PATCH", "", json!({"name": "Acme 2"})).await.expect(200);
    let cost = async |query: &str| {
        let before = world.requests();
        let page = world.get(&format!("/audit-events?from=2020-01-01T00:00:00Z{query}")).await;
        (world.requests() - before, page)
    };
    // The key, the tenant, and four months.
    let (requests, page) = cost("").await;
    assert_eq!((requests, page["items"].as_array().map(Vec::len)), (6, Some(1)));
    let (requests, page) = cost(&format!("&cursor={}", text(&page["next"]))).await;
    assert_eq!((requests, &page["items"]), (6, &json!([])), "an empty page that goes on");
    assert!(page["next"].is_string());
    // A user's are all in one place.
    let (requests, page) = cost(&format!("&user={user}")).await;
    assert_eq!((requests, page["items"].as_array().map(Vec::len), &page["next"]), (3, Some(1), &Value::Null));
    // Those who go on get there.
    assert_eq!(world.events("&from=2020-01-01T00:00:00Z", 100).await.len(), 4);
}
