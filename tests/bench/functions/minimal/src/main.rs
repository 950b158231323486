//! A Lambda function with the SDK calls of `code-verification` and nothing else: four secrets and a read at the start, one `UpdateItem` a
//! request. Its clients are the service's own, so that what is between the two is the service's logic.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue::{self, Bs, L, N, S};
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use lambda_http::{Body, Error, Request, Response, service_fn};
use shared::config::{Environment, SecretName};
use std::env::var;

const SECRETS: [SecretName; 4] =
    [SecretName::CodePepper, SecretName::RecoveryPepper, SecretName::Sealing, SecretName::Signing];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    let aws = environment.aws()?;
    let (client, table) = (aws.dynamodb(), environment.tables()?.logins);
    let read = async {
        let key = [("pk", "limit#warm#none"), ("sk", "limit")];
        let key = key.map(|(name, value)| (name.to_owned(), S(value.to_owned())));
        let _ = client.get_item().table_name(&table).set_key(Some(key.into())).send().await;
        Ok(())
    };
    let [pepper, recovery, sealing, signing] = SECRETS.map(|name| environment.secret(&aws, name));
    tokio::try_join!(read, pepper, recovery, sealing, signing)?;
    // Which item is guessed at.
    let (pk, sk, mac) = (var("BENCH_PK")?, var("BENCH_SK")?, var("BENCH_MAC")?);
    let mac: Vec<u8> =
        (0..mac.len() / 2).filter_map(|at| u8::from_str_radix(&mac[2 * at..2 * at + 2], 16).ok()).collect();
    let (client, table, pk, sk, mac) = (&client, &table, &pk, &sk, &mac);
    lambda_http::run(service_fn(async move |_: Request| guess(client, table, pk, sk, mac).await)).await
}

async fn guess(
    client: &Client,
    table: &str,
    pk: &str,
    sk: &str,
    mac: &[u8],
) -> Result<Response<Body>, Error> {
    let text = |text: &str| S(text.to_owned());
    let number = |text: &str| N(text.to_owned());
    let judged: Vec<AttributeValue> = vec![text("a guess, as the audit's trail has it")];
    let answer = client
        .update_item()
        .table_name(table)
        .key("pk", text(pk))
        .key("sk", text(sk))
        .update_expression(
            "ADD guesses :guesses, attempts :one \
             SET last_attempt = :attempt, judged = list_append(if_not_exists(judged, :none), :judged)",
        )
        .condition_expression(
            "attribute_exists(code_mac) AND attribute_not_exists(completed) AND expires_at > :now \
             AND attempts < :max \
             AND (attribute_exists(pending) OR NOT contains(guesses, code_mac)) \
             AND (attribute_not_exists(last_attempt) OR last_attempt <> :attempt)",
        )
        .expression_attribute_values(":guesses", Bs(vec![Blob::new(mac)]))
        .expression_attribute_values(":one", number("1"))
        .expression_attribute_values(":attempt", text("0123456789abcdefghijkl"))
        .expression_attribute_values(":none", L(Vec::new()))
        .expression_attribute_values(":judged", L(judged))
        .expression_attribute_values(":now", number("0"))
        .expression_attribute_values(":max", number("5"))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await?;
    let right = answer.attributes.is_some_and(|item| {
        item.get("code_mac").is_some_and(|code| code.as_b().is_ok_and(|code| code.as_ref() == mac))
    });
    Ok(Response::builder().status(if right { 200 } else { 401 }).body(Body::Empty)?)
}
