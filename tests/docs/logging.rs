//! docs/LOGGING.md and what the code logs.

use crate::tables::rows;
use std::collections::BTreeSet;
use tests::repository;
use tests::source::Source;

type Event = (String, String);

/// The quoted messages of each row, each with its level: a row has one level for all of them, or as many levels as messages.
fn documented() -> BTreeSet<Event> {
    let mut events = BTreeSet::new();
    for row in rows(&repository::read("docs/LOGGING.md"), "## What is logged") {
        let messages: Vec<_> = row[0].split('`').skip(1).step_by(2).collect();
        let levels: Vec<_> = row[1].split(", ").collect();
        assert!(levels.len() == 1 || levels.len() == messages.len(), "{row:?}");
        for (at, message) in messages.iter().enumerate() {
            let level = levels.get(at).unwrap_or(&levels[0]);
            assert!(events.insert(((*level).to_owned(), (*message).to_owned())), "{message} twice");
        }
    }
    events
}

#[test]
fn every_event_is_documented_with_its_level_and_no_other() {
    let functions = repository::files("functions", ".rs");
    let crates =
        functions.iter().filter_map(|file| Some(file.split_once("/src/")?.0)).collect::<BTreeSet<_>>();
    let roots = crates.iter().map(|name| format!("{name}/src"));
    let roots = roots.chain(["shared/src", "shared/domain/src", "infra/local/src"].map(str::to_owned));
    let logged: BTreeSet<Event> =
        roots.flat_map(|root| Source::all(&root)).flat_map(|it| it.events).collect();
    assert_eq!(documented(), logged);
}
