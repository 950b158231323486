//! The items of the model, as small as they can be, and the domain's own types made of them.

use shared::domain::challenge::{Challenge, Delivery, MAX_FAILURES, SentCode, SentTo};
use shared::domain::factor::{Factor, FactorPhone};
use shared::domain::ids::{ApplicationId, LoginId, TenantId, UserId};
use shared::domain::login::{FirstFactor, LOGIN_SECONDS, LoginState, Purpose, Ticket};
use shared::domain::settings::{CodeRules, Limits, TrustedDevices};
use shared::domain::time::Timestamp;
use std::collections::BTreeSet;

/// Seconds since the model's start.
pub type Second = u16;
/// Which user, login, number, text of a code, pepper.
pub type Index = u8;

/// Every login's cap of guesses and of sends: small, so that it is met.
pub const RULES: CodeRules =
    CodeRules { length: 6, lifetime_seconds: 60, max_attempts: 2, resend_cooldown_seconds: 15, max_sends: 2 };
/// The text that is nobody's code.
pub const WRONG: Index = 15;

/// When the model starts, in the domain's time.
const START: i64 = 1_800_000_000;

pub fn time(second: Second) -> Timestamp {
    Timestamp::from_secs(START + i64::from(second))
}

pub fn second(time: Timestamp) -> Second {
    Second::try_from(time.secs() - START).expect("within the model's time")
}

/// What a code's MAC is made of, within its login: equal exactly where the MACs are.
pub type Mac = (Index, Index);

/// The item `factor` of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FactorItem {
    pub phone: Option<Index>,
    pub failures: u8,
    pub revision: u8,
    pub recent_sends: Vec<Second>,
}

/// What the provider said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivered {
    Accepted,
    Unknown,
    Failed,
}

impl From<Delivered> for Delivery {
    fn from(delivered: Delivered) -> Self {
        match delivered {
            Delivered::Accepted => Delivery::Accepted,
            Delivered::Unknown => Delivery::Unknown,
            Delivered::Failed => Delivery::Failed,
        }
    }
}

/// The code that is out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodeItem {
    pub text: Index,
    pub pepper: Index,
    pub sent_to: Index,
    pub first_sent_at: Second,
    pub sent_at: Second,
    pub expires_at: Second,
    pub resend_at: Second,
    pub delivered: Delivered,
    pub failures_before: u8,
    /// Of the code that this one took the place of. Only a broken variant keeps it.
    pub before: Option<Mac>,
}

impl CodeItem {
    pub fn mac(&self) -> Mac {
        (self.pepper, self.text)
    }
}

/// The item `challenge` of a login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChallengeItem {
    pub attempts: u8,
    pub sends: u8,
    pub phone_changes: u8,
    pub pending: Option<Index>,
    /// How `pending` is sealed: no two requests seal alike.
    pub sealed: Option<u8>,
    pub replaces: Option<Index>,
    pub old_proven: Option<Second>,
    pub code: Option<CodeItem>,
    pub guesses: BTreeSet<Mac>,
    pub last_attempt: Option<u8>,
    pub idempotency: BTreeSet<Index>,
    pub completed: bool,
}

impl ChallengeItem {
    pub fn mac(&self) -> Option<Mac> {
        self.code.as_ref().map(CodeItem::mac)
    }

    pub fn is_spent(&self) -> bool {
        self.mac().is_some_and(|mac| self.guesses.contains(&mac))
    }

    /// `REMOVE pending`
    pub fn remove_pending(&mut self) {
        self.pending = None;
        self.sealed = None;
    }

    /// `REMOVE code_mac, nonce, guesses, expires_at, first_sent_at`
    pub fn remove_code(&mut self) {
        self.code = None;
        self.guesses.clear();
    }
}

/// One login's fixed part.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: Index,
    pub ticket: Ticket,
}

impl Login {
    /// All logins start at the model's start.
    pub fn new(index: Index, user: Index, purpose: Purpose, bound: Option<Index>) -> Self {
        let tenant = TenantId::generate(|bytes| bytes.fill(1));
        let ticket = Ticket {
            login: LoginId::generate(|bytes| bytes.fill(index + 1)),
            application: ApplicationId::generate(&tenant, |bytes| bytes.fill(1)),
            tenant,
            user: UserId::generate(|bytes| bytes.fill(user + 1)),
            source: None,
            purpose,
            first: FirstFactor::Password,
            started_at: time(0),
            expires_at: time(0).plus_secs(LOGIN_SECONDS),
            code: RULES,
            trusted_devices: TrustedDevices { enabled: false, days: 1 },
            self_service: true,
            countries: vec!["US".to_owned()],
            sending_enabled: true,
            recovery_codes: false,
            limits: Limits::default(),
            sees_client: false,
            bound_hint: bound.map(hash),
            origins: Vec::new(),
            message_host: None,
            sender_name: String::new(),
            template: None,
            locale: None,
            test_numbers: shared::domain::test_number::TestNumbers::default(),
        };
        Self { user, ticket }
    }
}

fn hash(number: Index) -> String {
    format!("n{number}")
}

/// The number of a hash.
pub fn number(hash: &str) -> Index {
    hash[1..].parse().expect("a hash of the model")
}

pub fn phone(number: Index) -> FactorPhone {
    FactorPhone {
        sealed: String::new(),
        hash: hash(number),
        hint: hash(number),
        country: "US".to_owned(),
        since: time(0),
    }
}

pub fn factor(item: &FactorItem) -> Factor {
    assert!(u32::from(item.failures) < MAX_FAILURES, "out of the model's bounds");
    Factor {
        phone: item.phone.map(phone),
        failures: u32::from(item.failures),
        revision: u64::from(item.revision),
        recent_sends: item.recent_sends.iter().map(|at| time(*at)).collect(),
    }
}

/// As `dynamodb/challenge_item.rs` reads an item.
pub fn challenge(login: &Login, item: &ChallengeItem) -> Challenge {
    let code = item.code.as_ref().map(|code| {
        let mut nonce = [0; 16];
        nonce[0] = code.text;
        let mut mac = [0; 32];
        (mac[0], mac[1]) = code.mac();
        SentCode {
            pepper: code.pepper.to_string(),
            mac,
            nonce,
            sent_to: SentTo {
                hash: hash(code.sent_to),
                hint: hash(code.sent_to),
                since: time(0),
                test: None,
                country: None,
            },
            first_sent_at: time(code.first_sent_at),
            sent_at: time(code.sent_at),
            expires_at: time(code.expires_at),
            resend_at: time(code.resend_at),
            delivery: code.delivered.into(),
            undelivered: None,
            failures_before: u32::from(code.failures_before),
            spent: item.is_spent(),
        }
    });
    Challenge {
        login: login.ticket.login.clone(),
        started_at: login.ticket.started_at,
        pending: item.pending.map(phone),
        replaces: item.replaces.map(hash),
        old_proven: item.old_proven.map(time),
        phone_changes: item.phone_changes,
        code,
        attempts: u32::from(item.attempts),
        max_attempts: RULES.max_attempts,
        sends: item.sends,
        idempotency: item.idempotency.iter().map(Index::to_string).collect(),
        completed: item.completed.then(|| time(0)),
    }
}

/// A login at one moment.
pub fn login_state(
    login: &Login,
    item: Option<&ChallengeItem>,
    bound: Option<Index>,
    now: Second,
) -> LoginState {
    LoginState {
        ticket: login.ticket.clone(),
        bound_hint: bound.map(hash),
        challenge: item.map(|item| challenge(login, item)),
        now: time(now),
    }
}
