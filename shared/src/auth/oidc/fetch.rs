//! Gets a small JSON document from a provider, and bears with anything that may be there instead.
//!
//! The host's name is resolved once, and the addresses that were checked are the ones that are connected to: a name that changes its mind
//! in between (DNS rebinding) gains nothing. One request on one connection, HTTP/1.1, no redirects, no proxy.

use super::address::is_public;
use crate::ports::Fault;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

/// From the name to the end of the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The whole request.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest document, in bytes. Big providers' key sets have about 20,000.
const MAX_DOCUMENT: usize = 150_000;
/// The largest head of an answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// A name may have any number of addresses; the time is only enough for a few.
const MAX_ADDRESSES: usize = 4;

/// Which addresses an issuer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerAddresses {
    /// Those that everybody on the internet can reach.
    Public,
    /// Any, also this very machine and then without TLS: for a laptop, for tests, for a deployment beside its provider.
    Any,
}

pub(super) struct Fetcher {
    addresses: IssuerAddresses,
    /// Made at the first use: reading the system's certificates takes its time, and most functions never fetch.
    tls: OnceCell<TlsConnector>,
}

/// Why there is no document. It names the host, which an administrator has configured, and nothing of the answer.
#[derive(Debug)]
struct Failed {
    host: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Address(&'static str),
    Connection(String),
    TimedOut,
    Status(StatusCode),
    NotJson,
    Body(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identity source at {}: ", self.host)?;
        match &self.why {
            Why::Address(why) => f.write_str(why),
            Why::Connection(error) => write!(f, "no connection: {error}"),
            Why::TimedOut => f.write_str("no answer in time"),
            Why::Status(status) => write!(f, "answered {}", status.as_u16()),
            Why::NotJson => f.write_str("the answer is not JSON"),
            Why::Body(error) => write!(f, "the answer can't be read: {error}"),
        }
    }
}

impl std::error::Error for Failed {}

impl Fetcher {
    pub fn new(addresses: IssuerAddresses) -> Self {
        Self { addresses, tls: OnceCell::new() }
    }

    /// Trusts other certificates than the system's.
    #[cfg(test)]
    pub fn trusting(addresses: IssuerAddresses, roots: RootCertStore) -> Self {
        Self { addresses, tls: OnceCell::new_with(tls(roots).ok()) }
    }

    /// The document at `address`, which is JSON by its media type.
    pub async fn get_json(&self, address: &str) -> Result<Bytes, Fault> {
        let url = Url::parse(address).map_err(Fault::new)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        // Before the clock runs: it is work, not waiting.
        let tls = match url.scheme() {
            "https" => Some(self.tls().await?),
            _ => None,
        };
        let document = match timeout(TOTAL_TIMEOUT, self.get(&url, tls)).await {
            Ok(document) => document,
            Err(_) => Err(Why::TimedOut),
        };
        document.map_err(|why| Fault::new(Failed { host, why }))
    }

    async fn get(&self, url: &Url, tls: Option<&TlsConnector>) -> Result<Bytes, Why> {
        let opened = async {
            let tcp = self.connect(url, tls.is_some()).await?;
            let Some(tls) = tls else { return Ok(Either::Right(tcp)) };
            let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(name).map_err(connection)?;
            Ok(Either::Left(tls.connect(name, tcp).await.map_err(connection)?))
        };
        match timeout(CONNECT_TIMEOUT, opened).await.map_err(|_| Why::TimedOut)?? {
            Either::Left(stream) => exchange(stream, url).await,
            Either::Right(stream) => exchange(stream, url).await,
        }
    }

    /// A connection to an address that was checked.
    async fn connect(&self, url: &Url, secure: bool) -> Result<TcpStream, Why> {
        let port = url.port_or_known_default().unwrap_or_default();
        let found: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(IpAddr::V4(address), port).into()],
            Some(Host::Ipv6(address)) => vec![(IpAddr::V6(address), port).into()],
            Some(Host::Domain(name)) => lookup_host((name, port)).await.map_err(connection)?.collect(),
            None => Vec::new(),
        };
        let mut allowed: Vec<_> = found.into_iter().filter(|found| self.allows(found.ip(), secure)).collect();
        // Many networks, Lambda's among them, have no IPv6 beyond them.
        allowed.sort_by_key(SocketAddr::is_ipv6);
        let mut last = Why::Address("no address that may be connected to");
        for address in allowed.into_iter().take(MAX_ADDRESSES) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = connection(error),
            }
        }
        Err(last)
    }

    fn allows(&self, address: IpAddr, secure: bool) -> bool {
        match self.addresses {
            IssuerAddresses::Public => secure && is_public(address),
            IssuerAddresses::Any => secure || address.is_loopback(),
        }
    }

    async fn tls(&self) -> Result<&TlsConnector, Fault> {
        let load = || async {
            let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.map_err(Fault::new)?.certs);
            if roots.is_empty() {
                return Err(Fault::new("the system has no certificates to trust"));
            }
            tls(roots)
        };
        self.tls.get_or_try_init(load).await
    }
}

fn tls(roots: RootCertStore) -> Result<TlsConnector, Fault> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Fault::new)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn connection(error: impl fmt::Display) -> Why {
    Why::Connection(error.to_string())
}

/// One request and its answer.
async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin, url: &Url) -> Result<Bytes, Why> {
    let mut client = http1::Builder::new();
    client.max_buf_size(MAX_HEAD);
    let (mut sender, driver) = client.handshake(TokioIo::new(stream)).await.map_err(connection)?;
    let request = request(url).map_err(connection)?;
    let answer = pin!(async move { read(sender.send_request(request).await.map_err(connection)?).await });
    // The connection may be over before its last bytes are read.
    match select(answer, pin!(driver)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    }
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, http::Error> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json, application/jwk-set+json")
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, concat!("sms-mfa/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
}

/// A redirect is an answer like any other that isn't 200.
async fn read(answer: Response<Incoming>) -> Result<Bytes, Why> {
    if answer.status() != StatusCode::OK {
        return Err(Why::Status(answer.status()));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(is_json) {
        return Err(Why::NotJson);
    }
    let body = Limited::new(answer.into_body(), MAX_DOCUMENT).collect().await;
    Ok(body.map_err(|error| Why::Body(error.to_string()))?.to_bytes())
}

/// `application/json` and its relatives (RFC 6839 §3.1), whatever parameters follow.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
