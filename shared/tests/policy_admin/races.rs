//! What happens when administrators act at the same time.

use crate::world::{World, event, text};
use futures::future::join_all;
use serde_json::json;
use shared::domain::audit::AuditedChange;
use shared::domain::ids::{ApplicationId, SourceId, TenantId};
use shared::ports::{Applications, CopiedFrom, Saved, Tenants};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c7_switches_set_at_the_same_time_all_stay() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let mut sources = Vec::new();
    for _ in 0..4 {
        sources.push(tenant.source(&world).await);
    }
    let path = tenant.path("/security");
    let patches = sources
        .iter()
        .map(|source| world.patch(&path, &tenant.key, json!({"identity_sources": {source: false}})));
    for answer in join_all(patches).await {
        answer.expect(200);
    }
    let security = world.get(&path, &tenant.key).await.expect(200);
    for source in &sources {
        assert_eq!(security["identity_sources"][source], false);
    }
}

#[tokio::test]
async fn b4_a_copy_of_rules_that_have_changed_since_is_stale() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let application = tenant.application(&world).await;
    let id = ApplicationId::parse(application.rsplit('/').next().expect("an id")).expect("an id");
    let read = world.store.tenant(&id.tenant()).await.expect("read").expect("there");
    let before = world.store.application(&id).await.expect("read").expect("there");
    let mut after = before.clone();
    after.customize_security(&read.security.rules);
    tenant.set(&world, json!({"code": {"length": 9}})).await;

    let copied = Some(CopiedFrom { tenant_version: read.version });
    let event = event(&read.id, AuditedChange::application_changed(&before, &after).expect("a change"));
    let saved = world.store.save_application(&before, &after, copied, &event).await.expect("asked");
    assert_eq!(saved, Saved::Stale);
    assert_eq!(world.store.application(&id).await.expect("read"), Some(before));
    // Through the front door it is read again.
    world.patch(&application, &tenant.key, json!({"customize_security": true})).await.expect(200);
    let copy = world.get(&format!("{application}/security"), &tenant.key).await.expect(200);
    assert_eq!(copy["code"]["length"], 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_delete_each_other_leave_one() {
    let world = World::new().await;
    for _ in 0..5 {
        let tenant = world.tenant().await;
        let keys = tenant.path("/admin-keys");
        let second =
            world.post(&keys, &tenant.key, json!({"role": "owner", "name": "Second"})).await.expect(201);
        let (first_path, second_path) =
            (format!("{keys}/{}", tenant.key_id), format!("{keys}/{}", text(&second["id"])));
        let secret = text(&second["secret"]);
        let (a, b) =
            tokio::join!(world.delete(&second_path, &tenant.key), world.delete(&first_path, &secret));
        let done = [a.status, b.status].iter().filter(|status| **status == 204).count();
        assert_eq!(done, 1, "{a:?} {b:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_never_has_more_than_two_secrets() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let application = tenant.application(&world).await;
    let secrets = format!("{application}/secrets");
    let tries = join_all((0..4).map(|_| world.post(&secrets, &tenant.key, json!({})))).await;
    assert_eq!(tries.iter().filter(|answer| answer.status == 201).count(), 1);
    let read = world.get(&application, &tenant.key).await.expect(200);
    assert_eq!(read["secrets"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn settings_made_from_a_deleted_source_are_stale() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let source = tenant.source(&world).await;
    let id = TenantId::parse(&tenant.id).expect("an id");
    let source = SourceId::parse(&source).expect("an id");
    let (read, sources) = world.store.tenant_with_sources(&id).await.expect("read").expect("there");
    assert_eq!(sources.len(), 1);
    let mut switched = read.clone();
    switched.security.identity_sources.insert(source.clone(), true);
    let path = tenant.path(&format!("/identity-sources/{source}"));
    assert_eq!(world.delete(&path, &tenant.key).await.status, 204);
    let change = AuditedChange::tenant_security_changed(&read.security, &switched.security);
    let event = event(&id, change.expect("a change"));
    assert_eq!(world.store.save_tenant(&switched, None, &event).await.expect("asked"), Saved::Stale);
    let after = world.store.tenant(&id).await.expect("read").expect("there");
    assert!(after.security.identity_sources.is_empty());
}
