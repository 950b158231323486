//! `local` as a client sees it: over a socket, on the embedded engine, across restarts.

#![allow(clippy::unwrap_used, reason = "a test fails where anything is not as expected")]

use aws_sdk_dynamodb::types::{AttributeValue, TableStatus, TimeToLiveStatus};
use local::{Local, Options, StartError};
use serde_json::{Value, json};
use shared::config::dynamodb_client_for;
use shared::domain::secret::Secret;
use shared::dynamodb::{DynamoStore, keys, tables};
use shared::ports::{OriginDirectory, OutgoingMessage, SmsSender};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("local-process-{}-{number}", std::process::id())))
    }

    async fn start(&self) -> Result<Local, StartError> {
        Local::start(Options { port: 0, data: self.0.clone(), dynamodb: None, messages_to: None }).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// Sends one request on a connection of its own.
async fn send(local: &Local, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
    let address = local.announcement.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let host = if headers.contains("host:") { String::new() } else { format!("host: {address}\r\n") };
    let head = format!(
        "{method} {target} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

async fn get(local: &Local, target: &str) -> Answer {
    send(local, "GET", target, "", b"").await
}

async fn advance(local: &Local, body: &Value) -> Answer {
    send(local, "POST", "/_local/clock", "content-type: application/json\r\n", body.to_string().as_bytes())
        .await
}

async fn message(local: &Local, body: &str) {
    let message = OutgoingMessage {
        to: Secret::new("+12025550143".into()),
        body: Secret::new(body.into()),
        country: "US".into(),
    };
    local.outbox.send(&message).await;
}

#[tokio::test]
async fn h13_the_edge_answers_on_the_socket() {
    let folder = Folder::new();
    let local = folder.start().await.unwrap();
    let unknown = get(&local, "/nowhere").await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (404, Some("not_found")));
    assert!(unknown.head.contains("x-request-id: req_"), "{}", unknown.head);
    let large = vec![b' '; 3 * 64 * 1024];
    let too_large = send(&local, "POST", "/v1/logins", "content-type: application/json\r\n", &large).await;
    assert_eq!((too_large.status, too_large.json()["code"].as_str()), (413, Some("too_large")));
    let tenant = "ten_0123456789AB";
    let jwks = get(&local, &format!("/t/{tenant}/.well-known/jwks.json")).await;
    assert_eq!((jwks.status, jwks.json()["keys"][0]["kty"].as_str()), (200, Some("EC")));
    local.stop().await;
}

#[tokio::test]
async fn h13_the_outbox_is_json_for_programs_and_a_page_for_browsers() {
    let folder = Folder::new();
    let local = folder.start().await.unwrap();
    assert_eq!(get(&local, "/_local/outbox").await.json(), json!([]));
    message(&local, "first").await;
    message(&local, "<script>alert(1)</script>").await;
    let messages = get(&local, "/_local/outbox").await.json();
    assert_eq!(messages[0]["body"], "first");
    assert_eq!(messages[1]["to"], "+12025550143");
    assert!(messages[1]["sent_at"].as_str().unwrap().ends_with('Z'));
    let page = send(&local, "GET", "/_local/outbox", "accept: text/html,*/*;q=0.8\r\n", b"").await;
    assert!(page.head.contains("content-type: text/html") && page.head.contains("style-src 'self'"));
    assert!(page.body.contains("&lt;script&gt;") && !page.body.contains("<script>"), "{}", page.body);
    assert!(page.body.find("&lt;script&gt;") < page.body.find("<pre>first"), "the newest is first");
    assert_eq!(get(&local, "/_local/outbox.css").await.status, 200);
    local.stop().await;
}

#[tokio::test]
async fn a_page_that_gave_its_name_this_address_reads_no_messages() {
    let folder = Folder::new();
    let local = folder.start().await.unwrap();
    let foreign = send(&local, "GET", "/_local/outbox", "host: evil.example:9000\r\n", b"").await;
    assert_eq!((foreign.status, foreign.json()["code"].as_str()), (403, Some("forbidden")));
    let named = send(&local, "GET", "/_local/outbox", "host: localhost:9000\r\n", b"").await;
    assert_eq!(named.status, 200);
    local.stop().await;
}

#[tokio::test]
async fn h13_a_browser_that_comes_to_localhost_is_sent_to_the_address_that_is_printed() {
    let folder = Folder::new();
    let local = folder.start().await.unwrap();
    let port = local.announcement.url.rsplit_once(':').unwrap().1;
    let localhost = format!("host: localhost:{port}\r\n");
    let browser = format!("{localhost}accept: text/html,application/xhtml+xml\r\n");
    let page = send(&local, "GET", "/console?x=1", &browser, b"").await;
    let place = format!("location: {}/console?x=1\r\n", local.announcement.url);
    assert!(page.status == 307 && page.head.contains(&place), "{} {}", page.status, page.head);
    let form = send(&local, "POST", "/console", &browser, b"").await;
    let program = send(&local, "GET", "/nowhere", &localhost, b"").await;
    assert_eq!((form.status, program.status), (405, 404), "what is sent is answered where it came");
    assert_eq!(get(&local, "/console").await.status, 200);
}

#[tokio::test]
async fn h13_the_clock_moves_forward_only() {
    let folder = Folder::new();
    let local = folder.start().await.unwrap();
    let moved = advance(&local, &json!({"advance_seconds": 90})).await;
    assert_eq!((moved.status, &moved.json()["offset_seconds"]), (200, &90.into()));
    for bad in [json!({"advance_seconds": -1}), json!({"advance_seconds": u64::MAX}), json!({}), json!([90])]
    {
        let refused = advance(&local, &bad).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (400, Some("invalid_request")),
            "{bad}"
        );
    }
    assert_eq!(local.clock.offset_seconds(), 90);
    local.stop().await;
}

#[tokio::test]
async fn h13_a_restart_finds_keys_time_and_data_again() {
    let folder = Folder::new();
    let first = folder.start().await.unwrap();
    assert!(matches!(folder.start().await, Err(StartError::InUse(_))));
    let operator_key = first.announcement.operator_key.clone();
    let jwks = get(&first, "/t/ten_0123456789AB/.well-known/jwks.json").await.body;
    advance(&first, &json!({"advance_seconds": 3600})).await;
    first.stop().await;
    assert!(std::fs::metadata(folder.0.join("dynamodb.sqlite")).unwrap().len() > 0);
    let second = folder.start().await.unwrap();
    assert_eq!(second.announcement.operator_key, operator_key);
    assert_eq!(get(&second, "/t/ten_0123456789AB/.well-known/jwks.json").await.body, jwks);
    assert_eq!(second.clock.offset_seconds(), 3600);
    second.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let started =
        Local::start(Options { port, data: folder.0.clone(), dynamodb: None, messages_to: None }).await;
    let Err(error @ StartError::Port(..)) = started else { panic!("started on a port in use") };
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn the_tables_are_made_once_and_tidy_themselves() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = dynamodb_client_for(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
    let (one, other) = tokio::join!(
        tables::create_missing(&client, "directory", "logins"),
        tables::create_missing(&client, "directory", "logins")
    );
    one.unwrap();
    other.unwrap();
    tables::create_missing(&client, "directory", "logins").await.unwrap();
    let ttl = |table: &'static str| {
        let client = client.clone();
        async move {
            let answer = client.describe_time_to_live().table_name(table).send().await.unwrap();
            let description = answer.time_to_live_description.unwrap();
            (description.time_to_live_status, description.attribute_name)
        }
    };
    assert_eq!(ttl("logins").await, (Some(TimeToLiveStatus::Enabled), Some("ttl".to_owned())));
    assert_eq!(ttl("directory").await.0, Some(TimeToLiveStatus::Disabled));
    let described = client.describe_table().table_name("directory").send().await.unwrap().table.unwrap();
    assert_eq!(described.table_status, Some(TableStatus::Active));

    let store = DynamoStore::new(client.clone(), "directory", "logins");
    assert!(!store.origin_is_known("https://shop.example").await.unwrap());
    let item = client
        .put_item()
        .table_name("directory")
        .item(keys::PK, AttributeValue::S(keys::origin_partition("https://shop.example")))
        .item(keys::SK, AttributeValue::S("application#app_x".into()));
    item.send().await.unwrap();
    assert!(store.origin_is_known("https://Shop.example").await.unwrap());
    assert!(!store.origin_is_known("http://shop.example").await.unwrap());
}
