//! A hosted login from the application's request to the claims about its user, and what the browser holds on the way.

use super::NUMBER;
use crate::browser::{Browser, CALLBACK};
use crate::world::World;
use serde_json::{Value, json};
use tests::hosted::exchange;
use tests::http_client::Call;

const PASSWORD: &str = "correct horse battery";

async fn with_users(names: &[&str]) -> World {
    let world = World::with_sms().await;
    for name in names {
        world.user(json!({ "username": name, "password": PASSWORD })).await;
    }
    world
}

/// What the application learns that the browser came back to.
async fn learned(world: &World, browser: &Browser<'_>) -> Value {
    let call = exchange(&world.tenant, &world.application, CALLBACK, &browser.left_with("code"));
    let tokens = world.local.send(call).await.expect(200);
    let call = Call::get(&format!("/t/{}/userinfo", world.tenant));
    world.local.send(call.bearer(tokens["access_token"].as_str().unwrap())).await.expect(200)
}

#[tokio::test]
async fn e2_f6_the_application_learns_what_the_login_has_proven() {
    let world = with_users(&["ann"]).await;
    let mut browser = Browser::at_login(&world).await;
    browser.go(&browser.at.clone()).await;
    browser.password("ann", PASSWORD).await;
    browser.submit("phone", &[("phone", "(202) 555-0171")]).await;
    browser.code(&world.local.code_sent_to(NUMBER).await).await;
    let told = learned(&world, &browser).await;
    assert!(told["sub"].as_str().unwrap().starts_with("usr_"));
    assert_eq!(told.as_object().unwrap().len(), 1, "no more than was asked for: {told}");
    let page = browser.at.clone();
    browser.go(&page).await;
    assert_eq!(browser.page.status, 400, "going back finds nothing that is open");
}

#[tokio::test]
async fn f3_nothing_that_the_browser_holds_before_the_code_is_worth_anything() {
    let world = with_users(&["ann"]).await;
    let mut browser = Browser::at_login(&world).await;
    browser.password("ann", PASSWORD).await;
    assert!(browser.jar.0.len() >= 2, "{:?}", browser.jar.0.keys());
    for (name, value) in browser.jar.0.clone() {
        let call = exchange(&world.tenant, &world.application, CALLBACK, &value);
        assert_eq!(world.local.send(call).await.expect(400)["error"], "invalid_grant", "{name}");
        for path in ["/v1/me/phone".to_owned(), format!("/t/{}/userinfo", world.tenant)] {
            world.local.send(Call::get(&path).bearer(&value)).await.refused(401, "unauthenticated");
        }
        // Under the name of the proof that a complete login leaves.
        let proof = name.replace("-login-", "-done-").replace("-req-", "-done-");
        browser.jar.0.entry(proof).or_insert(value);
    }
    browser.reload().await;
    assert_eq!((browser.page.status, &browser.left), (200, &None));
}

/// The proof of an attacker's own login, put under somebody else's transaction for the same application.
#[tokio::test]
async fn t24_a_proof_of_another_transaction_is_not_taken() {
    let world = with_users(&["ann", "eve"]).await;
    world.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
    let mut eve = Browser::at_login(&world).await;
    let fields = [("csrf", &*eve.hidden("csrf")), ("account", "eve"), ("password", PASSWORD)];
    let call = tests::hosted::form(&format!("{}/password", eve.at), &fields);
    assert_eq!(eve.send(call).await.status, 303);
    let mut ann = Browser::at_login(&world).await;
    let transaction = |browser: &Browser<'_>| browser.at.rsplit('/').next().unwrap().to_owned();
    let (from, to) = (transaction(&eve), transaction(&ann));
    let proof: Vec<_> = eve.jar.0.iter().filter(|(name, _)| name.contains("-done-")).collect();
    assert_eq!(proof.len(), 1, "{:?}", eve.jar.0.keys());
    ann.jar.0.insert(proof[0].0.replace(&from, &to), proof[0].1.clone());
    ann.reload().await;
    assert_eq!((ann.page.status, &ann.left), (200, &None), "the page asks who it is");
    ann.password("ann", PASSWORD).await;
    let users = world.admin("GET", "/users?username=ann", None).await.expect(200);
    assert_eq!(learned(&world, &ann).await["sub"], users["items"][0]["id"], "and not eve");
}
