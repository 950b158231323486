//! Starts a function again and again, and hands its last environment the same event many times.

use crate::runtime::{Environment, Program};
use crate::store::Items;
use crate::stub::{Aws, Canned};
use serde_json::Value;
use std::time::Duration;
use tests::tables::Tables;
use tokio::runtime::Runtime;

/// What is measured: a program with its event.
#[derive(Clone)]
pub struct Subject {
    pub program: Program,
    /// None where a start is all that can be measured.
    pub event: Option<String>,
    pub canned: Canned,
    pub before: Items,
    /// Beside those that template.yaml sets.
    pub extra: Vec<(String, String)>,
}

/// How often.
#[derive(Clone, Copy)]
pub struct Rounds {
    pub starts: usize,
    pub warm: usize,
}

/// What DynamoDB is, as far as a measurement needs to know.
pub enum Store<'a> {
    /// Answers are canned, or there is nobody.
    Fixed(Option<&'a Aws>),
    /// Its items are put back before each event.
    Engine { url: &'a str, tables: &'a Tables, runtime: &'a Runtime },
}

#[derive(Clone, Debug, Default)]
pub struct Figures {
    init: Vec<Duration>,
    first: Vec<Duration>,
    warm: Vec<Duration>,
    /// CPU of one warm request.
    pub cpu: Duration,
    /// MiB
    pub memory: f64,
    /// Opened by one environment, from its start to its last warm request.
    pub connections: usize,
}

impl Figures {
    pub fn init(&self) -> f64 {
        percentile(&self.init, 50)
    }

    pub fn first(&self) -> f64 {
        percentile(&self.first, 50)
    }

    pub fn warm(&self) -> f64 {
        percentile(&self.warm, 50)
    }

    pub fn warm_p99(&self) -> f64 {
        percentile(&self.warm, 99)
    }

    pub fn has_requests(&self) -> bool {
        !self.warm.is_empty()
    }
}

/// Milliseconds; none of nothing.
fn percentile(of: &[Duration], percent: usize) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, |duration| duration.as_secs_f64() * 1000.0)
}

pub fn measure(
    subject: &Subject,
    variables: &[(String, String)],
    store: &Store<'_>,
    rounds: Rounds,
) -> Figures {
    let variables = [variables, &subject.extra].concat();
    let mut figures = Figures::default();
    for round in 0..rounds.starts {
        let connections_before = connections(store);
        let (environment, init) = Environment::start(&subject.program, &variables);
        figures.init.push(init);
        if let Some(event) = &subject.event {
            figures.first.push(one(&environment, event, subject, store));
            if round + 1 == rounds.starts {
                warm(&environment, event, subject, store, rounds.warm, &mut figures);
            }
        }
        figures.memory = environment.peak_memory();
        figures.connections = connections(store) - connections_before;
    }
    figures
}

fn warm(
    environment: &Environment,
    event: &str,
    subject: &Subject,
    store: &Store<'_>,
    times: usize,
    figures: &mut Figures,
) {
    let before = environment.cpu();
    figures.warm = (0..times).map(|_| one(environment, event, subject, store)).collect();
    let used = environment.cpu().saturating_sub(before);
    figures.cpu = used / u32::try_from(times.max(1)).unwrap();
}

/// One event, which has to come out as it did before.
fn one(environment: &Environment, event: &str, subject: &Subject, store: &Store<'_>) -> Duration {
    if let Store::Engine { url, tables, runtime } = store {
        runtime.block_on(subject.before.put_back(url, tables));
    }
    let (took, answer) = environment.invoke(event);
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let fine = match &answer["statusCode"] {
        Value::Null => answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty),
        status => (200..400).contains(&status.as_u64().unwrap_or_default()),
    };
    assert!(fine, "{}: {answer}", subject.program.name);
    took
}

fn connections(store: &Store<'_>) -> usize {
    match store {
        Store::Fixed(Some(aws)) => aws.connections(),
        _ => 0,
    }
}
