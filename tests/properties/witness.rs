//! What must hold whatever the reference model says: plain statements about what was seen from outside.

use crate::limits::{Sends, number_refuses};
use crate::ops::{NUMBERS, Policy, USERS};

/// What was seen of one login.
#[derive(Default)]
struct Seen {
    started: i64,
    user: usize,
    judged: u32,
    completed: u32,
    messages: Vec<Message>,
    /// Another number was named, or the bound one changed: what was sent before proves nothing any more.
    outdated: usize,
}

struct Message {
    at: i64,
    /// The provider did not say that it refuses it: then the next may follow sooner.
    arrives: bool,
    number: u8,
    text: String,
}

pub struct Witness {
    policy: Policy,
    logins: Vec<Seen>,
    numbers: Vec<Sends>,
    users: Vec<Sends>,
    all: Sends,
    /// Wrong guesses since the last success.
    failures: Vec<u32>,
}

impl Witness {
    pub fn new(policy: Policy, failures: u32) -> Self {
        Self {
            policy,
            logins: Vec::new(),
            numbers: vec![Sends::default(); usize::from(NUMBERS)],
            users: vec![Sends::default(); USERS],
            all: Sends::default(),
            failures: vec![0, 0, failures],
        }
    }

    pub fn started(&mut self, user: usize, now: i64) {
        self.logins.push(Seen { user, started: now, ..Seen::default() });
    }

    /// A message left: it is within every limit.
    pub fn message(
        &mut self,
        login: usize,
        number: u8,
        text: &str,
        arrives: bool,
        now: i64,
    ) -> Result<(), String> {
        let policy = self.policy;
        let seen = &mut self.logins[login];
        let to_number = &mut self.numbers[usize::from(number)];
        let to_user = &mut self.users[seen.user];
        let live = &seen.messages[seen.outdated..];
        let last = live.iter().rfind(|it| it.number == number);
        let broken = [
            ("a message was sent by a login that is over", now >= seen.started + 600),
            ("max_sends", seen.messages.len() >= policy.max_sends as usize),
            ("resend_cooldown", last.is_some_and(|last| last.arrives && now < last.at + policy.cooldown)),
            ("a number's limits", number_refuses(to_number, &policy, now)),
            ("per_user_hour", to_user.within(3600, now) >= policy.per_user_hour),
            ("per_range_hour", self.all.in_window(3600, now) >= policy.per_range_hour),
            ("per_tenant_day", self.all.in_window(86_400, now) >= policy.per_tenant_day),
        ];
        if let Some((rule, _)) = broken.into_iter().find(|(_, broken)| *broken) {
            return Err(format!("a message was sent beyond {rule}"));
        }
        for sends in [to_number, to_user, &mut self.all] {
            sends.add(now);
        }
        seen.messages.push(Message { at: now, arrives, number, text: text.to_owned() });
        Ok(())
    }

    /// The number of a login, or the bound one of its user, is another one now.
    pub fn outdates(&mut self, login: usize) {
        let seen = &mut self.logins[login];
        seen.outdated = seen.messages.len();
    }

    pub fn outdates_all(&mut self, user: usize) {
        for seen in self.logins.iter_mut().filter(|seen| seen.user == user) {
            seen.outdated = seen.messages.len();
        }
    }

    /// A guess was answered with `outcome`; `completed` says that the login did.
    pub fn guess(
        &mut self,
        login: usize,
        text: &str,
        outcome: &str,
        completed: bool,
        now: i64,
    ) -> Result<(), String> {
        let policy = self.policy;
        let seen = &mut self.logins[login];
        if matches!(outcome, "ok" | "wrong_code" | "phone_taken" | "step_up_required") {
            seen.judged += 1;
        }
        seen.completed += u32::from(completed);
        let failures = &mut self.failures[seen.user];
        match outcome {
            "ok" => *failures = 0,
            "wrong_code" => *failures += 1,
            _ => {}
        }
        if seen.judged > policy.max_attempts {
            return Err(format!("{} guesses were judged", seen.judged));
        }
        if seen.completed > 1 {
            return Err("a login was completed twice".into());
        }
        if *failures > 100 {
            return Err(format!("{failures} guesses failed in a row"));
        }
        if outcome != "ok" {
            return Ok(());
        }
        let live = &seen.messages[seen.outdated..];
        let Some(last) = live.last() else { return Err("a code of before was right".into()) };
        let first = live.iter().find(|it| it.text == text).map_or(i64::MIN, |it| it.at);
        match () {
            () if last.text != text => Err("what was right is not the code in the last message".into()),
            // A resend that a limit stopped moves the end of the code's life too, never past ten minutes.
            () if now >= first + 600 => Err("a code was right ten minutes after it was first sent".into()),
            () if now >= seen.started + 600 => Err("a login was completed after its end".into()),
            () => Ok(()),
        }
    }
}
