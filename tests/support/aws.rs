//! The services of AWS that the functions call beside DynamoDB, as far as they call them: SNS takes messages, Secrets Manager has secrets.

use crate::events::decode;
use crate::local::{code_in, has_code};
use crate::server::{self, Answer, Server};
use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One message that was published to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub to: String,
    pub body: String,
    /// Data type and value of each attribute.
    pub attributes: BTreeMap<String, (String, String)>,
}

/// What goes wrong with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishFault {
    /// An error of this status and code; the message does not leave.
    Error(u16, &'static str),
    /// The message leaves, and the answer is an error all the same.
    ErrorAfter(u16, &'static str),
    /// Nothing leaves and nothing is heard.
    Silence,
    /// The message leaves, and nothing is heard.
    SilenceAfter,
    /// The connection closes; nothing leaves.
    Reset,
    /// The message leaves, and the connection closes.
    ResetAfter,
    /// The message leaves, and the answer can't be read.
    Garbled,
    /// The message leaves after a while.
    Delayed(Duration),
}

/// How long nothing is heard: longer than any client waits.
const SILENCE: Duration = Duration::from_secs(30);

/// SNS: takes every message and keeps it, unless something goes wrong.
#[derive(Debug)]
pub struct Sns {
    server: Server,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    published: Vec<Published>,
    faults: VecDeque<PublishFault>,
    requests: usize,
}

impl Sns {
    pub async fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let keeping = Arc::clone(&kept);
        let server = Server::start(move |request| take(Arc::clone(&keeping), request).boxed());
        Self { server: server.await, kept }
    }

    /// Lets the next messages go wrong, each in its way.
    pub fn fail_next(&self, faults: &[PublishFault]) {
        self.kept.lock().unwrap().faults = faults.iter().copied().collect();
    }

    /// How many requests have come, whatever became of them.
    pub fn requests(&self) -> usize {
        self.kept.lock().unwrap().requests
    }

    /// For `AWS_ENDPOINT_URL_SNS`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Everything published so far, oldest first.
    pub fn published(&self) -> Vec<Published> {
        self.kept.lock().unwrap().published.clone()
    }

    /// The code in the last message with one to a number.
    ///
    /// # Panics
    /// If there is none.
    pub fn code_sent_to(&self, number: &str) -> String {
        let published = self.published();
        let message = published.iter().rev().find(|message| message.to == number && has_code(&message.body));
        code_in(&message.expect("no message to that number").body)
    }
}

async fn take(kept: Arc<Mutex<Kept>>, request: Request<Bytes>) -> Answer {
    let fault = {
        let mut kept = kept.lock().unwrap();
        kept.requests += 1;
        kept.faults.pop_front()
    };
    let leave = || publish(&request, &mut kept.lock().unwrap().published);
    match fault {
        None => leave(),
        Some(PublishFault::Error(status, code)) => refusal(status, code),
        Some(PublishFault::ErrorAfter(status, code)) => {
            leave();
            refusal(status, code)
        }
        Some(PublishFault::Silence) => {
            tokio::time::sleep(SILENCE).await;
            None
        }
        Some(PublishFault::SilenceAfter) => {
            leave();
            tokio::time::sleep(SILENCE).await;
            None
        }
        Some(PublishFault::Reset) => None,
        Some(PublishFault::ResetAfter) => {
            leave();
            None
        }
        Some(PublishFault::Garbled) => {
            leave();
            Some(Response::new(Full::from("not <xml")))
        }
        Some(PublishFault::Delayed(time)) => {
            tokio::time::sleep(time).await;
            leave()
        }
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    let text = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>as a test wants it</Message></Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    );
    let response = Response::builder().status(status).header("content-type", "text/xml");
    Some(response.body(Full::from(text)).unwrap())
}

fn publish(request: &Request<Bytes>, published: &mut Vec<Published>) -> Answer {
    let form: BTreeMap<String, String> = std::str::from_utf8(request.body())
        .unwrap()
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(&value.replace('+', " ")))
        })
        .collect();
    assert_eq!(form["Action"], "Publish", "nothing else is asked of SNS");
    // A start opens its connection so.
    let Some(to) = form.get("PhoneNumber").cloned() else { return Some(names_nobody()) };
    let entry = |number: usize, member: &str| {
        form.get(&format!("MessageAttributes.entry.{number}.{member}")).cloned().unwrap_or_default()
    };
    let numbers = (1..).take_while(|number| !entry(*number, "Name").is_empty());
    let attribute = |number| {
        let value = (entry(number, "Value.DataType"), entry(number, "Value.StringValue"));
        (entry(number, "Name"), value)
    };
    published.push(Published {
        to,
        body: form["Message"].clone(),
        attributes: numbers.map(attribute).collect(),
    });
    let id = format!("00000000-0000-4000-8000-{:012}", published.len());
    let text = format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId>\
         </PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
    );
    Some(Response::builder().header("content-type", "text/xml").body(Full::from(text)).unwrap())
}

/// As SNS refuses a message without a number, a topic or an endpoint.
fn names_nobody() -> Response<Full<Bytes>> {
    let text = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>InvalidParameter</Code>\
                <Message>Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter</Message></Error>\
                <RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>";
    Response::builder().status(400).header("content-type", "text/xml").body(Full::from(text)).unwrap()
}

/// Secrets Manager: knows some secrets by ARN.
#[derive(Debug)]
pub struct SecretsManager {
    server: Server,
    secrets: Arc<Mutex<Secrets>>,
}

/// The versions of each secret by their ids, the current one last. A secret may have none.
type Secrets = BTreeMap<String, Vec<(String, String)>>;

impl SecretsManager {
    /// `secrets`: the text of each by its ARN.
    pub async fn start(secrets: BTreeMap<String, String>) -> Self {
        let version = |text| vec![("00000000-0000-4000-8000-000000000001".to_owned(), text)];
        Self::serve(secrets.into_iter().map(|(arn, text)| (arn, version(text))).collect()).await
    }

    /// As a deployment has just made them: without a value.
    pub async fn start_empty(arns: Vec<String>) -> Self {
        Self::serve(arns.into_iter().map(|arn| (arn, Vec::new())).collect()).await
    }

    async fn serve(secrets: Secrets) -> Self {
        let secrets = Arc::new(Mutex::new(secrets));
        let kept = Arc::clone(&secrets);
        let server = Server::start(move |request| {
            let answer = secret_call(&request, &mut kept.lock().unwrap());
            async { Some(answer) }.boxed()
        });
        Self { server: server.await, secrets }
    }

    /// The current value of every secret that has one, by ARN.
    pub fn values(&self) -> BTreeMap<String, String> {
        let secrets = self.secrets.lock().unwrap();
        secrets.iter().filter_map(|(arn, it)| Some((arn.clone(), it.last()?.1.clone()))).collect()
    }

    /// For `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

fn secret_call(request: &Request<Bytes>, secrets: &mut Secrets) -> Response<Full<Bytes>> {
    let refused = |kind: &str, message: &str| server::json(400, &json!({"__type": kind, "message": message}));
    let asked: Value = serde_json::from_slice(request.body()).unwrap();
    let arn = asked["SecretId"].as_str().unwrap();
    let Some(versions) = secrets.get_mut(arn) else {
        return refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    };
    match request.headers()["x-amz-target"].to_str().unwrap() {
        "secretsmanager.GetSecretValue" => match versions.last() {
            Some((_, text)) => server::json(200, &json!({"ARN": arn, "SecretString": text})),
            None => refused("ResourceNotFoundException", "no value with the staging label AWSCURRENT"),
        },
        "secretsmanager.DescribeSecret" => {
            let stages: BTreeMap<_, _> = versions.iter().map(|(id, _)| (id, ["AWSCURRENT"])).collect();
            let mut answer = json!({"ARN": arn});
            if !stages.is_empty() {
                answer["VersionIdsToStages"] = json!(stages);
            }
            server::json(200, &answer)
        }
        "secretsmanager.PutSecretValue" => {
            let (id, text) =
                (asked["ClientRequestToken"].as_str().unwrap(), asked["SecretString"].as_str().unwrap());
            assert!((32..=64).contains(&id.len()), "the service takes no other ids");
            match versions.iter().find(|(known, _)| known == id) {
                Some((_, kept)) if kept != text => {
                    return refused("ResourceExistsException", "another value is stored under this id");
                }
                Some(_) => {}
                None => versions.push((id.to_owned(), text.to_owned())),
            }
            server::json(200, &json!({"ARN": arn, "VersionId": id}))
        }
        other => panic!("nothing else is asked of it: {other}"),
    }
}
