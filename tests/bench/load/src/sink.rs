//! Where every server sends its messages: `POST /sms` with `{"to": …, "body": …}`, answered at once. Whoever waits for a code takes it from here,
//! the same way for all servers.

use crate::Failed;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// The codes that have come and nobody has taken yet, by number.
#[derive(Clone, Default)]
pub struct Sink {
    codes: Arc<Mutex<HashMap<String, String>>>,
}

impl Sink {
    /// Starts it on a free port; its address goes to the servers.
    pub async fn start() -> Result<(Self, String), Failed> {
        let sink = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/sms", listener.local_addr()?);
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let sink = serving.clone();
                tokio::spawn(async move {
                    let take = service_fn(move |request| sink.clone().take_message(request));
                    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), take).await);
                });
            }
        });
        Ok((sink, url))
    }

    async fn take_message(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let status = if self.note(&body).is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = status;
        Ok(response)
    }

    fn note(&self, body: &[u8]) -> Option<()> {
        let message: Value = serde_json::from_slice(body).ok()?;
        let (to, code) = (message["to"].as_str()?, code_in(message["body"].as_str()?)?);
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(to.to_owned(), code.to_owned());
        Some(())
    }

    /// The code that was sent to a number. Servers answer only once the message has left, so it is there.
    pub fn code_to(&self, number: &str) -> Result<String, Failed> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(number).ok_or_else(|| "no message has come".into())
    }
}

/// The first six digits that stand alone.
fn code_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_a_message_and_taken_once() {
        let sink = Sink::default();
        let message =
            br#"{"to": "+12025550143", "body": "246810 is your code for Shop 2. It ends in 10 minutes."}"#;
        assert!(sink.note(message).is_some());
        assert_eq!(sink.code_to("+12025550143").unwrap(), "246810");
        assert!(sink.code_to("+12025550143").is_err());
        assert!(sink.note(br#"{"to": "+12025550143", "body": "no code"}"#).is_none());
    }
}
