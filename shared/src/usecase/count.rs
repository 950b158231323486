//! What the operator counts: events of target `metrics`, which `telemetry` turns into CloudWatch's embedded metrics. No request is made
//! for them, and none of them can fail. Their names and dimensions stand in `telemetry::metrics`.

use crate::domain::login::{LoginState, Ticket};
use crate::domain::price::{MicroUsd, USD};
use crate::domain::time::Timestamp;
use crate::ports::SendOutcome;

/// One message, whatever became of it. One whose fate is open is paid for, as far as we know.
pub(super) fn message(
    ticket: &Ticket,
    country: &str,
    price: MicroUsd,
    outcome: &SendOutcome,
    now: Timestamp,
) {
    let (mut sent, mut failed, mut unknown) = (0, 0, 0);
    match outcome {
        SendOutcome::Accepted { .. } => sent = 1,
        SendOutcome::Unknown => unknown = 1,
        SendOutcome::Refused { .. } | SendOutcome::NotSent => failed = 1,
    }
    let price = if failed == 0 { price } else { 0 };
    tracing::info!(
        target: "metrics",
        at = now.millis(),
        MessagesSent = sent,
        MessagesFailed = failed,
        MessagesUnknown = unknown,
        EstimatedSpendUsd = price as f64 / USD as f64,
        Country = country,
        Tenant = %ticket.tenant,
        Application = %ticket.application,
    );
}

/// A login that its second factor has completed.
pub(super) fn verified(state: &LoginState) {
    let code = state.challenge.as_ref().and_then(|challenge| challenge.code.as_ref());
    tracing::info!(
        target: "metrics",
        at = state.now.millis(),
        CodesVerified = 1,
        Country = code.and_then(|code| code.sent_to.country.as_deref()).unwrap_or("none"),
        Tenant = %state.ticket.tenant,
        Application = %state.ticket.application,
    );
}
