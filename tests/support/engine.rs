//! The DynamoDB engines that the tests run on.

use crate::process::Process;
use crate::repository;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::sync::{OnceCell, oneshot};

/// A DynamoDB engine on 127.0.0.1. Tests share it, so each makes tables of its own ([`crate::tables::Tables`]).
#[derive(Debug)]
pub struct Engine {
    name: &'static str,
    url: String,
    /// Ends the embedded engine when dropped.
    _stop: Option<oneshot::Sender<()>>,
}

impl Engine {
    /// The embedded engine, in memory and this test's alone. It runs on threads of its own, so that a test on a single thread races
    /// its requests all the same.
    pub async fn dynoxide() -> Self {
        Self::embedded(|| dynoxide::Database::memory().unwrap()).await
    }

    /// The embedded engine over a file of its own that nobody has open any more, as the last process left it: what that had not put back in order,
    /// this one does now.
    pub async fn dynoxide_over(file: &Path) -> Self {
        assert!(file.exists(), "{} is not there", file.display());
        let file = file.to_str().unwrap().to_owned();
        Self::embedded(move || dynoxide::Database::new(&file).unwrap()).await
    }

    async fn embedded(open: impl FnOnce() -> dynoxide::Database + Send + 'static) -> Self {
        let (report, url) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let database = open();
                let _ = report.send(format!("http://{}", listener.local_addr().unwrap()));
                tokio::select! {
                    served = dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()) => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { name: "dynoxide", url: url.await.unwrap(), _stop: Some(stop) }
    }

    /// DynamoDB Local: the whole run's, if tests/run has started one, otherwise one for this test process.
    pub async fn dynamodb_local() -> Self {
        static OWN: OnceCell<(String, Process)> = OnceCell::const_new();
        let url = match std::env::var("TEST_DYNAMODB_URL") {
            Ok(url) => url,
            Err(_) => OWN.get_or_init(start_dynamodb_local).await.0.clone(),
        };
        Self { name: "dynamodb_local", url, _stop: None }
    }

    /// For messages and names.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Starts DynamoDB Local for as long as this process lives.
async fn start_dynamodb_local() -> (String, Process) {
    let folder = repository::path(".cache/dynamodb-local");
    assert!(folder.join(".stamp").exists(), "DynamoDB Local is not there: run tests/setup (or tests/run)");
    // Nothing drops what a static holds, so the shell ends the engine when its own input closes.
    let script = r#"java "-Djava.library.path=$1" -cp "$1/*" software.amazon.dynamodb.services.local.main.ServerRunner \
        -inMemory -sharedDb -disableTelemetry -port "$2" & cat; kill $!"#;
    let mut said = String::new();
    // Between our look for a free port and the engine's use of it, another process can take it.
    for _ in 0..3 {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg("sh").arg(&folder).arg(port.to_string());
        let process = Process::spawn_tied(&mut command);
        for _ in 0..400 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return (format!("http://127.0.0.1:{port}"), process);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        said = process.log().text();
    }
    panic!("DynamoDB Local does not start:\n{said}");
}
