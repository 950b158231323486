//! Who may do what: acceptance A. Every route by every credential is in `matrix`.

use crate::world::World;
use serde_json::{Value, json};
use shared::domain::admin_key::Permission;
use shared::domain::time::Timestamp;
use tests::http_client::Call;
use tests::values::text;

/// What each administration operation needs. A route that isn't in here fails the test: a new one can't be forgotten.
pub(crate) fn permission(operation: &str) -> Option<Permission> {
    use Permission::*;
    Some(match operation {
        "get_tenant"
        | "get_tenant_security"
        | "list_applications"
        | "get_application"
        | "get_application_security"
        | "list_identity_sources"
        | "get_identity_source"
        | "list_message_templates"
        | "get_message_template"
        | "lint_message_template"
        | "explain_policy" => ReadPolicy,
        "update_tenant"
        | "update_tenant_security"
        | "create_application"
        | "update_application"
        | "delete_application"
        | "create_application_secret"
        | "delete_application_secret"
        | "update_application_security"
        | "create_identity_source"
        | "delete_identity_source"
        | "put_message_template"
        | "delete_message_template" => WritePolicy,
        "create_user"
        | "update_user"
        | "delete_user"
        | "bind_user_phone"
        | "unbind_user_phone"
        | "link_user_identity"
        | "unlink_user_identity"
        | "revoke_trusted_devices"
        | "revoke_trusted_device" => WriteUsers,
        "list_users"
        | "get_user"
        | "list_user_challenges"
        | "list_user_identities"
        | "get_user_identity"
        | "list_trusted_devices"
        | "get_trusted_device" => ReadUsers,
        "create_admin_key" | "delete_admin_key" => WriteKeys,
        "list_admin_keys" | "get_admin_key" => ReadKeys,
        "list_audit_events" => ReadAudit,
        _ => return None,
    })
}

#[tokio::test]
async fn a2_only_the_operator_makes_tenants_each_with_its_own_first_key() {
    let world = World::fresh().await;
    let body = json!({ "name": "Next", "home_country": "US" });
    for (credential, status) in
        [(None, 401), (Some(world.admin.as_str()), 403), (Some(world.secret.as_str()), 401)]
    {
        let mut call = Call::post("/v1/tenants", &body);
        if let Some(credential) = credential {
            call = call.bearer(credential);
        }
        assert_eq!(world.local.send(call).await.status, status);
    }
    let operator = world.local.operator_key().to_owned();
    let next = world.local.send(Call::post("/v1/tenants", &body).bearer(&operator)).await.expect(201);
    for field in ["id", "name", "home_country", "created_at"] {
        assert!(next[field].is_string(), "{field}");
    }
    let path = format!("/v1/tenants/{}", text(&next, "/id"));
    let key = text(&next, "/admin_key/secret");
    let read = world.local.send(Call::get(&path).bearer(&key)).await.expect(200);
    assert!(read["admin_key"].is_null(), "the key is shown once");
    world.local.send(Call::get(&path).bearer(&world.admin)).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a3_a_fresh_tenant_asks_for_no_mfa_and_a_fresh_application_customises_nothing() {
    let world = World::fresh().await;
    let security = world.admin("GET", "/security", None).await.expect(200);
    assert_eq!(security["mfa"]["sms"]["enabled"], false);
    assert_eq!(security["countries"]["allow"], json!(["US"]));
    let path = format!("/applications/{}", world.application);
    let application = world.admin("GET", &path, None).await.expect(200);
    assert_eq!((&application["customize_security"], &application["type"]), (&json!(false), &json!("public")));
}

#[tokio::test]
async fn t21_keys_end_when_they_expire_and_when_they_are_revoked() {
    let world = World::fresh().await;
    let path = world.path("/security");
    let reads = async |key: &str| world.local.send(Call::get(&path).bearer(key)).await.status;
    let made = world.admin("GET", "/security", None).await;
    assert_eq!(made.status, 200);
    let body = json!({ "role": "auditor", "name": "For an hour", "expires_at": "2099-01-01T00:00:00Z" });
    let key = world.admin("POST", "/admin-keys", Some(&body)).await.expect(201);
    let (id, secret) = (text(&key, "/id"), text(&key, "/secret"));
    assert_eq!(reads(&secret).await, 200);
    let listed = world.admin("GET", "/admin-keys", None).await.expect(200);
    assert!(!listed.to_string().contains(&secret));
    assert_eq!(world.admin("DELETE", &format!("/admin-keys/{id}"), None).await.status, 204);
    assert_eq!(reads(&secret).await, 401);
    let soon: Value = {
        let now = text(
            &world.local.send(Call::get(&world.path("")).bearer(&world.admin)).await.expect(200),
            "/created_at",
        );
        json!({ "role": "auditor", "name": "Short", "expires_at": an_hour_after(&now) })
    };
    let key = world.admin("POST", "/admin-keys", Some(&soon)).await.expect(201);
    let secret = text(&key, "/secret");
    assert_eq!(reads(&secret).await, 200);
    world.local.advance(2 * 3600 + 60).await;
    assert_eq!(reads(&secret).await, 401);
}

/// The same time an hour later.
pub(crate) fn an_hour_after(time: &str) -> String {
    Timestamp::parse_rfc3339(time).expect("a time").plus_secs(3600).rfc3339()
}

#[tokio::test]
async fn t21_an_application_has_two_live_secrets_while_it_rotates() {
    let world = World::fresh().await;
    let user = world.user(json!({ "username": "ann" })).await;
    let path = format!("/applications/{}/secrets", world.application);
    let second = world.admin("POST", &path, None).await.expect(201);
    let new = text(&second, "/secret");
    let signs_in = async |secret: &str| {
        let body = json!({ "application": world.application, "assertion": { "user": user } });
        world.local.send(Call::post("/v1/logins", &body).bearer(secret)).await.status
    };
    assert_eq!((signs_in(&world.secret).await, signs_in(&new).await), (200, 200));
    world.admin("POST", &path, None).await.refused(409, "conflict");
    let application =
        world.admin("GET", &format!("/applications/{}", world.application), None).await.expect(200);
    let old = application["secrets"].as_array().unwrap().iter().find(|s| s["id"] != second["id"]).unwrap();
    let answer = world.admin("DELETE", &format!("{path}/{}", old["id"].as_str().unwrap()), None).await;
    assert_eq!(answer.status, 204);
    assert_eq!((signs_in(&world.secret).await, signs_in(&new).await), (401, 200));
}
