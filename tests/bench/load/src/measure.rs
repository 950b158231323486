//! The closed loop: so many clients, each with its next login as soon as the last is done.

use crate::Failed;
use crate::connection::Connection;
use crate::login::{Protocol, Steps, now};
use crate::processes::Tree;
use crate::sink::Sink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The name of the thread that the embedded engine of `local` works in.
const ENGINE_THREAD: &str = "dynamodb";

/// How long a level lasts, and how many logins it makes at most: whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub seconds: u64,
    pub logins: usize,
}

/// A server under load.
pub struct Target {
    pub protocol: Arc<Protocol>,
    pub address: String,
    pub tree: Tree,
    pub sink: Sink,
    /// The next user: nobody logs in twice.
    pub next: Arc<AtomicUsize>,
}

/// What one level showed.
#[derive(Clone, Debug, Default)]
pub struct Level {
    pub clients: usize,
    pub steps: Vec<Steps>,
    pub failed: usize,
    pub took: Duration,
    pub cpu: Duration,
    pub engine_cpu: Duration,
}

impl Level {
    pub fn per_second(&self) -> f64 {
        self.steps.len() as f64 / self.took.as_secs_f64()
    }

    /// Milliseconds of the server's CPU for a login.
    pub fn cpu_ms(&self) -> f64 {
        ms(self.cpu) / self.steps.len() as f64
    }

    pub fn engine_cpu_ms(&self) -> f64 {
        ms(self.engine_cpu) / self.steps.len() as f64
    }
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value below which so much of the sorted values is, in milliseconds.
pub fn percentile(mut values: Vec<Duration>, share: f64) -> f64 {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().map_or(f64::NAN, ms)
}

impl Target {
    /// Logs users in, and says what it took. More than one failure in a hundred is an error.
    pub async fn load(&self, clients: usize, effort: Effort) -> Result<Level, Failed> {
        let end = self.next.load(Ordering::Relaxed) + effort.logins;
        let deadline = now() + Duration::from_secs(effort.seconds);
        let (cpu, engine) = (self.tree.cpu(), self.tree.cpu_of_threads(ENGINE_THREAD));
        let started = now();
        let clients_at_work: Vec<_> = (0..clients)
            .map(|_| {
                let (protocol, sink, next) = (self.protocol.clone(), self.sink.clone(), self.next.clone());
                let mut http = Connection::to(&self.address);
                tokio::spawn(async move {
                    let (mut steps, mut failures) = (Vec::new(), Vec::new());
                    while now() < deadline {
                        let user = next.fetch_add(1, Ordering::Relaxed);
                        if user >= end {
                            break;
                        }
                        match protocol.login(&mut http, &sink, user).await {
                            Ok(done) => steps.push(done),
                            Err(error) => failures.push(error.to_string()),
                        }
                    }
                    (steps, failures)
                })
            })
            .collect();
        let mut level = Level { clients, ..Level::default() };
        let mut why = None;
        for client in clients_at_work {
            let (steps, failures) = client.await?;
            level.steps.extend(steps);
            level.failed += failures.len();
            why = why.or(failures.into_iter().next());
        }
        level.took = started.elapsed();
        level.cpu = self.tree.cpu() - cpu;
        level.engine_cpu = self.tree.cpu_of_threads(ENGINE_THREAD) - engine;
        // Where the level ended early, the clients have taken a number each and not used it.
        self.next.fetch_min(end, Ordering::Relaxed);
        match why {
            Some(why) if level.failed * 100 > level.steps.len() => {
                Err(format!("{} logins failed of {}: {why}", level.failed, level.steps.len() + level.failed)
                    .into())
            }
            _ => Ok(level),
        }
    }
}
