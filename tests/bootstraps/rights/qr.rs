//! Everything of QR logins.

use super::World;
use serde_json::json;
use tests::http_client::Call;
use tests::values::text;

const ORIGIN: &str = "https://shop.example.com";

impl World {
    /// One is asked for by a page, approved and used; another is rejected.
    pub(super) async fn log_in_by_qr(&self, access: &str) {
        let mut last = json!(null);
        // Before anybody is signed in on it, the page where the code leads to reads whose it is.
        for decision in ["rejection", "approval"] {
            let body = json!({ "application": self.application });
            last = self.send(Call::post("/v1/qr-logins", &body).header("origin", ORIGIN)).await.expect(201);
            let path = format!("/v1/qr-logins/{}", text(&last, "/qr/id"));
            let look = Call::get(&path).bearer(&text(&last, "/secret")).header("origin", ORIGIN);
            self.send(look).await.expect(200);
            let page = format!("/t/{}/scan?qr={}", self.tenant, text(&last, "/qr/id"));
            assert_eq!(self.send(Call::get(&page)).await.status, 303);
            for step in ["scan", decision] {
                let call =
                    Call::new("POST", &format!("{path}/{step}")).bearer(access).header("origin", ORIGIN);
                self.send(call).await.expect(200);
            }
        }
        let body = json!({
            "application": self.application, "qr": { "id": last["qr"]["id"], "secret": last["secret"] },
        });
        let begun = self.send(Call::post("/v1/logins", &body)).await.expect(200);
        assert!(begun["tokens"].is_null(), "a code is asked for: {begun}");
    }
}
