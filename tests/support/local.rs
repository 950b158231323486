//! The program `local` as a process, as a person starts it.

use crate::canaries::Canaries;
use crate::hosted::Seals;
use crate::http_client::{Answer, Call, HttpClient};
use crate::process::Process;
use crate::repository::{self, TemporaryFolder};
use crate::values::text;
use serde_json::{Value, json};
use shared::domain::time::Timestamp;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `local`, killed when dropped; then its log is searched for every secret that went through here (acceptance H14).
#[derive(Debug)]
pub struct Local {
    process: Process,
    /// The line that it printed when it was ready: `url`, `operator_key` and `demo`.
    pub ready: Value,
    ready_line: String,
    /// What was secret in the calls that went through here.
    canaries: Mutex<Canaries>,
    http: HttpClient,
    _data: Option<TemporaryFolder>,
}

impl Local {
    /// On the embedded engine, with a data folder of its own.
    pub async fn start() -> Self {
        Self::start_on(None).await
    }

    /// On another engine, with a data folder (its keys) of its own.
    pub async fn start_on(dynamodb: Option<&str>) -> Self {
        let data = TemporaryFolder::new();
        let mut local = Self::start_with(data.path(), dynamodb, &[]).await;
        local._data = Some(data);
        local
    }

    /// With a given data folder, so that it can be started again with the same, and further arguments. It logs all there is to log.
    pub async fn start_with(data: &Path, dynamodb: Option<&str>, arguments: &[&str]) -> Self {
        let mut command = Command::new(repository::program("debug", "local"));
        command.args(["--json", "--port", "0", "--data"]).arg(data).args(arguments).env("LOG_LEVEL", "trace");
        if let Some(url) = dynamodb {
            command.args(["--dynamodb", url]);
        }
        let mut process = Process::spawn(&mut command);
        let (ready_line, ready) = loop {
            let line = process.line(PATIENCE).await;
            let line = line.unwrap_or_else(|| panic!("local is not ready:\n{}", process.log().text()));
            // Log lines are JSON too, or not JSON at all.
            match serde_json::from_str::<Value>(&line) {
                Ok(ready) if ready["operator_key"].is_string() => break (line, ready),
                _ => {}
            }
        };
        let http = HttpClient::new(ready["url"].as_str().expect("url"));
        let mut canaries = Canaries::new();
        canaries.note(&ready);
        Self { process, ready, ready_line, canaries: Mutex::new(canaries), http, _data: None }
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().expect("url")
    }

    pub fn operator_key(&self) -> &str {
        self.ready["operator_key"].as_str().expect("operator_key")
    }

    /// What only the service's own keys can make. For a `local` with a data folder of its own.
    pub fn seals(&self) -> Seals {
        Seals::of_folder(self._data.as_ref().expect("a folder of its own").path())
    }

    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    pub async fn send(&self, call: Call) -> Answer {
        self.canaries.lock().unwrap().note_call(&call);
        let answer = self.http.send(call).await;
        self.canaries.lock().unwrap().note_answer(&answer);
        answer
    }

    /// The messages sent so far, oldest first: `[{to, body, sent_at}]`.
    pub async fn outbox(&self) -> Vec<Value> {
        let outbox =
            self.send(Call::get("/_local/outbox").header("accept", "application/json")).await.expect(200);
        outbox.as_array().expect("a list").clone()
    }

    /// The last message to a number that has no code, once there is one.
    pub async fn notice_to(&self, number: &str) -> String {
        let started = std::time::Instant::now();
        loop {
            let outbox = self.outbox().await;
            let mut bodies =
                outbox.iter().filter(|message| message["to"] == number).map(|message| &message["body"]);
            if let Some(body) = bodies.rfind(|body| !has_code(body.as_str().expect("body"))) {
                return body.as_str().expect("body").to_owned();
            }
            assert!(started.elapsed() < PATIENCE, "no notice to that number");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The code in the last message with one to a number, found as a browser finds it: in the origin-bound line, which is the last.
    pub async fn code_sent_to(&self, number: &str) -> String {
        let outbox = self.outbox().await;
        let with_code = |message: &&Value| message["body"].as_str().is_some_and(has_code);
        let message = outbox.iter().rev().filter(with_code).find(|message| message["to"] == number);
        let body =
            message.unwrap_or_else(|| panic!("no message to that number"))["body"].as_str().expect("body");
        let code = code_in(body);
        self.canaries.lock().unwrap().add("code", &code);
        code
    }

    /// Moves time forward for everything, and tells it.
    pub async fn advance(&self, seconds: u64) -> Timestamp {
        let call = Call::post("/_local/clock", &json!({"advance_seconds": seconds}));
        let moved = self.send(call).await.expect(200);
        Timestamp::parse_rfc3339(&text(&moved, "/now")).expect("a time")
    }

    /// Moves time to where an hour begins: limits count by whole hours, and no test must lie across the end of one.
    pub async fn advance_to_an_hour(&self) {
        let into_it = self.advance(0).await.secs().rem_euclid(3600);
        self.advance(3600 - into_it.unsigned_abs()).await;
    }

    /// Everything it has printed and logged but the line with the keys, which is there to be read.
    pub fn log(&self) -> String {
        let text = self.process.log().text();
        text.lines()
            .filter(|line| *line != self.ready_line)
            .fold(String::new(), |log, line| log + line + "\n")
    }

    /// Ends it as Ctrl-C would.
    pub async fn stop(mut self) {
        assert!(self.process.terminate().await, "local does not end when asked to");
    }

    /// Ends it as a crash would.
    pub fn crash(mut self) {
        self.process.kill();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.process.kill();
        if !std::thread::panicking() {
            while !self.process.is_silent() {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.canaries.lock().unwrap().assert_absent("the log of local", &self.log());
        }
    }
}

/// Whether a message has an origin-bound line; notices have none.
pub fn has_code(body: &str) -> bool {
    body.lines().next_back().is_some_and(|last| last.starts_with('@'))
}

/// The code in the text of a message: `@host #code` is its last line, with nothing after it.
pub fn code_in(body: &str) -> String {
    let last = body.lines().next_back().expect("a message has lines");
    let (host, code) = last.split_once(" #").unwrap_or_else(|| panic!("no origin-bound line: {last}"));
    assert!(host.starts_with('@') && !host.contains(' '), "{last}");
    assert!(code.len() >= 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{last}");
    code.to_owned()
}
