//! The whole service in one process, for a laptop: every function behind one port, on an embedded DynamoDB engine, with an outbox in
//! the place of a provider and a clock that can be moved.
//!
//! What is here exists in no Lambda build: the functions don't depend on this package.

mod announcement;
mod browser;
mod clock;
mod compose;
mod data;
mod demo;
mod engine;
mod keys;
mod local_api;
mod notifier;
mod outbox;
mod relay;
mod server;
mod trail;

pub use announcement::{Announcement, Demo, DemoUser};
pub use clock::LocalClock;
pub use compose::{Parts, compose, notifications};
pub use data::DataFolder;
pub use keys::Keys;
pub use outbox::{Outbox, Sent};

use engine::Engine;
use local_api::{LOCAL_ROUTES, LocalApp};
use notifier::Notifier;
use relay::Relay;
use server::Server;
use shared::config::{OsEntropy, dynamodb_client_for};
use shared::dynamodb::{DynamoStore, tables};
use shared::ports::{Clock, Entropy, Fault, SmsSender};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use trail::Trail;

/// The names of the tables, on whatever engine.
const DIRECTORY: &str = "directory";
const LOGINS: &str = "logins";

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// On 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Where keys, the clock's offset and the embedded engine's data are kept.
    pub data: PathBuf,
    /// Another engine than the embedded one.
    pub dynamodb: Option<String>,
    /// An `http` address that each message is handed to as well.
    pub messages_to: Option<String>,
}

/// Why it doesn't start, in words for the person who started it.
#[derive(Debug)]
pub enum StartError {
    InUse(PathBuf),
    Folder(PathBuf, std::io::Error),
    /// A file in the folder was changed by somebody else, or is from another version.
    Damaged(PathBuf),
    Port(u16, std::io::Error),
    /// No `http` address.
    Relay(String),
    Engine(String),
    /// Keys that the service's own adapters don't take.
    Keys(String),
    /// The service refuses what the demo asks of it.
    Demo(String),
    Fault(Fault),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(folder) => {
                write!(f, "{} is in use by another `local`; --data names another folder", folder.display())
            }
            Self::Folder(path, error) => write!(f, "cannot read and write {}: {error}", path.display()),
            Self::Damaged(file) => {
                write!(f, "{} is damaged; without its folder, all is made anew", file.display())
            }
            Self::Port(port, error) => {
                write!(f, "cannot listen on 127.0.0.1:{port}: {error}; --port names another, 0 any free one")
            }
            Self::Relay(address) => write!(f, "{address} is no address for messages: it takes http://…"),
            Self::Engine(why) => write!(f, "the embedded engine does not start: {why}"),
            Self::Keys(why) => write!(f, "the keys are unusable: {why}"),
            Self::Demo(why) => write!(f, "the demo cannot be made: {why}"),
            Self::Fault(fault) => write!(f, "the engine does not answer: {fault}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<Fault> for StartError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The running service. Dropped, it stops at once; [`Local::stop`] lets what is under way finish.
pub struct Local {
    pub announcement: Announcement,
    pub clock: Arc<LocalClock>,
    pub outbox: Arc<Outbox>,
    server: Server,
    notifier: Notifier,
    trail: Trail,
    engine: Option<Engine>,
    /// Holds the folder's lock.
    _data: Arc<DataFolder>,
}

impl Local {
    /// Starts everything. It serves when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let data = Arc::new(DataFolder::open(&options.data)?);
        // First, since a port in use is the likeliest reason to end here.
        let (listener, url) = server::bind(options.port).await?;
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let keys = Keys::load_or_make(&data, entropy.as_ref())?;
        let clock = Arc::new(LocalClock::load(Arc::clone(&data))?);
        let relay = options.messages_to.as_deref().map(Relay::new).transpose()?;
        let outbox = Outbox::new(Arc::clone(&clock) as Arc<dyn Clock>).with_relay(relay);
        let outbox = Arc::new(outbox);
        let (engine, client) = match options.dynamodb {
            Some(endpoint) => (None, dynamodb_client_for(&endpoint)),
            None => {
                let engine = Engine::start(&data.private_path("dynamodb.sqlite")?)?;
                let client = engine.client();
                (Some(engine), client)
            }
        };
        tables::create_missing(&client, DIRECTORY, LOGINS).await?;
        let trail = Trail::start(DynamoStore::new(client.clone(), DIRECTORY, LOGINS), Arc::clone(&data));
        let parts = Parts {
            store: DynamoStore::new(trail.watch(&client), DIRECTORY, LOGINS),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&entropy),
            sms: Arc::clone(&outbox) as Arc<dyn SmsSender>,
            base_url: url.clone(),
        };
        let notifications = notifications(parts.clone(), &keys)?;
        let edge = compose(parts, &keys)?;
        let demo = demo::load_or_make(&edge, &data, entropy.as_ref(), keys.operator_key()).await?;
        let app = LocalApp::new(Arc::clone(&outbox), Arc::clone(&clock));
        let server = Server::start(listener, &url, edge.mount(Arc::new(app), LOCAL_ROUTES), trail.arrears());
        let announcement = Announcement { url, operator_key: keys.operator_key().to_owned(), demo };
        let notifier = Notifier::start(notifications);
        Ok(Self { announcement, clock, outbox, server, notifier, trail, engine, _data: data })
    }

    /// Takes no more requests, answers those that are under way, and closes the engine's files.
    pub async fn stop(self) {
        self.server.stop().await;
        drop(self.notifier);
        self.trail.stop().await;
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}
