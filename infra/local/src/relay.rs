//! Hands each message on to an address of the developer's own, as a provider's gateway would take it: `POST` with `{"to": …, "body": …}`.

use crate::StartError;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use shared::domain::challenge::Undelivered;
use shared::ports::SendOutcome;
use std::time::Duration;

/// How long it waits for the answer: as long as the service waits for a provider.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where messages go, besides the outbox.
pub struct Relay {
    client: Client<HttpConnector, Full<Bytes>>,
    to: Uri,
}

impl Relay {
    /// To an `http` address. There is no TLS: what is here stays on this machine, or goes to whoever runs beside it.
    pub fn new(address: &str) -> Result<Self, StartError> {
        let to: Option<Uri> = address.parse().ok();
        let to = to.filter(|to| to.scheme_str() == Some("http") && to.authority().is_some());
        let to = to.ok_or_else(|| StartError::Relay(address.to_owned()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), to })
    }

    /// Sends one, and says what came of it; `Ok` if it was taken.
    pub async fn send(&self, to: &str, body: &str) -> Result<(), SendOutcome> {
        let request = Request::post(self.to.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(json!({ "to": to, "body": body }).to_string()));
        let request = request.map_err(|_| SendOutcome::NotSent)?;
        let answered = tokio::time::timeout(PATIENCE, async {
            let answer = self.client.request(request).await.map_err(|error| {
                if error.is_connect() { SendOutcome::NotSent } else { SendOutcome::Unknown }
            })?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            let _ = answer.into_body().collect().await;
            if status.is_success() {
                Ok(())
            } else {
                Err(SendOutcome::Refused { reason: Undelivered::Rejected })
            }
        });
        answered.await.unwrap_or(Err(SendOutcome::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers one request with a status line, and tells what it was.
    async fn gateway(answer: &'static str) -> (Relay, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Relay::new(&format!("http://{}/sms", listener.local_addr().unwrap())).unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "half a request");
            }
            let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            String::from_utf8(read).unwrap()
        });
        (relay, task)
    }

    #[tokio::test]
    async fn a_message_is_handed_on_as_a_gateway_takes_it() {
        let (relay, task) = gateway("200 OK").await;
        assert_eq!(relay.send("+12025550143", "246810 is your code").await, Ok(()));
        let request = task.await.unwrap();
        assert!(request.starts_with("POST /sms HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with(r#"{"body":"246810 is your code","to":"+12025550143"}"#), "{request}");
    }

    #[tokio::test]
    async fn what_was_not_taken_is_told_as_a_provider_would() {
        let (relay, _task) = gateway("503 Busy").await;
        assert_eq!(
            relay.send("+12025550143", "hello").await,
            Err(SendOutcome::Refused { reason: Undelivered::Rejected })
        );
        let nobody = Relay::new("http://127.0.0.1:1/").unwrap();
        assert_eq!(nobody.send("+12025550143", "hello").await, Err(SendOutcome::NotSent));
    }

    #[test]
    fn only_an_http_address_will_do() {
        for bad in ["https://example.com/sms", "127.0.0.1:9099", "/sms", ""] {
            assert!(matches!(Relay::new(bad), Err(StartError::Relay(_))), "{bad}");
        }
    }
}
