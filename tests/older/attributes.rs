//! What an older program finds in today's items: every attribute that the items of a released version have (tests/fixtures/VERSION) is still
//! written for the same kind of item, with the same type. `v` is looked at by nobody, so it is this that an older program stands on.

use crate::program::{self, Program};
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use tests::engine::Engine;
use tests::http_client::Call;
use tests::repository::{self, TemporaryFolder};
use tests::sdk;
use tests::values::text;

/// What today's items lack, and why an older program can do without: kind, attribute, reason.
const GONE: &[(&str, &str, &str)] =
    &[("limit/address", "hHOUR", AN_HOUR_OF_ITS_OWN), ("limit/range", "hHOUR", AN_HOUR_OF_ITS_OWN)];

const AN_HOUR_OF_ITS_OWN: &str = "an hour is an item of its own now, whose key names it, and counts in `used`; an older program finds no item under \
     its own key and counts the hour once more: at most twice the limit, in that hour only";

/// The attributes of an item, those of its maps too (`phone.hash`), each with its type.
type Attributes = BTreeMap<String, String>;

/// DynamoDB's JSON, or the SDK's items put into it.
fn attributes(item: &Value, before: &str) -> Attributes {
    let mut found = Attributes::new();
    for (name, value) in item.as_object().unwrap() {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        let name = format!("{before}{}", generic(name));
        if kind == "M" {
            found.extend(attributes(value, &format!("{name}.")));
        }
        found.insert(name, kind.clone());
    }
    found
}

/// Names that have an id or an hour in them.
fn generic(name: &str) -> &str {
    let is_hour = name.strip_prefix('h').is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_digit()));
    match name {
        _ if is_hour => "hHOUR",
        _ if name.starts_with("application_app_") => "application_APP",
        _ if name.starts_with("src_") => "SOURCE",
        _ => name,
    }
}

/// What the item is: by its key, and an event of the audit by what it tells.
fn kind(item: &Value) -> String {
    let part = |key: &str, index: usize| item[key]["S"].as_str().unwrap().split('#').nth(index).unwrap();
    match part("pk", 0) {
        kind @ ("policy" | "login") => format!("{kind}/{}", part("sk", 0)),
        "limit" => format!("limit/{}", part("pk", 1)),
        "audit" => {
            let told = |name: &str| item.pointer(name).and_then(Value::as_str).unwrap();
            format!("audit/{} by {}", told("/kind/S"), told("/actor/M/kind/S"))
        }
        other => other.to_owned(),
    }
}

fn by_kind(items: &[Value]) -> BTreeMap<String, Vec<Attributes>> {
    let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for item in items {
        kinds.entry(kind(item)).or_default().push(attributes(item, ""));
    }
    kinds
}

/// What is missing of `then`: what all of its items of a kind have and one of today's lacks, and what one has and none of today's.
fn missing(then: &[Value], today: &[Value]) -> BTreeSet<(String, String)> {
    let today = by_kind(today);
    let mut missing = BTreeSet::new();
    for (kind, then) in by_kind(then) {
        let none = Vec::new();
        let today = today.get(&kind).unwrap_or(&none);
        for (name, of_type) in then.iter().flatten() {
            let has = |item: &Attributes| item.get(name) == Some(of_type);
            let enough = if then.iter().all(has) { today.iter().all(has) } else { true };
            if today.is_empty() || !enough || !today.iter().any(has) {
                missing.insert((kind.clone(), name.clone()));
            }
        }
    }
    missing
}

/// Today's items, after what `python/freeze_items.py` does.
async fn todays() -> Vec<Value> {
    let engine = Engine::dynoxide().await;
    let data = TemporaryFolder::new();
    let mut command = Command::new(program::todays());
    command.args(["--json", "--port", "0", "--dynamodb", engine.url(), "--data"]).arg(data.path());
    let local = Program::start(command).await;
    let world = World::make(&local).await;
    for (name, phone) in [("ann", None), ("eve", Some("+12025550148"))] {
        let mut body =
            json!({ "username": name, "email": format!("{name}@example.com"), "password": PASSWORD });
        if let Some(phone) = phone {
            body["phone"] = json!(phone);
        }
        world.admin(&local, "POST", "/users", Some(body)).await.expect(201);
    }
    let start = async |password: &str| {
        let password = json!({ "account": "ann", "password": password });
        let body = json!({ "application": world.customized, "password": password });
        let call = Call::post("/v1/logins", &body).header("origin", "https://bank.example.com");
        local.send(call).await
    };
    start("wrong horse").await.refused(401, "first_factor_failed");
    let begun = start(PASSWORD).await.expect(200);
    let (login, token) = (text(&begun, "/login/id"), text(&begun, "/login_token"));
    let step = async |step: &str, body: Value| {
        let call = Call::post(&format!("/v1/logins/{login}/{step}"), &body).bearer(&token);
        local.send(call).await.expect(200)
    };
    step("phone", json!({ "phone": "+12025550147" })).await;
    step("code", json!({})).await;
    let (_, code) = local.message_to("+12025550147").await;
    step("verification", json!({ "code": code })).await;
    local.stop().await;
    let client = sdk::client(engine.url());
    let mut items = Vec::new();
    for table in ["directory", "logins"] {
        let scan = client.scan().table_name(table).send().await.unwrap();
        assert!(scan.last_evaluated_key.is_none(), "all of it");
        items.extend(scan.items.unwrap().iter().map(document));
    }
    items
}

/// The SDK's item as DynamoDB's JSON has it, as far as types and keys go.
fn document(item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>) -> Value {
    use aws_sdk_dynamodb::types::AttributeValue;
    let of = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::M(map) => json!({ "M": document(map) }),
        AttributeValue::N(_) => json!({ "N": null }),
        AttributeValue::B(_) => json!({ "B": null }),
        AttributeValue::Bool(_) => json!({ "BOOL": null }),
        AttributeValue::Null(_) => json!({ "NULL": null }),
        AttributeValue::L(_) => json!({ "L": null }),
        AttributeValue::Ss(_) => json!({ "SS": null }),
        AttributeValue::Ns(_) => json!({ "NS": null }),
        AttributeValue::Bs(_) => json!({ "BS": null }),
        other => panic!("a type of its own: {other:?}"),
    };
    item.iter().map(|(name, value)| (name.clone(), of(value))).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn todays_items_have_what_the_ones_of_each_released_version_have() {
    let today = todays().await;
    let mut gone = BTreeSet::new();
    for file in repository::files("tests/fixtures", "told.json") {
        let of = |table: &str| -> Vec<Value> {
            let file = file.replace("told", table);
            serde_json::from_str(&repository::read(&file)).unwrap()
        };
        gone.extend(missing(&[of("directory"), of("logins")].concat(), &today));
    }
    let known: BTreeSet<_> =
        GONE.iter().map(|(kind, name, _)| ((*kind).to_owned(), (*name).to_owned())).collect();
    assert_eq!(gone, known, "what an older program would look for in vain, and what is listed in GONE");
}

#[test]
fn an_attribute_that_is_missing_or_of_another_type_is_found() {
    let item = |rest: Value| {
        let mut item = json!({ "pk": { "S": "user#ten" }, "sk": { "S": "usr" } });
        item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        item
    };
    let name = |kind: &str| json!({ "name": { "M": { "hash": { kind: "x" } } } });
    let then = [item(name("S"))];
    let of = |today: &[Value]| missing(&then, today).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(
        of(&[
            item(name("S")),
            item(json!({ "name": { "M": { "hash": { "S": "y" } } }, "more": { "N": "1" } }))
        ]),
        [""; 0]
    );
    assert_eq!(of(&[item(name("N"))]), ["name.hash"]);
    assert_eq!(of(&[item(name("S")), item(json!({}))]), ["name", "name.hash"]);
    assert_eq!(of(&[]).len(), 4);
}
