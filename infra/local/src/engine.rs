//! The embedded DynamoDB engine, behind a socket of its own: the service talks to it through the real SDK, as to any other engine.

use crate::StartError;
use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use std::path::Path;
use std::thread::{self, JoinHandle};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A running engine. Dropped, it ends.
pub struct Engine {
    url: String,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Starts the engine on a file and a free port of 127.0.0.1. It has a thread of its own, since it works on its files while it holds
    /// the thread.
    pub async fn start(file: &Path) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Engine(error.to_string());
        let file = file.to_str().ok_or_else(|| failed(&"the data folder's name is not Unicode"))?;
        let database = Database::new(file).map_err(|error| failed(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let (stop, stopped) = oneshot::channel();
        let (report, reported) = oneshot::channel();
        let thread = thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await;
                let address = listener.as_ref().map_err(ToString::to_string);
                let address = address.and_then(|listener| listener.local_addr().map_err(|e| e.to_string()));
                let _ = report.send(address);
                // The sender's end, used or dropped: both end the engine.
                let stopped = async move { drop(stopped.await) };
                if let Ok(listener) = listener
                    && let Err(why) = serve_with_shutdown(listener, database, stopped).await
                {
                    tracing::error!(why, "the engine ended");
                }
            });
        });
        let thread = thread.map_err(|error| failed(&error))?;
        let address = reported.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        Ok(Self { url: format!("http://{address}"), stop, thread })
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it and waits until its files are closed.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}
