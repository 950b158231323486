//! What strangers write, changed in every way: each target of `targets/` over its corpus, and over seeds that are changed at random. The
//! same functions go to libFuzzer by `tests/fuzz/run`, which keeps in the corpus what reached new code.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod targets;
#[path = "../budgets/world.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod world;

use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, FileFailurePersistence, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;
use targets::{TARGETS, Target};
use tests::repository;

/// Words that a change puts in: what parsers trip over.
const WORDS: &[&str] = &[
    "\0",
    "\u{202e}",
    "\u{fe0f}",
    "٣",
    "１",
    "\r\n",
    "%00",
    "%2f",
    "..",
    "//",
    "\\",
    "@",
    "#",
    "{{",
    "}}",
    "null",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "\"",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "&",
    "+",
    ";",
    "\u{10ffff}",
    "ß",
    "İ",
    "true",
    "[[[[[[[[",
    "{{user}}",
    "{{login_token}}",
    "{{admin_key}}",
    "Bearer ",
    "application/json",
    "://",
    "xn--",
    "\u{3002}",
    "0x7f.1",
    "[::1]",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Edit {
    Put(prop::sample::Index, &'static str),
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Again(prop::sample::Index, usize),
    Join(prop::sample::Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<prop::sample::Index>;
    proptest::prop_oneof![
        (at(), prop::sample::select(WORDS)).prop_map(|(at, word)| Edit::Put(at, word)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        (at(), 1..40_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        (at(), 1..40_usize).prop_map(|(at, length)| Edit::Again(at, length)),
        at().prop_map(Edit::Join),
    ]
}

fn apply(seeds: &[Vec<u8>], seed: prop::sample::Index, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = seeds[seed.index(seeds.len())].clone();
    for edit in edits {
        let end = bytes.len();
        match edit {
            Edit::Put(at, word) => {
                let at = at.index(end + 1);
                bytes.splice(at..at, word.bytes());
            }
            Edit::Byte(at, byte) if end > 0 => bytes[at.index(end)] = *byte,
            Edit::Cut(at, length) if end > 0 => {
                let at = at.index(end);
                bytes.drain(at..(at + length).min(end));
            }
            Edit::Again(at, length) if end > 0 => {
                let at = at.index(end);
                bytes.extend_from_within(at..(at + length).min(end));
            }
            Edit::Join(other) => {
                let other = &seeds[other.index(seeds.len())];
                let half = other.len() / 2;
                bytes.truncate(end / 2);
                bytes.extend_from_slice(&other[half..]);
            }
            _ => {}
        }
    }
    bytes
}

/// The corpus; for events also the files that people paste.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = repository::path(&format!("tests/fuzz/corpus/{}", target.name));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    if target.name == "event" {
        files.extend(repository::files("tests/events", ".json").iter().map(|file| repository::path(file)));
    }
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn fuzz(name: &str, cases: u32) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds(target);
    assert!(seeds.len() >= 3, "{name}: {} seeds", seeds.len());
    for seed in &seeds {
        (target.run)(seed);
    }
    let config = Config {
        cases,
        // An input that fails becomes a file of the corpus, by hand and with a name.
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        // Each shrinking step of a target that calls is a call.
        max_shrink_iters: if target.calls { 200 } else { 4_000 },
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let strategy = (any::<prop::sample::Index>(), prop::collection::vec(edit(), 1..6));
    TestRunner::new_with_rng(config, random)
        .run(&strategy, |(seed, edits)| {
            (target.run)(&apply(&seeds, seed, &edits));
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_target_is_run_here() {
    let source = repository::read("tests/fuzz/main.rs");
    for target in TARGETS {
        assert!(source.contains(&format!("fuzz(\"{}\", ", target.name)), "{}", target.name);
    }
    let folders = std::fs::read_dir(repository::path("tests/fuzz/corpus")).unwrap();
    let folders: BTreeSet<_> = folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, TARGETS.iter().map(|target| target.name.to_owned()).collect());
}

#[test]
fn numbers() {
    fuzz("number", 10_000);
}

#[test]
fn t22_messages() {
    fuzz("message", 20_000);
}

#[test]
fn t22_templates() {
    fuzz("template", 20_000);
}

#[test]
fn t26_addresses() {
    fuzz("address", 20_000);
}

#[test]
fn credentials() {
    fuzz("credential", 20_000);
}

#[test]
fn patches_of_tenants() {
    fuzz("tenant_patch", 20_000);
}

#[test]
fn patches_of_applications() {
    fuzz("application_patch", 20_000);
}

#[test]
fn sealed_texts() {
    fuzz("sealed", 5_000);
}

#[test]
fn access_tokens() {
    fuzz("access_token", 1_000);
}

#[test]
fn t20_id_tokens_of_sources() {
    fuzz("id_token", 1_500);
}

#[test]
fn cursors() {
    fuzz("cursor", 1_500);
}

#[test]
fn events() {
    fuzz("event", 2_000);
}
