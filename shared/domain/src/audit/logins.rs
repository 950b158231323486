//! What the audit tells of a user's logins.

use super::{Actor, AuditEvent, Details, EventKind, Provenance};
use crate::challenge::MAX_FAILURES;
use crate::ids::{ApplicationId, EventId, LoginId, QrLoginId, TenantId, UserId};
use crate::login::Purpose;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Whose login it is, at what moment, and where the call came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginStep {
    pub tenant: TenantId,
    pub user: UserId,
    pub application: ApplicationId,
    pub at: Timestamp,
    pub provenance: Provenance,
}

/// A guess that was charged.
#[derive(Clone, Debug)]
pub struct JudgedGuess {
    pub step: LoginStep,
    pub login: LoginId,
    pub purpose: Purpose,
    /// 1 for the first of its login.
    pub attempt: u32,
    pub max_attempts: u32,
    pub of: GuessedCode,
    pub right: bool,
}

/// Which code it was a guess at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuessedCode {
    /// A message's, with keyed hash and hint of the number that it went to.
    Sms {
        hash: String,
        hint: String,
    },
    Recovery,
}

/// Wrong codes in a row, as they were before and after one more.
#[derive(Clone, Debug)]
pub struct CountedFailure {
    pub step: LoginStep,
    pub login: LoginId,
    pub before: u32,
    pub after: u32,
    /// Of that login.
    pub max_attempts: u32,
}

/// The first of an hour's messages to a user that one rule refused.
#[derive(Clone, Debug)]
pub struct RefusedSend {
    pub step: LoginStep,
    /// A limit's name, or the refusal's code.
    pub rule: String,
}

/// A QR login that the user who scanned it has said yes or no to.
#[derive(Clone, Debug)]
pub struct DecidedQrLogin {
    /// The application is the one that asked; the rest is of who decided.
    pub step: LoginStep,
    pub qr: QrLoginId,
    pub asked_from: Option<IpAddr>,
    pub approved: bool,
}

impl JudgedGuess {
    /// `id` gives an event of the same kind the same id, however often it is told.
    pub fn told(self, id: impl Fn(EventKind) -> EventId) -> Vec<AuditEvent> {
        let kind = if self.right { EventKind::CodeAccepted } else { EventKind::CodeRejected };
        let (of, phone) = match &self.of {
            GuessedCode::Sms { hash, hint } => ("sms", json!({"hash": hash, "hint": hint})),
            GuessedCode::Recovery => ("recovery_code", Value::Null),
        };
        let guess = json!({
            "login": self.login.as_str(),
            "purpose": self.purpose.as_str(),
            "attempt": self.attempt,
            "factor": of,
            "phone": phone,
        });
        let mut events = vec![self.step.event(kind, &id, Actor::User(self.step.user.clone()), guess)];
        if !self.right && self.attempt >= self.max_attempts {
            let block = json!({"login": self.login.as_str(), "attempts": self.attempt});
            events.push(self.step.event(EventKind::LoginBlocked, &id, Actor::System, block));
        }
        events
    }
}

impl CountedFailure {
    /// Told of the one failure that leaves no room for another code's guesses (NIST SP 800-63B-4 §3.2.2).
    pub fn told(self, id: impl Fn(EventKind) -> EventId) -> Option<AuditEvent> {
        let room = |failures: u32| failures.saturating_add(self.max_attempts) <= MAX_FAILURES;
        let crossed = room(self.before) && !room(self.after);
        let lock = json!({"login": self.login.as_str(), "failed_codes": self.after});
        crossed.then(|| self.step.event(EventKind::FactorDisabled, &id, Actor::System, lock))
    }
}

impl DecidedQrLogin {
    pub fn told(self, id: impl Fn(EventKind) -> EventId) -> AuditEvent {
        let kind = if self.approved { EventKind::QrLoginApproved } else { EventKind::QrLoginRejected };
        let asked_from = self.asked_from.map(|address| address.to_string());
        let after = json!({"qr": self.qr.as_str(), "asked_from": asked_from});
        self.step.event(kind, &id, Actor::User(self.step.user.clone()), after)
    }
}

impl RefusedSend {
    pub fn told(self, id: impl Fn(EventKind) -> EventId) -> AuditEvent {
        let actor = Actor::User(self.step.user.clone());
        self.step.event(EventKind::SendRefused, &id, actor, json!({"rule": self.rule}))
    }
}

impl LoginStep {
    fn event(
        &self,
        kind: EventKind,
        id: &impl Fn(EventKind) -> EventId,
        actor: Actor,
        after: Value,
    ) -> AuditEvent {
        let after: Option<Details> = after.as_object().cloned();
        AuditEvent {
            id: id(kind),
            tenant: self.tenant.clone(),
            at: self.at,
            kind,
            actor,
            provenance: self.provenance.clone(),
            user: Some(self.user.clone()),
            application: Some(self.application.clone()),
            before: None,
            after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> LoginStep {
        let tenant = TenantId::parse("ten_aaaaaaaaaaaa").expect("an id");
        LoginStep {
            user: UserId::generate(|b| b.fill(1)),
            application: ApplicationId::generate(&tenant, |b| b.fill(1)),
            tenant,
            at: Timestamp::from_secs(5),
            provenance: Provenance { client_ip: None, request_id: Some("r".to_owned()) },
        }
    }

    fn id(_: EventKind) -> EventId {
        EventId::generate(|b| b.fill(1))
    }

    fn guess(attempt: u32, max_attempts: u32, right: bool) -> Vec<AuditEvent> {
        let of = GuessedCode::Sms { hash: "HASH".to_owned(), hint: "…01".to_owned() };
        let (login, purpose) = (LoginId::generate(|b| b.fill(1)), Purpose::SignIn);
        JudgedGuess { step: step(), login, purpose, attempt, max_attempts, of, right }.told(id)
    }

    fn kinds(events: &[AuditEvent]) -> Vec<EventKind> {
        events.iter().map(|event| event.kind).collect()
    }

    #[test]
    fn the_last_wrong_guess_of_a_login_blocks_it() {
        assert_eq!(kinds(&guess(1, 5, false)), [EventKind::CodeRejected]);
        assert_eq!(kinds(&guess(5, 5, false)), [EventKind::CodeRejected, EventKind::LoginBlocked]);
        assert_eq!(kinds(&guess(5, 5, true)), [EventKind::CodeAccepted]);
    }

    #[test]
    fn a_guess_says_who_when_from_where_and_of_the_number_a_hash_and_a_mask() {
        let event = guess(2, 5, true).remove(0);
        assert_eq!(event.actor, Actor::User(step().user));
        assert_eq!((event.user, event.application), (Some(step().user), Some(step().application)));
        assert_eq!((event.at, event.provenance), (step().at, step().provenance));
        let after = Value::from(event.after.expect("details"));
        assert_eq!((&after["attempt"], &after["purpose"]), (&json!(2), &json!("sign_in")));
        assert_eq!(after["factor"], "sms");
        assert_eq!(after["phone"], json!({"hash": "HASH", "hint": "…01"}));
    }

    #[test]
    fn a_factor_is_disabled_by_the_failure_that_leaves_no_room_and_by_no_other() {
        let disabled = |before: u32, after: u32, max_attempts: u32| {
            let login = LoginId::generate(|b| b.fill(1));
            CountedFailure { step: step(), login, before, after, max_attempts }.told(id).is_some()
        };
        assert!(!disabled(94, 95, 5) && disabled(95, 96, 5) && !disabled(96, 97, 5));
        assert!(disabled(90, 91, 10) && !disabled(98, 99, 1) && disabled(99, 100, 1));
        assert!(!disabled(0, 0, 5) && disabled(94, 97, 5), "several at once");
    }

    #[test]
    fn f2_a_decision_names_the_browser_that_asked_and_the_device_that_decided() {
        let qr = QrLoginId::generate(&step().tenant, |b| b.fill(1));
        let asked_from = "192.0.2.7".parse().ok();
        for (approved, kind) in [(true, EventKind::QrLoginApproved), (false, EventKind::QrLoginRejected)] {
            let event = DecidedQrLogin { step: step(), qr: qr.clone(), asked_from, approved }.told(id);
            assert_eq!((event.kind, event.actor), (kind, Actor::User(step().user)));
            assert_eq!(event.provenance, step().provenance);
            assert_eq!(
                event.after.map(Value::from),
                Some(json!({"qr": qr.as_str(), "asked_from": "192.0.2.7"}))
            );
        }
    }

    #[test]
    fn a_refusal_names_its_rule() {
        let event = RefusedSend { step: step(), rule: "per_user_hour".to_owned() }.told(id);
        assert_eq!((event.kind, event.user), (EventKind::SendRefused, Some(step().user)));
        assert_eq!(event.after.map(Value::from), Some(json!({"rule": "per_user_hour"})));
    }
}
