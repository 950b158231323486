//! Lambda's half of the Runtime API, with a stopwatch: how long until a function asks for its first event, how long for each event from the
//! moment it gets it, and what the process has taken by then.
//!
//! `tests::runtime` plays the same for the tests. It shares an async runtime with them; here every microsecond between the function and the
//! clock would be charged to the function.

use crate::http::{Reply, Request, Server};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is started: a bootstrap, or an interpreter with its script.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    pub arguments: Vec<PathBuf>,
}

/// One execution environment, killed when dropped.
pub struct Environment {
    name: &'static str,
    child: Child,
    log: PathBuf,
    events: Sender<Vec<u8>>,
    answers: Receiver<Answered>,
    _server: Server,
}

/// An answer, and how long it took from the event on.
struct Answered {
    took: Duration,
    answer: Result<Vec<u8>, Vec<u8>>,
}

/// What the connections share.
struct Api {
    events: Mutex<Receiver<Vec<u8>>>,
    ready: Sender<Instant>,
    handed: Mutex<Instant>,
    answers: Sender<Answered>,
}

impl Environment {
    /// Starts the program; answers how long it took until it asked for an event.
    ///
    /// # Panics
    /// If it never does.
    pub fn start(program: &Program, variables: &[(String, String)]) -> (Self, Duration) {
        let (events, queue) = channel();
        let (ready, first) = channel();
        let (answered, answers) = channel();
        let api = Arc::new(Api {
            events: Mutex::new(queue),
            ready,
            handed: Mutex::new(Instant::now()),
            answers: answered,
        });
        let server = Server::start(None, move |request| api.handle(request));
        let log =
            std::env::temp_dir().join(format!("bench-{}-{}.log", std::process::id(), server.authority()));
        let output = File::create(&log).unwrap();
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(of_lambda(program.name))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", server.authority())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let started = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.path.display()));
        let environment = Self { name: program.name, child, log, events, answers, _server: server };
        let asked = first.recv_timeout(PATIENCE);
        let asked =
            asked.unwrap_or_else(|_| panic!("{} does not start: {}", program.name, environment.said()));
        (environment, asked.duration_since(started))
    }

    /// Hands it an event; answers how long that took, and what came back.
    ///
    /// # Panics
    /// If it reports a failure or says nothing.
    pub fn invoke(&self, event: &str) -> (Duration, Vec<u8>) {
        self.events.send(event.as_bytes().to_vec()).unwrap();
        match self.answers.recv_timeout(PATIENCE) {
            Ok(Answered { took, answer: Ok(answer) }) => (took, answer),
            Ok(Answered { answer: Err(error), .. }) => {
                panic!("{}: {}\n{}", self.name, String::from_utf8_lossy(&error), self.said())
            }
            Err(_) => panic!("{} does not answer: {}", self.name, self.said()),
        }
    }

    /// The most memory it has had so far, in MiB.
    pub fn peak_memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// The CPU that its threads have used so far.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_one = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
        };
        Duration::from_nanos(tasks.filter_map(Result::ok).map(of_one).sum())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

impl Api {
    fn handle(&self, request: Request) -> Option<Reply> {
        let now = Instant::now();
        let path = request.path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "next" => {
                // Nobody listens but at the start.
                let _ = self.ready.send(now);
                let body = self.events.lock().unwrap().recv().ok()?;
                let mut reply = Reply::new(200, "application/json", body);
                reply.headers.extend([
                    ("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000001".to_owned()),
                    ("Lambda-Runtime-Deadline-Ms", "4102444800000".to_owned()),
                    (
                        "Lambda-Runtime-Invoked-Function-Arn",
                        "arn:aws:lambda:us-east-1:123456789012:function:measured".to_owned(),
                    ),
                ]);
                *self.handed.lock().unwrap() = Instant::now();
                Some(reply)
            }
            what @ ("response" | "error") => {
                let took = now.duration_since(*self.handed.lock().unwrap());
                let answer = if what == "response" { Ok(request.body) } else { Err(request.body) };
                let _ = self.answers.send(Answered { took, answer });
                Some(Reply::new(202, "application/json", r#"{"status":"OK"}"#))
            }
            _ => Some(Reply::new(404, "application/json", "{}")),
        }
    }
}

/// What Lambda sets, as far as anything reads it.
fn of_lambda(function: &str) -> Vec<(&'static str, String)> {
    let set = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_NAME", function),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    set.map(|(name, value)| (name, value.to_owned())).into()
}
