//! As much of HTTP/1.1 as the other half of a benchmark needs: blocking, on a thread for each connection, so that next to nothing stands
//! between a function and the clock.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

pub struct Request {
    pub path: String,
    /// `X-Amz-Target`, which names an operation.
    pub target: String,
    pub body: Vec<u8>,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.into() }
    }
}

/// A server on 127.0.0.1, over TLS where it has a configuration. A handler without a reply closes its connection.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    stopped: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub fn start<H>(tls: Option<Arc<ServerConfig>>, handler: H) -> Self
    where
        H: Fn(Request) -> Option<Reply> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (stopped, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stop, count, handler) = (Arc::clone(&stopped), Arc::clone(&connections), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let (handler, tls) = (Arc::clone(&handler), tls.clone());
                // How a connection ends is the client's to say.
                std::thread::spawn(move || connection(stream, tls, &*handler));
            }
        });
        Self { address, scheme, stopped, connections }
    }

    /// `127.0.0.1:port`
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // The listener looks up when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

fn connection(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    handler: &dyn Fn(Request) -> Option<Reply>,
) -> Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => serve(stream, handler),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(Error::other)?;
            serve(StreamOwned::new(session, stream), handler)
        }
    }
}

fn serve(stream: impl Read + Write, handler: &dyn Fn(Request) -> Option<Reply>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        let Some(reply) = handler(request) else { return Ok(()) };
        let mut answer = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str("\r\n");
        let mut answer = answer.into_bytes();
        answer.extend_from_slice(&reply.body);
        stream.get_mut().write_all(&answer)?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

/// The next request; none at the connection's end.
fn read(stream: &mut impl BufRead) -> Result<Option<Request>> {
    let first = line(stream)?;
    let Some(path) = first.split(' ').nth(1) else { return Ok(None) };
    let mut request = Request { path: path.to_owned(), target: String::new(), body: Vec::new() };
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(Error::other)?,
            "transfer-encoding" => chunked = true,
            "x-amz-target" => request.target = value.trim().to_owned(),
            _ => {}
        }
    }
    if !chunked {
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
        return Ok(Some(request));
    }
    loop {
        let size = usize::from_str_radix(&line(stream)?, 16).map_err(Error::other)?;
        let start = request.body.len();
        request.body.resize(start + size, 0);
        stream.read_exact(&mut request.body[start..])?;
        line(stream)?;
        if size == 0 {
            return Ok(Some(request));
        }
    }
}

/// A line without its end; empty at the connection's end.
fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    if line.len() > 64 * 1024 {
        return Err(Error::new(ErrorKind::InvalidData, "a line without an end"));
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}
