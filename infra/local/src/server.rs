//! The HTTP server in front of the edge, on 127.0.0.1 only. It bears clients that are slow, too many, or never come to an end: what it gives
//! each of them has a bound, and docs/ARCHITECTURE.md says which.

mod connections;
mod patience;
mod turns;
mod whose;

use crate::StartError;
use crate::browser;
use crate::trail::Arrears;
use connections::{Connections, Line};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use shared::http::{Edge, MAX_BODY};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use turns::Turns;

/// How much of a body is taken off the connection. What is above the edge's limit is thrown away, but a client that is still writing
/// then can read why.
const MAX_READ: usize = 16 * MAX_BODY;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);

/// How long requests that are under way may take to finish.
const GRACE: Duration = Duration::from_secs(5);

/// How long nothing is accepted after that has failed: mostly, no handle is left.
const PAUSE: Duration = Duration::from_millis(50);

/// A running server. Dropped, it stops at once.
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Binds the port and tells the address that clients use.
pub async fn bind(port: u16) -> Result<(TcpListener, String), StartError> {
    let failed = |error| StartError::Port(port, error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, url))
}

impl Server {
    /// Serves `edge` at `url` from now on.
    pub fn start(listener: TcpListener, url: &str, edge: Edge, arrears: Arrears) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let desk = Arc::new(Desk { edge, url: url.to_owned(), turns: Arc::new(Turns::default()), arrears });
        Self { stop, task: tokio::spawn(serve(listener, desk, stopped)) }
    }

    /// Takes no more requests and waits for those under way, for [`GRACE`] at most.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(GRACE, self.task).await.is_err() {
            tracing::warn!("a request did not finish in time");
        }
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = Connections::new(desk);
    loop {
        tokio::select! {
            // The sender's end, used or dropped.
            _ = &mut stopped => break,
            () = connections.one_ends() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connections.add(stream, peer.ip()).await,
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    connections.end_longest_waiting();
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    connections.finish().await;
}

/// Where requests are taken in, one after the other of each connection.
struct Desk {
    edge: Edge,
    url: String,
    turns: Arc<Turns>,
    arrears: Arrears,
}

impl Desk {
    /// Answers a request. An error closes its connection: the body broke off, or didn't come to its end in time.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        line: &Line,
    ) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = tokio::time::timeout(BODY, read(body)).await??;
        line.is_served();
        if let Some(elsewhere) = browser::redirect(&head, &self.url) {
            line.waits();
            return Ok(elsewhere);
        }
        line.speaks_for(whose::of(&head, &body));
        let answer = match self.turns.take(line.tenant()).await {
            Some(_turn) => {
                self.arrears.are_few().await;
                self.edge.handle(Request::from_parts(head, body), Some(peer), None).await
            }
            None => self.edge.turn_away(&head.method),
        };
        line.waits();
        Ok(answer.map(Full::new))
    }
}

/// Reads a body, of which it keeps just enough for the edge to see that it is too large.
async fn read(mut body: Incoming) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        taken += data.len();
        bytes.extend_from_slice(&data[..data.len().min(MAX_BODY + 1 - bytes.len())]);
        if taken > MAX_READ {
            break;
        }
    }
    Ok(bytes.into())
}
