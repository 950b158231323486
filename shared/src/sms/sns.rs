//! Messages through Amazon SNS (`Publish` to a phone number).
//!
//! The SDK repeats whatever looks transient, a timeout or a 500 too, and a user would get the message twice and pay for it. Here a
//! message leaves at most once: it is tried again, one time, only where the connection never opened or the provider said that it was too
//! busy to take it. Whatever else leaves it open whether the message went is [`SendOutcome::Unknown`].

use crate::domain::challenge::Undelivered;
use crate::ports::{OutgoingMessage, SendOutcome, SmsSender};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::{PublishError, PublishOutput};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use hyper_util::client::legacy;
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

/// How long to wait before the one other try. SNS's quotas are per second.
const PAUSE: Duration = Duration::from_millis(300);

/// What is set on every message, where the account has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnsOptions {
    /// Shown as the sender in countries that allow it; 1–11 letters and digits.
    pub sender_id: Option<String>,
    /// SNS refuses a message that would cost more, in US dollars.
    pub max_price_usd: Option<String>,
    /// One of the account's own numbers, in E.164.
    pub origination_number: Option<String>,
}

/// Sends through SNS.
#[derive(Clone, Debug)]
pub struct SnsSender {
    client: Client,
    attributes: HashMap<String, MessageAttributeValue>,
}

/// What one try showed.
enum Try {
    Done(SendOutcome),
    /// Nothing was sent, and trying again may help.
    Again,
}

impl SnsSender {
    /// `client` must not retry by itself: [`crate::config::Aws::sns`] makes one that doesn't.
    pub fn new(client: Client, options: SnsOptions) -> Self {
        let attributes = [
            ("AWS.SNS.SMS.SMSType", "String", Some("Transactional".to_owned())),
            ("AWS.SNS.SMS.SenderID", "String", options.sender_id),
            ("AWS.SNS.SMS.MaxPrice", "Number", options.max_price_usd),
            ("AWS.MM.SMS.OriginationNumber", "String", options.origination_number),
        ];
        let attributes = attributes.into_iter().filter_map(|(name, data_type, value)| {
            let attribute =
                MessageAttributeValue::builder().data_type(data_type).string_value(value?).build();
            Some((name.to_owned(), attribute.expect("only a missing data type is an error")))
        });
        Self { client, attributes: attributes.collect() }
    }

    /// Opens the connection, by a request that names nobody and so sends nothing.
    pub async fn connect(&self) {
        if self.client.publish().message("-").send().await.is_ok() {
            tracing::error!("sns: took a message to nobody");
        }
    }

    async fn attempt(&self, message: &OutgoingMessage) -> Try {
        let request = self
            .client
            .publish()
            .phone_number(message.to.expose())
            .message(message.body.expose())
            .set_message_attributes(Some(self.attributes.clone()));
        judge(request.send().await)
    }
}

#[async_trait]
impl SmsSender for SnsSender {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        if let Try::Done(outcome) = self.attempt(message).await {
            return outcome;
        }
        tokio::time::sleep(PAUSE).await;
        match self.attempt(message).await {
            Try::Done(outcome) => outcome,
            Try::Again => SendOutcome::NotSent,
        }
    }
}

fn judge(answer: Result<PublishOutput, SdkError<PublishError, HttpResponse>>) -> Try {
    let error = match answer {
        Ok(output) => {
            return Try::Done(SendOutcome::Accepted { message_id: output.message_id.unwrap_or_default() });
        }
        Err(error) => error,
    };
    match &error {
        SdkError::ServiceError(context) => {
            refused(context.err().code().unwrap_or_default(), context.raw().status().as_u16())
        }
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(never_connected) => {
            tracing::warn!("sns: no connection");
            Try::Again
        }
        SdkError::ConstructionFailure(_) => {
            tracing::error!("sns: the request could not be built");
            Try::Done(SendOutcome::NotSent)
        }
        SdkError::TimeoutError(_) => unknown("no answer in time"),
        SdkError::DispatchFailure(_) => unknown("the connection broke"),
        _ => unknown("the answer could not be read"),
    }
}

fn unknown(why: &'static str) -> Try {
    tracing::warn!(why, "sns: outcome unknown");
    Try::Done(SendOutcome::Unknown)
}

/// Whether the failure came before a connection stood: nothing can have been sent then.
fn never_connected(error: &ConnectorError) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<legacy::Error>() {
            return error.is_connect();
        }
        cause = error.source();
    }
    false
}

/// Judges an answer that is an error. The log gets the provider's code and never its message, which may quote the number.
fn refused(code: &str, status: u16) -> Try {
    let throttled = status == 429 || code.contains("Throttl") || code == "TooManyRequestsException";
    if throttled {
        tracing::warn!(code, status, "sns: throttled");
        return Try::Again;
    }
    // A success that can't be read also ends here.
    if !(400..500).contains(&status) || status == 408 || code.starts_with("RequestTimeout") {
        return unknown("the provider failed");
    }
    let reason = match code {
        "InvalidParameter"
        | "InvalidParameterException"
        | "ParameterValueInvalid"
        | "ValidationError"
        | "ValidationException" => Undelivered::InvalidParameter,
        "OptedOut" | "OptedOutException" => Undelivered::OptedOut,
        "AuthorizationError"
        | "AccessDenied"
        | "AccessDeniedException"
        | "InvalidSecurity"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken" => Undelivered::NotAuthorized,
        _ => Undelivered::Rejected,
    };
    tracing::error!(code, status, reason = reason.as_str(), "sns: refused");
    Try::Done(SendOutcome::Refused { reason })
}

#[cfg(test)]
#[path = "sns_tests.rs"]
mod tests;
