//! A login's life: from the first factor to the tokens.
//!
//! Everything that is fixed at the start travels in the [`Ticket`], sealed into the client's login token: a login in flight is decided
//! by the policy of its start (acceptance G5), and neither sending nor verifying has to read policy again. What changes is the
//! [`Challenge`]. A [`LoginState`] is both at one moment, and what every answer and error shows.

use super::application::Application;
use super::challenge::Challenge;
use super::ids::{ApplicationId, LoginId, SourceId, TenantId, UserId};
use super::policy::effective_rules;
use super::refusal::Refusal;
use super::settings::{CodeRules, Limits, TrustedDevices};
use super::tenant::Tenant;
use super::test_number::TestNumbers;
use super::time::Timestamp;

/// How long a login may take, in seconds.
pub const LOGIN_SECONDS: u32 = 600;
/// How often a login may name another number to bind.
pub const MAX_PHONE_CHANGES: u8 = 3;

/// What a login is for. It is part of every code's MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    ReplacePhone,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::ReplacePhone => "replace_phone",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Purpose::SignIn, Purpose::ReplacePhone].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// What was proven before the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactor {
    Password,
    /// The user is signed in already.
    AccessToken,
    /// A trusted back end says so, with the application's secret.
    Assertion,
    /// An external identity source says so, in an id token that was checked here.
    IdToken,
    /// A device that was signed in here has approved the browser's QR code.
    Qr,
}

impl FirstFactor {
    const ALL: [FirstFactor; 5] = [
        FirstFactor::Password,
        FirstFactor::AccessToken,
        FirstFactor::Assertion,
        FirstFactor::IdToken,
        FirstFactor::Qr,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            FirstFactor::Password => "password",
            FirstFactor::AccessToken => "access_token",
            FirstFactor::Assertion => "assertion",
            FirstFactor::IdToken => "id_token",
            FirstFactor::Qr => "qr",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.as_str() == text)
    }
}

/// What was proven after the first factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// The code of a message.
    Sms,
    RecoveryCode,
    /// A device that a second factor was proven on before; it spares the code, and is none.
    TrustedDevice,
}

impl SecondFactor {
    const ALL: [SecondFactor; 3] =
        [SecondFactor::Sms, SecondFactor::RecoveryCode, SecondFactor::TrustedDevice];

    pub const fn as_str(self) -> &'static str {
        match self {
            SecondFactor::Sms => "sms",
            SecondFactor::RecoveryCode => "recovery_code",
            SecondFactor::TrustedDevice => "trusted_device",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.as_str() == text)
    }
}
/// How `amr` names a first factor by a QR code.
pub(super) const QR: &str = "qr";
/// How `amr` names a code that a message brought (RFC 8176).
pub(super) const SMS: &str = "sms";

/// What was proven in a login that has no second factor, or has finished it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub first: FirstFactor,
    pub second: Option<SecondFactor>,
}

impl Proof {
    /// Authentication methods that this service saw itself (RFC 8176). A back end's assertion is not one, and an id token shows who signed
    /// it, not how its user was authenticated; a recovery code has no name there. Nor has a QR code, which was seen here: `qr` is a name of our
    /// own, and no `mfa` goes with it, since it proves a session and no factor by itself.
    pub const fn amr(self) -> &'static [&'static str] {
        match (self.first, self.second) {
            (FirstFactor::Password, Some(SecondFactor::Sms)) => &["pwd", SMS, "mfa"],
            (FirstFactor::Password, Some(SecondFactor::RecoveryCode)) => &["pwd", "mfa"],
            (FirstFactor::Password, Some(SecondFactor::TrustedDevice) | None) => &["pwd"],
            (FirstFactor::Qr, Some(SecondFactor::Sms)) => &[QR, SMS],
            (FirstFactor::Qr, _) => &[QR],
            (_, Some(SecondFactor::Sms)) => &[SMS],
            (_, Some(SecondFactor::RecoveryCode | SecondFactor::TrustedDevice) | None) => &[],
        }
    }

    /// NIST SP 800-63B-4 authenticator assurance level: two factors were proven in this login, or one.
    pub const fn acr(self) -> &'static str {
        match self.second {
            Some(SecondFactor::Sms | SecondFactor::RecoveryCode) => "aal2",
            Some(SecondFactor::TrustedDevice) | None => "aal1",
        }
    }
}

/// What is fixed when a login starts. Sealed into the login token; nobody but this service reads or writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub login: LoginId,
    pub tenant: TenantId,
    pub application: ApplicationId,
    pub user: UserId,
    pub source: Option<SourceId>,
    pub purpose: Purpose,
    pub first: FirstFactor,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    pub code: CodeRules,
    /// Whether this login may make its device a trusted one, and for how long.
    pub trusted_devices: TrustedDevices,
    /// Whether a user without a number may bind one in this login (acceptance F11).
    pub self_service: bool,
    /// ISO 3166-1 alpha-2 codes that messages may go to.
    pub countries: Vec<String>,
    pub sending_enabled: bool,
    /// Whether recovery codes are made and taken.
    pub recovery_codes: bool,
    pub limits: Limits,
    /// Whether calls come from the client itself. A login that a back end started, with the application's secret, is
    /// likely carried on by it too: its address is not the user's and counts against no limit.
    pub sees_client: bool,
    /// Hint of the number that was bound at the start.
    pub bound_hint: Option<String>,
    /// Browser origins that may read this login's answers.
    pub origins: Vec<String>,
    /// Host of the message's last line.
    pub message_host: Option<String>,
    /// Whose code it is, as the message names it.
    pub sender_name: String,
    /// The tenant's own words for this user, as they were at the start.
    pub template: Option<String>,
    pub locale: Option<String>,
    /// Of the tenant's test numbers those that this login may meet.
    pub test_numbers: TestNumbers,
}

/// What a ticket is made from.
#[derive(Clone, Debug)]
pub struct LoginStart<'a> {
    pub login: LoginId,
    pub tenant: &'a Tenant,
    pub application: &'a Application,
    pub user: UserId,
    pub source: Option<SourceId>,
    pub purpose: Purpose,
    pub first: FirstFactor,
    pub sees_client: bool,
    pub bound_hint: Option<String>,
    pub locale: Option<String>,
    /// Host of the hosted pages, for messages of applications that name none of their own.
    pub own_host: Option<&'a str>,
    pub test_numbers: TestNumbers,
    pub now: Timestamp,
}

impl Ticket {
    /// The policy of this moment, for the whole login.
    pub fn new(start: LoginStart<'_>) -> Self {
        let LoginStart { tenant, application, now, .. } = start;
        let rules = effective_rules(tenant, application);
        Self {
            login: start.login,
            tenant: tenant.id.clone(),
            application: application.id.clone(),
            user: start.user,
            source: start.source,
            purpose: start.purpose,
            first: start.first,
            started_at: now,
            expires_at: now.plus_secs(LOGIN_SECONDS),
            code: rules.code,
            trusted_devices: rules.trusted_devices,
            self_service: rules.phone_binding.self_service,
            countries: tenant.security.countries_allow.clone(),
            sending_enabled: tenant.security.sending_enabled,
            recovery_codes: tenant.security.recovery_codes_enabled,
            limits: tenant.security.limits,
            sees_client: start.sees_client,
            bound_hint: start.bound_hint,
            origins: application.origins.clone(),
            message_host: application.code_host().or(start.own_host).map(str::to_owned),
            sender_name: tenant.name.clone(),
            template: tenant
                .message_templates
                .for_user(start.locale.as_deref())
                .map(|text| text.as_str().to_owned()),
            locale: start.locale,
            test_numbers: start.test_numbers,
        }
    }

    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

/// The `status` of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    BindPhone,
    ContactAdministrator,
    EnterCode,
    Complete,
    Expired,
    Blocked,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::BindPhone => "bind_phone",
            Status::ContactAdministrator => "contact_administrator",
            Status::EnterCode => "enter_code",
            Status::Complete => "complete",
            Status::Expired => "expired",
            Status::Blocked => "blocked",
        }
    }
}

/// One login at one moment.
#[derive(Clone, Debug)]
pub struct LoginState {
    pub ticket: Ticket,
    /// Hint of the number that is bound now.
    pub bound_hint: Option<String>,
    pub challenge: Option<Challenge>,
    pub now: Timestamp,
}

impl LoginState {
    /// Right after the first factor.
    pub fn started(ticket: Ticket) -> Self {
        Self { bound_hint: ticket.bound_hint.clone(), challenge: None, now: ticket.started_at, ticket }
    }

    pub fn status(&self) -> Status {
        let challenge = self.challenge.as_ref();
        if challenge.is_some_and(Challenge::is_complete) {
            Status::Complete
        } else if self.ticket.is_over(self.now) {
            Status::Expired
        } else if challenge.is_some_and(|c| c.attempts >= u32::from(self.ticket.code.max_attempts)) {
            Status::Blocked
        } else if self.bound_hint.is_some() || challenge.is_some_and(|c| c.pending.is_some()) {
            Status::EnterCode
        } else if self.ticket.self_service {
            Status::BindPhone
        } else {
            Status::ContactAdministrator
        }
    }

    /// Masked form of the number that a code goes to, or went to.
    pub fn phone_hint(&self) -> Option<&str> {
        let challenge = self.challenge.as_ref();
        let pending = challenge.and_then(|c| c.pending.as_ref()).map(|phone| phone.hint.as_str());
        let replacing = challenge.is_some_and(|c| c.replaces.is_some() && c.old_proven.is_some());
        pending
            .filter(|_| replacing)
            .or(self.bound_hint.as_deref())
            .or(pending)
            .or_else(|| challenge?.code.as_ref().map(|code| code.sent_to.hint.as_str()))
    }

    pub fn attempts_left(&self) -> u32 {
        let used = self.challenge.as_ref().map_or(0, |c| c.attempts);
        u32::from(self.ticket.code.max_attempts).saturating_sub(used)
    }

    pub fn sends_left(&self) -> u32 {
        let used = self.challenge.as_ref().map_or(0, |c| c.sends);
        u32::from(self.ticket.code.max_sends.saturating_sub(used))
    }

    /// Why this login takes nothing more, if so: the checks that every step shares.
    pub fn open(&self) -> Result<(), Refusal> {
        match self.status() {
            Status::Complete => Err(Refusal::LoginComplete),
            Status::Expired => Err(Refusal::LoginExpired),
            Status::Blocked => Err(Refusal::TooManyAttempts { retry_at: self.ticket.expires_at }),
            Status::BindPhone | Status::ContactAdministrator | Status::EnterCode => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
