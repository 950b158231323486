//! Sending, by the reference model.

use super::{Code, LOGIN, Login, Model, Outcomes, PEPPER, PROOF, SEALING};
use crate::limits::number_refuses;
use crate::ops::Provider;

/// No code is accepted later than this after it was first sent.
const CODE: i64 = 600;
/// How many codes of one user may be out.
const MAX_LIVE: usize = 3;
/// How many guesses in a row may fail.
const MAX_FAILURES: u32 = 100;

/// What a send is to bring.
pub struct SendPrediction {
    pub outcomes: Outcomes,
    /// Whether it used up one of the login's sends, so that a code is out.
    pub counted: bool,
    /// Whether a message leaves, and to which number.
    pub message: Option<u8>,
}

impl Model {
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
        // A key under which nothing leaves is free again.
        login.keys.extend(key.filter(|_| leaves && provider != Provider::Refuses));
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
            failures_before: self.users[user].failures,
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
}
