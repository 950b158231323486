//! What is measured side by side, and how each is set up: `local` and the peers.

use crate::Failed;
use crate::connection::{Connection, text};
use crate::local::{self, Operator};
use crate::login::Protocol;
use crate::server::{Server, free_port, pinned, run};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::process::Command;

/// The files of the peers, and what was installed for them.
const PEERS: &str = "tests/bench/peers";
const INSTALLED: &str = ".cache/peers";

/// One way of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Local,
    /// SQLite's defaults.
    BetterAuth,
    /// With a write-ahead log and without sessions: the best that it can durably do.
    BetterAuthWal,
    Allauth,
    AllauthWal,
    PrivacyIdea,
}

/// What was prepared: a folder with users, of which copies are used.
pub struct Prepared {
    folder: PathBuf,
    protocol: Arc<Protocol>,
}

impl Prepared {
    /// What it takes on the disk, in bytes.
    pub fn size(&self) -> Result<u64, Failed> {
        crate::processes::size_of(&self.folder)
    }
}

impl Subject {
    pub const ALL: [Self; 6] = [
        Self::Local,
        Self::BetterAuth,
        Self::BetterAuthWal,
        Self::Allauth,
        Self::AllauthWal,
        Self::PrivacyIdea,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "`local`, every limit on",
            Self::BetterAuth => "better-auth 1.7.25, SQLite as it is",
            Self::BetterAuthWal => "better-auth 1.7.25, WAL, no session",
            Self::Allauth => "django-allauth 65.21.1, SQLite as it is",
            Self::AllauthWal => "django-allauth 65.21.1, WAL",
            Self::PrivacyIdea => "privacyIDEA 3.14",
        }
    }

    /// How many users it gets: more than it can log in.
    fn users(self, logins: usize) -> usize {
        if self == Self::PrivacyIdea { logins.min(900) } else { logins }
    }

    /// Makes a folder with so many users.
    pub async fn prepare(self, program: &Path, folder: PathBuf, logins: usize) -> Result<Prepared, Failed> {
        std::fs::create_dir_all(&folder)?;
        let users = self.users(logins);
        let count = users.to_string();
        let protocol = match self {
            Self::Local => {
                let (server, line) = local::start(program, &folder, "http://127.0.0.1:1/").await?;
                let mut operator = Operator::of(&server, &line)?;
                let tenant = operator.tenant().await?;
                let mut made = Vec::new();
                for at in 0..users {
                    made.push(operator.user(at, 0, &tenant).await?);
                }
                server.stop().await?;
                Protocol::Local { tenants: vec![tenant.tenant], users: made }
            }
            Self::BetterAuth | Self::BetterAuthWal => {
                let mut command = Command::new(node());
                command.args([&script("better_auth.mjs"), "prepare"]).arg(&folder).arg(count);
                run(command).await?;
                Protocol::BetterAuth { session: self == Self::BetterAuth }
            }
            Self::Allauth | Self::AllauthWal => {
                let mut command = Command::new(python("allauth"));
                command.env("PYTHONPATH", PEERS).env("PEER_FOLDER", &folder);
                command.args(["-m", "allauth_peer.prepare"]).arg(count);
                run(command).await?;
                Protocol::Allauth
            }
            Self::PrivacyIdea => {
                let mut command = Command::new(python("privacyidea"));
                command.arg(script("privacyidea_peer.py")).arg(&folder).arg(count);
                run(command).await?;
                // The token comes with a start.
                Protocol::PrivacyIdea { token: String::new() }
            }
        };
        Ok(Prepared { folder, protocol: Arc::new(protocol) })
    }

    /// Starts it on a copy of what was prepared.
    pub async fn start(
        self,
        program: &Path,
        prepared: &Prepared,
        folder: &Path,
        sink: &str,
    ) -> Result<(Server, Arc<Protocol>), Failed> {
        copy(&prepared.folder, folder)?;
        let port = free_port()?;
        let (at, bind) = (port.to_string(), format!("127.0.0.1:{port}"));
        let mut protocol = Arc::clone(&prepared.protocol);
        let server = match self {
            Self::Local => local::start(program, folder, sink).await?.0,
            Self::BetterAuth | Self::BetterAuthWal => {
                let journal = if self == Self::BetterAuthWal { "wal" } else { "default" };
                let mut command = pinned(&node());
                command.args([&script("better_auth.mjs"), "serve"]).arg(folder).args([&at, sink, journal]);
                Server::start(command, port).await?
            }
            Self::Allauth | Self::AllauthWal => {
                let mut command = pinned(&gunicorn("allauth"));
                command.env("PYTHONPATH", PEERS).env("PEER_FOLDER", folder).env("PEER_SINK", sink);
                if self == Self::AllauthWal {
                    command.env("PEER_JOURNAL", "wal");
                }
                command.args(GUNICORN).args(["--bind", &bind, "allauth_peer.wsgi"]);
                Server::start(command, port).await?
            }
            Self::PrivacyIdea => {
                let mut command = Command::new(python("privacyidea"));
                command.arg(script("privacyidea_peer.py")).arg(folder).args(["--sink", sink]);
                run(command).await?;
                let mut command = pinned(&gunicorn("privacyidea"));
                let configuration = folder.join("pi.cfg");
                command.env("PEER_FOLDER", folder).env("PRIVACYIDEA_CONFIGFILE", &configuration);
                let application = format!(
                    "privacyidea.app:create_app(config_name='production', config_file='{}', silent=True)",
                    configuration.display()
                );
                command.args(GUNICORN).args(["--bind", &bind, &application]);
                let server = Server::start(command, port).await?;
                protocol = Arc::new(Protocol::PrivacyIdea { token: administrator(&server).await? });
                server
            }
        };
        Ok((server, protocol))
    }
}

/// One worker on the one core, and no files outside the folder.
const GUNICORN: [&str; 5] = ["--workers", "1", "--no-control-socket", "--log-level", "warning"];

async fn administrator(server: &Server) -> Result<String, Failed> {
    let body = json!({ "username": "admin", "password": "for a benchmark on this machine" });
    let answer = Connection::to(&server.address).post("/auth", None, &body).await?.expect(200)?;
    text(&answer, "/result/value/token")
}

fn node() -> String {
    format!("{INSTALLED}/node/node_modules/.bin/node")
}

fn python(environment: &str) -> String {
    format!("{INSTALLED}/{environment}/bin/python")
}

fn gunicorn(environment: &str) -> String {
    format!("{INSTALLED}/{environment}/bin/gunicorn")
}

/// Where a script is. Node looks for its packages beside it, so its own is copied to them.
fn script(name: &str) -> String {
    if name.ends_with(".mjs") { format!("{INSTALLED}/node/{name}") } else { format!("{PEERS}/{name}") }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
