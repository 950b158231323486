//! The slowest that a call can be, in the service's own time: with its own client, and its own deadline for an answer. Nothing here is scaled,
//! so nothing needs a margin; and since the calls only wait, all of them are made at once. Each by a client of its own, as functions have it.

use crate::cases::Case;
use crate::clients::{FUNCTION_TIMEOUT, own};
use crate::run::{Laboratory, call, checked};
use std::time::Instant;
use tests::proxy::{Fault, Record};

/// How many attempts the client makes.
const ATTEMPTS: usize = 3;

/// A case's call, made while this goes wrong with each request; answers whether it was told to come again.
async fn is_cut_off(
    case: Case,
    what: &str,
    laboratory: &Laboratory,
    fault: fn(&Record) -> Option<Fault>,
) -> bool {
    let world = &laboratory.world;
    let run = format!("{case:?} where {what}");
    let ready = case.prepare(world).await;
    world.proxy.fail_when(fault);
    let started = Instant::now();
    let answer = call(world, &ready).await;
    let took = started.elapsed();
    world.proxy.heal();
    let (status, answer) = checked(&run, answer);
    println!("{run}: {status} after {} ms", took.as_millis());
    assert!(took < FUNCTION_TIMEOUT, "{run}: {took:?}");
    assert!(status == 503 || status == case.expected(), "{run}: {status} {answer}");
    // What it was cut off from, a repetition finishes.
    if status == 503 {
        let (again, answer) = checked(&run, call(world, &ready).await);
        let known = answer["code"].as_str().is_some_and(|code| case.repeated().contains(&code));
        let waits = case.sends() && (again == 200 || again == 429);
        assert!(again == case.expected() || known || waits, "{run}, again: {again} {answer}");
    }
    status == 503
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h3_no_call_outlasts_its_function() {
    let outcomes = Case::ALL.iter().map(|case| async move {
        let laboratory = Laboratory::new(own).await;
        let silent = is_cut_off(*case, "nothing is answered", &laboratory, |_| Some(Fault::Silence)).await;
        assert!(silent, "{case:?} needs no request");
        let late = |record: &Record| (record.attempt < ATTEMPTS).then_some(Fault::Silence);
        let slow = is_cut_off(*case, "only last attempts are answered", &laboratory, late).await;
        laboratory.assert_consistent().await;
        slow
    });
    // Two requests that succeed at their last attempt are over in time, and four are not.
    let slow = futures::future::join_all(outcomes).await;
    let cut_off = slow.iter().filter(|slow| **slow).count();
    assert!(cut_off > 10 && cut_off < slow.len(), "{cut_off} of {}", slow.len());
}
