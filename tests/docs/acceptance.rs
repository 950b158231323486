//! docs/ACCEPTANCE.md and the tests: every criterion that is built is in the name of one, and no name speaks of another.

use std::collections::BTreeSet;
use tests::repository;

/// What a name begins with: `h2_h4_a_message…` and `h2 h4 a message…` prove H2 and H4.
fn ids(name: &str) -> impl Iterator<Item = String> {
    let is_id = |word: &&str| {
        let digits = word.strip_prefix(|first| matches!(first, 'a'..='h')).unwrap_or_default();
        // F2b stands beside F2.
        let digits = digits.strip_suffix('b').unwrap_or(digits);
        !digits.is_empty() && digits.chars().all(|letter| letter.is_ascii_digit())
    };
    // A name that is nothing but an id is no test's.
    let words = if name.contains(['_', ' ']) { name } else { "" };
    words.split(['_', ' ']).take_while(is_id).map(str::to_owned)
}

/// What stands between each `before` and the first of `ends` after it.
fn after<'a>(text: &'a str, before: &'static str, ends: &'static [char]) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| Some(rest.split_once(ends)?.0))
}

fn proven() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["tests", "shared", "infra", "functions"] {
        for file in repository::files(folder, ".rs") {
            let text = repository::read(&file);
            found.extend(after(&text, "fn ", &['(', '<']).flat_map(ids));
        }
    }
    for file in repository::files("tests/pages", ".test.mjs") {
        let text = repository::read(&file);
        found.extend(after(&text, "test(\"", &['"']).chain(after(&text, "test(`", &['`'])).flat_map(ids));
    }
    found
}

#[test]
fn every_criterion_that_is_built_is_in_a_tests_name_and_no_name_has_another() {
    let text = repository::read("docs/ACCEPTANCE.md");
    let (_, missing) = text.split_once("Not built yet: ").expect("what is not built is said");
    let missing = missing.lines().next().unwrap();
    let missing = |id: &str| missing.split([',', ';', '.']).any(|part| part.trim() == id);
    let built: BTreeSet<_> = text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("- ")?.split_once(' ')?.0.to_owned()))
        .filter(|id| !missing(id))
        .map(|id| id.to_lowercase())
        .collect();
    assert!(built.len() > 50, "{built:?}");
    assert_eq!(built, proven());
}
