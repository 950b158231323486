//! Clients that are slow in every way there is: each is ended in its time, and none takes the place of one that isn't.

use crate::guest::Guest;
use crate::observed::handles;
use crate::percentile;
use crate::program::Program;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::http_client::{Call, HttpClient};
use tests::repository::TemporaryFolder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// How long each kind may be slow, and how much later it may be seen to have ended.
const TIME: Duration = Duration::from_secs(10);
const MARGIN: Duration = Duration::from_secs(4);

/// How many connections there are at most, and handles beside them: the files, and the engine's own connections.
const CONNECTIONS: usize = 512;
const OTHERS: usize = 64;

/// What is slow about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slow {
    /// It says nothing.
    Idle,
    /// It asked once, and keeps the connection.
    Kept,
    /// Its head comes byte by byte.
    Head,
    /// Its body comes byte by byte.
    Body,
    /// It asks and asks, and never reads an answer.
    Deaf,
}

const KINDS: [Slow; 5] = [Slow::Idle, Slow::Kept, Slow::Head, Slow::Body, Slow::Deaf];

impl Slow {
    /// Goes on until the server ends the connection; answers how long that took since the client's last proper request, or for as long as
    /// the first one has been owed.
    async fn until_ended(self, address: SocketAddr, asking: Arc<str>) -> Duration {
        let socket = TcpSocket::new_v4().unwrap();
        if self == Slow::Deaf {
            // What the kernel would take for it is kept small.
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let mut stream = socket.connect(address).await.unwrap();
        let started = Instant::now();
        match self {
            Slow::Idle => ended(&mut stream).await,
            Slow::Kept => {
                let _ = stream.write_all(asking.as_bytes()).await;
                ended(&mut stream).await;
            }
            Slow::Head => byte_by_byte(&mut stream, b"POST /v1/logins HTTP/1.1\r\nx-slow: ").await,
            Slow::Body => {
                let head =
                    b"POST /v1/logins HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                             content-length: 5000\r\n\r\n";
                let _ = stream.write_all(head).await;
                byte_by_byte(&mut stream, b"").await;
            }
            Slow::Deaf => return deaf(&mut stream, asking.as_bytes()).await,
        }
        started.elapsed()
    }
}

/// Reads until there is nothing more to read.
async fn ended(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Writes `start`, then one byte after the other.
async fn byte_by_byte(stream: &mut TcpStream, start: &[u8]) {
    let (mut read, mut write) = stream.split();
    let writes = async {
        let _ = write.write_all(start).await;
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let mut buffer = [0; 4096];
    let reads = async { while read.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
    tokio::select! { () = writes => {}, () = reads => {} }
}

/// Asks until nothing more is taken, then waits to be ended; answers how long after the last request was taken.
async fn deaf(stream: &mut TcpStream, asking: &[u8]) -> Duration {
    let mut last = Instant::now();
    loop {
        match tokio::time::timeout(Duration::from_millis(100), stream.write(asking)).await {
            Ok(Ok(_)) => last = Instant::now(),
            Ok(Err(_)) => return last.elapsed(),
            Err(_) if last.elapsed() > 3 * TIME => return last.elapsed(),
            Err(_) => {}
        }
    }
}

struct House {
    program: Program,
    guest: Guest,
    address: SocketAddr,
    /// A request with an answer that is worth not to be read: the console's style has 15 kB.
    asking: Arc<str>,
    _folder: TemporaryFolder,
}

impl House {
    async fn open() -> Self {
        let folder = TemporaryFolder::new();
        let program = Program::start(folder.path()).await;
        let tenant = Arc::new(program.tenant().await);
        let guest = Guest::new(program.url(), &tenant);
        let address = program.url().strip_prefix("http://").unwrap().parse().unwrap();
        guest.times(3).await;
        let page = HttpClient::new(program.url()).send(Call::get("/console")).await.text();
        let style = page.split('"').find(|text| text.ends_with("console.css")).expect("a style").to_owned();
        let asking = format!("GET {style} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into();
        Self { program, guest, address, asking, _folder: folder }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_slow_is_ended_in_ten_seconds_in_whatever_way() {
    // It waits, and may do so beside the others.
    let house = House::open().await;
    let mut slow = JoinSet::new();
    for kind in KINDS {
        for _ in 0..4 {
            let (address, asking) = (house.address, Arc::clone(&house.asking));
            slow.spawn(async move {
                let ends = kind.until_ended(address, asking);
                (kind, tokio::time::timeout(TIME + MARGIN * 2, ends).await)
            });
        }
    }
    while let Some(ended) = slow.join_next().await {
        let (kind, time) = ended.unwrap();
        let time = time.unwrap_or_else(|_| panic!("{kind:?} is never ended"));
        assert!(time <= TIME + MARGIN, "{kind:?} is ended after {time:?}");
        // What a deaf one asks is taken by the kernel for a while after the server has stopped.
        let earliest = if kind == Slow::Deaf { TIME / 2 } else { TIME - Duration::from_secs(1) };
        assert!(time >= earliest, "{kind:?} is ended after {time:?} already");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_connections_keep_nobody_out() {
    let _alone = super::alone().await;
    let house = House::open().await;
    let usual = house.guest.times(9).await;
    let mut slow = JoinSet::new();
    for index in 0..1000 {
        // Of those that make work by what they ask, fewer.
        let kind = if index % 50 == 0 { Slow::Deaf } else { KINDS[index % 4] };
        let (address, asking) = (house.address, Arc::clone(&house.asking));
        slow.spawn(async move {
            // Whoever is ended comes again.
            loop {
                let _ = kind.until_ended(address, Arc::clone(&asking)).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (mut beside, mut most) = (Vec::new(), 0);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) || beside.len() < 9 {
        beside.push(house.guest.signs_in().await);
        most = most.max(handles(house.program.id()));
    }
    slow.shutdown().await;
    println!(
        "slow: a login took {:?}, beside 1,000 slow connections {:?} (95 of 100: {:?}), with {most} handles",
        percentile(&usual, 50),
        percentile(&beside, 50),
        percentile(&beside, 95)
    );
    assert!(most <= CONNECTIONS + OTHERS, "{most} handles");
    assert!(percentile(&beside, 95) <= Duration::from_secs(3), "{:?}", percentile(&beside, 95));
    let started = Instant::now();
    while handles(house.program.id()) > OTHERS {
        assert!(started.elapsed() < TIME + MARGIN, "{} handles stay", handles(house.program.id()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
