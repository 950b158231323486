//! The QR code of a hosted login's page, and the page that plays the phone: what others may try with them. What they look like is in tests/pages.

use crate::browser::Browser;
use crate::world::World;
use serde_json::json;
use tests::hosted::form;
use tests::http_client::Call;
use tests::values::text;

const PASSWORD: &str = "correct horse battery";

/// What a form has wrong, its proof, and headers that it brings.
type Row<'a> = (&'a str, &'a str, &'a [(&'static str, &'a str)]);

async fn world() -> World {
    let world = World::fresh().await;
    world.user(json!({ "username": "ann", "password": PASSWORD })).await;
    world
}

/// A login's page that shows a code; answers where that leads to.
async fn showing(browser: &mut Browser<'_>) -> String {
    browser.submit("qr", &[]).await;
    let html = browser.html();
    let found = html.split("id=\"qr-address\">").nth(1).and_then(|rest| rest.split('<').next());
    let address = found.unwrap_or_else(|| panic!("no code in {html}")).replace("&#x2f;", "/");
    let (_, path) = address.split_once("/t/").unwrap_or_else(|| panic!("{address} is not ours"));
    format!("/t/{path}")
}

/// A phone at that address, with its user signed in.
async fn scanning<'a>(world: &'a World, address: &str) -> Browser<'a> {
    let mut phone = Browser::new(&world.local);
    phone.go(address).await;
    phone.shows("Sign in");
    phone.password("ann", PASSWORD).await;
    phone
}

async fn status(browser: &mut Browser<'_>) -> String {
    let call = Call::get(&format!("{}/qr", browser.at));
    text(&browser.send(call).await.expect(200), "/status")
}

async fn go_on(browser: &mut Browser<'_>) {
    let (page, csrf) = (browser.at.clone(), browser.hidden("csrf"));
    let answer = browser.send(form(&format!("{page}/qr"), &[("csrf", &csrf), ("step", "continue")])).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser.reload().await;
}

#[tokio::test]
async fn f2_arriving_by_a_link_approves_nothing() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    let address = showing(&mut browser).await;
    assert_eq!(status(&mut browser).await, "pending");
    let phone = scanning(&world, &address).await;
    phone.shows("Is this you signing in?");
    assert_eq!(status(&mut browser).await, "scanned");
    go_on(&mut browser).await;
    browser.says("The code has not been approved yet.");
    assert!(browser.left.is_none());
}

#[tokio::test]
async fn t24_a_decision_is_made_on_the_scan_page_alone() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    let address = showing(&mut browser).await;
    let mut phone = scanning(&world, &address).await;
    let (csrf, own) = (phone.hidden("csrf"), world.local.url().to_owned());
    let qr = address.split("qr=").nth(1).unwrap();
    let scan = format!("/t/{}/scan", world.tenant);
    let rows: [Row<'_>; 6] = [
        ("no proof", "", &[]),
        ("a proof that is none", "none", &[]),
        ("another origin", &csrf, &[("origin", "https://evil.example")]),
        ("a hidden origin", &csrf, &[("origin", "null")]),
        ("another site", &csrf, &[("sec-fetch-site", "cross-site")]),
        ("another host of the site", &csrf, &[("origin", &own), ("sec-fetch-site", "same-site")]),
    ];
    for (what, csrf, headers) in rows {
        for step in ["approval", "rejection"] {
            let mut call = form(&format!("{scan}/{step}"), &[("csrf", csrf), ("qr", qr)]);
            for (name, value) in headers {
                call = call.header(name, value);
            }
            let answer = phone.send(call).await;
            assert_eq!(answer.status, 403, "{what}");
            answer.refused(403, "forbidden");
        }
    }
    assert_eq!(status(&mut browser).await, "scanned");
    // Somebody who is signed in nowhere is led to the page.
    let mut nobody = Browser::new(&world.local);
    let answer = nobody.send(form(&format!("{scan}/approval"), &[("csrf", &csrf), ("qr", qr)])).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("{scan}?qr={qr}"))));
    assert_eq!(status(&mut browser).await, "scanned");

    phone.submit("approval", &[]).await;
    phone.shows("Approved");
    go_on(&mut browser).await;
    assert!(browser.left.is_some(), "it has gone back to the application");
}

#[tokio::test]
async fn f2_a_phone_that_came_in_by_a_code_alone_signs_in_anew() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    let first = showing(&mut browser).await;
    let mut phone = scanning(&world, &first).await;
    phone.submit("approval", &[]).await;

    // The second phone is let in by the first.
    let address = showing(&mut Browser::at_login(&world).await).await;
    let mut second = Browser::new(&world.local);
    second.go(&address).await;
    let code = showing(&mut second).await;
    phone.go(&code).await;
    phone.submit("approval", &[]).await;
    let (page, csrf) = (second.at.clone(), second.hidden("csrf"));
    second.send(form(&format!("{page}/qr"), &[("csrf", &csrf), ("step", "continue")])).await;
    second.reload().await;
    second.shows("Sign in");
    second.password("ann", PASSWORD).await;
    second.shows("Is this you signing in?");
}

#[tokio::test]
async fn f2_a_code_is_its_pages_and_ends_with_it() {
    let world = world().await;
    let mut browser = Browser::at_login(&world).await;
    let address = showing(&mut browser).await;
    let mut phone = scanning(&world, &address).await;
    phone.submit("approval", &[]).await;
    // Another browser at the same application knows nothing of it.
    let mut other = Browser::at_login(&world).await;
    assert_eq!(status(&mut other).await, "expired");
    go_on(&mut other).await;
    other.shows("Sign in");
    // The page forgets it when the user would rather type the password.
    let (page, csrf) = (browser.at.clone(), browser.hidden("csrf"));
    browser.send(form(&format!("{page}/qr"), &[("csrf", &csrf), ("step", "close")])).await;
    assert_eq!(status(&mut browser).await, "expired");
    browser.reload().await;
    browser.password("ann", PASSWORD).await;
    assert!(browser.left.is_some());
}
