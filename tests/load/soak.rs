//! Logins without an end: memory and handles stay where they are once all there is has been used.

use crate::guest::Guest;
use crate::observed::{handles, memory};
use crate::program::Program;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::repository::TemporaryFolder;

const CLIENTS: usize = 4;

/// How much the memory may grow from the first third of the time that is looked at to the last, in KiB. What the allocator leaves lying
/// about and the engine's cache of pages move by a part of it. With 24 KiB leaked in each request the quick form was seen to fail on a busy
/// machine; the long form sees a kilobyte in each login.
const GROWTH: u64 = 3 * 1024;

/// The same for each thousand logins in that time: what the long form's slope may be.
const GROWTH_PER_THOUSAND: u64 = 256;

struct Times {
    warm_up: Duration,
    looked_at: Duration,
    between: Duration,
}

fn times() -> Times {
    let seconds = Duration::from_secs;
    if std::env::var("LOAD").is_ok_and(|load| load == "soak") {
        Times { warm_up: seconds(60), looked_at: seconds(540), between: seconds(2) }
    } else {
        Times { warm_up: seconds(6), looked_at: seconds(9), between: Duration::from_millis(250) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_handles_stay_flat() {
    let _alone = super::alone().await;
    let folder = TemporaryFolder::new();
    let program = Program::start(folder.path()).await;
    let tenant = Arc::new(program.tenant().await);
    let (stop, logins) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let guest = Guest::new(program.url(), &tenant);
            let (stop, logins) = (Arc::clone(&stop), Arc::clone(&logins));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    guest.signs_in().await;
                    logins.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let times = times();
    tokio::time::sleep(times.warm_up).await;
    let (before, started) = (logins.load(Ordering::Relaxed), Instant::now());
    let mut seen = Vec::new();
    while started.elapsed() < times.looked_at {
        seen.push((memory(program.id()), handles(program.id())));
        tokio::time::sleep(times.between).await;
    }
    let made = logins.load(Ordering::Relaxed) - before;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let third = seen.len() / 3;
    let middle = |part: &[(u64, usize)]| {
        let mut memory: Vec<_> = part.iter().map(|(memory, _)| *memory).collect();
        memory.sort_unstable();
        memory[memory.len() / 2]
    };
    let (first, last) = (middle(&seen[..third]), middle(&seen[seen.len() - third..]));
    let most = |part: &[(u64, usize)]| part.iter().map(|(_, handles)| *handles).max().unwrap();
    let (handles_first, handles_last) = (most(&seen[..third]), most(&seen[seen.len() - third..]));
    println!(
        "soak: {made} logins in {} s after {before} of warm-up, {first} KiB -> {last} KiB, {handles_first} -> {handles_last} handles",
        times.looked_at.as_secs()
    );
    assert!(made > CLIENTS, "too little has happened");
    let allowed = GROWTH + GROWTH_PER_THOUSAND * made as u64 / 1000;
    assert!(last <= first + allowed, "memory grows: {first} KiB -> {last} KiB, {allowed} KiB allowed");
    assert!(handles_last <= handles_first + 8, "handles grow: {handles_first} -> {handles_last}");
}
