//! `bench-counts` names the cases, one a line; `bench-counts CASE` does one, for `tests/bench/counts/run` to count under callgrind. It says how
//! often it did it in all, and how many bytes were answered each time.
#![allow(clippy::print_stdout, reason = "that is how it answers")]

mod cases;

use cases::{CASES, Setup, Work};

const BEFORE: u32 = 2;

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        for case in CASES {
            println!("{}\t{}", case.times, case.name);
        }
        return;
    };
    let case = CASES.iter().find(|case| case.name == name).expect("a case's name");
    shared::telemetry::init();
    let setup = Setup::new();
    let (mut work, held) = setup.prepare(case);
    // What is made at its first use is made by now, and stays.
    for _ in 0..BEFORE {
        work();
    }
    counted_region(&mut work, case.times);
    println!("{}\t{}", BEFORE + case.times + 1, held());
}

/// callgrind counts while this function runs, by its name.
#[inline(never)]
fn counted_region(work: &mut Work, times: u32) {
    for _ in 0..times {
        work();
    }
}
