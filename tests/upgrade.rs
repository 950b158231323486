//! What each released version wrote stays readable: tests/fixtures has a folder for each, made by `python/freeze_items.py` with that version's
//! own program. The items are put into an engine as they are, and today's program serves them.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use tests::engine::Engine;
use tests::http_client::Call;
use tests::local::Local;
use tests::repository::{self, TemporaryFolder};
use tests::sdk;

fn fixture(version: &str, file: &str) -> Value {
    serde_json::from_str(&repository::read(&format!("tests/fixtures/{version}/{file}.json"))).unwrap()
}

fn versions() -> BTreeSet<String> {
    let files = repository::files("tests/fixtures", "told.json");
    files.iter().map(|file| file.split('/').nth(2).unwrap().to_owned()).collect()
}

/// DynamoDB's JSON as the SDK has it.
fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let texts = || value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    let binary = |it: &Value| Blob::new(STANDARD.decode(it.as_str().unwrap()).unwrap());
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "B" => AttributeValue::B(binary(value)),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "SS" => AttributeValue::Ss(texts()),
        "NS" => AttributeValue::Ns(texts()),
        "BS" => AttributeValue::Bs(value.as_array().unwrap().iter().map(binary).collect()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(item(value)),
        other => panic!("a type of its own: {other}"),
    }
}

fn item(value: &Value) -> HashMap<String, AttributeValue> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// Today's program over a version's tables and keys.
async fn serve(version: &str, engine: &Engine) -> (Local, TemporaryFolder) {
    let client = sdk::client(engine.url());
    shared::dynamodb::tables::create_missing(&client, "directory", "logins").await.unwrap();
    for table in ["directory", "logins"] {
        for mut kept in fixture(version, table).as_array().unwrap().iter().map(item) {
            // The engine would delete what is due; what is tested is whether it can be read.
            if let Some(ttl) = kept.get_mut("ttl") {
                *ttl = AttributeValue::N("4102444800".to_owned());
            }
            client.put_item().table_name(table).set_item(Some(kept)).send().await.unwrap();
        }
    }
    let data = TemporaryFolder::new();
    let write =
        |name: &str, value: &Value| std::fs::write(data.path().join(name), value.to_string()).unwrap();
    write("keys.json", &fixture(version, "keys"));
    for (name, value) in fixture(version, "files").as_object().unwrap() {
        write(name, value);
    }
    (Local::start_with(data.path(), Some(engine.url()), &[]).await, data)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_released_version_wrote_is_read_and_goes_on() {
    for version in versions() {
        let engine = Engine::dynoxide().await;
        let (local, _data) = serve(&version, &engine).await;
        let told = fixture(&version, "told");
        let of = |name: &str| told[name].as_str().unwrap();
        let tenant = format!("/v1/tenants/{}", of("tenant"));
        let get = async |rest: &str| {
            let call = Call::get(&format!("{tenant}{rest}")).bearer(of("admin_key"));
            local.send(call).await.expect(200)
        };

        assert_eq!(get("").await["name"], "Acme", "{version}");
        assert_eq!(get("/security").await["countries"]["allow"], json!(["CA", "US"]), "{version}");
        let application = get(&format!("/applications/{}", of("application"))).await;
        assert_eq!(application["origins"], json!(["https://shop.example.com"]), "{version}");
        get(&format!("/applications/{}/security", of("application"))).await;
        assert_eq!(get("/identity-sources").await["items"][0]["name"], "Staff", "{version}");
        assert_eq!(get("/admin-keys").await["items"].as_array().unwrap().len(), 2, "{version}");
        let events = get("/audit-events").await;
        let kinds: BTreeSet<_> =
            events["items"].as_array().unwrap().iter().map(|event| event["type"].to_string()).collect();
        assert!(kinds.len() >= 6, "{version}: {kinds:?}");
        let user = get(&format!("/users/{}", of("user"))).await;
        assert_eq!(
            (&user["username"], &user["email"]),
            (&json!("ann"), &json!("ann@example.com")),
            "{version}"
        );
        assert_eq!(user["phone"], "+12025550147", "{version}: what was sealed opens");
        let challenges = get(&format!("/users/{}/challenges", of("user"))).await;
        assert_eq!(challenges["items"][0]["state"], "complete", "{version}: {challenges}");

        // The user logs in with the old password, on the old number, under the old keys; a new number's owner item is free, the old one's not.
        let body = json!({
            "application": of("application"),
            "password": { "account": "ann@example.com", "password": "correct horse battery" },
        });
        let begun = local.send(Call::post("/v1/logins", &body)).await.expect(200);
        assert_eq!(begun["login"]["status"], "enter_code", "{version}: the binding is there");
        let login = format!("/v1/logins/{}", begun["login"]["id"].as_str().unwrap());
        let token = begun["login_token"].as_str().unwrap();
        local.advance(3600 * 24).await;
        local.send(Call::get(&login).bearer(token)).await;
        let begun = local.send(Call::post("/v1/logins", &body)).await.expect(200);
        let login = format!("/v1/logins/{}", begun["login"]["id"].as_str().unwrap());
        let token = begun["login_token"].as_str().unwrap();
        local.send(Call::post(&format!("{login}/code"), &json!({})).bearer(token)).await.expect(200);
        let code = local.code_sent_to("+12025550147").await;
        let call = Call::post(&format!("{login}/verification"), &json!({ "code": code })).bearer(token);
        assert_eq!(local.send(call).await.expect(200)["login"]["status"], "complete", "{version}");
        let body = json!({ "username": "eve", "phone": "+12025550147" });
        let call = Call::post(&format!("{tenant}/users"), &body).bearer(of("admin_key"));
        local.send(call).await.refused(409, "duplicate");
    }
}

#[test]
fn the_fixtures_have_every_kind_of_item_that_their_version_had() {
    for version in versions() {
        let mut kinds = BTreeSet::new();
        for table in ["directory", "logins"] {
            for item in fixture(&version, table).as_array().unwrap() {
                assert!(item["v"]["N"].is_string(), "{version}: {item}");
                let (pk, sk) = (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
                let (kind, what) = (pk.split('#').next().unwrap(), sk.split('#').next().unwrap());
                kinds.insert(match kind {
                    "policy" | "login" => format!("{kind}/{what}"),
                    "limit" => format!("limit/{}", pk.split('#').nth(1).unwrap()),
                    _ => kind.to_owned(),
                });
            }
        }
        for kind in [
            "policy/tenant",
            "policy/application",
            "policy/source",
            "policy/key",
            "user",
            "owner",
            "audit",
            "login/factor",
            "login/challenge",
            "limit/number",
            "limit/range",
            "limit/tenant",
            "limit/first-factor",
        ] {
            assert!(kinds.contains(kind), "{version} has no {kind}: {kinds:?}");
        }
    }
}
