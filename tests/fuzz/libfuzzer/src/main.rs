//! One target under libFuzzer: `TARGET` names it.
#![no_main]
#![allow(clippy::unwrap_used, reason = "a fuzzer stops at its first surprise")]

#[path = "../../targets/mod.rs"]
#[allow(dead_code, reason = "what a target's calls cost is the test's business")]
mod targets;
#[path = "../../../budgets/world.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod world;

use std::sync::LazyLock;
use targets::{TARGETS, Target};

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    *found.unwrap_or_else(|| panic!("TARGET is none of {:?}", TARGETS.iter().map(|it| it.name).collect::<Vec<_>>()))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (CHOSEN.run)(data));
