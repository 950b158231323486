//! What a source's switch means for its logins.

use crate::world::{World, text};
use serde_json::{Value, json};

/// Whether a login through the source asks for a code; the answer to the application says the same as `explain`.
async fn asks(world: &World, application: &str, source: &str) -> bool {
    let mut offer = world.offer(source, "alice");
    offer["application"] = json!(application);
    let answer = world.call("POST", "/v1/logins", "", offer).await.expect(200);
    let asked = answer["login"]["mfa"]["required"].as_bool().expect("a boolean");
    assert_eq!((answer["login_token"].is_string(), answer["tokens"].is_object()), (asked, !asked));
    let question = json!({"application": application, "identity_source": source});
    let explained = world.admin("POST", "/policy/explain", question).await.expect(200);
    assert_eq!(explained["mfa_required"], json!(asked));
    asked
}

/// An application whose own SMS is on, off, or the tenant's.
async fn application(world: &World, custom: Option<bool>) -> String {
    let made = world.new_application(json!({"name": "App", "customize_security": custom.is_some()})).await;
    let id = text(&made["id"]);
    if let Some(on) = custom {
        let patch = json!({"mfa": {"sms": {"enabled": on}}});
        world.admin("PATCH", &format!("/applications/{id}/security"), patch).await.expect(200);
    }
    id
}

async fn set(world: &World, sms: bool, source: &str, switch: Value) {
    let patch = json!({"mfa": {"sms": {"enabled": sms}}, "identity_sources": {source: switch}});
    world.admin("PATCH", "/security", patch).await.expect(200);
}

#[tokio::test]
async fn c4_c5_c7_a_sources_switch_decides_for_its_own_logins() {
    let world = World::new().await;
    let source = world.source(Some("just_in_time")).await;
    let other = world.source(Some("just_in_time")).await;
    let follows = application(&world, None).await;
    let on = application(&world, Some(true)).await;
    let off = application(&world, Some(false)).await;
    for tenant in [false, true] {
        // C4: off skips MFA everywhere, also where the application has its own on.
        set(&world, tenant, &source, json!(false)).await;
        for application in [&follows, &on, &off] {
            assert!(!asks(&world, application, &source).await, "{tenant}");
        }
        // C7: and only its own logins.
        assert_eq!(asks(&world, &follows, &other).await, tenant);
        // C5: on requires the application's factor, else the tenant's, else none.
        set(&world, tenant, &source, json!(true)).await;
        assert_eq!(asks(&world, &follows, &source).await, tenant);
        assert!(asks(&world, &on, &source).await);
        assert_eq!(asks(&world, &off, &source).await, tenant);
        // C3: unset follows the tenant.
        set(&world, tenant, &source, Value::Null).await;
        for (application, as_on) in [(&follows, tenant), (&on, true), (&off, tenant)] {
            assert_eq!(asks(&world, application, &source).await, tenant && as_on);
        }
    }
}
