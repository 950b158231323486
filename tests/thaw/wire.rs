//! What lies between a function and its engine: connections that are counted, and that die as they do while an environment is frozen.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How it goes on with the connections that are open. Those that are opened later are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Whole,
    /// The engine closes it while nobody speaks, and the client is told.
    Closed,
    /// The engine has forgotten it: it is reset as soon as the client speaks.
    ResetWhenUsed,
    /// Whatever is said on it is heard by nobody, and nobody says so.
    Silent,
}

/// A relay to one engine.
#[derive(Debug)]
pub struct Wire {
    url: String,
    opened: Arc<AtomicUsize>,
    fates: Arc<Mutex<Vec<watch::Sender<Fate>>>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    pub async fn to(engine: &str) -> Self {
        let engine = engine.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (opened, fates) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, kept) = (Arc::clone(&opened), Arc::clone(&fates));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (fate, told) = watch::channel(Fate::Whole);
                kept.lock().unwrap().push(fate);
                let engine = TcpStream::connect(&engine).await.unwrap();
                tokio::spawn(relay(client, engine, told));
            }
        });
        Self { url, opened, fates, accepting }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many connections were ever opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// What becomes of all that are open now.
    pub fn meet(&self, fate: Fate) {
        for connection in self.fates.lock().unwrap().drain(..) {
            let _ = connection.send(fate);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn relay(mut client: TcpStream, mut engine: TcpStream, mut told: watch::Receiver<Fate>) {
    let (mut asked, mut answered) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    // Once its fate is told, nobody tells another.
    let mut is_open_to_fate = true;
    loop {
        let fate = *told.borrow();
        tokio::select! {
            changed = told.changed(), if is_open_to_fate => {
                is_open_to_fate = changed.is_ok();
                if *told.borrow() == Fate::Closed {
                    return;
                }
            }
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                match fate {
                    Fate::Silent => {}
                    // With bytes unread, closing a socket resets it.
                    Fate::ResetWhenUsed => return client.set_zero_linger().unwrap_or_default(),
                    Fate::Whole | Fate::Closed => {
                        if engine.write_all(&asked[..length]).await.is_err() { return }
                    }
                }
            }
            read = engine.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() { return }
            }
        }
    }
}
