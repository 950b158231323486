//! How a tenant's pages look.

use crate::world::{World, text};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

#[tokio::test]
async fn a_logo_and_a_colour_are_set_changed_and_taken_away_each_by_itself() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let path = tenant.path("");
    let branding = async |patch: Value| {
        world.clock.advance(1);
        let body = json!({"branding": patch});
        world.patch(&path, &tenant.key, body).await.expect(200)["branding"].clone()
    };
    let fresh = world.get(&path, &tenant.key).await.expect(200);
    assert_eq!(fresh["branding"], json!({"logo_url": null, "accent_color": null}));
    let logo = "https://cdn.example.com/logo.svg?v=2";
    let set = branding(json!({"logo_url": logo, "accent_color": "#1D4ED8"})).await;
    assert_eq!(set, json!({"logo_url": logo, "accent_color": "#1d4ed8"}));
    assert_eq!(branding(json!({})).await, set);
    assert_eq!(
        branding(json!({"logo_url": null})).await,
        json!({"logo_url": null, "accent_color": "#1d4ed8"})
    );
    assert_eq!(world.get(&path, &tenant.key).await.expect(200)["branding"]["accent_color"], "#1d4ed8");
    assert_eq!(branding(Value::Null).await, fresh["branding"]);

    let path = tenant.path("/audit-events?type=tenant.changed");
    let events = world.get(&path, &tenant.key).await.expect(200);
    let told: Vec<_> =
        events["items"].as_array().expect("a list").iter().map(|event| &event["after"]).collect();
    let as_it_comes = json!({"branding": {"accent_color": null}});
    let first = json!({"branding": {"logo_url": logo, "accent_color": "#1d4ed8"}});
    assert_eq!(
        told,
        [&as_it_comes, &json!({"branding": {"logo_url": null}}), &first],
        "a patch of nothing is none"
    );
}

#[tokio::test]
async fn t26_what_is_no_address_or_colour_is_refused_and_nothing_changes() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let path = tenant.path("");
    let before = world.get(&path, &tenant.key).await.expect(200);
    for bad in [
        json!({"logo_url": "http://cdn.example.com/logo.svg"}),
        json!({"logo_url": "javascript:alert(1)"}),
        json!({"logo_url": "data:image/svg+xml,<svg/>"}),
        json!({"logo_url": "/logo.svg"}),
        json!({"logo_url": ""}),
        json!({"logo_url": 1}),
        json!({"accent_color": "red"}),
        json!({"accent_color": "#fff"}),
        json!({"accent_color": "#12345g"}),
        json!({"accent_color": "#123456;}body{"}),
        json!({"logo": "https://cdn.example.com/logo.svg"}),
        json!("blue"),
    ] {
        let body = json!({"name": "Other", "branding": bad});
        world.patch(&path, &tenant.key, body).await.refused(400, "invalid_request");
    }
    assert_eq!(world.get(&path, &tenant.key).await.expect(200), before);
}

#[tokio::test]
async fn a_tenant_of_before_there_was_branding_is_read_and_changed() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
    let old = world.store.client().update_item().table_name(world.store.directory());
    let old = old
        .set_key(Some([key("pk", format!("policy#{}", tenant.id)), key("sk", "tenant".into())].into()))
        .update_expression("REMOVE branding");
    old.send().await.expect("an update");
    let read = world.get(&tenant.path(""), &tenant.key).await.expect(200);
    assert_eq!(read["branding"], json!({"logo_url": null, "accent_color": null}));
    let body = json!({"branding": {"accent_color": "#00aa00"}});
    let changed = world.patch(&tenant.path(""), &tenant.key, body).await.expect(200);
    assert_eq!(text(&changed["branding"]["accent_color"]), "#00aa00");
}
