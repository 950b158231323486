//! What must be refused as input, at every level.

use crate::world::World;
use serde_json::json;

#[tokio::test]
async fn bodies_are_read_strictly() {
    let world = World::new().await;
    let tenant = world.tenant().await;
    let application = tenant.application(&world).await;
    world.patch(&application, &tenant.key, json!({"customize_security": true})).await.expect(200);
    let long = "x".repeat(101);
    let source = |field: &str, value: &str| {
        let mut body = json!({"kind": "oidc", "name": "n", "issuer": "https://i.example", "audience": "a"});
        body[field] = json!(value);
        body.to_string()
    };
    let tenant_security = [
        "[]",
        "null",
        "{",
        r#"{"mfa":[{"sms":{"enabled":true}}]}"#,
        r#"{"mfa":{"sms":[true]}}"#,
        r#"{"mfa":{"sms":{"enabled":true,"enabled":false}}}"#,
        r#"{"mfa":{"sms":{"enabled":true}},"mfa":{"sms":{"enabled":false}}}"#,
        r#"{"mfa":{"sms":{"enabled":"yes"}}}"#,
        r#"{"mfa":{"totp":{}}}"#,
        r#"{"code":{"length":5}}"#,
        r#"{"code":{"length":"6"}}"#,
        r#"{"code":{"lifetime_seconds":601}}"#,
        r#"{"code":[6,300,5,30,5]}"#,
        r#"{"limits":{"budget_usd_day":-1}}"#,
        r#"{"limits":{"per_phone_hour":0}}"#,
        r#"{"countries":{"allow":["us"]}}"#,
        r#"{"countries":{"allow":"US"}}"#,
        r#"{"identity_sources":[]}"#,
        r#"{"identity_sources":{"src_aaaaaaaaaaaaaaaaaaaaaa":true,"src_aaaaaaaaaaaaaaaaaaaaaa":true}}"#,
        r#"{"unknown":1}"#,
    ];
    let mut bad: Vec<(&str, String, String)> = Vec::new();
    bad.extend(tenant_security.map(|body| ("PATCH", tenant.path("/security"), body.to_owned())));
    for body in [
        r#"{"identity_sources":{}}"#,
        r#"{"sending":{"enabled":false}}"#,
        r#"{"code":{"max_sends":11}}"#,
        r#"{"mfa":{"sms":{"enabled":null,"enabled":null}}}"#,
    ] {
        bad.push(("PATCH", format!("{application}/security"), body.to_owned()));
    }
    for body in [
        "{}",
        r#"{"name":""}"#,
        r#"{"name":"a\u0000b"}"#,
        r#"{"name":"a\nb"}"#,
        r#"{"name":7}"#,
        r#"{"name":"n","name":"m"}"#,
        r#"{"name":"n","type":"native"}"#,
        r#"{"name":"n","origins":["https://a.example/path"]}"#,
        r#"{"name":"n","origins":["http://a.example"]}"#,
        r#"{"name":"n","redirect_uris":["https://a.example/#x"]}"#,
        r#"{"name":"n","message_host":"a b"}"#,
        r#"{"name":"n","id":"app_aaaaaaaaaaaaaaaaaaaaaa"}"#,
    ] {
        bad.push(("POST", tenant.path("/applications"), body.to_owned()));
    }
    bad.push(("POST", tenant.path("/applications"), format!(r#"{{"name":"{long}"}}"#)));
    bad.push(("PATCH", application.clone(), r#"{"name":null}"#.to_owned()));
    bad.push(("PATCH", application.clone(), r#"{"customize_security":"on"}"#.to_owned()));
    bad.push(("POST", format!("{application}/secrets"), r#"{"id":"key_a"}"#.to_owned()));
    bad.push(("PATCH", tenant.path(""), r#"{"home_country":"ZZ"}"#.to_owned()));
    bad.push(("PATCH", tenant.path(""), r#"{"home_country":null}"#.to_owned()));
    bad.push(("PATCH", tenant.path(""), r#"{"id":"ten_a"}"#.to_owned()));
    for (field, value) in
        [("kind", "saml"), ("name", ""), ("issuer", "http://i.example"), ("audience", ""), ("jwks_uri", "x")]
    {
        bad.push(("POST", tenant.path("/identity-sources"), source(field, value)));
    }
    bad.push(("POST", tenant.path("/admin-keys"), r#"{"role":"root","name":"n"}"#.to_owned()));
    bad.push(("POST", tenant.path("/admin-keys"), r#"{"role":"owner"}"#.to_owned()));
    bad.push(("POST", tenant.path("/policy/explain"), "{}".to_owned()));
    let before = world.get(&tenant.path("/security"), &tenant.key).await.expect(200);
    for (method, path, body) in &bad {
        let answer = world.raw(method, path, &tenant.key, body).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_request")), "{path} {body}");
    }
    assert_eq!(world.get(&tenant.path("/security"), &tenant.key).await.expect(200), before);
    let list = world.get(&tenant.path("/applications"), &tenant.key).await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_new_tenant_is_checked() {
    let world = World::new().await;
    for body in [
        "{}",
        r#"{"name":"n"}"#,
        r#"{"name":"n","home_country":"us"}"#,
        r#"{"name":" ","home_country":"US"}"#,
        r#"{"name":"n","home_country":"US","id":"ten_aaaaaaaaaaaa"}"#,
        r#"["n","US"]"#,
    ] {
        world.raw("POST", "/v1/tenants", &world.operator, body).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_foreign_id_under_ones_own_path_is_not_found() {
    let world = World::new().await;
    let (ours, theirs) = (world.tenant().await, world.tenant().await);
    let application = theirs.application(&world).await;
    let application = application.rsplit('/').next().expect("an id");
    let source = theirs.source(&world).await;
    let here = ours.path(&format!("/applications/{application}"));
    let key = &ours.key;
    for (method, path, body) in [
        ("GET", here.clone(), ""),
        ("PATCH", here.clone(), r#"{"name":"mine"}"#),
        ("DELETE", here.clone(), ""),
        ("GET", format!("{here}/security"), ""),
        ("PATCH", format!("{here}/security"), "{}"),
        ("POST", format!("{here}/secrets"), "{}"),
        ("DELETE", format!("{here}/secrets/key_aaaaaaaaaaaa"), ""),
        ("GET", ours.path(&format!("/identity-sources/{source}")), ""),
        ("DELETE", ours.path(&format!("/identity-sources/{source}")), ""),
        ("GET", ours.path(&format!("/admin-keys/{}", theirs.key_id)), ""),
        ("DELETE", ours.path(&format!("/admin-keys/{}", theirs.key_id)), ""),
        ("GET", ours.path("/applications/nonsense"), ""),
    ] {
        world.raw(method, &path, key, body).await.refused(404, "not_found");
    }
    let read =
        world.get(&theirs.path(&format!("/applications/{application}")), &theirs.key).await.expect(200);
    assert_eq!(read["name"], "Shop");
}
