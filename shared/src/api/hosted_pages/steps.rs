//! A login's state as the page of its step.

use crate::api::pages::{ShownQr, scan_path};
use crate::domain::challenge::Challenge;
use crate::domain::login::{LoginState, MAX_PHONE_CHANGES};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::pages::{
    BindPhone, CodeOut, Drawing, EnterCode, Language, QrPanel, RecoveryCodes, SignIn, Step, Stop, StopReason,
};

/// A QR code that is over has made room for the password again.
pub(super) fn sign_in(login_hint: Option<&str>, qr: Option<&ShownQr>, base: &str, now: Timestamp) -> Step {
    let panel = |shown: &ShownQr| {
        let url = format!("{base}{}", scan_path(&shown.id, None));
        let expires_at = shown.expires_at.millis();
        Some(QrPanel { code: Drawing::of(&url)?, url, expires_at })
    };
    let qr = qr.filter(|shown| now < shown.expires_at).and_then(panel);
    Step::SignIn(SignIn { account: login_hint.unwrap_or_default().to_owned(), qr })
}

pub(super) fn bind_phone(language: Language, state: &LoginState, home_country: &str) -> Step {
    let named_before = state.challenge.as_ref().is_some_and(|challenge| challenge.pending.is_some());
    Step::BindPhone(BindPhone::new(language, &state.ticket.countries, Some(home_country), named_before))
}

pub(super) fn enter_code(state: &LoginState) -> Step {
    let challenge = state.challenge.as_ref();
    let (sends, number) = challenge.map_or((0, 0), |it| (it.sends, it.phone_changes));
    let code = challenge.and_then(|it| it.code.as_ref());
    Step::EnterCode(EnterCode {
        hint: state.phone_hint().unwrap_or_default().to_owned(),
        length: state.ticket.code.length,
        attempts_left: state.attempts_left(),
        sends_left: state.sends_left(),
        code: code
            .filter(|code| code.may_be_with_the_user())
            .map(|code| CodeOut { expires_at: code.expires_at.millis(), accepted: code.was_accepted() }),
        resend_at: code.map(|code| code.resend_at).filter(|at| *at > state.now).map(|at| at.millis()),
        // Another one after each message, so that one click is one message.
        send_key: format!("again-{number}-{sends}"),
        trust_days: state.ticket.trusted_devices.enabled.then_some(state.ticket.trusted_devices.days),
        recovery: state.ticket.recovery_codes,
        may_change: may_change(state),
        login_expires_at: state.ticket.expires_at.millis(),
    })
}

/// Whether no message was ever asked for to the number that the login is at.
pub(super) fn was_never_sent(state: &LoginState) -> bool {
    state.challenge.as_ref().is_none_or(|challenge| challenge.code.is_none())
}

/// Whether the login is at a number that it has named itself, and may name another.
pub(super) fn may_change(state: &LoginState) -> bool {
    let named = |it: &Challenge| it.pending.is_some() && it.phone_changes < MAX_PHONE_CHANGES;
    state.bound_hint.is_none() && state.ticket.self_service && state.challenge.as_ref().is_some_and(named)
}

pub(super) fn recovery_codes(codes: &[Secret<String>]) -> Step {
    Step::RecoveryCodes(RecoveryCodes { codes: codes.iter().map(|code| code.expose().clone()).collect() })
}

/// Every stop can be left: the request still stands, so another login may begin.
pub(super) const fn stop(reason: StopReason) -> Step {
    Step::Stop(Stop { reason, again: true })
}
