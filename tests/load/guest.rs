//! Who signs in: a new user with a number each time, whom a back end vouches for, with the code of a message.

use crate::program::Tenant;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::http_client::{Answer, Call, HttpClient};
use tests::local::code_in;

/// A client of one tenant's, with connections of its own.
#[derive(Clone)]
pub struct Guest {
    http: HttpClient,
    tenant: Arc<Tenant>,
}

/// A user, and the number that is bound.
pub struct User {
    pub id: String,
    number: String,
}

/// A login that has begun.
pub struct Login {
    id: String,
    token: String,
}

impl Guest {
    pub fn new(url: &str, tenant: &Arc<Tenant>) -> Self {
        Self { http: HttpClient::new(url), tenant: Arc::clone(tenant) }
    }

    /// Numbers in eighty ranges.
    pub async fn user(&self) -> User {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let index = NEXT.fetch_add(1, Ordering::Relaxed);
        let number = format!("+1202{}{:04}", 220 + index % 80, index / 80 % 10_000);
        let body = json!({ "username": format!("guest-{index}"), "phone": number });
        let call = Call::post(&format!("{}/users", self.tenant.path), &body).bearer(&self.tenant.admin);
        let made = self.http.send(call).await.expect(201);
        User { id: made["id"].as_str().unwrap().to_owned(), number }
    }

    pub async fn start(&self, user: &str) -> Answer {
        let body = json!({ "application": self.tenant.application, "assertion": { "user": user } });
        self.http.send(Call::post("/v1/logins", &body).bearer(&self.tenant.secret)).await
    }

    pub async fn send(&self, login: &Login) -> Answer {
        self.step(login, "code", json!({})).await
    }

    pub async fn look(&self, login: &Login) -> Answer {
        self.http.send(Call::get(&format!("/v1/logins/{}", login.id)).bearer(&login.token)).await
    }

    async fn step(&self, login: &Login, step: &str, body: Value) -> Answer {
        let call = Call::post(&format!("/v1/logins/{}/{step}", login.id), &body);
        self.http.send(call.bearer(&login.token)).await
    }

    /// A whole login; answers how long its three calls took. The user's making and the look at the outbox don't count.
    ///
    /// # Panics
    /// If anything but tokens comes out.
    pub async fn signs_in(&self) -> Duration {
        let user = self.user().await;
        let started = Instant::now();
        let login = Login::of(&self.start(&user.id).await.expect(200));
        self.send(&login).await.expect(200);
        let until_sent = started.elapsed();
        let code = self.code_to(&user.number).await;
        let started = Instant::now();
        let done = self.step(&login, "verification", json!({ "code": code })).await.expect(200);
        assert!(done["tokens"].is_object(), "{done}");
        until_sent + started.elapsed()
    }

    /// How long each of so many logins takes.
    pub async fn times(&self, logins: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(logins);
        for _ in 0..logins {
            times.push(self.signs_in().await);
        }
        times
    }

    async fn code_to(&self, number: &str) -> String {
        let call = Call::get("/_local/outbox").header("accept", "application/json");
        let outbox = self.http.send(call).await.expect(200);
        let mut messages = outbox.as_array().unwrap().iter().rev();
        let message = messages.find(|message| message["to"] == number).expect("a message");
        code_in(message["body"].as_str().unwrap())
    }
}

impl Login {
    pub fn of(started: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { id: text(&started["login"]["id"]), token: text(&started["login_token"]) }
    }
}
