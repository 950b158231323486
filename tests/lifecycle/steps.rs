//! What a process does between two requests to DynamoDB: the use cases, with the domain's own functions for every decision.

use super::Lifecycle;
use super::items::{
    ChallengeItem, Delivered, Index, RULES, Second, challenge, factor, login_state, number, time,
};
use super::state::{Guess, Message, Next, Request, State};
use super::variant::Variant;
use super::writes::{self, BindRefused, Charged, Proven, ReplaceRefused, Reservation};
use shared::domain::challenge::{Effect, SendPlan, plan_send};
use shared::domain::login::{MAX_PHONE_CHANGES, Status};
use shared::domain::refusal::Refusal;

impl Lifecycle {
    /// A request arrives; what it reads first is read at once.
    pub fn begin(&self, state: &mut State, client: usize, request: Request) {
        let now = state.now;
        let left = state.clients[client].requests_left;
        state.clients[client].requests_left = left - 1;
        // What a request makes at random, and no other makes again.
        let unique = u8::try_from(client).expect("few clients") * 16 + left;
        state.clients[client].next = match request {
            Request::Send { login, key } => self.plan(state, login, key, now),
            Request::Guess { login, text } => {
                let guess = Guess {
                    login,
                    text,
                    now,
                    attempt: unique,
                    pepper: state.pepper,
                    judged: None,
                    current: None,
                };
                self.begin_guess(state, guess)
            }
            Request::Number { login, number } => self.begin_number(state, login, number, unique),
        };
    }

    /// `usecase/verify_code.rs`: `verify`, up to its first request.
    fn begin_guess(&self, state: &mut State, mut guess: Guess) -> Next {
        if self.login(guess.login).ticket.is_over(time(guess.now)) {
            return Next::Nothing;
        }
        if self.variant == Variant::CompareBeforeCounting {
            // Reads, refuses if the attempts are used up, compares; and counts later.
            let item = state.challenges[usize::from(guess.login)].clone();
            let Some(item) = item.filter(|item| item.attempts < RULES.max_attempts && item.code.is_some())
            else {
                return Next::Nothing;
            };
            state.seen.compared[usize::from(guess.login)] += 1;
            guess.current = state.seen.current[usize::from(guess.login)];
            guess.judged = Some(item);
        }
        Next::Charge { guess }
    }

    /// `usecase/bind_phone.rs`: `ask`, up to its write.
    fn begin_number(&self, state: &State, login: Index, number: Index, sealed: u8) -> Next {
        let user = self.user(login);
        let bound = state.factors[usize::from(user)].phone;
        let item = state.challenges[usize::from(login)].as_ref();
        let seen = login_state(self.login(login), item, bound, state.now);
        let too_often = item.is_some_and(|item| item.phone_changes >= MAX_PHONE_CHANGES);
        let taken = state.owners[usize::from(number)].is_some_and(|owner| owner != user);
        if seen.open().is_err()
            || bound.is_some()
            || seen.status() == Status::ContactAdministrator
            || too_often
            || taken
        {
            return Next::Nothing;
        }
        Next::AskForNumber { login, number, sealed }
    }

    /// `usecase/issue_code.rs`: `send`, from a read to the plan.
    fn plan(&self, state: &State, login: Index, key: Option<Index>, now: Second) -> Next {
        let item = state.challenges[usize::from(login)].as_ref();
        if item.is_some_and(|item| key.is_some_and(|key| item.idempotency.contains(&key))) {
            return Next::Nothing;
        }
        match self.plan_send(state, login, now) {
            Ok(plan) => {
                // Which text a new code has follows from who makes it; losers' texts never leave.
                let text = login * 4 + item.map_or(0, |item| item.sends);
                let whose = (login, self.user(login));
                let reservation = Box::new(Reservation::new(state, whose, &plan, text, key, now));
                Next::Reserve { login, now, reservation }
            }
            Err(_) => Next::Nothing,
        }
    }

    /// What the domain says of a send, from what stands in the items.
    pub fn plan_send(&self, state: &State, login: Index, now: Second) -> Result<SendPlan, Refusal> {
        let user = self.user(login);
        let item = &state.factors[usize::from(user)];
        let own = state.challenges[usize::from(login)].as_ref().map(|item| self.seen_by_variant(item));
        let others: Vec<_> = self
            .logins_of(user)
            .filter(|other| *other != login)
            .filter_map(|other| {
                Some(challenge(self.login(other), state.challenges[usize::from(other)].as_ref()?))
            })
            .collect();
        let seen = login_state(self.login(login), own.as_ref(), item.phone, now);
        plan_send(&seen, &factor(item), &others)
    }

    /// The one variant that decides otherwise than the domain does.
    fn seen_by_variant(&self, item: &ChallengeItem) -> ChallengeItem {
        let mut item = item.clone();
        if self.variant == Variant::ReplaceWithoutTheOldNumber && item.replaces.is_some() {
            item.old_proven = item.old_proven.or(Some(0));
        }
        item
    }

    /// The client's process makes its next request. Where its answer is lost, the SDK makes the same again.
    pub fn step(&self, state: &mut State, client: usize, answer_lost: bool) {
        let next = std::mem::take(&mut state.clients[client].next);
        let again = answer_lost.then(|| next.clone());
        let then = self.request(state, next);
        state.clients[client].next = again.unwrap_or(then);
    }

    fn request(&self, state: &mut State, next: Next) -> Next {
        match next {
            Next::Nothing => Next::Nothing,
            Next::Reserve { login, now, reservation } => {
                let whose = (login, self.user(login));
                if !writes::reserve_send(state, self.variant, whose, &reservation) {
                    // Overtaken: it reads and plans again.
                    return self.plan(state, login, reservation.key, now);
                }
                let Reservation { code, key, sends, .. } = *reservation;
                state.seen.current[usize::from(login)] = Some(code.text);
                state.seen.by_key += u8::from(key.is_some());
                let message = Message { login, text: code.text, to: code.sent_to, key, send: sends };
                Next::Publish { message, now, resend_at: code.resend_at }
            }
            Next::Publish { message, .. } => {
                leaves(state, message);
                Next::Nothing
            }
            Next::Settle { message, delivered, resend_at } => {
                let frees = delivered == Delivered::Failed || self.variant == Variant::FreesAnUnknownKey;
                let free = message.key.filter(|_| frees);
                let which = (message.login, message.send);
                writes::settle_send(state, self.variant, which, delivered, resend_at, free);
                Next::Nothing
            }
            Next::Charge { guess } => self.charge(state, guess),
            Next::Compare { guess } => self.compare(state, guess),
            Next::CountFailure { guess, answered } => {
                let user = self.user(guess.login);
                writes::count_failure(state, user);
                if !answered {
                    state.seen.wrong_answers[usize::from(user)] += 1;
                }
                Next::Nothing
            }
            Next::ClearFailures { guess, completes } => {
                let user = self.user(guess.login);
                state.seen.cleared_by_proof |= !completes && state.factors[usize::from(user)].failures > 0;
                writes::clear_failures(state, user);
                if completes {
                    self.completed(state, &guess, None);
                }
                Next::Nothing
            }
            Next::CommitBind { guess, number } => self.commit_bind(state, &guess, number),
            Next::ForgetNumber { login, number } => {
                if writes::forget_number(state, login, number) {
                    state.seen.current[usize::from(login)] = None;
                }
                Next::Nothing
            }
            Next::ProveOld { guess } => self.prove_old(state, guess),
            Next::CommitReplacement { guess, old, new, revision, live } => {
                let mac = guess.judged.as_ref().and_then(ChallengeItem::mac).expect("a code");
                let whose = (guess.login, self.user(guess.login));
                match writes::commit_replacement(state, whose, (old, new), mac, revision, &live) {
                    Ok(()) => {
                        state.seen.unproven |= !state.seen.proven.contains(&(guess.login, old));
                        self.completed(state, &guess, Some(new));
                        Next::Nothing
                    }
                    Err(ReplaceRefused::Stale) => self.read_binding(state, guess),
                    Err(ReplaceRefused::Completed | ReplaceRefused::CodeChanged | ReplaceRefused::Taken) => {
                        Next::Nothing
                    }
                }
            }
            Next::AskForNumber { login, number, sealed } => {
                let item = state.challenges[usize::from(login)].as_ref();
                let asked_before = item.is_some_and(|item| item.sealed == Some(sealed));
                if writes::ask_for_number(state, self.variant, login, number, sealed) {
                    state.seen.robbed |= asked_before;
                    state.seen.current[usize::from(login)] = None;
                }
                Next::Nothing
            }
        }
    }

    /// The message of a client goes another way than it should: it `left` or didn't, and the provider said no, or nothing.
    pub fn message_goes_wrong(&self, state: &mut State, client: usize, left: bool, delivered: Delivered) {
        let Next::Publish { message, now, resend_at } = std::mem::take(&mut state.clients[client].next)
        else {
            unreachable!("only messages go so");
        };
        if left {
            leaves(state, message.clone());
        }
        // Nobody need wait for one that never left.
        let resend_at = if delivered == Delivered::Failed { now } else { resend_at };
        state.clients[client].next = Next::Settle { message, delivered, resend_at };
    }

    fn prove_old(&self, state: &mut State, guess: Guess) -> Next {
        let item = guess.judged.as_ref().expect("judged");
        let (mac, old) = (item.mac().expect("a code"), item.replaces.expect("replaces"));
        let proven = writes::prove_old_number(state, guess.login, mac, guess.now);
        if proven == Proven::No {
            return Next::Nothing;
        }
        self.look_at_code(state, &guess, Some(old), proven == Proven::Now);
        state.seen.proven.insert((guess.login, old));
        if proven == Proven::Now {
            state.seen.current[usize::from(guess.login)] = None;
        }
        if had_failures(item) { Next::ClearFailures { guess, completes: false } } else { Next::Nothing }
    }

    fn charge(&self, state: &mut State, mut guess: Guess) -> Next {
        let macs = guess.pepper.macs(guess.text);
        let charged_before = state.challenges[usize::from(guess.login)]
            .as_ref()
            .is_some_and(|item| item.last_attempt == Some(guess.attempt));
        guess.current = state.seen.current[usize::from(guess.login)];
        match writes::charge_guess(state, self.variant, guess.login, &macs, guess.attempt, guess.now) {
            Charged::Judged(item) => {
                if self.variant != Variant::CompareBeforeCounting {
                    guess.judged = Some(item);
                }
                Next::Compare { guess }
            }
            Charged::Refused => {
                state.seen.robbed |= charged_before;
                Next::Nothing
            }
        }
    }

    /// `usecase/verify_code.rs`: what follows the charge.
    fn compare(&self, state: &mut State, guess: Guess) -> Next {
        let item = guess.judged.clone().expect("judged");
        let Some(code) = &item.code else { return Next::Nothing };
        if self.variant != Variant::CompareBeforeCounting {
            state.seen.compared[usize::from(guess.login)] += 1;
        }
        let macs = guess.pepper.macs(guess.text);
        if !macs.contains(&code.mac()) && !code.before.is_some_and(|before| macs.contains(&before)) {
            let answered = self.variant == Variant::AnswerBeforeCounting;
            if answered {
                state.seen.wrong_answers[usize::from(self.user(guess.login))] += 1;
            }
            return Next::CountFailure { guess, answered };
        }
        let mut seen = self.seen_by_variant(&item);
        if self.variant == Variant::NumberKeepsTheCode
            && let (Some(code), Some(pending)) = (&mut seen.code, seen.pending)
        {
            code.sent_to = pending;
        }
        let login = self.login(guess.login);
        match challenge(login, &seen).effect(login.ticket.purpose, time(guess.now)) {
            Ok(Effect::Completes) if had_failures(&item) => Next::ClearFailures { guess, completes: true },
            Ok(Effect::Completes) => {
                self.completed(state, &guess, None);
                Next::Nothing
            }
            Ok(Effect::Binds) => {
                let number = item.pending.expect("binds");
                let taken =
                    state.owners[usize::from(number)].is_some_and(|owner| owner != self.user(guess.login));
                if self.variant == Variant::BindByReadThenWrite && taken {
                    return Next::ForgetNumber { login: guess.login, number };
                }
                Next::CommitBind { guess, number }
            }
            Ok(Effect::ProvesOldNumber) => Next::ProveOld { guess },
            Ok(Effect::Replaces) => self.read_binding(state, guess),
            Err(_) => Next::Nothing,
        }
    }

    fn commit_bind(&self, state: &mut State, guess: &Guess, number: Index) -> Next {
        let (login, mac) = (guess.login, guess.judged.as_ref().and_then(ChallengeItem::mac).expect("a code"));
        match writes::commit_bind(state, self.variant, (login, self.user(login)), number, mac) {
            Ok(()) => {
                state.seen.bound_after_crash |= state.seen.crashes > 0;
                self.completed(state, guess, Some(number));
                Next::Nothing
            }
            Err(BindRefused::Completed) => Next::Nothing,
            Err(BindRefused::Taken | BindRefused::FactorChanged | BindRefused::NumberChanged) => {
                Next::ForgetNumber { login, number }
            }
        }
    }

    /// `usecase/replace_number.rs`: `commit`, from a read to its write.
    fn read_binding(&self, state: &State, guess: Guess) -> Next {
        let item = guess.judged.as_ref().expect("judged");
        let user = self.user(guess.login);
        let bound = &state.factors[usize::from(user)];
        match (bound.phone, item.replaces, item.pending) {
            (Some(phone), Some(old), Some(new)) if phone == old => {
                let logins: Vec<_> = self.logins_of(user).collect();
                let live = writes::live_challenges(state, &logins);
                Next::CommitReplacement { revision: bound.revision, guess, old, new, live }
            }
            _ => Next::Nothing,
        }
    }

    /// A login is at its end.
    fn completed(&self, state: &mut State, guess: &Guess, bound: Option<Index>) {
        state.seen.completed[usize::from(guess.login)] += 1;
        self.look_at_code(state, guess, bound, bound.is_some());
        if let Some(number) = bound {
            state.seen.proven.insert((guess.login, number));
        }
    }

    /// What an onlooker sees of a right code: whether it was in time, was sent to this number for this login, and was the current one: when
    /// it was charged, and where it commits something, then too.
    fn look_at_code(&self, state: &mut State, guess: &Guess, about: Option<Index>, commits: bool) {
        let code = guess.judged.as_ref().and_then(|item| item.code.as_ref()).expect("judged");
        state.seen.late |= guess.now >= code.expires_at;
        let fits = |message: &Message| {
            message.login == guess.login
                && message.text == guess.text
                && about.is_none_or(|number| message.to == number)
        };
        state.seen.foreign |= !state.seen.messages.iter().any(fits);
        let current = state.seen.current[usize::from(guess.login)];
        state.seen.foreign |= guess.current != Some(guess.text) || (commits && current != Some(guess.text));
    }

    /// The number that a plan is for.
    pub fn target(plan: &SendPlan) -> Index {
        number(&plan.target.hash)
    }
}

fn leaves(state: &mut State, message: Message) {
    state.seen.messages.push(message);
    state.seen.messages.sort();
}

/// Whether a right guess has failures to clear.
fn had_failures(judged: &ChallengeItem) -> bool {
    judged.code.as_ref().is_some_and(|code| code.failures_before > 0) || judged.attempts > 1
}
