//! `local`, of today or an older one, on files that stay.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::http_client::{Answer, Call, HttpClient};
use tests::local::{code_in, has_code};
use tests::process::Process;
use tests::repository::{self, TemporaryFolder};

/// What both programs are started on, one after the other.
#[derive(Debug)]
pub struct Home {
    data: TemporaryFolder,
    /// The same for all, since tokens name who issued them by address.
    port: u16,
}

#[derive(Debug)]
pub struct Program {
    process: Process,
    ready: Value,
    http: HttpClient,
}

/// Today's.
pub fn todays() -> PathBuf {
    repository::program("debug", "local")
}

/// The older one, and the sources that it was built from.
///
/// # Panics
/// Without one: nothing that was not done may look as if it held.
pub fn older() -> (PathBuf, PathBuf) {
    let of =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("no {name}: tests/older/run builds one"));
    (of("OLDER_LOCAL").into(), of("OLDER_SOURCE").into())
}

impl Home {
    pub fn new() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { data: TemporaryFolder::new(), port }
    }

    pub async fn start(&self, program: &Path) -> Program {
        let mut command = Command::new(program);
        command.args(["--json", "--port", &self.port.to_string(), "--data"]).arg(self.data.path());
        Program::start(command).await
    }
}

impl Program {
    pub async fn start(mut command: Command) -> Self {
        let mut process = Process::spawn(&mut command);
        let line = process.line(Duration::from_secs(60)).await;
        let line = line.unwrap_or_else(|| panic!("local is not ready:\n{}", process.log().text()));
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        let http = HttpClient::new(ready["url"].as_str().unwrap());
        Self { process, ready, http }
    }

    pub fn operator_key(&self) -> &str {
        self.ready["operator_key"].as_str().unwrap()
    }

    /// An answer that says something: whatever it finds, the program knows what to do with it.
    pub async fn send(&self, call: Call) -> Answer {
        let what = format!("{} {}", call.method, call.target);
        let answer = self.http.send(call).await;
        assert!(
            answer.status < 500,
            "{what}: {} {}\n{}",
            answer.status,
            answer.text(),
            self.process.log().text()
        );
        answer
    }

    /// The text of the last message to a number that has a code, and the code.
    pub async fn message_to(&self, number: &str) -> (String, String) {
        let call = Call::get("/_local/outbox").header("accept", "application/json");
        let outbox = self.send(call).await.expect(200);
        let bodies = outbox.as_array().unwrap().iter().rev().filter(|message| message["to"] == number);
        let body = bodies.map(|message| message["body"].as_str().unwrap()).find(|body| has_code(body));
        let body = body.unwrap_or_else(|| panic!("no code to {number}"));
        (body.to_owned(), code_in(body))
    }

    /// Ends it as Ctrl-C would; it has complained of nothing.
    pub async fn stop(mut self) {
        assert!(self.process.terminate().await, "it does not end when asked to");
        let log = self.process.log().text();
        assert!(!log.contains("ERROR"), "{log}");
    }
}
