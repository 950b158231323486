//! The provider is a socket that answers what a test tells it to.

use super::*;
use crate::config::Environment;
use crate::domain::secret::Secret;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Copy)]
enum Answer {
    Accept,
    Error(u16, &'static str),
    Text(&'static str),
    Silence,
    Hangup,
}

struct Stub {
    url: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Answers each request with the next of `answers`, and the last one from then on.
    async fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&bodies);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers, Arc::clone(&seen)));
            }
        });
        Self { url, bodies }
    }

    async fn send(&self) -> SendOutcome {
        send(&self.url, SnsOptions::default()).await
    }

    fn requests(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }
}

async fn serve(mut stream: TcpStream, answers: &[Answer], seen: Arc<Mutex<Vec<String>>>) {
    while let Some(body) = read_request(&mut stream).await {
        let answer = {
            let mut seen = seen.lock().unwrap();
            seen.push(body);
            answers[(seen.len() - 1).min(answers.len() - 1)]
        };
        let (status, text) = match answer {
            Answer::Accept => (200, ACCEPTED.to_owned()),
            Answer::Error(status, code) => (status, error_document(code)),
            Answer::Text(text) => (200, text.to_owned()),
            Answer::Silence => std::future::pending().await,
            Answer::Hangup => return,
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(format!("{head}{text}").as_bytes()).await.unwrap();
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                return Some(body.to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

const ACCEPTED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>11111111-2222-3333-4444-555555555555</MessageId></PublishResult></PublishResponse>";

fn error_document(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>Invalid parameter: PhoneNumber Reason: +12025550143 is canary</Message></Error></ErrorResponse>"
    )
}

async fn send(url: &str, options: SnsOptions) -> SendOutcome {
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_SNS", url),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let sender = SnsSender::new(environment.aws().unwrap().sns(), options);
    let message = OutgoingMessage {
        to: Secret::new("+12025550143".into()),
        body: Secret::new("Your code is 493021".into()),
        country: "US".into(),
    };
    sender.send(&message).await
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { message_id: "11111111-2222-3333-4444-555555555555".into() }
}

#[tokio::test]
async fn an_accepted_message_has_the_providers_id_and_our_attributes() {
    let stub = Stub::start(&[Answer::Accept]).await;
    let options = SnsOptions {
        sender_id: Some("Example".into()),
        max_price_usd: Some("0.20".into()),
        origination_number: Some("+12025550100".into()),
    };
    assert_eq!(send(&stub.url, options).await, accepted());
    assert_eq!(stub.send().await, accepted());
    let bodies = stub.bodies.lock().unwrap().clone();
    for part in [
        "Action=Publish",
        "PhoneNumber=%2B12025550143",
        "Message=Your%20code%20is%20493021",
        "AWS.SNS.SMS.SMSType",
        "Transactional",
        "AWS.SNS.SMS.SenderID",
        "AWS.SNS.SMS.MaxPrice",
        "AWS.MM.SMS.OriginationNumber",
    ] {
        assert!(bodies[0].contains(part), "{part} in {}", bodies[0]);
    }
    assert!(!bodies[1].contains("SenderID") && !bodies[1].contains("MaxPrice"));
}

#[tokio::test]
async fn a_refusal_is_not_tried_again_and_has_a_stable_reason() {
    let cases: [(&'static [Answer], _); 4] = [
        (&[Answer::Error(400, "InvalidParameter")], Undelivered::InvalidParameter),
        (&[Answer::Error(400, "OptedOut")], Undelivered::OptedOut),
        (&[Answer::Error(403, "AuthorizationError")], Undelivered::NotAuthorized),
        (&[Answer::Error(400, "SomethingNew")], Undelivered::Rejected),
    ];
    for (answers, reason) in cases {
        let stub = Stub::start(answers).await;
        assert_eq!(stub.send().await, SendOutcome::Refused { reason });
        assert_eq!(stub.requests(), 1);
    }
}

#[tokio::test]
async fn a_throttled_message_is_tried_once_more() {
    let stub = Stub::start(&[Answer::Error(400, "Throttling"), Answer::Accept]).await;
    assert_eq!((stub.send().await, stub.requests()), (accepted(), 2));
    let stub = Stub::start(&[Answer::Error(429, "ThrottledException")]).await;
    assert_eq!((stub.send().await, stub.requests()), (SendOutcome::NotSent, 2));
}

#[tokio::test]
async fn what_may_have_been_sent_is_not_sent_again() {
    let cases: [&'static [Answer]; 5] = [
        &[Answer::Error(500, "InternalError"), Answer::Accept],
        &[Answer::Error(503, "ServiceUnavailable"), Answer::Accept],
        &[Answer::Hangup, Answer::Accept],
        &[Answer::Text("not <xml"), Answer::Accept],
        &[Answer::Silence],
    ];
    for answers in cases {
        let stub = Stub::start(answers).await;
        assert_eq!((stub.send().await, stub.requests()), (SendOutcome::Unknown, 1));
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(send(&url, SnsOptions::default()).await, SendOutcome::NotSent);
}

#[tokio::test]
async fn a_provider_that_comes_back_between_the_tries_gets_the_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let late = Arc::clone(&seen);
    tokio::spawn(async move {
        tokio::time::sleep(PAUSE - Duration::from_millis(150)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, &[Answer::Accept], late).await;
    });
    assert_eq!(send(&format!("http://{address}"), SnsOptions::default()).await, accepted());
    assert_eq!(seen.lock().unwrap().len(), 1);
}
