//! The reference model: what a login does according to the contract and the acceptance criteria, in as few words as they need.
//!
//! Nothing in here is taken from the service's code, there is no storage and nothing happens at once. Where the contract leaves a choice, a
//! prediction names every outcome that it permits. Times are whole seconds since 1970.

mod sending;

use crate::limits::Sends;
use crate::ops::{NUMBERS, PROCESSES, Policy, USERS};
pub use sending::SendPrediction;

const LOGIN: i64 = 600;
/// How long the proof of an old number permits replacing it.
const PROOF: i64 = 300;
const ACCESS: i64 = 900;
const MAX_ASKED: usize = 5;
const MAX_CHANGES: u32 = 3;

pub const SIGNING: usize = 0;
pub const PEPPER: usize = 1;
pub const SEALING: usize = 2;

/// The keys of one secret that a process knows.
#[derive(Clone, Debug)]
struct Ring {
    known: Vec<u32>,
    current: u32,
}

#[derive(Clone, Debug)]
pub struct User {
    pub number: Option<u8>,
    /// Wrong guesses since the last success.
    pub failures: u32,
    /// What may stay of them after a success that had met none: those of another login since its code was sent. That is the safe side, and
    /// the next success clears them.
    pub may_stay: u32,
    /// Sends that were counted, also those that another limit stopped.
    sends: Vec<i64>,
    access: Option<Access>,
}

/// The latest access token.
#[derive(Clone, Copy, Debug)]
struct Access {
    issued: i64,
    key: u32,
}

#[derive(Clone, Debug)]
pub struct Code {
    /// `None` while no message with it has left.
    pub text: Option<String>,
    pub to: u8,
    pepper: u32,
    first: i64,
    pub expires: i64,
    resend: i64,
    /// The user's failures when it was sent last.
    failures_before: u32,
    /// Whether a message with it may have arrived.
    with_user: bool,
    spent: bool,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub user: usize,
    pub started: i64,
    replaces_number: bool,
    token_key: u32,
    pending: Option<u8>,
    /// The number that `pending` takes the place of.
    replaces: Option<u8>,
    old_proven: Option<i64>,
    changes: u32,
    pub code: Option<Code>,
    pub attempts: u32,
    pub sends: u32,
    keys: Vec<u8>,
    completed: bool,
}

impl Login {
    pub fn is_complete(&self) -> bool {
        let spent = self.code.as_ref().is_some_and(|code| code.spent);
        self.completed || (spent && self.pending.is_none() && self.replaces.is_none())
    }

    pub fn is_over(&self, now: i64) -> bool {
        now >= self.started + LOGIN
    }
}

/// What may come of a step, `ok` standing for every success.
pub type Outcomes = Vec<&'static str>;

pub struct Model {
    pub now: i64,
    pub policy: Policy,
    pub users: Vec<User>,
    pub logins: Vec<Login>,
    rings: Vec<[Ring; PROCESSES]>,
    turns: [u32; 3],
    /// By number; what the limits counted.
    numbers: Vec<Sends>,
    shared: Sends,
    tenant: Sends,
}

impl Model {
    pub fn new(policy: Policy, failures: u32, now: i64) -> Self {
        let user = |number, failures| User { number, failures, may_stay: 0, sends: Vec::new(), access: None };
        let ring = Ring { known: vec![0], current: 0 };
        let model = Self {
            now,
            policy,
            users: vec![user(Some(0), 0), user(None, 0), user(Some(1), failures)],
            logins: Vec::new(),
            rings: vec![[ring.clone(), ring]; 3],
            turns: [0; 3],
            numbers: vec![Sends::default(); usize::from(NUMBERS)],
            shared: Sends::default(),
            tenant: Sends::default(),
        };
        assert_eq!(model.users.len(), USERS);
        model
    }

    fn knows(&self, by: usize, secret: usize, key: u32) -> bool {
        self.rings[secret][by].known.contains(&key)
    }

    /// One process goes on to the next value; the other takes up the one that was newest until now.
    pub fn rotate(&mut self, secret: usize) {
        let [old, new] = &mut self.rings[secret];
        *old = new.clone();
        match self.turns[secret] % 3 {
            0 => new.known.push(new.current + 1),
            1 => new.current += 1,
            _ => new.known.retain(|key| *key == new.current),
        }
        self.turns[secret] += 1;
    }

    pub fn start(&mut self, user: usize, by: usize) {
        let bound = self.users[user].number;
        self.begin(user, by, false, None, bound);
    }

    fn begin(&mut self, user: usize, by: usize, replaces: bool, pending: Option<u8>, bound: Option<u8>) {
        self.logins.push(Login {
            user,
            started: self.now,
            replaces_number: replaces,
            token_key: self.rings[SEALING][by].current,
            pending,
            replaces: bound.filter(|_| replaces),
            old_proven: None,
            changes: u32::from(pending.is_some()),
            code: None,
            attempts: 0,
            sends: 0,
            keys: Vec::new(),
            completed: false,
        });
    }

    /// Why a login takes nothing more, if it doesn't.
    fn closed(&self, login: usize, by: usize) -> Option<Outcomes> {
        let l = &self.logins[login];
        if !self.knows(by, SEALING, l.token_key) {
            return Some(vec!["unauthenticated"]);
        }
        match () {
            // Once it is over it may have been tidied away.
            () if l.is_complete() && l.is_over(self.now) => Some(vec!["login_complete", "login_expired"]),
            () if l.is_complete() => Some(vec!["login_complete"]),
            () if l.is_over(self.now) => Some(vec!["login_expired"]),
            () if l.attempts >= self.policy.max_attempts => Some(vec!["too_many_attempts"]),
            () => None,
        }
    }

    /// The `status` of a login, or why it isn't shown.
    pub fn look(&self, login: usize, by: usize) -> Outcomes {
        let l = &self.logins[login];
        match self.closed(login, by).as_deref() {
            Some(["unauthenticated"]) => vec!["unauthenticated"],
            Some(["login_complete", "login_expired"]) => vec!["complete", "expired"],
            Some(["login_complete"]) => vec!["complete"],
            Some(["login_expired"]) => vec!["expired"],
            Some(_) => vec!["blocked"],
            None if self.users[l.user].number.is_some() || l.pending.is_some() => vec!["enter_code"],
            None => vec!["bind_phone"],
        }
    }

    fn taken_by_another(&self, user: usize, number: u8) -> bool {
        self.users.iter().enumerate().any(|(other, it)| other != user && it.number == Some(number))
    }

    /// Another number takes code and guesses away, never the attempts.
    pub fn name(&mut self, login: usize, number: u8, by: usize) -> Outcomes {
        if let Some(closed) = self.closed(login, by) {
            return closed;
        }
        let user = self.logins[login].user;
        let refused = match () {
            () if self.users[user].number.is_some() => Some("step_up_required"),
            () if self.logins[login].changes >= MAX_CHANGES => Some("rate_limited"),
            () if self.taken_by_another(user, number) => Some("phone_taken"),
            () => None,
        };
        if let Some(refused) = refused {
            return vec![refused];
        }
        let login = &mut self.logins[login];
        login.changes += 1;
        login.pending = Some(number);
        login.code = None;
        vec!["ok"]
    }

    /// Judges a guess. It is charged before it is compared, and a right one completes a login once.
    pub fn guess(&mut self, login: usize, text: &str, by: usize) -> Outcomes {
        if let Some(closed) = self.closed(login, by) {
            return closed;
        }
        let now = self.now;
        let l = &self.logins[login];
        let Some(code) = &l.code else { return vec!["phone_required", "no_code_sent"] };
        if now >= code.expires {
            return vec!["code_expired"];
        }
        let right = code.text.as_deref() == Some(text) && self.knows(by, PEPPER, code.pepper);
        let (user, to) = (l.user, code.to);
        let (pending, replaces, proven) = (l.pending, l.replaces, l.old_proven);
        let met_none = code.failures_before == 0 && l.attempts == 0;
        self.logins[login].attempts += 1;
        if !right {
            self.users[user].failures += 1;
            return vec!["wrong_code"];
        }
        self.users[user].may_stay = if met_none { self.users[user].failures } else { 0 };
        let (bound, taken) = (self.users[user].number, |number| self.taken_by_another(user, number));
        match (pending, replaces) {
            (None, None) => {
                self.succeeds(login, by);
                vec!["ok"]
            }
            (Some(number), None) => {
                let refused = match () {
                    () if taken(number) => Some(vec!["phone_taken"]),
                    () if bound.is_some() => Some(vec!["step_up_required"]),
                    () => None,
                };
                if let Some(refused) = refused {
                    // It goes back to where it asked for a number.
                    (self.logins[login].pending, self.logins[login].code) = (None, None);
                    return refused;
                }
                self.users[user].number = Some(number);
                self.succeeds(login, by);
                vec!["ok"]
            }
            (_, Some(old)) if proven.is_none() && to == old => {
                let login = &mut self.logins[login];
                (login.old_proven, login.code) = (Some(now), None);
                self.users[user].failures = 0;
                vec!["ok"]
            }
            (Some(_), Some(_)) if proven.is_none_or(|at| now >= at + PROOF) => vec!["step_up_required"],
            (Some(number), Some(_)) if taken(number) => vec!["phone_taken"],
            (Some(number), _) => {
                self.changes_number(user, Some(number));
                self.succeeds(login, by);
                vec!["ok"]
            }
            (None, Some(_)) => vec!["no_code_sent"],
        }
    }

    fn succeeds(&mut self, login: usize, by: usize) {
        let (now, key) = (self.now, self.rings[SIGNING][by].current);
        let login = &mut self.logins[login];
        let user = &mut self.users[login.user];
        login.completed = true;
        user.failures = 0;
        if !login.replaces_number {
            user.access = Some(Access { issued: now, key });
        }
        if let Some(code) = login.code.as_mut() {
            code.spent = true;
        }
    }

    /// Codes that are out for the old number complete nothing any more.
    fn changes_number(&mut self, user: usize, number: Option<u8>) {
        self.users[user].number = number;
        self.users[user].failures = 0;
        for login in self.logins.iter_mut().filter(|login| login.user == user && !login.is_complete()) {
            login.code = None;
        }
    }

    /// An administrator puts a number there, or takes it away.
    pub fn bind(&mut self, user: usize, number: Option<u8>) -> Outcomes {
        if number.is_some_and(|number| self.taken_by_another(user, number)) {
            return vec!["phone_taken"];
        }
        let before = &self.users[user];
        if before.number != number || before.failures > 0 {
            self.changes_number(user, number);
        }
        vec!["ok"]
    }

    /// `None` where the user has no access token to ask with.
    pub fn replace(&mut self, user: usize, number: u8, by: usize) -> Option<Outcomes> {
        let (now, access) = (self.now, self.users[user].access?);
        let bound = self.users[user].number;
        // A number that was asked for just a login's life ago counts or doesn't.
        let asked = |life: i64| {
            let mine = self.logins.iter().filter(|it| it.user == user && it.pending.is_some());
            mine.filter(|it| now < it.started + life).count() >= MAX_ASKED
        };
        let refused = match () {
            () if now >= access.issued + ACCESS || !self.knows(by, SIGNING, access.key) => "unauthenticated",
            () if bound == Some(number) => "conflict",
            () if bound.is_none() && now > access.issued + PROOF => "step_up_required",
            () if asked(LOGIN) => "rate_limited",
            () if self.taken_by_another(user, number) => "phone_taken",
            () => {
                self.begin(user, by, true, Some(number), bound);
                "ok"
            }
        };
        Some(vec![refused])
    }
}
