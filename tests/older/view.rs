//! Everything that the API shows of a tenant, to be held against what another program shows of it.

use crate::program::Program;
use crate::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tests::http_client::Call;
use tests::values::text;

/// By the path within the tenant: the contract's path, the status and the document. The audit apart: it grows.
pub type View = BTreeMap<String, (String, u16, Value)>;

const TENANT: &str = "/v1/tenants/{tenant}";

/// Every `GET` of the tenant's, and its public ones.
pub async fn of(program: &Program, world: &World, users: &[String]) -> View {
    let mut view = View::new();
    let application = format!("/applications/{}", world.customized);
    let mut paths = vec![
        (String::new(), String::new()),
        ("/security".to_owned(), "/security".to_owned()),
        ("/applications".to_owned(), "/applications".to_owned()),
        (application.clone(), "/applications/{application}".to_owned()),
        (format!("{application}/security"), "/applications/{application}/security".to_owned()),
        ("/identity-sources".to_owned(), "/identity-sources".to_owned()),
        (format!("/identity-sources/{}", world.source), "/identity-sources/{source}".to_owned()),
        ("/admin-keys".to_owned(), "/admin-keys".to_owned()),
        ("/message-templates".to_owned(), "/message-templates".to_owned()),
        ("/message-templates/de".to_owned(), "/message-templates/{locale}".to_owned()),
        ("/users?limit=100".to_owned(), "/users".to_owned()),
    ];
    for user in users {
        for below in ["", "/identities", "/challenges", "/trusted-devices"] {
            paths.push((format!("/users/{user}{below}"), format!("/users/{{user}}{below}")));
        }
    }
    for (path, contract) in paths {
        let answer = world.admin(program, "GET", &path, None).await;
        view.insert(path, (format!("{TENANT}{contract}"), answer.status, answer.json));
    }
    for public in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
        let answer = program.send(Call::get(&format!("/t/{}{public}", world.tenant))).await;
        view.insert(public.to_owned(), (format!("/t/{{tenant}}{public}"), answer.status, answer.json));
    }
    view
}

/// The audit, by the events' ids.
pub async fn events(program: &Program, world: &World) -> BTreeMap<String, Value> {
    let mut events = BTreeMap::new();
    let mut path = "/audit-events?limit=100".to_owned();
    loop {
        let page = world.admin(program, "GET", &path, None).await.expect(200);
        for event in page["items"].as_array().unwrap() {
            events.insert(text(event, "/id"), event.clone());
        }
        let Some(next) = page["next"].as_str() else { return events };
        path = format!("/audit-events?limit=100&cursor={next}");
    }
}

/// What an older program, of these sources, shows is what today's shows, in every page and every member that it knows. What it does not know at
/// all, by its own contract, it answers by 404; those pages' paths.
pub fn assert_agree(older: &View, today: &View, sources: &Path) -> Vec<String> {
    let contract = std::fs::read_to_string(sources.join("docs/openapi.yaml")).unwrap();
    let mut unknown = Vec::new();
    for (path, (of_contract, status, document)) in today {
        let (_, older_status, older_document) = &older[path];
        assert_eq!(*status, 200, "{path}: {document}");
        if contract.contains(&format!("\n  {of_contract}:\n")) {
            assert_eq!(*older_status, 200, "{path}: {older_document}");
            assert!(within(older_document, document), "{path}: {older_document}\nis not in\n{document}");
        } else {
            assert_eq!(*older_status, 404, "{path}: {older_document}");
            unknown.push(path.clone());
        }
    }
    unknown
}

/// Every event of before is there.
pub fn assert_kept(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    for (id, event) in before {
        let other = after.get(id).unwrap_or_else(|| panic!("the audit has lost {event}"));
        assert!(within(event, other) || within(other, event), "{event}\nhas become\n{other}");
    }
}

/// Whether every member of `less` is in `more`, and equal.
fn within(less: &Value, more: &Value) -> bool {
    match (less, more) {
        (Value::Object(less), Value::Object(more)) => {
            less.iter().all(|(name, value)| more.get(name).is_some_and(|other| within(value, other)))
        }
        (Value::Array(less), Value::Array(more)) => {
            less.len() == more.len() && less.iter().zip(more).all(|(less, more)| within(less, more))
        }
        _ => less == more,
    }
}

/// Changes the tenant, its settings and its application, each as an administrator would.
pub async fn change(program: &Program, world: &World) {
    let application = format!("/applications/{}", world.customized);
    for (path, patch) in [
        ("", json!({ "branding": { "accent_color": "#123456" } })),
        ("/security", json!({ "countries": { "allow": ["US", "CA", "MX"] } })),
        (&application, json!({ "name": "Bank & Co" })),
    ] {
        world.admin(program, "PATCH", path, Some(patch)).await.expect(200);
    }
}

#[cfg(test)]
mod of_itself {
    use super::within;
    use serde_json::json;

    #[test]
    fn an_older_document_may_say_less_and_nothing_else() {
        let today = json!({ "name": "Acme", "items": [{ "a": 1, "b": 2 }] });
        assert!(within(&json!({ "name": "Acme", "items": [{ "a": 1 }] }), &today));
        for other in [json!({ "name": "Acm" }), json!({ "items": [] }), json!({ "items": [{ "a": 2 }] })] {
            assert!(!within(&other, &today), "{other}");
        }
    }
}
