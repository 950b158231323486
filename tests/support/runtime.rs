//! The Lambda service's half of the Runtime API (version 2018-06-01): runs a function's real build and hands it events.

use crate::process::{Log, Process};
use crate::repository;
use crate::server::{self, Answer, Server};
use bytes::Bytes;
use futures::FutureExt;
use http::{Method, Request, Response};
use http_body_util::Full;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot};

/// How long a function may take, as template.yaml has it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeError {
    /// The function could not start and said so.
    Init(Value),
    /// The function reported a failure (its handler's error or a panic it caught).
    Reported(Value),
    /// The process ended.
    Exited(String),
    /// No answer within the function's timeout.
    TimedOut,
}

type Outcome = Result<Value, RuntimeError>;

/// One function's execution environment: one process, one event at a time. Killed when dropped.
#[derive(Debug)]
pub struct Bootstrap {
    process: Mutex<Process>,
    api: Arc<Api>,
    events: mpsc::UnboundedSender<Event>,
    one_at_a_time: AsyncMutex<()>,
    started: Instant,
    _server: Server,
}

impl Bootstrap {
    /// Starts the build of a function that `TEST_BOOTSTRAPS` names, else the one without LTO, with these environment variables and those
    /// that Lambda sets; nothing of this process's environment.
    pub async fn spawn(function: &str, environment: &[(&str, &str)]) -> Self {
        Self::spawn_program(&repository::program(&profile(), function), function, environment).await
    }

    /// Any program that speaks the Runtime API.
    pub async fn spawn_program(program: &Path, function: &str, environment: &[(&str, &str)]) -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        let api = Arc::new(Api::new(queue));
        let shared = Arc::clone(&api);
        let server = Server::start(move |request| Arc::clone(&shared).handle(request).boxed()).await;
        let mut command = Command::new(program);
        command.env_clear().envs(lambda_environment(function)).envs(environment.iter().copied());
        command.env("AWS_LAMBDA_RUNTIME_API", server.authority());
        let started = Instant::now();
        let process = Mutex::new(Process::spawn(&mut command));
        Self { process, api, events, one_at_a_time: AsyncMutex::new(()), started, _server: server }
    }

    /// Hands it one event and waits for the answer; a second call waits for the first, as Lambda would use another environment.
    pub async fn invoke(&self, event: &Value) -> Outcome {
        let _turn = self.one_at_a_time.lock().await;
        let (answer, answered) = oneshot::channel();
        let event = Event { id: self.api.next_id(), body: event.to_string(), answer };
        if self.events.send(event).is_err() {
            return Err(self.why_gone().await);
        }
        tokio::select! {
            outcome = answered => match outcome {
                Ok(outcome) => outcome,
                Err(_) => Err(self.why_gone().await),
            },
            error = self.why_gone() => Err(error),
            () = tokio::time::sleep(TIMEOUT) => Err(RuntimeError::TimedOut),
        }
    }

    /// Waits until it is ready for its first event; answers how long its start took.
    pub async fn ready(&self) -> Result<Duration, RuntimeError> {
        loop {
            if let Some(ready) = *self.api.first_poll.lock().unwrap() {
                return Ok(ready.duration_since(self.started));
            }
            tokio::select! {
                error = self.why_gone() => return Err(error),
                () = self.api.polled.notified() => {}
                () = tokio::time::sleep(TIMEOUT) => return Err(RuntimeError::TimedOut),
            }
        }
    }

    /// Everything it has logged.
    pub fn log(&self) -> Log {
        self.process.lock().unwrap().log().clone()
    }

    /// Asks it to end (SIGTERM) and waits; `true` if it ended by itself.
    pub async fn terminate(&self) -> bool {
        let pid = self.process.lock().unwrap().id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        tokio::time::timeout(TIMEOUT, self.why_gone()).await.is_ok()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        self.process.lock().unwrap().kill();
    }

    /// Waits until the process has ended or has reported that it can't start.
    async fn why_gone(&self) -> RuntimeError {
        loop {
            let ended = {
                let mut process = self.process.lock().unwrap();
                process.ended().filter(|_| process.is_silent())
            };
            if let Some(error) = self.api.init_error.lock().unwrap().clone() {
                return RuntimeError::Init(error);
            }
            if let Some(status) = ended {
                return RuntimeError::Exited(format!("{status}\n{}", self.log().text()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Which of cargo's profiles the functions are built with: `TEST_BOOTSTRAPS=release` for what is deployed, `debug` for what is at hand while one
/// works on it.
fn profile() -> String {
    std::env::var("TEST_BOOTSTRAPS").unwrap_or_else(|_| "release-no-lto".to_owned())
}

/// What Lambda sets, as far as anything reads it.
fn lambda_environment(function: &str) -> HashMap<&'static str, String> {
    HashMap::from([
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_SESSION_TOKEN", "local".to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{function}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream".to_owned()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
    ])
}

#[derive(Debug)]
struct Event {
    id: String,
    body: String,
    answer: oneshot::Sender<Outcome>,
}

/// What the two sides share.
#[derive(Debug)]
struct Api {
    queue: AsyncMutex<mpsc::UnboundedReceiver<Event>>,
    /// The event that the function is working on.
    running: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    init_error: Mutex<Option<Value>>,
    first_poll: Mutex<Option<Instant>>,
    polled: Notify,
    counter: std::sync::atomic::AtomicU32,
}

impl Api {
    fn new(queue: mpsc::UnboundedReceiver<Event>) -> Self {
        Self {
            queue: AsyncMutex::new(queue),
            running: Mutex::default(),
            init_error: Mutex::default(),
            first_poll: Mutex::default(),
            polled: Notify::new(),
            counter: std::sync::atomic::AtomicU32::new(1),
        }
    }

    /// A request id in the form of Lambda's, a UUID.
    fn next_id(&self) -> String {
        let number = self.counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012}")
    }

    async fn handle(self: Arc<Self>, request: Request<Bytes>) -> Answer {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let path = request.uri().path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        match (request.method(), &segments[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.settle(id, Ok(body)),
            (&Method::POST, ["invocation", id, "error"]) => {
                self.settle(id, Err(RuntimeError::Reported(body)))
            }
            (&Method::POST, ["init", "error"]) => {
                *self.init_error.lock().unwrap() = Some(body);
                accepted()
            }
            _ => Some(server::json(404, &Value::Null)),
        }
    }

    /// The next event, once there is one.
    async fn next(&self) -> Answer {
        self.first_poll.lock().unwrap().get_or_insert_with(Instant::now);
        self.polled.notify_waiters();
        let event = self.queue.lock().await.recv().await?;
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + TIMEOUT;
        let response = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &event.id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string())
            .header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:123456789012:function:under-test",
            )
            .header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
            .body(Full::from(event.body));
        *self.running.lock().unwrap() = Some((event.id, event.answer));
        Some(response.unwrap())
    }

    /// Hands the outcome to whoever invoked. An answer to any event but the running one is refused, as Lambda does.
    fn settle(&self, id: &str, outcome: Outcome) -> Answer {
        let mut running = self.running.lock().unwrap();
        if running.as_ref().is_none_or(|(running, _)| running != id) {
            return Some(server::json(400, &serde_json::json!({"errorType": "InvalidRequestID"})));
        }
        if let Some((_, answer)) = running.take() {
            let _ = answer.send(outcome);
        }
        accepted()
    }
}

fn accepted() -> Answer {
    Some(server::json(202, &serde_json::json!({"status": "OK"})))
}
