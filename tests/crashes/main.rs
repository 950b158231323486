//! `local` is killed (SIGKILL) again and again in the middle of logins, and started on the same files. Afterwards everything that a client
//! was told is on record: its login, its number, its wrong guesses.
//!
//! `CRASHES_SECONDS` says for how long; `CRASHES_SEED` when it is killed, and what clients do.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops at its first surprise, waits in real time, and says how far it came"
)]

mod book;
mod client;
mod program;

use book::Book;
use client::Visitor;
use program::Program;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::repository::TemporaryFolder;

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

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_what_was_answered_survives_being_killed() {
    let seed = from_environment("CRASHES_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let patience = Duration::from_secs(from_environment("CRASHES_SECONDS").unwrap_or(25));
    println!("CRASHES_SEED={seed}");
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
    book.assert_on_record(&program, &tenant).await;
}
