//! The services of AWS that the functions call beside DynamoDB, as far as they call them: SNS takes messages, Secrets Manager has secrets.

use crate::events::decode;
use crate::local::{code_in, has_code};
use crate::server::{self, Answer, Server};
use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// One message that was published to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub to: String,
    pub body: String,
    /// Data type and value of each attribute.
    pub attributes: BTreeMap<String, (String, String)>,
}

/// SNS: takes every message and keeps it.
#[derive(Debug)]
pub struct Sns {
    server: Server,
    published: Arc<Mutex<Vec<Published>>>,
}

impl Sns {
    pub async fn start() -> Self {
        let published = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&published);
        let server = Server::start(move |request| {
            let answer = publish(&request, &mut kept.lock().unwrap());
            async { answer }.boxed()
        });
        Self { server: server.await, published }
    }

    /// For `AWS_ENDPOINT_URL_SNS`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Everything published so far, oldest first.
    pub fn published(&self) -> Vec<Published> {
        self.published.lock().unwrap().clone()
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
    let entry = |number: usize, member: &str| {
        form.get(&format!("MessageAttributes.entry.{number}.{member}")).cloned().unwrap_or_default()
    };
    let numbers = (1..).take_while(|number| !entry(*number, "Name").is_empty());
    let attribute = |number| {
        let value = (entry(number, "Value.DataType"), entry(number, "Value.StringValue"));
        (entry(number, "Name"), value)
    };
    published.push(Published {
        to: form["PhoneNumber"].clone(),
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

/// Secrets Manager: knows some secrets by ARN.
#[derive(Debug)]
pub struct SecretsManager {
    server: Server,
}

impl SecretsManager {
    /// `secrets`: the text of each by its ARN.
    pub async fn start(secrets: BTreeMap<String, String>) -> Self {
        let server = Server::start(move |request| {
            let answer = get_secret_value(&request, &secrets);
            async { Some(answer) }.boxed()
        });
        Self { server: server.await }
    }

    /// For `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

fn get_secret_value(request: &Request<Bytes>, secrets: &BTreeMap<String, String>) -> Response<Full<Bytes>> {
    assert_eq!(
        request.headers()["x-amz-target"],
        "secretsmanager.GetSecretValue",
        "nothing else is asked of it"
    );
    let asked: Value = serde_json::from_slice(request.body()).unwrap();
    let arn = asked["SecretId"].as_str().unwrap();
    match secrets.get(arn) {
        Some(text) => server::json(200, &json!({"ARN": arn, "SecretString": text})),
        None => {
            let message = "Secrets Manager can't find the specified secret.";
            server::json(400, &json!({"__type": "ResourceNotFoundException", "message": message}))
        }
    }
}
