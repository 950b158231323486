//! The function that CloudFormation calls: every secret gets a first value, once, and nothing of it is shown.

use http::StatusCode;
use serde_json::{Value, json};
use shared::auth::OperatorHashes;
use shared::auth::credential::Credential;
use shared::config::SecretName;
use std::sync::{Arc, Mutex};
use tests::aws::SecretsManager;
use tests::runtime::{Bootstrap, RuntimeError};
use tests::secrets::arn;
use tests::server::{self, Server};

const OPERATOR_KEY: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:operator-key-AbCdEf";

/// What CloudFormation has been told: each answer's body.
struct CloudFormation {
    server: Server,
    answers: Arc<Mutex<Vec<Value>>>,
}

impl CloudFormation {
    async fn start() -> Self {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&answers);
        let server = Server::start(move |request| {
            assert_eq!(
                (request.method().as_str(), request.uri().query()),
                ("PUT", Some("X-Amz-Signature=abc%2Fd"))
            );
            assert!(!request.headers().contains_key("content-type"), "S3's signature has none in it");
            kept.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
            Box::pin(async { Some(server::json(StatusCode::OK.as_u16(), &Value::Null)) })
        });
        Self { server: server.await, answers }
    }

    fn request(&self, kind: &str) -> Value {
        json!({
            "RequestType": kind,
            "ResponseURL": format!("{}/answer?X-Amz-Signature=abc%2Fd", self.server.url()),
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/mfa/1",
            "RequestId": "request-1",
            "ResourceType": "Custom::FirstValues",
            "LogicalResourceId": "FirstValues",
            "ResourceProperties": { "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:setup" },
        })
    }

    fn last(&self) -> Value {
        self.answers.lock().unwrap().last().cloned().unwrap()
    }
}

async fn start(secrets: &SecretsManager) -> Bootstrap {
    let mut variables: Vec<_> =
        SecretName::ALL.into_iter().map(|name| (name.variable() + "_ARN", arn(name))).collect();
    variables.push(("OPERATOR_KEY_ARN".to_owned(), OPERATOR_KEY.to_owned()));
    variables.push(("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets.url()));
    variables.push(("LOG_LEVEL".to_owned(), "trace".to_owned()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Bootstrap::spawn("secrets-setup", &variables).await
}

#[tokio::test]
async fn the_first_deployment_fills_every_secret_and_no_later_one_changes_any() {
    let arns = SecretName::ALL.map(arn).into_iter().chain([OPERATOR_KEY.to_owned()]).collect();
    let (secrets, stack) = (SecretsManager::start_empty(arns).await, CloudFormation::start().await);
    let setup = start(&secrets).await;

    setup.invoke(&stack.request("Create")).await.unwrap();
    let told = stack.last();
    assert_eq!((&told["Status"], &told["LogicalResourceId"]), (&json!("SUCCESS"), &json!("FirstValues")));
    let made = secrets.values();
    assert_eq!(made.len(), SecretName::ALL.len() + 1);
    let operator: Value = serde_json::from_str(&made[&arn(SecretName::Operator)]).unwrap();
    let key = Credential::parse(&made[OPERATOR_KEY]).unwrap();
    assert!(OperatorHashes::parse(&operator).unwrap().admits(&key));

    for kind in ["Update", "Create", "Delete"] {
        setup.invoke(&stack.request(kind)).await.unwrap();
        assert_eq!(stack.last()["Status"], "SUCCESS", "{kind}");
        assert_eq!(stack.last()["PhysicalResourceId"], told["PhysicalResourceId"], "{kind}");
        assert_eq!(secrets.values(), made, "{kind}");
    }

    let said = setup.log().text_with("first value") + &json!(*stack.answers.lock().unwrap()).to_string();
    assert!(said.contains("first value"), "{said}");
    for value in made.values() {
        for word in value.split(['"', ':', ',']).filter(|word| word.len() >= 40) {
            assert!(!said.contains(word), "{word} is shown");
        }
    }
}

#[tokio::test]
async fn a_value_that_the_operator_put_there_stays_and_a_secret_that_is_missing_fails_the_deployment() {
    let given = (arn(SecretName::CodePepper), "put by hand".to_owned());
    let secrets = SecretsManager::start([given.clone()].into()).await;
    let stack = CloudFormation::start().await;
    let setup = start(&secrets).await;
    setup.invoke(&stack.request("Create")).await.unwrap();
    assert_eq!(stack.last()["Status"], "FAILED");
    assert_eq!(secrets.values(), [given].into());
    let said = setup.log().text_with("ResourceNotFoundException");
    assert!(said.contains("ResourceNotFoundException"), "{said}");

    let Err(RuntimeError::Reported(why)) = setup.invoke(&json!({ "RequestType": "Create" })).await else {
        panic!("no request of CloudFormation is answered");
    };
    assert!(why.to_string().contains("not a request of CloudFormation"), "{why}");
}
