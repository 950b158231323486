//! The reference model: what a login does according to the contract and the acceptance criteria, in as few words as they need.
//!
//! Nothing in here is taken from the service's code, there is no storage and nothing happens at once. Where the contract leaves a choice, a
//! prediction names every outcome that it permits. Times are whole seconds since 1970.

use crate::limits::{Sends, number_refuses};
use crate::ops::{NUMBERS, PROCESSES, Policy, Provider, USERS};

const LOGIN: i64 = 600;
/// No code is accepted later than this after it was first sent.
const CODE: i64 = 600;
/// How long the proof of an old number permits replacing it.
const PROOF: i64 = 300;
const ACCESS: i64 = 900;
const MAX_FAILURES: u32 = 100;
const MAX_LIVE: usize = 3;
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

/// What a send is to bring.
pub struct SendPrediction {
    pub outcomes: Outcomes,
    /// Whether it used up one of the login's sends, so that a code is out.
    pub counted: bool,
    /// Whether a message leaves, and to which number.
    pub message: Option<u8>,
}

impl Model {
    pub fn new(policy: Policy, failures: u32, now: i64) -> Self {
        let user = |number, failures| User { number, failures, sends: Vec::new(), access: None };
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

    /// Whether the code that is out goes to `number` again.
    fn again(&self, login: usize, number: u8) -> bool {
        let code = self.logins[login].code.as_ref();
        code.is_some_and(|code| self.now < code.expires && !code.spent && code.to == number)
    }

    /// Where the next code goes.
    fn target(&self, login: &Login) -> Result<u8, &'static str> {
        let bound = self.users[login.user].number;
        match (login.replaces_number, bound, login.pending) {
            (false, Some(bound), _) => Ok(bound),
            (true, Some(bound), Some(pending)) if login.replaces == Some(bound) => match login.old_proven {
                None => Ok(bound),
                Some(at) if self.now < at + PROOF => Ok(pending),
                Some(_) => Err("step_up_required"),
            },
            (true, Some(_), _) => Err("step_up_required"),
            (_, None, _) if login.replaces.is_some() => Err("step_up_required"),
            (_, None, Some(pending)) => Ok(pending),
            (_, None, None) => Err("phone_required"),
        }
    }

    /// Why a send is not even counted.
    fn send_refused(&self, login: usize, by: usize) -> Result<u8, Outcomes> {
        if let Some(closed) = self.closed(login, by) {
            return Err(closed);
        }
        let (l, policy) = (&self.logins[login], &self.policy);
        let to = self.target(l).map_err(|refused| vec![refused])?;
        if l.sends >= policy.max_sends {
            return Err(vec!["too_many_sends"]);
        }
        if l.code.as_ref().is_some_and(|code| self.now < code.resend) {
            return Err(vec!["resend_too_soon"]);
        }
        let user = &self.users[l.user];
        let hour = user.sends.iter().filter(|at| self.now < **at + 3600).count();
        if hour >= policy.per_user_hour {
            return Err(vec!["rate_limited"]);
        }
        if self.again(login, to) {
            let made_here = |code: &Code| self.knows(by, PEPPER, code.pepper);
            return if l.code.as_ref().is_some_and(made_here) { Ok(to) } else { Err(vec!["unavailable"]) };
        }
        let live: Vec<&Login> = (self.logins.iter().enumerate())
            .filter(|(other, it)| *other != login && it.user == l.user && self.is_live(it))
            .map(|(_, it)| it)
            .collect();
        let guesses = (u32::try_from(live.len()).unwrap() + 1) * policy.max_attempts;
        if user.failures + guesses > MAX_FAILURES {
            return Err(vec!["factor_disabled"]);
        }
        let delivered = live.iter().filter(|it| it.code.as_ref().is_some_and(|code| code.with_user));
        if delivered.count() >= MAX_LIVE { Err(vec!["rate_limited"]) } else { Ok(to) }
    }

    fn is_live(&self, login: &Login) -> bool {
        let guessable = |code: &Code| !code.spent && self.now < code.expires;
        // At its very last second a login may count as alive or not; nothing depends on it, so the model takes the careful side.
        self.now <= login.started + LOGIN
            && !login.is_complete()
            && login.attempts < self.policy.max_attempts
            && login.code.as_ref().is_some_and(guessable)
    }

    pub fn send(&mut self, login: usize, key: Option<u8>, provider: Provider, by: usize) -> SendPrediction {
        let nothing = |outcomes| SendPrediction { outcomes, counted: false, message: None };
        let (now, policy) = (self.now, self.policy);
        let known = self.knows(by, SEALING, self.logins[login].token_key);
        if known && key.is_some_and(|key| self.logins[login].keys.contains(&key)) {
            // The same key again: nothing is sent, and the login is shown or says that it is over.
            let closed = self.closed(login, by).unwrap_or_default();
            return nothing(
                closed.into_iter().filter(|it| *it != "too_many_attempts").chain(["ok"]).collect(),
            );
        }
        let to = match self.send_refused(login, by) {
            Ok(to) => to,
            Err(refused) => return nothing(refused),
        };
        let again = self.again(login, to);
        let pepper = self.rings[PEPPER][by].current;
        let user = self.logins[login].user;
        self.users[user].sends.push(now);
        // Each limit counts what it has room for itself, whatever the others say.
        let number = !number_refuses(&self.numbers[usize::from(to)], &policy, now);
        let range = self.shared.in_window(3600, now) < policy.per_range_hour;
        let tenant = self.tenant.in_window(86_400, now) < policy.per_tenant_day;
        for (room, sends) in [
            (number, &mut self.numbers[usize::from(to)]),
            (range, &mut self.shared),
            (tenant, &mut self.tenant),
        ] {
            if room {
                sends.add(now);
            }
        }
        let (leaves, binds) = (number && range && tenant, self.users[user].number.is_none());
        let login = &mut self.logins[login];
        login.sends += 1;
        login.keys.extend(key);
        if !login.replaces_number && !binds {
            login.pending = None;
        }
        let accepted = leaves && provider != Provider::Refuses;
        let old = login.code.take().filter(|_| again);
        let first = old.as_ref().map_or(now, |code| code.first);
        login.code = Some(Code {
            text: old.as_ref().and_then(|code| code.text.clone()),
            to,
            pepper: old.as_ref().map_or(pepper, |code| code.pepper),
            first,
            expires: (now + policy.lifetime).min(first + CODE),
            // The answer says it: `hears` takes it from there.
            resend: now + policy.cooldown,
            with_user: accepted || old.is_some(),
            spent: false,
        });
        let outcome = match (leaves, accepted) {
            (false, _) => "rate_limited",
            (true, false) => "delivery_failed",
            (true, true) => "ok",
        };
        SendPrediction { outcomes: vec![outcome], counted: true, message: leaves.then_some(to) }
    }

    /// What a send has told: when the next may follow, and the code in its message.
    ///
    /// # Errors
    /// If the next may follow sooner than the contract has it, or a resend sent another code.
    pub fn hears(
        &mut self,
        login: usize,
        outcome: &str,
        resend: i64,
        text: Option<&str>,
    ) -> Result<(), String> {
        let now = self.now;
        let Some(code) = self.logins[login].code.as_mut() else { return Err("no code is out".into()) };
        if outcome == "ok" && resend < code.resend {
            return Err(format!("the next send may follow at {resend}, before {}", code.resend));
        }
        if resend < now {
            return Err(format!("the next send may follow at {resend}, in the past"));
        }
        code.resend = resend;
        let Some(text) = text else { return Ok(()) };
        match &code.text {
            Some(known) if known != text => Err("a resend sent another code".into()),
            _ => {
                code.text = Some(text.to_owned());
                Ok(())
            }
        }
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
        self.logins[login].attempts += 1;
        if !right {
            self.users[user].failures += 1;
            return vec!["wrong_code"];
        }
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
            (Some(_), Some(_)) if !proven.is_some_and(|at| now < at + PROOF) => vec!["step_up_required"],
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
