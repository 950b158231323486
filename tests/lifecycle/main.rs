//! A login's life, walked through in every order that a few clients, crashes, lost answers and time allow (stateright).
//!
//! The writes are the service's, condition by condition (`writes`); what to write is decided by the service's own domain functions (`steps`).
//! What the model has to reject, it is made to reject: each broken variant has a property that finds it (`variant`).
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops at its first surprise, and says how far it came"
)]

mod items;
mod properties;
mod scenario;
mod state;
mod steps;
mod trace;
mod variant;
mod writes;

use items::{Delivered, Index, Login};
use scenario::Scenario;
use state::{Next, Pepper, Request, State};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};
use std::collections::BTreeSet;
use variant::Variant;

pub struct Lifecycle {
    scenario: Scenario,
    variant: Variant,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Begins(usize, Request),
    /// The client's process makes its next request.
    Steps(usize),
    /// The same, and its answer is lost: the SDK will make it again.
    StepsAndHearsNothing(usize),
    /// The message that the client's process sends does not leave: a limit refuses it, or the provider, or it can't be counted.
    MessageFails(usize),
    /// Nobody knows whether it left; whether it did.
    MessageIsUnknown(usize, bool),
    /// The process dies. Its client gets no answer.
    Dies(usize),
    TimePasses,
    /// The next stage of the pepper's rotation.
    Rotates,
}

impl Lifecycle {
    fn login(&self, login: Index) -> &Login {
        &self.scenario.logins[usize::from(login)]
    }

    fn user(&self, login: Index) -> Index {
        self.login(login).user
    }

    fn logins_of(&self, user: Index) -> impl Iterator<Item = Index> {
        (0..).zip(&self.scenario.logins).filter(move |(_, login)| login.user == user).map(|(index, _)| index)
    }

    /// The old pepper goes only once what it made has ended (docs/RUNBOOK.md), and that is long after every request of that time has: a
    /// function has ten seconds.
    fn may_rotate(&self, state: &State) -> bool {
        let mut codes = state.challenges.iter().flatten().filter_map(|item| item.code.as_ref());
        let in_use = codes.any(|code| code.pepper == 0 && code.expires_at > state.now);
        let idle = state.clients.iter().all(|client| client.next == Next::Nothing);
        self.scenario.rotates && state.pepper.0 < Pepper::LAST && (state.pepper.0 < 2 || (idle && !in_use))
    }
}

/// Whether the SDK's repetition of a request is a second one to the engine. A transaction carries a token that the engine knows again, and
/// what sets a value sets it twice; these add.
fn is_repeated(next: &Next) -> bool {
    matches!(
        next,
        Next::Charge { .. }
            | Next::CountFailure { .. }
            | Next::AskForNumber { .. }
            | Next::ProveOld { .. }
            | Next::Settle { .. }
    )
}

impl Model for Lifecycle {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        vec![self.scenario.start()]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        for (index, client) in state.clients.iter().enumerate() {
            if client.next == Next::Nothing {
                if client.requests_left > 0 {
                    events.extend(
                        self.scenario
                            .requests(state, index)
                            .into_iter()
                            .map(|request| Event::Begins(index, request)),
                    );
                }
                continue;
            }
            events.push(Event::Steps(index));
            if state.seen.lost_answers < self.scenario.lost_answers && is_repeated(&client.next) {
                events.push(Event::StepsAndHearsNothing(index));
            }
            if state.seen.undelivered < self.scenario.undelivered
                && matches!(client.next, Next::Publish { .. })
            {
                events.extend([
                    Event::MessageFails(index),
                    Event::MessageIsUnknown(index, true),
                    Event::MessageIsUnknown(index, false),
                ]);
            }
            if state.seen.crashes < self.scenario.crashes {
                events.push(Event::Dies(index));
            }
        }
        if state.now < *self.scenario.moments.last().unwrap() {
            events.push(Event::TimePasses);
        }
        if self.may_rotate(state) {
            events.push(Event::Rotates);
        }
    }

    fn next_state(&self, state: &State, event: Event) -> Option<State> {
        let mut next = state.clone();
        match event {
            Event::Begins(client, request) => self.begin(&mut next, client, request),
            Event::Steps(client) => self.step(&mut next, client, false),
            Event::StepsAndHearsNothing(client) => {
                next.seen.lost_answers += 1;
                self.step(&mut next, client, true);
            }
            Event::MessageFails(client) => {
                next.seen.undelivered += 1;
                self.message_goes_wrong(&mut next, client, false, Delivered::Failed);
            }
            Event::MessageIsUnknown(client, left) => {
                next.seen.undelivered += 1;
                self.message_goes_wrong(&mut next, client, left, Delivered::Unknown);
            }
            Event::Dies(client) => {
                next.seen.crashes += 1;
                next.clients[client].next = Next::Nothing;
            }
            Event::TimePasses => {
                next.now = *self.scenario.moments.iter().find(|moment| **moment > state.now)?;
            }
            Event::Rotates => next.pepper.0 += 1,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}

/// How many steps are taken in one world at most. Small worlds are walked through to the end long before; in those that are cut this is how
/// far minutes go, the shortest ways first.
const MOST_STEPS: usize = 5_000_000;

/// `LIFECYCLE=larger` makes them larger.
fn scenarios() -> Vec<Scenario> {
    Scenario::all(std::env::var("LIFECYCLE").is_ok_and(|size| size == "larger"))
}

#[test]
fn h2_a_logins_life_holds_in_every_order() {
    for scenario in scenarios() {
        let (name, started) = (scenario.name, std::time::Instant::now());
        let checker = Lifecycle { scenario, variant: Variant::Ours }
            .checker()
            .threads(2)
            .target_state_count(MOST_STEPS)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let (states, steps) = (checker.unique_state_count(), checker.state_count());
        let may_be_cut = checker.model().scenario.may_be_cut;
        println!("{name}: {states} states, {steps} steps, {} ms", started.elapsed().as_millis());
        assert!(steps < MOST_STEPS || may_be_cut, "{name}: not walked through to its end");
        for (property, path) in checker.discoveries() {
            let failure =
                checker.model().property(property).expectation != stateright::Expectation::Sometimes;
            assert!(!failure, "{name}: not so: {property}\n{}", trace::in_words(checker.model(), path));
        }
        checker.assert_properties();
    }
}

/// The shortest way to what a broken variant breaks, in the world that it is looked for in.
fn counter_example(variant: Variant) -> Option<String> {
    // What stateright keeps is the last of those that it came by in one go, which may be some steps too long.
    let (mut found, mut depth) = (None, usize::MAX);
    while let Some(path) = first_failure(variant, depth) {
        depth = path.clone().into_vec().len();
        found = Some(path);
    }
    found.map(|path| trace::in_words(&Lifecycle { scenario: world_of(variant), variant }, path))
}

/// A way that is shorter than `depth` states.
fn first_failure(variant: Variant, depth: usize) -> Option<Path<State, Event>> {
    let checker = Lifecycle { scenario: world_of(variant), variant }
        .checker()
        .threads(1)
        .target_max_depth(depth)
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([variant.breaks()])))
        .spawn_bfs()
        .join();
    checker.discovery(variant.breaks())
}

/// No more goes wrong there than the variant needs.
fn world_of(variant: Variant) -> Scenario {
    let mut all = Scenario::all(false).into_iter();
    let world = all.find(|scenario| scenario.name == variant.world()).expect("a world of that name");
    let needs = |these: &[Variant]| u8::from(these.contains(&variant));
    Scenario {
        crashes: needs(&[Variant::AnswerBeforeCounting, Variant::BindSpendsItsCode]),
        lost_answers: needs(&[Variant::RetryUnknown, Variant::NumberRetryUnknown]),
        undelivered: needs(&[Variant::FreesAnUnknownKey, Variant::SettlesAnySend]),
        ..world
    }
}

#[test]
fn h2_every_broken_variant_is_rejected_and_the_documents_show_how() {
    let mut shown = String::new();
    for variant in Variant::BROKEN {
        let started = std::time::Instant::now();
        let found = counter_example(variant);
        let trace = found.unwrap_or_else(|| panic!("{variant:?} is not rejected"));
        println!("{variant:?}: {} ms", started.elapsed().as_millis());
        let world = variant.world();
        shown +=
            &format!("\n**If {}** ({world}), \"{}\" fails:\n\n{trace}", variant.in_words(), variant.breaks());
    }
    trace::assert_documented(&shown);
}
