//! Plays a sequence against the service and compares every answer with the model's prediction.

use crate::model::{Model, SendPrediction};
use crate::ops::{Case, Op, Provider, Step, What};
use crate::witness::Witness;
use crate::world::{Answer, BEGIN, Bench, World, number};
use serde_json::{Value, json};
use shared::domain::time::Timestamp;
use std::collections::BTreeMap;
use tests::values::text;

/// How often each step came to each outcome, over all cases of a test: what was never seen was never tried.
pub type Tally = BTreeMap<String, u32>;

pub struct Play<'a> {
    world: World<'a>,
    model: Model,
    witness: Witness,
    /// Id and token of each login.
    logins: Vec<(String, String)>,
    /// The codes of each login's messages, in their order.
    codes: Vec<Vec<String>>,
    /// Each user's latest access token.
    access: Vec<Option<String>>,
    tally: &'a mut Tally,
}

/// # Errors
/// What went otherwise than predicted, and where.
pub async fn play(bench: &Bench, case: &Case, tally: &mut Tally) -> Result<(), String> {
    let world = World::new(bench, case.policy, case.failures).await;
    let mut play = Play {
        access: vec![None; world.users.len()],
        world,
        model: Model::new(case.policy, case.failures, BEGIN),
        witness: Witness::new(case.policy, case.failures),
        logins: Vec::new(),
        codes: Vec::new(),
        tally,
    };
    for (at, step) in case.steps.iter().enumerate() {
        play.take(*step).await.map_err(|why| format!("step {at}, {step:?}: {why}"))?;
    }
    play.users_are_as_predicted().await
}

impl Play<'_> {
    async fn take(&mut self, step: Step) -> Result<(), String> {
        let by = step.by;
        match step.op {
            Op::Start { user } => self.start(user, by).await,
            Op::Name { login, number } => match self.at(login) {
                Some(login) => self.name(login, number, by).await,
                None => Ok(()),
            },
            Op::Send { login, key, provider } => match self.at(login) {
                Some(login) => self.send(login, key, provider, by).await,
                None => Ok(()),
            },
            Op::Guess { login, what } => match self.at(login) {
                Some(login) => self.guess(login, what, by).await,
                None => Ok(()),
            },
            Op::Look { login } => match self.at(login) {
                Some(login) => self.look(login, by).await,
                None => Ok(()),
            },
            Op::Bind { user, number } => self.bind(user, Some(number)).await,
            Op::Unbind { user } => self.bind(user, None).await,
            Op::Replace { user, number } => self.replace(user, number, by).await,
            Op::Advance { seconds } => {
                self.world.advance(seconds);
                self.model.now += seconds;
                Ok(())
            }
            Op::Sweep => {
                self.world.sweep().await;
                self.users_are_as_predicted().await
            }
            Op::Rotate { secret } => {
                self.world.rotate(secret);
                self.model.rotate(secret);
                Ok(())
            }
        }
    }

    /// The login that is so many logins old.
    fn at(&self, age: usize) -> Option<usize> {
        let count = self.logins.len();
        (count > 0).then(|| count - 1 - age % count)
    }

    /// Whether an outcome is one of those that were predicted.
    fn compare(&mut self, step: &str, answer: &Answer, expected: &[&str]) -> Result<(), String> {
        let outcome = answer.outcome();
        *self.tally.entry(format!("{step}: {outcome}")).or_default() += 1;
        if !expected.contains(&outcome) {
            return Err(format!("{outcome} instead of {expected:?}: {}", answer.body));
        }
        if self.world.take_messages().is_empty() || step == "code" {
            Ok(())
        } else {
            Err("a message was sent".into())
        }
    }

    /// The counters that every answer of a login shows.
    fn shown(&self, login: usize, answer: &Answer) -> Result<(), String> {
        let it = &self.model.logins[login];
        // Once it is over it may have been tidied away.
        if it.is_over(self.model.now) || answer.outcome() == "unauthenticated" {
            return Ok(());
        }
        let body = if answer.status < 300 { &answer.body["login"]["challenge"] } else { &answer.body };
        let policy = self.model.policy;
        let left = [
            ("attempts_left", policy.max_attempts.saturating_sub(it.attempts)),
            ("sends_left", policy.max_sends.saturating_sub(it.sends)),
        ];
        for (name, expected) in left {
            if body.get(name).is_some_and(|shown| *shown != json!(expected)) {
                return Err(format!("{name} is {} instead of {expected}", body[name]));
            }
        }
        let expected = it.code.as_ref().map(|code| Timestamp::from_secs(code.expires).rfc3339());
        match (expected, body["expires_at"].as_str()) {
            (Some(expected), Some(shown)) if expected != shown => {
                Err(format!("expires_at is {shown} instead of {expected}"))
            }
            _ => Ok(()),
        }
    }

    async fn start(&mut self, user: usize, by: usize) -> Result<(), String> {
        let answer = self.world.start(by, user).await;
        self.compare("start", &answer, &["ok"])?;
        if answer.body["tokens"] != Value::Null {
            return Err("a login was complete from the start".into());
        }
        self.model.start(user, by);
        self.began(user, &answer.body);
        Ok(())
    }

    fn began(&mut self, user: usize, body: &Value) {
        self.logins.push((text(body, "/login/id"), text(body, "/login_token")));
        self.codes.push(Vec::new());
        self.witness.started(user, self.model.now);
    }

    async fn name(&mut self, login: usize, phone: u8, by: usize) -> Result<(), String> {
        let expected = self.model.name(login, phone, by);
        let body = json!({ "phone": number(phone) });
        let answer = self.world.step(by, &self.logins[login], "phone", body, None).await;
        self.compare("phone", &answer, &expected)?;
        if answer.outcome() == "ok" {
            self.witness.outdates(login);
        }
        self.shown(login, &answer)
    }

    async fn send(
        &mut self,
        login: usize,
        key: Option<u8>,
        provider: Provider,
        by: usize,
    ) -> Result<(), String> {
        let SendPrediction { outcomes, counted, message } = self.model.send(login, key, provider, by);
        self.world.provider(provider);
        let answer = self.world.step(by, &self.logins[login], "code", json!({}), key).await;
        let messages = self.world.take_messages();
        // First what must hold in any case.
        for sent in &messages {
            let to =
                (0..crate::ops::NUMBERS).find(|at| number(*at) == sent.to).ok_or("a stranger's number")?;
            self.witness.message(login, to, &sent.code, provider != Provider::Refuses, self.model.now)?;
            self.codes[login].push(sent.code.clone());
        }
        self.compare("code", &answer, &outcomes)?;
        let sent = messages.first();
        let to = sent.map(|sent| sent.to.clone());
        if messages.len() > 1 || to != message.map(number) {
            return Err(format!("{} messages, the first to {to:?}", messages.len()));
        }
        if counted {
            let shown = if answer.status < 300 { &answer.body["login"]["challenge"] } else { &answer.body };
            let resend =
                shown["resend_at"].as_str().and_then(Timestamp::parse_rfc3339).ok_or("no resend_at")?;
            self.model.hears(login, answer.outcome(), resend.secs(), sent.map(|sent| &*sent.code))?;
        }
        self.shown(login, &answer)
    }

    async fn guess(&mut self, login: usize, what: What, by: usize) -> Result<(), String> {
        let code = self.code(login, what);
        let expected = self.model.guess(login, &code, by);
        let user = self.model.logins[login].user;
        let body = json!({ "code": code });
        let answer = self.world.step(by, &self.logins[login], "verification", body, None).await;
        let complete = answer.outcome() == "ok" && answer.body["login"]["status"] == "complete";
        self.witness.guess(login, &code, answer.outcome(), complete, self.model.now)?;
        self.compare("verification", &answer, &expected)?;
        if complete != (answer.outcome() == "ok" && self.model.logins[login].is_complete()) {
            return Err(format!("the login is {}", answer.body["login"]["status"]));
        }
        match answer.body.pointer("/tokens/access_token") {
            Some(token) if complete => self.access[user] = token.as_str().map(str::to_owned),
            Some(_) => return Err("tokens of a login that is not complete".into()),
            None => {}
        }
        if answer.outcome() == "ok" && !complete {
            self.witness.outdates(login);
        }
        let kept = self.world.failures(user).await;
        let user = &mut self.model.users[user];
        if answer.outcome() == "ok" && kept == user.may_stay {
            user.failures = kept;
        }
        if kept != user.failures {
            return Err(format!("{kept} failures are kept instead of {}", user.failures));
        }
        self.shown(login, &answer)
    }

    fn code(&self, login: usize, what: What) -> String {
        let codes = &self.codes[login];
        let found = match what {
            What::Right => codes.last(),
            What::Wrong => None,
            What::Old { age } => {
                let last = codes.last();
                codes.iter().rev().filter(|code| Some(*code) != last).nth(age)
            }
            What::Foreign { login: age } => {
                self.at(age).filter(|it| *it != login).and_then(|it| self.codes[it].last())
            }
        };
        found.cloned().unwrap_or_else(|| {
            let known = |code: &String| self.codes.iter().flatten().any(|it| it == code);
            (0..).map(|wrong| format!("{wrong:06}")).find(|code| !known(code)).unwrap()
        })
    }

    async fn look(&mut self, login: usize, by: usize) -> Result<(), String> {
        let expected = self.model.look(login, by);
        let answer = self.world.look(by, &self.logins[login]).await;
        let status = answer.body["login"]["status"].as_str().unwrap_or(answer.outcome()).to_owned();
        *self.tally.entry(format!("look: {status}")).or_default() += 1;
        if !expected.contains(&&*status) {
            return Err(format!("{status} instead of {expected:?}"));
        }
        self.shown(login, &answer)
    }

    async fn bind(&mut self, user: usize, phone: Option<u8>) -> Result<(), String> {
        let before = self.model.users[user].number;
        let expected = self.model.bind(user, phone);
        let answer = self.world.bind(user, phone).await;
        self.compare("administrator", &answer, &expected)?;
        if answer.outcome() == "ok" && before != phone {
            self.witness.outdates_all(user);
        }
        Ok(())
    }

    async fn replace(&mut self, user: usize, phone: u8, by: usize) -> Result<(), String> {
        let Some(access) = self.access[user].clone() else { return Ok(()) };
        let Some(expected) = self.model.replace(user, phone, by) else { return Ok(()) };
        let answer = self.world.replace(by, &access, phone).await;
        self.compare("replace", &answer, &expected)?;
        if answer.outcome() == "ok" {
            self.began(user, &answer.body);
        }
        Ok(())
    }

    /// Each user's number and failures; no number has two users, since the model's have not.
    async fn users_are_as_predicted(&self) -> Result<(), String> {
        for (at, user) in self.model.users.iter().enumerate() {
            let (bound, failures) = (self.world.bound(at).await, self.world.failures(at).await);
            if bound != user.number.map(number) || failures != user.failures {
                return Err(format!("user {at} has {bound:?} and {failures} failures instead of {user:?}"));
            }
        }
        Ok(())
    }
}
