//! `local`'s own tables, once its process is gone: its file, opened by the embedded engine.

use std::path::Path;
use tests::tables::Tables;
use tokio::sync::oneshot;

/// As `local` names them in its data folder.
const FILE: &str = "dynamodb.sqlite";

pub struct Aftermath {
    pub url: String,
    pub tables: Tables,
    /// Ends the engine when dropped.
    _stop: oneshot::Sender<()>,
}

impl Aftermath {
    /// Of a data folder that nobody has open any more, as the last process left it: what it had not put back in order, its engine does now.
    pub async fn of(data: &Path) -> Self {
        let file = data.join(FILE);
        assert!(file.exists(), "{} is not there", file.display());
        let file = file.to_str().unwrap().to_owned();
        let (report, url) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let database = dynoxide::Database::new(&file).unwrap();
                let _ = report.send(format!("http://{}", listener.local_addr().unwrap()));
                let serves =
                    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending());
                tokio::select! {
                    served = serves => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        let tables = Tables { directory: "directory".to_owned(), logins: "logins".to_owned() };
        Self { url: url.await.unwrap(), tables, _stop: stop }
    }
}
