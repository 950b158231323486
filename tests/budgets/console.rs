//! Sessions of the console: what an administrator's call costs with one, beside a key.

use crate::world::{World, cost};
use tests::http_client::Call;

fn of_own_page(method: &str, path: &str) -> Call {
    Call::new(method, path).header("x-console", "1").header("sec-fetch-site", "same-origin")
}

#[tokio::test]
async fn a_session_costs_a_call_no_more_requests_than_a_key() {
    let world = World::new().await;
    let session = "/v1/console/session";
    let tenant = format!("/v1/tenants{}", world.tenant);
    let by_key = Call::get(&tenant).bearer(&world.admin);
    assert_eq!(world.measure_call("administration by key", by_key).await.0, cost("200", 2, 0));

    let sign_in = of_own_page("POST", session).bearer(&world.admin);
    let (signed_in, answer) = world.measure_call("console sign-in", sign_in).await;
    assert_eq!(signed_in, cost("201", 1, 1));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with_cookie = |method, path| of_own_page(method, path).header("cookie", &cookie);
    let by_session = world.measure_call("administration by session", with_cookie("GET", &tenant)).await.0;
    assert_eq!(by_session, cost("200", 2, 0));
    let elsewhere = Call::get(&tenant).header("cookie", &cookie);
    assert_eq!(world.measure_call("session, another page", elsewhere).await.0, cost("forbidden", 0, 0));
    assert_eq!(
        world.measure_call("who is signed in", with_cookie("GET", session)).await.0,
        cost("200", 1, 0)
    );
    assert_eq!(world.measure_call("sign out", with_cookie("DELETE", session)).await.0, cost("204", 1, 1));
    assert_eq!(
        world.measure_call("sign out again", with_cookie("DELETE", session)).await.0,
        cost("204", 1, 0)
    );
}
