//! What has to hold in every state, and what has to be possible.

use super::Lifecycle;
use super::items::{ChallengeItem, Delivered, Index, RULES, challenge, time};
use super::state::{Client, Next, Request, State};
use shared::domain::challenge::Effect;
use stateright::Property;

pub const CAP: &str = "no login compares more guesses than its cap";
pub const ONCE: &str = "no login succeeds twice";
pub const IN_TIME: &str = "no code is taken after its end";
pub const CURRENT: &str = "a code does only what it was sent for, and only while it is the current one";
pub const FAILURES: &str = "no wrong answer is missing among the failures";
pub const BUDGET: &str = "no login sends more than its budget, nor twice for one key";
pub const ONE_OWNER: &str = "a number has one owner, who has it bound";
pub const PROOF: &str = "a number is replaced only once it was proven";
pub const LOST_ANSWER: &str =
    "no guess is refused, and no number counted twice, because of its own lost answer";
pub const NOTED: &str = "no message that left is noted as failed";
pub const HONEST: &str = "whoever has the right code gets in, and whoever may have one gets one";
/// Possible, or the model shows nothing.
pub const SUCCESS: &str = "somebody succeeds";
pub const AFTER_CRASH: &str = "a bind is finished after a crash";
pub const KEY_AGAIN: &str = "a key whose message failed is good for another send";
pub const CLEARED: &str = "the old number's proof clears failures";

pub fn all(model: &Lifecycle) -> Vec<Property<Lifecycle>> {
    let mut all = vec![
        Property::always(CAP, |_, state: &State| {
            state.seen.compared.iter().all(|compared| *compared <= RULES.max_attempts)
        }),
        Property::always(ONCE, |_, state: &State| state.seen.completed.iter().all(|times| *times <= 1)),
        Property::always(IN_TIME, |_, state: &State| !state.seen.late),
        Property::always(CURRENT, |_, state: &State| !state.seen.foreign),
        Property::always(FAILURES, |_, state: &State| {
            state
                .factors
                .iter()
                .zip(&state.seen.wrong_answers)
                .all(|(factor, wrong)| factor.failures >= *wrong)
        }),
        Property::always(BUDGET, sends_within_budget),
        Property::always(ONE_OWNER, owners_and_bindings_agree),
        Property::always(PROOF, |_, state: &State| !state.seen.unproven),
        Property::always(LOST_ANSWER, |_, state: &State| !state.seen.robbed),
        Property::always(NOTED, what_is_noted_of_a_message_is_true),
        Property::always(HONEST, Lifecycle::honest_users_get_in),
        Property::sometimes(SUCCESS, |_, state: &State| state.seen.completed.iter().any(|times| *times > 0)),
    ];
    if model.scenario.binds() && model.scenario.crashes > 0 {
        all.push(Property::sometimes(AFTER_CRASH, |_, state: &State| state.seen.bound_after_crash));
    }
    if model.scenario.has_keys() && model.scenario.undelivered > 0 {
        all.push(Property::sometimes(KEY_AGAIN, |_, state: &State| state.seen.by_key > 1));
    }
    // Too many steps for a world that is cut: it is looked for in the small one.
    if model.scenario.replaces() && !model.scenario.may_be_cut {
        all.push(Property::sometimes(CLEARED, |_, state: &State| state.seen.cleared_by_proof));
    }
    all
}

fn what_is_noted_of_a_message_is_true(_: &Lifecycle, state: &State) -> bool {
    state.seen.messages.iter().all(|message| {
        let item = state.challenges[usize::from(message.login)].as_ref().expect("sent");
        let code = item.code.as_ref().filter(|_| item.sends == message.send);
        code.is_none_or(|code| code.delivered != Delivered::Failed)
    })
}

fn sends_within_budget(_: &Lifecycle, state: &State) -> bool {
    let messages = &state.seen.messages;
    messages.iter().all(|one| {
        let of_login = messages.iter().filter(|other| other.login == one.login);
        let twice = of_login.clone().filter(|other| one.key.is_some() && other.key == one.key).count() > 1;
        of_login.count() <= usize::from(RULES.max_sends) && !twice
    })
}

fn owners_and_bindings_agree(_: &Lifecycle, state: &State) -> bool {
    let bound = |user: Index, number: Index| state.factors[usize::from(user)].phone == Some(number);
    (0..).zip(&state.owners).all(|(number, owner)| {
        (0..).zip(&state.factors).all(|(user, _)| bound(user, number) == (*owner == Some(user)))
    })
}

impl Lifecycle {
    /// From here on nobody else does anything, and what is under way has died: a crash of everything, in every state. Whoever then
    /// gives the code that was sent to them gets on; whoever may be sent one gets on by it.
    fn honest_users_get_in(&self, state: &State) -> bool {
        (0..).zip(&self.scenario.logins).all(|(login, _)| {
            let mut alone = state.clone();
            // No request of before has such a number, from which its attempt's id is made.
            alone.clients = vec![Client { next: Next::Nothing, requests_left: 15 }];
            if let Some(item) = &state.challenges[usize::from(login)]
                && self.has_right_code(state, login, item)
            {
                return self.gets_on(&mut alone, login, item);
            }
            let Ok(plan) = self.plan_send(state, login, state.now) else { return true };
            let target = Self::target(&plan);
            if matches!(plan.effect, Effect::Binds | Effect::Replaces) && !self.is_free(state, login, target)
            {
                return true;
            }
            self.runs(&mut alone, Request::Send { login, key: None });
            let Some(item) = alone.challenges[usize::from(login)].clone() else { return false };
            self.has_right_code(&alone, login, &item) && self.gets_on(&mut alone, login, &item)
        })
    }

    fn gets_on(&self, alone: &mut State, login: Index, item: &ChallengeItem) -> bool {
        let text = item.code.as_ref().expect("a code").text;
        let before = alone.seen.completed[usize::from(login)];
        self.runs(alone, Request::Guess { login, text });
        let proven =
            alone.challenges[usize::from(login)].as_ref().is_some_and(|item| item.old_proven.is_some());
        alone.seen.completed[usize::from(login)] > before || (item.old_proven.is_none() && proven)
    }

    /// Whether a code is with its user that the contract promises to take.
    fn has_right_code(&self, state: &State, login: Index, item: &ChallengeItem) -> bool {
        let Some(code) = &item.code else { return false };
        let own = self.login(login);
        let open = !own.ticket.is_over(time(state.now))
            && !item.completed
            && item.attempts < RULES.max_attempts
            && state.now < code.expires_at;
        let sent = state.seen.messages.iter().any(|m| m.login == login && m.text == code.text);
        let bound = state.factors[usize::from(own.user)].phone;
        open && sent
            && match challenge(own, item).effect(own.ticket.purpose, time(state.now)) {
                Ok(Effect::Completes) => !item.is_spent(),
                Ok(Effect::Binds) => bound.is_none() && self.is_free(state, login, code.sent_to),
                Ok(Effect::ProvesOldNumber) => true,
                Ok(Effect::Replaces) => bound == item.replaces && self.is_free(state, login, code.sent_to),
                Err(_) => false,
            }
    }

    fn is_free(&self, state: &State, login: Index, number: Index) -> bool {
        state.owners[usize::from(number)].is_none_or(|owner| owner == self.user(login))
    }

    fn runs(&self, alone: &mut State, request: Request) {
        self.begin(alone, 0, request);
        while alone.clients[0].next != Next::Nothing {
            self.step(alone, 0, false);
        }
    }
}
