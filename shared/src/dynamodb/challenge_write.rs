//! Conditional updates of a challenge, which answer how it stands either way.

use super::challenge_item::{self, Reader};
use super::request::{Item, condition_failed};
use crate::domain::challenge::Challenge;
use crate::ports::Fault;
use crate::ports::login::Charged;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

/// The challenge as the update left it; where its condition did not hold, the item as it is, if there is one.
pub(super) async fn update(
    update: UpdateItemFluentBuilder,
) -> Result<Result<Challenge, Option<Item>>, Fault> {
    let outcome = update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    match outcome {
        Ok(answer) => challenge_item::decode(&answer.attributes.unwrap_or_default()).map(Ok),
        Err(error) => Ok(Err(condition_failed(error)?)),
    }
}

/// Charges an attempt. One of our own whose answer was lost, and which the SDK tried again, counts as charged.
pub(super) async fn charge(charge: UpdateItemFluentBuilder, attempt: &str) -> Result<Charged, Fault> {
    let old = match update(charge).await? {
        Ok(challenge) => return Ok(Charged::Judged(challenge)),
        Err(None) => return Ok(Charged::Refused(None)),
        Err(Some(old)) => old,
    };
    let ours = Reader(&old).text("last_attempt") == Some(attempt);
    let challenge = challenge_item::decode(&old)?;
    Ok(if ours { Charged::Judged(challenge) } else { Charged::Refused(Some(challenge)) })
}

/// How the challenge stands afterwards, changed or not.
pub(super) async fn change(change: UpdateItemFluentBuilder) -> Result<Option<Challenge>, Fault> {
    match update(change).await? {
        Ok(challenge) => Ok(Some(challenge)),
        Err(old) => old.map(|old| challenge_item::decode(&old)).transpose(),
    }
}
