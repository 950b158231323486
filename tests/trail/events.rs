use crate::consumer::{Trail, key, kinds};
use crate::world::{Login, World};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::engine::Engine;
use tests::proxy::Fault;
use tests::tables::Tables;
use tests::values::another_code;

const NUMBER: &str = "+12025550101";
const LOGIN_KINDS: [&str; 6] =
    ["phone.bound", "code.accepted", "code.rejected", "login.blocked", "factor.disabled", "send.refused"];

/// Bob binds a number at login after two wrong codes; then a login of his is blocked. Answers his id.
async fn story(trail: &Trail) -> String {
    let world = &trail.world;
    let bob = world.user("bob", None).await;
    let login = world.login("bob").await;
    world.step("number", &login, "phone", json!({ "phone": NUMBER })).await;
    world.step("send", &login, "code", json!({})).await;
    let code = world.code();
    for guess in [another_code(&code), another_code(&code), code] {
        world.advance(1);
        world.step("guess", &login, "verification", json!({ "code": guess })).await;
    }
    world.advance(200);
    let login = world.login("bob").await;
    world.step("send", &login, "code", json!({})).await;
    guess_wrong(trail, &login, 5).await;
    bob
}

async fn guess_wrong(trail: &Trail, login: &Login, times: usize) {
    let code = another_code(&trail.world.code());
    for _ in 0..times {
        trail.world.advance(1);
        let cost = trail.world.step("guess", login, "verification", json!({ "code": code })).await;
        assert_eq!(cost.outcome, "wrong_code");
    }
}

/// Of these events, those that are about logins.
fn of_logins(events: Vec<Value>) -> Vec<Value> {
    events.into_iter().filter(|event| LOGIN_KINDS.contains(&event["type"].as_str().unwrap())).collect()
}

fn the_story() -> Vec<&'static str> {
    let mut kinds = vec!["code.rejected", "code.rejected", "code.accepted", "phone.bound"];
    kinds.extend(["code.rejected"; 5]);
    kinds.push("login.blocked");
    kinds
}

/// The bind and the code that brought it about are of the same moment, and so are the last guess and the block: their ids order them.
fn sorted(events: &[Value]) -> Vec<String> {
    let mut told: Vec<_> = events.iter().map(|e| format!("{} {}", e["at"], e["type"])).collect();
    told.sort();
    told.iter().map(|text| text.split('"').nth(3).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_guess_its_success_the_bind_and_the_block_are_told_with_who_when_and_from_where() {
    tell_the_story(Trail::new().await).await;
}

/// The engine that is nearest to DynamoDB writes its stream the same way.
#[tokio::test]
async fn the_same_is_told_by_the_stream_of_dynamodb_local() {
    let engine = Engine::dynamodb_local().await;
    let tables = Tables::create(&engine).await;
    tell_the_story(Trail::in_world(World::on(engine, tables).await).await).await;
}

async fn tell_the_story(trail: Trail) {
    let bob = story(&trail).await;
    assert_eq!(
        kinds(&of_logins(trail.events("").await)),
        ["phone.bound"],
        "the bind's own transaction told it"
    );
    trail.tell_all().await;
    let events = of_logins(trail.events("").await);
    let mut wanted = the_story();
    wanted[2..4].sort_unstable();
    assert_eq!(sorted(&events), wanted);
    assert_eq!(of_logins(trail.events(&format!("&user={bob}")).await).len(), events.len());
    let by_application = trail.events(&format!("&application={}", trail.world.application)).await;
    assert_eq!(of_logins(by_application).len(), events.len());
    for event in &events {
        assert_eq!(event["client_ip"], "192.0.2.7", "{event}");
        assert!(event["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
        assert_eq!((&event["user"], &event["application"]), (&json!(bob), &json!(trail.world.application)));
        let system = ["login.blocked", "factor.disabled"].contains(&event["type"].as_str().unwrap());
        let actor = if system { "system" } else { "user" };
        assert_eq!(event["actor"]["type"], actor, "{event}");
        let text = event.to_string();
        assert!(!text.contains(NUMBER) && !text.contains("2025550101"), "{text}");
    }
    let rejected = trail.events("&type=code.rejected").await;
    assert_eq!(
        rejected.iter().map(|e| e["after"]["attempt"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 2, 1, 2, 3, 4, 5]
    );
    let accepted = &trail.events("&type=code.accepted").await[0];
    assert_eq!(accepted["after"]["purpose"], "sign_in");
    let bound = &trail.events("&type=phone.bound").await[0];
    assert_eq!(accepted["after"]["phone"], bound["after"]["phone"]);
    assert_eq!(bound["before"]["phone"], Value::Null);
    assert!(bound["after"]["phone"]["hint"].as_str().unwrap().ends_with("01"));
}

#[tokio::test]
async fn replays_in_any_order_and_at_once_change_nothing_that_is_told() {
    let trail = Trail::new().await;
    story(&trail).await;
    let mut records = trail.records().await;
    // The last first: no record waits for another.
    records.reverse();
    for record in &records {
        assert!(trail.take(record).await);
    }
    assert_eq!(of_logins(trail.events("").await).len(), the_story().len());
    let told = trail.items().await;
    // Whatever is there stays as it is, even if somebody has changed it.
    let place =
        key(&told.iter().rev().find(|item| item["kind"].as_s().unwrap() == "code.rejected").unwrap().clone());
    trail.tamper("directory", place, "seen", AttributeValue::Bool(true)).await;
    let told = trail.items().await;
    for round in 0..3 {
        let twice = records.iter().chain(records.iter().rev());
        assert!(join_all(twice.map(|record| trail.take(record))).await.into_iter().all(|done| done));
        assert!(trail.items().await == told, "round {round} has changed something");
        records.rotate_left(3);
    }
}

#[tokio::test]
async fn told_by_many_at_once_for_the_first_time_each_event_is_there_once() {
    let trail = Trail::new().await;
    story(&trail).await;
    let records = trail.records().await;
    let many = (0..4).flat_map(|_| records.iter());
    assert!(join_all(many.map(|record| trail.take(record))).await.into_iter().all(|done| done));
    let mut wanted = the_story();
    wanted[2..4].sort_unstable();
    assert_eq!(sorted(&of_logins(trail.events("").await)), wanted);
}

#[tokio::test]
async fn a_crash_between_the_two_places_of_an_event_is_made_good_by_the_next_try() {
    let trail = Trail::new().await;
    let bob = story(&trail).await;
    let records = trail.records().await;
    // The write to the user's own partition fails, in all of the SDK's tries; the month's has the event by then.
    for record in &records {
        let user = bob.clone();
        trail.proxy.fail_when(move |request| {
            let pk = request.body["Item"]["pk"]["S"].as_str().unwrap_or_default();
            pk.ends_with(&user).then_some(Fault::InternalError)
        });
        let done = trail.take(record).await;
        trail.proxy.heal();
        assert_eq!(done, !adds_guess(record), "what was not kept in both places comes again");
    }
    let of_bob = format!("&user={bob}");
    assert_eq!(
        of_logins(trail.events("").await).len(),
        the_story().len() - 1,
        "the block comes after the guess"
    );
    assert_eq!(kinds(&of_logins(trail.events(&of_bob).await)), ["phone.bound"]);
    for record in &records {
        assert!(trail.take(record).await);
    }
    for filters in ["", &of_bob] {
        assert_eq!(of_logins(trail.events(filters).await).len(), the_story().len(), "{filters}");
    }
}

/// Whether the change has one guess more.
fn adds_guess(record: &shared::stream::Record) -> bool {
    let guesses = |image: Option<&shared::stream::Image>| {
        image.and_then(|image| image.get("judged")?["L"].as_array().map(Vec::len)).unwrap_or(0)
    };
    guesses(record.of.new_image.as_ref()) > guesses(record.of.old_image.as_ref())
}

#[tokio::test]
async fn the_failure_that_disables_a_factor_is_told_once() {
    let trail = Trail::new().await;
    let world = &trail.world;
    let ann = world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let tenant = world.tenant.trim_start_matches('/');
    let factor = (format!("login#{tenant}#{ann}"), "factor".to_owned());
    trail.tamper("logins", factor, "failures", AttributeValue::N("94".into())).await;
    guess_wrong(&trail, &login, 3).await;
    for _ in 0..2 {
        trail.tell_all().await;
    }
    let disabled = trail.events("&type=factor.disabled").await;
    assert_eq!(disabled.len(), 1);
    assert_eq!(disabled[0]["after"], json!({ "login": login.id, "failed_codes": 96 }));
    // From here on a new login gets no code, which is one refusal by rule.
    world.advance(700);
    let login = world.login("ann").await;
    for _ in 0..2 {
        let refused = world.step("disabled", &login, "code", json!({})).await;
        assert_eq!((refused.outcome.as_str(), refused.reads, refused.writes), ("factor_disabled", 1, 1));
    }
    trail.tell_all().await;
    let refused = trail.events("&type=send.refused").await;
    assert_eq!(refused.iter().map(|event| &event["after"]["rule"]).collect::<Vec<_>>(), ["factor_disabled"]);
}

#[tokio::test]
async fn h4_refusals_by_a_rule_are_counted_and_told_once_for_each_user_rule_and_hour() {
    let trail = Trail::new().await;
    let world = &trail.world;
    let ann = world.user("ann", Some(NUMBER)).await;
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    let refuse = async || {
        let login = world.login("ann").await;
        // One transaction in the place of the correction: no request more than without the count.
        let refused = world.step("wait", &login, "code", json!({})).await;
        assert_eq!((refused.outcome.as_str(), refused.reads, refused.writes), ("rate_limited", 1, 6));
    };
    world.advance(1);
    refuse().await;
    refuse().await;
    trail.tell_all().await;
    let told = trail.events("&type=send.refused").await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["after"], &told[0]["user"]), (&json!({ "rule": "phone_wait" }), &json!(ann)));
    assert_eq!((&told[0]["client_ip"], &told[0]["actor"]["type"]), (&json!("192.0.2.7"), &json!("user")));
    // The next hour.
    world.advance(3600);
    let login = world.login("ann").await;
    world.step("send", &login, "code", json!({})).await;
    refuse().await;
    for _ in 0..2 {
        trail.tell_all().await;
    }
    assert_eq!(trail.events("&type=send.refused").await.len(), 2);
    let client = tests::sdk::client(world.engine.url());
    let counts =
        client.scan().table_name("logins").filter_expression("attribute_exists(refusals)").send().await;
    let mut counts: Vec<_> =
        counts.unwrap().items().iter().map(|item| item["refusals"].as_n().unwrap().clone()).collect();
    counts.sort();
    assert_eq!(counts, ["1", "2"]);
}
