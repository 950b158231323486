//! docs/SECURITY.md names tests that exist, and every threat once.

use crate::tables::{code, rows};
use tests::repository;

#[test]
fn every_test_that_is_named_exists() {
    let mut sources = String::new();
    for folder in ["shared", "infra", "tests"] {
        for file in repository::files(folder, ".rs") {
            sources.push_str(&repository::read(&file));
        }
    }
    let text = repository::read("docs/SECURITY.md");
    let named = rows(&text, "## Threats")
        .into_iter()
        .map(|row| row[3].clone())
        .chain(text.split("\nBeside these:").nth(1).map(str::to_owned));
    let mut found = 0;
    for name in
        named.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
    {
        if name.matches('_').count() >= 2
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            // A list that a macro makes tests of has them without `fn`.
            let exists =
                [format!("fn {name}("), format!("\n    {name}: ")].iter().any(|it| sources.contains(it));
            assert!(exists, "there is no test {name}");
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
}

/// Each with its test and what was seen.
#[test]
fn every_defence_that_is_taken_out_has_its_row() {
    let script = repository::read("tests/mutations");
    let listed: Vec<&str> =
        script.split("\ndefence(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let table = rows(&repository::read("docs/SECURITY.md"), "## Defences taken out");
    let named: Vec<&str> = table.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(named, listed);
    for row in &table {
        let test = code(&row[1]).unwrap();
        assert!(script.contains(&test) && !row[2].is_empty(), "{row:?}");
    }
}

#[test]
fn every_threat_has_its_row() {
    let rows = rows(&repository::read("docs/SECURITY.md"), "## Threats");
    let numbers: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(numbers, (1..=33).map(|n| format!("T{n}")).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.len() == 4), "a row has not four cells");
    assert!(rows.iter().all(|row| row[3].is_empty() != code(&row[3]).is_some()));
}
