//! Hands each message on to an address of the developer's own, as a provider's gateway would take it: `POST` with `{"to": …, "body": …}`.

use crate::StartError;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
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
            if status.is_success() { Ok(()) } else { Err(SendOutcome::Refused { reason: "relay" }) }
        });
        answered.await.unwrap_or(Err(SendOutcome::Unknown))
    }
}
