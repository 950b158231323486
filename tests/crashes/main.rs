//! `local` is killed (SIGKILL) again and again in the middle of logins, and started on the same files; and so are the functions, each in the
//! middle of a request, and another process takes the next one. Afterwards everything that a client was told is on record: its login, its
//! number, its wrong guesses.
//!
//! `CRASHES_SECONDS` says for how long; `CRASHES_SEED` when they are killed, and what clients do.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops at its first surprise, waits in real time, and says how far it came"
)]

mod book;
mod client;
mod counts;
#[path = "../bootstraps/deployment.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod deployment;
mod fleet;
#[allow(dead_code, reason = "tests/load, which stands on this file too, uses all of it")]
mod program;
#[path = "../faults/tables.rs"]
mod tables;

use book::Book;
use client::Visitor;
use fleet::Fleet;
use program::{Program, Tenant};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::engine::Engine;
use tests::repository::TemporaryFolder;
use tests::tables::Tables;

/// From how long on a run has to show thousands of logins, and how many it completes then at least: it and the other one two thousand.
const LONG: Duration = Duration::from_secs(600);
const LONG_COMPLETED: usize = 1000;

/// The engine's, in the data folder of `local`.
const FILE: &str = "dynamodb.sqlite";

/// How many clients there are at once.
const VISITORS: u64 = 6;

/// The same numbers from the same seed (xorshift64*).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

fn seed() -> u64 {
    let seed = from_environment("CRASHES_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("CRASHES_SEED={seed}");
    seed
}

fn patience() -> Duration {
    Duration::from_secs(from_environment("CRASHES_SECONDS").unwrap_or(25))
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The long form is about thousands of logins: a run that kills so often that hardly one is completed shows nothing.
fn assert_long_enough(patience: Duration, book: &Book) {
    if patience >= LONG {
        let completed = book.completed.len();
        assert!(completed >= LONG_COMPLETED, "{completed} of {LONG_COMPLETED} logins completed: {book}");
    }
}

/// One at a time: each is about when a process is in the middle of something.
async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    static MACHINE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    MACHINE.lock().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_what_was_answered_survives_being_killed() {
    let _alone = alone().await;
    let (seed, patience) = (seed(), patience());
    let mut dice = Dice::new(seed);
    let folder = TemporaryFolder::new();
    let book = Arc::new(Mutex::new(Book::default()));
    let mut program = Program::start(folder.path()).await;
    let tenant = Arc::new(program.tenant().await);
    let (started, mut kills) = (Instant::now(), 0);
    while started.elapsed() < patience {
        let visitors: Vec<_> = (0..VISITORS)
            .map(|visitor| {
                let dice = Dice::new(seed ^ (kills * VISITORS + visitor + 1));
                let visitor = Visitor::new(program.http(), Arc::clone(&tenant), Arc::clone(&book), dice);
                tokio::spawn(visitor.comes_until_nobody_answers())
            })
            .collect();
        // After so many answers, wherever that is in each login.
        let enough = book.lock().unwrap().answers + 20 + dice.below(180);
        while book.lock().unwrap().answers < enough && visitors.iter().any(|visitor| !visitor.is_finished()) {
            tokio::time::sleep(Duration::from_millis(1 + dice.below(10))).await;
        }
        program.kill();
        kills += 1;
        for visitor in visitors {
            visitor.await.unwrap();
        }
        program = Program::start(folder.path()).await;
    }
    let book = book.lock().unwrap().clone();
    println!("{kills} kills, {book}");
    assert!(kills > 0 && !book.completed.is_empty(), "too little has happened: {book}");
    assert_long_enough(patience, &book);
    book.assert_on_record(&program.http(), &tenant).await;
    program.kill();
    let (engine, tables) = (Engine::dynoxide_over(&folder.path().join(FILE)).await, Tables::of_local());
    tables::assert_consistent(engine.url(), &tables).await;
    // Its outbox went with each process: what has left is what clients were told of, at least.
    counts::assert_counted(engine.url(), &tables, book.sent.len() as u64, &book).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_what_was_answered_survives_killed_functions() {
    let _alone = alone().await;
    let (seed, patience) = (seed(), patience());
    let mut dice = Dice::new(seed);
    let fleet = Fleet::start().await;
    let tenant = Arc::new(Tenant::make(&fleet.http(), &fleet.operator_key).await);
    let (book, closed) = (Arc::new(Mutex::new(Book::default())), Arc::new(AtomicBool::new(false)));
    let visitors: Vec<_> = (0..VISITORS)
        .map(|visitor| {
            let dice = Dice::new(seed ^ (visitor + 1));
            let visitor = Visitor::new(fleet.http(), Arc::clone(&tenant), Arc::clone(&book), dice);
            tokio::spawn(visitor.comes_until(Arc::clone(&closed)))
        })
        .collect();
    let (started, mut kills) = (Instant::now(), 0);
    while started.elapsed() < patience {
        // After so many answers, or a second in which there were fewer.
        let enough = book.lock().unwrap().answers + 10 + dice.below(40);
        let second = Instant::now();
        while book.lock().unwrap().answers < enough && second.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        kills += u64::from(fleet.kill_one(&mut dice).await);
    }
    closed.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let book = book.lock().unwrap().clone();
    println!("{kills} kills in the middle of a request, {book}");
    assert!(
        kills > 10 && book.unanswered > 0 && book.completed.len() > 10,
        "too little has happened: {book}"
    );
    assert_long_enough(patience, &book);
    book.assert_on_record(&fleet.http(), &tenant).await;
    tables::assert_consistent(fleet.engine.url(), &fleet.tables).await;
    counts::assert_counted(fleet.engine.url(), &fleet.tables, fleet.messages() as u64, &book).await;
}
