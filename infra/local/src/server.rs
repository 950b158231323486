//! The HTTP server in front of the edge, on 127.0.0.1 only.

use crate::StartError;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use shared::http::{Edge, MAX_BODY};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How much of a body is taken off the connection. What is above the edge's limit is thrown away, but a client that is still writing
/// then can read why.
const MAX_READ: usize = 16 * MAX_BODY;

/// How long requests that are under way may take to finish.
const GRACE: Duration = Duration::from_secs(5);

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
    /// Serves `edge` from now on.
    pub fn start(listener: TcpListener, edge: Edge) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer).with_state(Arc::new(edge));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving =
            axum::serve(listener, service).with_graceful_shutdown(async move { drop(stopped.await) });
        // axum's documentation: it never ends with an error.
        let task = tokio::spawn(async move { drop(serving.await) });
        Self { stop, task }
    }

    /// Takes no more requests and waits for those under way, for [`GRACE`] at most.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(GRACE, self.task).await.is_err() {
            tracing::warn!("a request did not finish in time");
        }
    }
}

async fn answer(
    State(edge): State<Arc<Edge>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let Some(body) = read(body).await else {
        // The client went away before its body was complete.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    edge.handle(Request::from_parts(head, body), Some(peer.ip()), None).await.map(Body::from)
}

/// Reads a body, of which it keeps just enough for the edge to see that it is too large. `None` if it breaks off.
async fn read(mut body: Body) -> Option<Bytes> {
    let mut bytes = Vec::new();
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        taken += data.len();
        bytes.extend_from_slice(&data[..data.len().min(MAX_BODY + 1 - bytes.len())]);
        if taken > MAX_READ {
            break;
        }
    }
    Some(bytes.into())
}
