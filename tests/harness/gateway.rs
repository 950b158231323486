//! The runtime API, against a function built with the real runtime crate.

use serde_json::{Value, json};
use std::path::Path;
use tests::events::{self, CLIENT_ADDRESS};
use tests::http_client::Call;
use tests::runtime::{Bootstrap, RuntimeError};

async fn spawn(environment: &[(&str, &str)]) -> Bootstrap {
    Bootstrap::spawn_program(Path::new(env!("CARGO_BIN_EXE_echo-function")), "echo", environment).await
}

fn event(call: &Call) -> Value {
    events::http_event(call, "ANY /{proxy+}", &[])
}

#[tokio::test]
async fn a_call_reaches_the_function_and_its_answer_comes_back() {
    let function = spawn(&[]).await;
    function.ready().await.unwrap();
    let call = Call::post("/a/b?c=d&c=e", &json!({"x": "ü"})).header("x-test", "there");
    let answer = events::answer(&function.invoke(&event(&call)).await.unwrap());
    assert_eq!(answer.header("x-test"), Some("back"));
    let got = answer.expect(201);
    assert_eq!(got["method"], "POST");
    assert_eq!(got["path"], "/a/b");
    assert_eq!(got["query"], "c=d&c=e");
    assert_eq!(got["header"], "there");
    assert_eq!(got["body"], r#"{"x":"ü"}"#);
    assert_eq!(got["address"], CLIENT_ADDRESS);
    assert_eq!(got["home"], Value::Null, "it has nothing of our own environment");
    assert!(function.log().text_with("started with").contains("started with"));
}

#[tokio::test]
async fn events_take_turns_and_bodies_may_be_bytes() {
    let function = spawn(&[]).await;
    let call = |n: u8| Call::new("POST", &format!("/{n}")).raw(vec![0xff, n]);
    let events = [1, 2, 3].map(|n| event(&call(n)));
    let answers = futures::future::join_all(events.iter().map(|event| function.invoke(event))).await;
    for (n, answer) in (1..).zip(answers) {
        assert_eq!(events::answer(&answer.unwrap()).expect(201)["path"], format!("/{n}"));
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let function = spawn(&[]).await;
    let failed = function.invoke(&event(&Call::get("/fail"))).await;
    assert!(
        matches!(&failed, Err(RuntimeError::Reported(error)) if error["errorMessage"] == "told to"),
        "{failed:?}"
    );
    // A failure is one invocation's.
    function.invoke(&event(&Call::get("/"))).await.unwrap();
    let no_event = function.invoke(&json!({"no": "event"})).await;
    assert!(matches!(no_event, Err(RuntimeError::Reported(_))), "{no_event:?}");
    let ended = function.invoke(&event(&Call::get("/end"))).await;
    assert!(matches!(ended, Err(RuntimeError::Exited(_))), "{ended:?}");

    let function = spawn(&[("FAIL_AT_START", "1")]).await;
    let never = function.ready().await;
    assert!(matches!(never, Err(RuntimeError::Exited(_))), "{never:?}");
    assert!(function.invoke(&event(&Call::get("/"))).await.is_err());
}
