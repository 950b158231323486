//! The functions behind one address, each in two processes that take its events, on DynamoDB Local. Any of them can be killed, and another one
//! takes its place, as Lambda would have it.

use crate::Dice;
use crate::deployment::{environment, new_secrets};
use futures::FutureExt;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::aws::{SecretsManager, Sns};
use tests::canaries::Canaries;
use tests::engine::Engine;
use tests::events;
use tests::gateway::Routes;
use tests::http_client::{Call, HttpClient};
use tests::repository;
use tests::runtime::Bootstrap;
use tests::server::{self, Answer, Server};
use tests::tables::Tables;
use tests::template::Template;

/// Those that a visitor's calls go to.
const FUNCTIONS: [&str; 5] =
    ["code-issuance", "code-verification", "phone-binding", "sign-in", "user-directory"];

/// How many processes each has.
const PROCESSES: usize = 2;

/// How long one that is to be killed is waited for, until it is in the middle of a request.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many messages are shown: more than are on their way at once.
const SHOWN: usize = 100;

pub struct Fleet {
    pub engine: Engine,
    pub tables: Tables,
    pub operator_key: String,
    house: Arc<House>,
    front: Server,
    _secrets: SecretsManager,
}

/// What answers.
struct House {
    functions: BTreeMap<String, Function>,
    routes: Routes,
    sns: Sns,
}

struct Function {
    name: String,
    variables: Vec<(String, String)>,
    processes: Vec<Mutex<Arc<Process>>>,
    calls: AtomicUsize,
}

struct Process {
    bootstrap: Bootstrap,
    busy: AtomicUsize,
}

impl Fleet {
    pub async fn start() -> Self {
        let engine = Engine::dynamodb_local().await;
        let tables = Tables::create(&engine).await;
        let (operator_key, secrets) = new_secrets(&mut Canaries::new());
        let (secrets, sns) = (SecretsManager::start(secrets).await, Sns::start().await);
        let template = Template::load();
        let mut functions = BTreeMap::new();
        for function in template.functions.values().filter(|function| !function.routes.is_empty()) {
            let mut variables = environment(&tables, &sns, &secrets, engine.url(), &function.environment);
            // A process that is killed leaves no line half written: nothing is read from its log.
            variables.retain(|(name, _)| name != "LOG_LEVEL");
            let started = Function::start(&function.name, variables).await;
            functions.insert(function.name.clone(), started);
        }
        let house = Arc::new(House { functions, routes: Routes::of(&template), sns });
        let answering = Arc::clone(&house);
        let front = Server::start(move |request| Arc::clone(&answering).answer(request).boxed()).await;
        Self { engine, tables, operator_key, house, front, _secrets: secrets }
    }

    pub fn http(&self) -> HttpClient {
        HttpClient::new(&self.front.url())
    }

    /// How many messages have left.
    pub fn messages(&self) -> usize {
        self.house.sns.published().len()
    }

    /// Kills one process, at any point of a request where one comes in time (then the answer is true), and starts another in its place.
    pub async fn kill_one(&self, dice: &mut Dice) -> bool {
        let function = &self.house.functions[FUNCTIONS[dice.below(FUNCTIONS.len() as u64) as usize]];
        let place = &function.processes[dice.below(PROCESSES as u64) as usize];
        let process = Arc::clone(&place.lock().unwrap());
        let busy = || process.busy.load(Ordering::Relaxed) > 0;
        let waits = async {
            while !busy() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waits).await.is_ok();
        tokio::time::sleep(Duration::from_millis(dice.below(12))).await;
        let in_the_middle = came && busy();
        process.bootstrap.kill();
        *place.lock().unwrap() = function.process().await;
        in_the_middle
    }
}

impl Function {
    async fn start(name: &str, variables: Vec<(String, String)>) -> Self {
        let mut function =
            Self { name: name.to_owned(), variables, processes: Vec::new(), calls: AtomicUsize::new(0) };
        for _ in 0..PROCESSES {
            let process = function.process().await;
            function.processes.push(Mutex::new(process));
        }
        function
    }

    async fn process(&self) -> Arc<Process> {
        let variables: Vec<_> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let program = repository::program("debug", &self.name);
        let bootstrap = Bootstrap::spawn_program(&program, &self.name, &variables).await;
        Arc::new(Process { bootstrap, busy: AtomicUsize::new(0) })
    }

    /// What a process of it answers; `None` if that ended first.
    async fn invoke(&self, event: &Value) -> Option<Value> {
        let next = self.calls.fetch_add(1, Ordering::Relaxed) % PROCESSES;
        let process = Arc::clone(&self.processes[next].lock().unwrap());
        process.busy.fetch_add(1, Ordering::Relaxed);
        let answer = process.bootstrap.invoke(event).await;
        process.busy.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(answer) => Some(answer),
            Err(tests::runtime::RuntimeError::Exited(_)) => None,
            Err(other) => panic!("{}: {other:?}", self.name),
        }
    }
}

impl House {
    /// `None` closes the connection: the process that was to answer is gone.
    async fn answer(self: Arc<Self>, request: Request<bytes::Bytes>) -> Answer {
        if request.uri().path() == "/_local/outbox" {
            let published = self.sns.published();
            let last = &published[published.len().saturating_sub(SHOWN)..];
            let shown: Vec<_> = last.iter().map(|it| json!({ "to": it.to, "body": it.body })).collect();
            return Some(server::json(200, &shown.into()));
        }
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let path = head.uri.path().to_owned();
        let call = Call { method: head.method, target, headers: head.headers, body };
        let way = self.routes.find(call.method.as_str(), &path).expect("a route");
        let answer = self.functions[way.function].invoke(&way.event(&call)).await?;
        let answer = events::answer(&answer);
        let mut response = http::Response::new(Full::new(answer.body));
        *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap();
        *response.headers_mut() = answer.headers;
        Some(response)
    }
}
