//! QR logins: who scans first, what is decided, and how often an approval is used.

use crate::pair::{PASSWORD, Pair, count, outcomes, race};
use serde_json::json;
use tests::http_client::{Answer, Call};
use tests::values::text;

/// A QR login that a browser has asked for.
pub struct Asked {
    id: String,
    secret: String,
}

impl Pair {
    /// Signs a user in whom no code is asked of, at each process, since each is an issuer of its own.
    async fn signed_in(&mut self, name: &str) -> [String; 2] {
        self.user(name, None).await;
        let body = json!({
            "application": self.application,
            "password": { "account": name, "password": PASSWORD },
        });
        let mut access = [String::new(), String::new()];
        for (process, access) in access.iter_mut().enumerate() {
            let done = self.send(process, Call::post("/v1/logins", &body)).await.expect(200);
            *access = text(&done, "/tokens/access_token");
            self.canaries.add("access token", access);
        }
        access
    }

    async fn ask(&mut self) -> Asked {
        let body = json!({ "application": self.application });
        let answer = self.send(1, Call::post("/v1/qr-logins", &body)).await.expect(201);
        let secret = text(&answer, "/secret");
        self.canaries.add("secret of a QR login", &secret);
        Asked { id: text(&answer, "/qr/id"), secret }
    }

    async fn decide(&self, process: usize, qr: &Asked, step: &str, access: &[String; 2]) -> Answer {
        let call = Call::new("POST", &format!("/v1/qr-logins/{}/{step}", qr.id));
        self.send(process, call.bearer(&access[process % 2])).await
    }

    async fn use_qr(&self, process: usize, qr: &Asked) -> Answer {
        let body = json!({ "application": self.application, "qr": { "id": qr.id, "secret": qr.secret } });
        self.send(process, Call::post("/v1/logins", &body)).await
    }

    async fn status(&self, qr: &Asked) -> String {
        let call = Call::get(&format!("/v1/qr-logins/{}", qr.id)).bearer(&qr.secret);
        text(&self.send(0, call).await.expect(200), "/qr/status")
    }
}

async fn no_codes(pair: &Pair) {
    pair.security(json!({ "mfa": { "sms": { "enabled": false } } })).await;
}

pub async fn f2_of_20_users_who_scan_one_is_the_one(mut pair: Pair) {
    no_codes(&pair).await;
    let mut users = Vec::new();
    for i in 0..20 {
        users.push(pair.signed_in(&format!("user{i}")).await);
    }
    let qr = pair.ask().await;
    let answers = race(20, |i| pair.decide(i, &qr, "scan", &users[i])).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 403, "forbidden"), 19, "{:?}", outcomes(&answers));
    let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
    let approvals = race(20, |i| pair.decide(i, &qr, "approval", &users[i])).await;
    assert_eq!(approvals.iter().position(|answer| answer.status == 200), Some(winner));
    assert_eq!(count(&approvals, 403, "forbidden"), 19, "{:?}", outcomes(&approvals));
}

pub async fn f2_of_approvals_and_rejections_at_once_one_holds(mut pair: Pair) {
    no_codes(&pair).await;
    let ann = pair.signed_in("ann").await;
    for _ in 0..4 {
        let qr = pair.ask().await;
        pair.decide(0, &qr, "scan", &ann).await.expect(200);
        let step = |i: usize| if i < 8 { "approval" } else { "rejection" };
        let answers = race(16, |i| pair.decide(i, &qr, step(i), &ann)).await;
        let (approved, rejected) = (count(&answers[..8], 200, ""), count(&answers[8..], 200, ""));
        // Said again, it is what it was; said otherwise, it is refused.
        let status = pair.status(&qr).await;
        match status.as_str() {
            "approved" => assert_eq!((approved, rejected), (8, 0), "{:?}", outcomes(&answers)),
            "rejected" => assert_eq!((approved, rejected), (0, 8), "{:?}", outcomes(&answers)),
            other => panic!("{other}"),
        }
        assert_eq!(count(&answers, 409, "conflict"), 8, "{:?}", outcomes(&answers));
        assert_eq!(pair.use_qr(0, &qr).await.status == 200, status == "approved");
    }
}

pub async fn f2_of_20_logins_of_one_approval_one_begins(mut pair: Pair) {
    no_codes(&pair).await;
    let ann = pair.signed_in("ann").await;
    let qr = pair.ask().await;
    pair.decide(0, &qr, "scan", &ann).await.expect(200);
    pair.decide(1, &qr, "approval", &ann).await.expect(200);
    let answers = race(20, |i| pair.use_qr(i, &qr)).await;
    assert_eq!(count(&answers, 200, ""), 1, "{:?}", outcomes(&answers));
    assert_eq!(count(&answers, 410, "qr_login_expired"), 19, "{:?}", outcomes(&answers));
}

/// The end comes while it is scanned, approved and used: what was not approved before is used by nobody.
pub async fn f2_at_its_end_an_approval_comes_before_or_never(mut pair: Pair) {
    no_codes(&pair).await;
    let ann = pair.signed_in("ann").await;
    let mut used = 0;
    for round in 0..4 {
        let qr = pair.ask().await;
        pair.decide(0, &qr, "scan", &ann).await.expect(200);
        if round > 0 {
            pair.advance(118).await;
            tokio::time::sleep(std::time::Duration::from_millis(400 * round)).await;
        }
        let approvals = race(8, |i| pair.decide(i, &qr, "approval", &ann)).await;
        let approved = count(&approvals, 200, "") > 0;
        let expired = count(&approvals, 410, "qr_login_expired");
        assert_eq!(count(&approvals, 200, "") + expired, 8, "{:?}", outcomes(&approvals));
        let answer = pair.use_qr(1, &qr).await;
        assert!(approved || answer.status != 200, "{}", answer.text());
        used += usize::from(answer.status == 200);
        pair.advance(3).await;
        pair.decide(0, &qr, "approval", &ann).await.refused(410, "qr_login_expired");
        pair.use_qr(0, &qr).await.refused(410, "qr_login_expired");
    }
    assert!(used >= 1, "the first round has all the time");
}
