//! How a function starts, or says why it can't.

use tests::runtime::{Bootstrap, RuntimeError};
use tests::template::Template;

#[tokio::test]
async fn a_function_that_lacks_something_says_what_and_does_not_start() {
    for function in Template::load().functions.keys() {
        let bootstrap = Bootstrap::spawn(function, &[]).await;
        let Err(RuntimeError::Exited(why)) = bootstrap.ready().await else { panic!("{function} starts") };
        assert!(why.contains("DIRECTORY_TABLE"), "{function}: {why}");
    }
}

#[tokio::test]
async fn a_function_whose_secret_is_no_secret_says_which_and_nothing_of_it() {
    let environment = [
        ("DIRECTORY_TABLE", "directory"),
        ("LOGINS_TABLE", "logins"),
        ("SECRET_OPERATOR", "\"mfa_operator_pasted_by_mistake\""),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ];
    let bootstrap = Bootstrap::spawn("policy-admin", &environment).await;
    let Err(RuntimeError::Exited(why)) = bootstrap.ready().await else { panic!("it starts") };
    assert!(why.contains("operator") && !why.contains("pasted"), "{why}");
}
