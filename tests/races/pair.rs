//! Two processes of `local` with the same keys on one engine, and a barrier: half of every race comes from each.

use futures::future::join_all;
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;
use tests::canaries::Canaries;
use tests::engine::Engine;
use tests::hosted::Seals;
use tests::http_client::{Answer, Call};
use tests::local::Local;
use tests::repository::TemporaryFolder;
use tests::values::text;
use tokio::sync::Barrier;

pub const PASSWORD: &str = "correct horse battery";

/// How often somebody who is told `unavailable` comes again: on a busy machine a request may wait in its process for longer than its turn is
/// worth, and is turned away with nothing done.
const COMES_AGAIN: usize = 5;

/// Two processes and a tenant on them, with SMS on.
pub struct Pair {
    processes: [Local; 2],
    tenant: String,
    admin: String,
    pub application: String,
    pub canaries: Canaries,
    _folders: [TemporaryFolder; 2],
    _engine: Engine,
}

/// A login that has begun.
pub struct Login {
    pub id: String,
    pub token: String,
}

impl Pair {
    pub async fn on(engine: Engine) -> Self {
        let folders = [TemporaryFolder::new(), TemporaryFolder::new()];
        let first = Local::start_with(folders[0].path(), Some(engine.url()), &[]).await;
        for file in ["keys.json", "demo.json"] {
            std::fs::copy(folders[0].path().join(file), folders[1].path().join(file)).unwrap();
        }
        let second = Local::start_with(folders[1].path(), Some(engine.url()), &[]).await;
        let mut pair = Self {
            processes: [first, second],
            tenant: String::new(),
            admin: String::new(),
            application: String::new(),
            canaries: Canaries::new(),
            _folders: folders,
            _engine: engine,
        };
        let body = json!({ "name": "Races", "home_country": "US" });
        let operator = pair.processes[0].operator_key().to_owned();
        let made = pair.send(0, Call::post("/v1/tenants", &body).bearer(&operator)).await.expect(201);
        (pair.tenant, pair.admin) = (text(&made, "/id"), text(&made, "/admin_key/secret"));
        pair.canaries.add("administrator key", &pair.admin.clone());
        pair.security(json!({ "mfa": { "sms": { "enabled": true } } })).await;
        let made = pair.admin(0, "POST", "/applications", json!({ "name": "Racer" })).await.expect(201);
        pair.application = text(&made, "/id");
        pair
    }

    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// What only the keys of the two can make.
    pub fn seals(&self) -> Seals {
        Seals::of_folder(self._folders[0].path())
    }

    /// One call to one of the two processes; any number picks.
    pub async fn send(&self, process: usize, call: Call) -> Answer {
        self.processes[process % 2].send(call).await
    }

    pub async fn admin(&self, process: usize, method: &str, rest: &str, body: Value) -> Answer {
        let call = Call::new(method, &format!("/v1/tenants/{}{rest}", self.tenant));
        self.send(process, call.bearer(&self.admin).json(&body)).await
    }

    pub async fn security(&self, patch: Value) {
        self.admin(0, "PATCH", "/security", patch).await.expect(200);
    }

    pub async fn user(&mut self, username: &str, phone: Option<&str>) -> String {
        let mut body = json!({ "username": username, "password": PASSWORD });
        if let Some(phone) = phone {
            body["phone"] = phone.into();
            self.canaries.add("number", phone);
        }
        text(&self.admin(0, "POST", "/users", body).await.expect(201), "/id")
    }

    pub async fn login(&self, account: &str) -> Login {
        let body = json!({
            "application": self.application,
            "password": { "account": account, "password": PASSWORD },
        });
        let answer = self.send(0, Call::post("/v1/logins", &body)).await.expect(200);
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token") }
    }

    pub async fn step(&self, process: usize, login: &Login, step: &str, body: Value) -> Answer {
        let call = Call::post(&format!("/v1/logins/{}/{step}", login.id), &body);
        self.send(process, call.bearer(&login.token)).await
    }

    pub async fn look(&self, login: &Login) -> Value {
        let call = Call::get(&format!("/v1/logins/{}", login.id)).bearer(&login.token);
        self.send(1, call).await.expect(200)
    }

    /// Sends a code through the first process; answers it.
    pub async fn code(&mut self, login: &Login, number: &str) -> String {
        self.step(0, login, "code", json!({})).await.expect(200);
        let code = self.processes[0].code_sent_to(number).await;
        self.canaries.add("code", &code);
        code
    }

    /// Moves the time of both.
    pub async fn advance(&self, seconds: u64) {
        for process in &self.processes {
            process.advance(seconds).await;
        }
    }

    /// Messages that both processes have sent.
    pub async fn messages(&self) -> usize {
        self.processes[0].outbox().await.len() + self.processes[1].outbox().await.len()
    }

    pub async fn last_code_to(&self, number: &str) -> String {
        for process in &self.processes {
            if process.outbox().await.iter().any(|message| message["to"] == number) {
                return process.code_sent_to(number).await;
            }
        }
        panic!("no message to that number");
    }
}

/// Runs `count` requests at once, released together. Who is turned away comes again when it was told to.
pub async fn race<F, Fut>(count: usize, request: F) -> Vec<Answer>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Answer>,
{
    let barrier = Barrier::new(count);
    let runners = (0..count).map(|i| {
        let (barrier, request) = (&barrier, &request);
        async move {
            barrier.wait().await;
            let mut answer = request(i).await;
            for _ in 0..COMES_AGAIN {
                if answer.json["code"] != "unavailable" {
                    break;
                }
                let seconds = answer.header("retry-after").expect("when to come again").parse().unwrap();
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                answer = request(i).await;
            }
            answer
        }
    });
    join_all(runners).await
}

/// How many answers had this status and, for problems, this code.
pub fn count(answers: &[Answer], status: u16, code: &str) -> usize {
    let has =
        |answer: &&Answer| answer.status == status && answer.json["code"].as_str().unwrap_or("") == code;
    answers.iter().filter(has).count()
}

/// Every outcome with its count, for messages.
pub fn outcomes(answers: &[Answer]) -> std::collections::BTreeMap<(u16, String), usize> {
    let mut all = std::collections::BTreeMap::new();
    for answer in answers {
        let code = answer.json["code"].as_str().unwrap_or("").to_owned();
        *all.entry((answer.status, code)).or_default() += 1;
    }
    all
}

/// `n` codes that are not `code`, all distinct.
pub fn others(code: &str, n: usize) -> Vec<String> {
    let right: u32 = code.parse().unwrap();
    (1..).map(|i| format!("{:06}", (right + i) % 1_000_000)).take(n).collect()
}
