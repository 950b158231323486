//! DynamoDB, SNS and Secrets Manager as they answered once. What the functions were told by an engine, in this very run, is told them again
//! whenever they ask the same kind of thing of the same kind of item: so the answers are an engine's own, a right code stays right however often
//! it is given, and no engine's time is in the figures.

use crate::http::{Reply, Request, Server};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tests::proxy::Record;
use tokio_rustls::rustls::ServerConfig;

/// Answers by what they are answers to.
#[derive(Clone, Debug, Default)]
pub struct Canned(HashMap<String, Vec<(u16, Value)>>);

impl Canned {
    /// What an engine has answered.
    pub fn of(records: &[Record]) -> Self {
        let mut canned = Self::default();
        for record in records {
            let answer = (record.status.expect("an engine answers"), record.answer.clone());
            canned.0.entry(asked(&record.operation, &record.body)).or_default().push(answer);
        }
        canned
    }

    /// The same with another value for an attribute of every item in it.
    pub fn with_attribute(mut self, name: &str, value: &Value) -> Self {
        for (_, answer) in self.0.values_mut().flatten() {
            if let Some(attribute) = answer.pointer_mut(&format!("/Attributes/{name}")) {
                *attribute = value.clone();
            }
        }
        self
    }
}

/// The kind of a request: its operation and the kinds of keys in it.
fn asked(operation: &str, body: &Value) -> String {
    let mut kinds = BTreeSet::new();
    collect_kinds(body, &mut kinds);
    format!("{operation} {}", Vec::from_iter(kinds).join(" "))
}

fn collect_kinds(value: &Value, kinds: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let mut parts = text.split('#');
            let is_key =
                |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            if let (Some(kind), Some(rest)) = (parts.next().filter(is_key), parts.next()) {
                // Limits differ by what they limit.
                kinds.insert(if kind == "limit" { format!("{kind}#{rest}") } else { kind.to_owned() });
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_kinds(value, kinds)),
        Value::Object(members) => members.values().for_each(|value| collect_kinds(value, kinds)),
        _ => {}
    }
}

/// The three services, each at an address of its own as AWS's are: a connection to one is none to another.
pub struct Aws {
    pub dynamodb: Server,
    pub sns: Server,
    pub secrets_manager: Server,
    unknown: Arc<Mutex<Vec<String>>>,
}

impl Aws {
    /// `secrets`: the text of each by its ARN.
    pub fn start(canned: Canned, secrets: BTreeMap<String, String>, tls: Option<Arc<ServerConfig>>) -> Self {
        let unknown = Arc::new(Mutex::new(Vec::new()));
        let (canned, secrets) = (Arc::new(canned), Arc::new(secrets));
        let service = || {
            let (canned, secrets, noted) = (Arc::clone(&canned), Arc::clone(&secrets), Arc::clone(&unknown));
            let turns = AtomicUsize::new(0);
            Server::start(tls.clone(), move |request| {
                let reply = answer(&request, &canned, &secrets, turns.fetch_add(1, Ordering::Relaxed));
                if reply.is_none() {
                    let body = String::from_utf8_lossy(&request.body).into_owned();
                    noted.lock().unwrap().push(format!("{} {body}", request.target));
                }
                reply
            })
        };
        Self { dynamodb: service(), sns: service(), secrets_manager: service(), unknown }
    }

    /// How many connections were opened to DynamoDB and to SNS. Those of the secrets are used once.
    pub fn connections(&self) -> usize {
        self.dynamodb.connections() + self.sns.connections()
    }

    /// # Panics
    /// If it was asked for something that no engine was asked for.
    pub fn knew_everything(&self) {
        let unknown = self.unknown.lock().unwrap();
        assert!(unknown.is_empty(), "the stub has no answer to {unknown:?}");
    }
}

fn answer(
    request: &Request,
    canned: &Canned,
    secrets: &BTreeMap<String, String>,
    turn: usize,
) -> Option<Reply> {
    const JSON: &str = "application/x-amz-json-1.0";
    if let Some(operation) = request.target.strip_prefix("DynamoDB_20120810.") {
        let body = serde_json::from_slice(&request.body).ok()?;
        let answers = canned.0.get(&asked(operation, &body))?;
        let (status, answer) = &answers[turn % answers.len()];
        return Some(Reply::new(*status, JSON, answer.to_string()));
    }
    if request.target == "secretsmanager.GetSecretValue" {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let arn = body["SecretId"].as_str()?;
        let answer = json!({ "ARN": arn, "SecretString": secrets.get(arn)? });
        return Some(Reply::new(200, "application/x-amz-json-1.1", answer.to_string()));
    }
    let form = std::str::from_utf8(&request.body).ok().filter(|form| form.contains("Action=Publish"))?;
    if form.contains("PhoneNumber=") {
        let id = "00000000-0000-4000-8000-000000000001";
        let text = format!(
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId>\
             </PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
        );
        return Some(Reply::new(200, "text/xml", text));
    }
    let refused = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
                   <Code>InvalidParameter</Code><Message>no number</Message></Error><RequestId>1</RequestId></ErrorResponse>";
    Some(Reply::new(400, "text/xml", refused))
}
