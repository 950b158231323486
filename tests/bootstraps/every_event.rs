//! Every file of tests/events, against the function of its route; and what else may happen to a process: a crash, the end.

use crate::deployment::Deployment;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::events;
use tests::repository;
use tests::runtime::RuntimeError;
use tests::template::Template;

/// The placeholders of an event.
fn placeholders(text: &str) -> BTreeSet<String> {
    let found = text.match_indices("{{").filter_map(|(at, _)| text[at + 2..].split_once("}}"));
    found
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect()
}

#[test]
fn every_route_has_an_event_and_every_event_a_route() {
    let template = Template::load();
    let routes = template.functions.values().flat_map(|function| &function.routes);
    let keys = routes.map(|route| match route.path.as_str() {
        "$default" => "$default".to_owned(),
        path => format!("{} {path}", route.method),
    });
    let files = repository::files("tests/events", ".json");
    let events = files.iter().filter(|file| !file.ends_with("/malformed.json"));
    let of_events = events.map(|file| {
        let event: Value = serde_json::from_str(&repository::read(file)).unwrap();
        event["routeKey"].as_str().unwrap_or_else(|| panic!("{file}")).to_owned()
    });
    assert_eq!(of_events.collect::<BTreeSet<_>>(), keys.collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_answered_by_the_function_of_its_route() {
    let deployment = Deployment::start().await;
    let operator = [("operator_key", deployment.operator_key.as_str())];
    let made = deployment.handle("create_tenant", &operator).await.expect(201);
    let text =
        |pointer: &str, made: &Value| made.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let (tenant, admin_key) = (text("/id", &made), text("/admin_key/secret", &made));
    let admin = [("tenant", tenant.as_str()), ("admin_key", admin_key.as_str())];
    let application = text("/id", &deployment.handle("create_application", &admin).await.expect(201));
    let mut answered = 0;
    for file in repository::files("tests/events", ".json") {
        let name = file.strip_prefix("tests/events/").and_then(|file| file.strip_suffix(".json")).unwrap();
        // What would take the ground away from under the others is told of elsewhere.
        if ["malformed", "delete_application"].contains(&name) {
            continue;
        }
        let names = placeholders(&repository::read(&file));
        let values: Vec<(&str, &str)> = names
            .iter()
            .map(|name| {
                let value = match name.as_str() {
                    "tenant" => tenant.as_str(),
                    "admin_key" => admin_key.as_str(),
                    "operator_key" => deployment.operator_key.as_str(),
                    "application" => application.as_str(),
                    "username" => "ann",
                    "password" => "correct horse battery staple",
                    "phone" => "+12025550147",
                    "code" => "123456",
                    _ => "none",
                };
                (name.as_str(), value)
            })
            .collect();
        let answer = deployment.handle(name, &values).await;
        // A key or a user that is not there is none; a token that is none is refused; all else is as a client would have it.
        let unknown = names.iter().any(|name| {
            ["user", "key", "source", "locale", "login", "txn", "file", "qr"].contains(&name.as_str())
        });
        let is_right = match answer.status {
            200 | 201 | 204 | 303 => true,
            400 | 401 | 404 => {
                unknown
                    || answer.status == 401
                    || [
                        "unknown_route",
                        "explain_policy",
                        "lint_message_template",
                        "authorize",
                        "authorize_by_form",
                        "get_experience_result",
                        "get_scan_page",
                        "sign_in_to_scan",
                        "arrive_at_scan",
                        "approve_scan",
                        "reject_scan",
                    ]
                    .contains(&name)
            }
            409 | 403 => true,
            _ => false,
        };
        assert!(is_right, "{name}: {answer:?}");
        answered += 1;
    }
    assert!(answered > 30, "{answered} events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_answers_first_and_the_next_one_goes_on() {
    let deployment = Deployment::start().await;
    let operator = [("operator_key", deployment.operator_key.as_str())];
    let event = events::load("create_tenant", &operator);

    // Lambda ends an environment with SIGTERM where an extension is registered: the function is idle then, and goes at once.
    let function = deployment.another("policy-admin").await;
    assert_eq!(function.invoke(&event).await.unwrap()["statusCode"], 201);
    assert!(function.terminate().await, "it has to be killed");

    // A crash in the middle: nothing is answered, and the next environment takes the same event.
    let function = deployment.another("policy-admin").await;
    function.ready().await.unwrap();
    function.kill();
    let Err(RuntimeError::Exited(_)) = function.invoke(&event).await else { panic!("it has ended") };
    let next = deployment.another("policy-admin").await;
    assert!(next.invoke(&json!({})).await.is_err(), "what is no event fails alone");
    assert_eq!(next.invoke(&event).await.unwrap()["statusCode"], 201);
}
