//! Going back: an older program on what today's wrote, in the middle of everybody's logins, and today's on what both wrote. `tests/older/run`
//! builds the older one and says which; a deployment that is rolled back is in this place, and so is one of which a tenth is new.
//!
//! In every run, without an older program: what the items of each released version have, today's still have (`attributes.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops at its first surprise, and says how far it came"
)]

mod attributes;
mod logins;
mod program;
mod view;
mod world;

use logins::{Login, Member, Step, UnderWay, number};
use program::{Home, Program};
use serde_json::json;
use tests::http_client::Call;
use world::{WORDS, World};

/// Logins that today's program begins and the older one finishes; that today's begins and finishes, with the older one in between; that the older
/// one begins and today's finishes.
const TO_OLDER: u8 = 1;
const ACROSS: u8 = 2;
const FROM_OLDER: u8 = 3;

/// A number waits between its messages.
async fn two_minutes_pass(program: &Program) {
    let call = Call::post("/_local/clock", &json!({ "advance_seconds": 120 }));
    program.send(call).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes an older program: tests/older/run"]
async fn an_older_program_goes_on_with_every_login_and_loses_nothing() {
    let (older, sources) = program::older();
    let home = Home::new();
    let today = home.start(&program::todays()).await;
    let world = World::make(&today).await;
    let (mut members, mut movers) = (Vec::new(), Vec::new());
    for set in [TO_OLDER, ACROSS, FROM_OLDER] {
        members.push(Member::make(&today, &world, &format!("member{set}"), &number(set, 6)).await);
        movers.push(Member::make(&today, &world, &format!("mover{set}"), &number(set, 7)).await);
    }
    let [to_older, across, from_older] = members.try_into().unwrap();
    two_minutes_pass(&today).await;
    let mut across = UnderWay::begin(&today, &world, ACROSS, across, &movers[1]).await;
    let mut to_older = UnderWay::begin(&today, &world, TO_OLDER, to_older, &movers[0]).await;
    let begun = [&across, &to_older];
    let users: Vec<_> =
        begun.iter().flat_map(|it| it.logins.iter().map(|login| login.user.clone())).collect();
    let first = view::of(&today, &world, &users).await;
    let first_events = view::events(&today, &world).await;
    to_older.add_qrs(&today, &world).await;
    today.stop().await;

    // The older one shows what there is, finishes what was begun, changes what an administrator changes, and begins more.
    let then = home.start(&older).await;
    let unknown = view::assert_agree(&view::of(&then, &world, &users).await, &first, &sources);
    to_older.go_on(&then, &world).await;
    to_older.is_on_record(&then, &world).await;
    view::change(&then, &world).await;
    let mut from_older = UnderWay::begin(&then, &world, FROM_OLDER, from_older, &movers[2]).await;
    let older_view = view::of(&then, &world, &users).await;
    let older_events = view::events(&then, &world).await;
    view::assert_kept(&first_events, &older_events);
    from_older.add_qrs(&then, &world).await;
    then.stop().await;

    // Today's has all of it back, what the older one did not know included.
    let today = home.start(&program::todays()).await;
    let last = view::of(&today, &world, &users).await;
    view::assert_agree(&older_view, &last, &sources);
    view::assert_kept(&older_events, &view::events(&today, &world).await);
    for path in &unknown {
        assert_eq!(last[path], first[path], "{path}: what the older one does not know is kept");
    }
    for login in &across.logins {
        for (path, page) in first.iter().filter(|(path, _)| path.contains(&login.user)) {
            assert_eq!(&last[path], page, "{path}: nobody has touched it");
        }
    }
    from_older.go_on(&today, &world).await;
    let messages = across.go_on(&today, &world).await;
    assert_eq!(messages.len(), 4, "{messages:?}");
    for message in messages {
        assert!(message.contains(WORDS), "the words of the login's start: {message}");
    }
    for set in [&mut to_older, &mut across, &mut from_older] {
        set.is_on_record(&today, &world).await;
    }
    two_minutes_pass(&today).await;
    for set in [&to_older, &from_older] {
        let Login { user, number, .. } = &set.logins[0];
        let answer = world.start(&today, user, json!({})).await;
        let message = Login::new(Step::Started, user, number.clone(), &answer).send(&today, number).await;
        assert!(message.contains(WORDS), "the tenant's words are there: {message}");
    }
    today.stop().await;
    let logins: usize = [&to_older, &across, &from_older].iter().map(|set| set.count()).sum();
    println!(
        "{logins} logins, {} documents, of which the older program does not know {unknown:?}",
        first.len()
    );
}
