//! The connections that are open. There is a bound to how many, and whoever keeps one without a request makes place first.

use super::Desk;
use super::patience::Patient;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use shared::domain::ids::TenantId;
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinSet};

/// How many there are at most. Each takes a file handle, the client of another engine takes some for each, and a process often has 1,024.
const MOST: usize = 512;

/// How long a request's head may take, from when the connection was opened or the last answer was given: it ends idle ones, too.
const HEAD: Duration = Duration::from_secs(10);

/// As [`Line::since`] while a request is served.
const SERVED: u64 = u64::MAX;

/// What is known of one connection.
pub struct Line {
    /// Since which of the server's moments it has been the client's turn. Neither a byte of a head nor one of a body is a new moment.
    since: AtomicU64,
    moments: Arc<AtomicU64>,
    /// Whom its requests are for, as the last one said that said so.
    tenant: Mutex<Option<TenantId>>,
}

impl Line {
    fn new(moments: Arc<AtomicU64>) -> Self {
        let line = Self { since: AtomicU64::new(0), moments, tenant: Mutex::default() };
        line.waits();
        line
    }

    pub fn is_served(&self) {
        self.since.store(SERVED, Ordering::Relaxed);
    }

    /// From here on it is the client's turn: to take the answer, and to ask again.
    pub fn waits(&self) {
        self.since.store(self.moments.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    pub fn speaks_for(&self, tenant: Option<TenantId>) {
        if tenant.is_some() {
            *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = tenant;
        }
    }

    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All that are open. Dropped, they end at once.
pub struct Connections {
    desk: Arc<Desk>,
    most: usize,
    tasks: JoinSet<()>,
    open: HashMap<Id, (AbortHandle, Arc<Line>)>,
    moments: Arc<AtomicU64>,
    finish: watch::Sender<bool>,
}

impl Connections {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self::bounded(desk, MOST)
    }

    fn bounded(desk: Arc<Desk>, most: usize) -> Self {
        let (finish, _) = watch::channel(false);
        Self { desk, most, tasks: JoinSet::new(), open: HashMap::new(), moments: Arc::default(), finish }
    }

    /// Serves one more. Where there are as many as there may be, the one that has kept us waiting longest ends for it; if none does, it is
    /// the new one that ends.
    pub async fn add(&mut self, stream: TcpStream, peer: IpAddr) {
        if self.tasks.len() >= self.most {
            if !self.end_longest_waiting() {
                return;
            }
            // It has its handle until its task is gone, which a busy machine gets to late.
            self.one_ends().await;
        }
        let line = Arc::new(Line::new(Arc::clone(&self.moments)));
        let serving = serve(stream, peer, Arc::clone(&self.desk), Arc::clone(&line), self.finish.subscribe());
        let handle = self.tasks.spawn(serving);
        self.open.insert(handle.id(), (handle, line));
    }

    /// Whether there was one.
    pub fn end_longest_waiting(&mut self) -> bool {
        let since = |line: &Line| line.since.load(Ordering::Relaxed);
        let longest = self.open.iter().min_by_key(|(_, (_, line))| since(line));
        let Some((id, _)) = longest.filter(|(_, (_, line))| since(line) != SERVED) else { return false };
        let id = *id;
        if let Some((handle, _)) = self.open.remove(&id) {
            handle.abort();
        }
        true
    }

    /// Waits until one has ended; for ever, if none is open.
    pub async fn one_ends(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return std::future::pending().await,
        };
        self.open.remove(&id);
    }

    /// Lets each finish the request that is under way.
    pub async fn finish(mut self) {
        self.finish.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    desk: Arc<Desk>,
    line: Arc<Line>,
    mut finish: watch::Receiver<bool>,
) {
    // An answer is written at once, and there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| desk.answer(request, peer, &line));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // What ends a connection early is its client's affair.
        _ = connection.as_mut() => return,
        _ = finish.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::turns::Turns;
    use crate::trail::Arrears;
    use shared::config::{OsEntropy, SystemClock};
    use shared::http::Edge;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    /// On one thread nothing that ends is gone before somebody waits for it.
    #[tokio::test]
    async fn t31_a_connection_counts_until_its_handle_is_back() {
        let edge = Edge::new(Arc::new(SystemClock), Arc::new(OsEntropy));
        let desk =
            Desk { edge, url: String::new(), turns: Arc::new(Turns::default()), arrears: Arrears::none() };
        let mut connections = Connections::bounded(Arc::new(desk), 3);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (stream, peer) = listener.accept().await.unwrap();
            connections.add(stream, peer.ip()).await;
            assert!(connections.tasks.len() <= 3, "{} have a handle", connections.tasks.len());
        }
        for client in &mut clients[..5] {
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "who has waited longest has made place");
        }
        let mut buffer = [0];
        let newest = tokio::time::timeout(Duration::from_millis(50), clients[7].read(&mut buffer)).await;
        assert!(newest.is_err(), "the newest is served: {newest:?}");
    }
}
