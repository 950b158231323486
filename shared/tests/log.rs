//! What the process would log at TRACE while the SDK sends a number, a code and an item. A program of its own, since the level that
//! a callsite is at is shared by all threads of a process.

#![allow(clippy::unwrap_used, reason = "a test fails where anything is not as expected")]

use aws_sdk_dynamodb::types::AttributeValue;
use shared::config::{Environment, dynamodb_client_for};
use shared::domain::challenge::Undelivered;
use shared::domain::secret::Secret;
use shared::ports::{OutgoingMessage, SendOutcome, SmsSender};
use shared::sms::{SnsOptions, SnsSender};
use shared::telemetry;
use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A service that refuses everything, in words that quote the number.
async fn refusing_service(document: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = "HTTP/1.1 400 X\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{document}", document.len());
            let _ = stream.read(&mut [0; 8192]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            // The rest of the request is waited for, so that the connection ends in good order.
            let _ = stream.read(&mut [0; 8192]).await;
        }
    });
    url
}

#[tokio::test]
async fn h14_nothing_that_is_sent_is_logged_even_at_trace() {
    let log = Log::default();
    let writer = log.clone();
    let layer = telemetry::layer(LevelFilter::TRACE, move || writer.clone());
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let sns = refusing_service(
        "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code>\
         <Message>PhoneNumber Reason: +12025550143 is not valid</Message></Error></ErrorResponse>",
    )
    .await;
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDCANARY"),
        ("AWS_SECRET_ACCESS_KEY", "secret-canary"),
        ("AWS_SESSION_TOKEN", "token-canary"),
        ("AWS_ENDPOINT_URL_SNS", &sns),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let sender = SnsSender::new(environment.aws().unwrap().sns(), SnsOptions::default());
    let message = OutgoingMessage {
        to: Secret::new("+12025550143".into()),
        body: Secret::new("Your code is 493021".into()),
        country: "US".into(),
    };
    let outcome = sender.send(&message).await;
    assert_eq!(outcome, SendOutcome::Refused { reason: Undelivered::InvalidParameter });

    let dynamodb =
        refusing_service(r#"{"__type":"ValidationException","message":"+12025550143 is no key"}"#).await;
    let request = dynamodb_client_for(&dynamodb).put_item().table_name("logins");
    let request = request.item("phone", AttributeValue::S("+12025550143".into()));
    request.item("code", AttributeValue::S("493021".into())).send().await.unwrap_err();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("sns: refused"), "{text}");
    for canary in ["2025550143", "493021", "canary", "CANARY"] {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
}
