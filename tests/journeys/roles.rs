//! Who may do what: acceptance A, over every route that there is.

use crate::world::{World, text};
use serde_json::{Value, json};
use shared::domain::admin_key::{Permission, Role};
use tests::http_client::{Answer, Call};

/// What each administration operation needs. A route that isn't in here fails the test: a new one can't be forgotten.
fn permission(operation: &str) -> Option<Permission> {
    use Permission::*;
    Some(match operation {
        "get_tenant"
        | "get_tenant_security"
        | "list_applications"
        | "get_application"
        | "get_application_security"
        | "list_identity_sources"
        | "get_identity_source"
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
        | "delete_identity_source" => WritePolicy,
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

/// Method, path and operation of every administration route but the operator's own.
fn routes() -> Vec<(&'static str, &'static str, &'static str)> {
    let policy = shared::api::policy_admin::ROUTES.iter().map(|r| (r.method, r.path, r.operation));
    let users = shared::api::user_directory::ROUTES.iter().map(|r| (r.method, r.path, r.operation));
    policy.chain(users).filter(|route| route.2 != "create_tenant").collect()
}

/// The route's path with real ids where the tenant has them.
fn path(world: &World, template: &str, user: &str) -> String {
    template
        .replace("{tenant}", &world.tenant)
        .replace("{application}", &world.application)
        .replace("{user}", user)
        .replace("{source}", "src_0000000000000000000000")
        .replace("{key}", "key_000000000000")
        .replace("{device}", "dev_0000000000000000000000")
}

async fn call(world: &World, route: (&str, &str, &str), user: &str, credential: Option<&str>) -> Answer {
    let mut call = Call::new(route.0, &path(world, route.1, user));
    if let Some(credential) = credential {
        call = call.bearer(credential);
    }
    if matches!(route.0, "POST" | "PATCH" | "PUT") {
        // Nothing that any route takes: whoever is let through gets 400 and changes nothing.
        call = call.json(&json!({ "no such field": 1 }));
    }
    world.local.send(call).await
}

async fn key(world: &World, role: Role) -> String {
    let body = json!({ "role": role.as_str(), "name": "Test" });
    text(&world.admin("POST", "/admin-keys", Some(&body)).await.expect(201), "/secret")
}

#[tokio::test]
async fn a1_every_route_takes_its_permission_and_no_other_credential() {
    let world = World::with_sms().await;
    let body = json!({ "username": "ann", "phone": "+12025550123", "password": "correct horse battery" });
    let user = world.user(body).await;
    let login = world.login("ann", "correct horse battery").await;
    let mut roles = Vec::new();
    for role in Role::ALL {
        roles.push((role, key(&world, role).await));
    }
    let other = json!({ "name": "Other", "home_country": "DE" });
    let operator = world.local.operator_key().to_owned();
    let other = world.local.send(Call::post("/v1/tenants", &other).bearer(&operator)).await.expect(201);
    let strangers = [
        ("no credential", None, 401),
        ("garbage", Some("garbage".to_owned()), 401),
        ("an application's secret", Some(world.secret.clone()), 401),
        ("a login token", Some(login.token.clone()), 401),
        ("another tenant's owner", Some(text(&other, "/admin_key/secret")), 403),
    ];
    for route in routes() {
        let needed = permission(route.2).unwrap_or_else(|| panic!("{}: which permission?", route.2));
        for (who, credential, status) in &strangers {
            let answer = call(&world, route, &user, credential.as_deref()).await;
            let code = if *status == 401 { "unauthenticated" } else { "forbidden" };
            assert_eq!(answer.status, *status, "{} by {who}: {}", route.2, answer.text());
            answer.refused(*status, code);
        }
        for (role, credential) in &roles {
            // Calls that would change something without a body are left to those who may not make them.
            if route.0 == "DELETE" && role.may(needed) {
                continue;
            }
            let answer = call(&world, route, &user, Some(credential)).await;
            let through = !matches!(answer.status, 401 | 403);
            assert_eq!(through, role.may(needed), "{} as {role:?}: {}", route.2, answer.text());
            assert!(answer.status < 500, "{}: {}", route.2, answer.text());
        }
        if !(needed.is_read()) {
            call(&world, route, &user, Some(&operator)).await.refused(403, "forbidden");
        }
    }
    let after = world.admin("GET", &format!("/users/{user}"), None).await.expect(200);
    assert_eq!(after["phone"], "+12025550123", "nothing has changed");
    assert_eq!(
        world.admin("GET", "/applications", None).await.expect(200)["items"].as_array().unwrap().len(),
        1
    );
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
        json!({ "role": "auditor", "name": "Short", "expires_at": format!("{}Z", add_hour(&now)) })
    };
    let key = world.admin("POST", "/admin-keys", Some(&soon)).await.expect(201);
    let secret = text(&key, "/secret");
    assert_eq!(reads(&secret).await, 200);
    world.local.advance(2 * 3600 + 60).await;
    assert_eq!(reads(&secret).await, 401);
}

/// The same time an hour or more later: the next hour's last second, or the next day where that is needed.
fn add_hour(time: &str) -> String {
    let hour: u32 = time[11..13].parse().unwrap();
    if hour < 22 {
        format!("{}{:02}:59:59", &time[..11], hour + 1)
    } else {
        format!("{}23:59:59", &time[..11])
    }
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
