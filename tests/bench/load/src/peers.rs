//! `bench-load peers`: everything side by side, several times over, and the section of docs/PERFORMANCE.md.

use crate::Failed;
use crate::measure::{Effort, Level, Target};
use crate::report::{self, Row};
use crate::server::end;
use crate::sink::Sink;
use crate::subjects::{Prepared, Subject};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub const CLIENTS: [usize; 3] = [1, 8, 64];

/// What each server does before it is measured.
const WARM_UP: Effort = Effort { seconds: 3, logins: 60 };

#[derive(Args)]
pub struct Options {
    /// The release build of `local`
    #[arg(long, value_name = "FILE", default_value = "target/release/local")]
    local: PathBuf,
    /// Where data is kept meanwhile: a folder on the disk that is to be measured
    #[arg(long, value_name = "DIR", default_value = ".cache/peers/data")]
    data: PathBuf,
    /// Seconds that a level lasts
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Logins that a level has at most
    #[arg(long, default_value_t = 2500)]
    logins: usize,
    /// How often everything is done
    #[arg(long, default_value_t = 2)]
    passes: usize,
    /// Only the servers whose names have this in them
    #[arg(long, default_value = "")]
    only: String,
    /// Has perf watch the server while eight clients sign in, and keep here what it saw
    #[arg(long, value_name = "FILE")]
    perf: Option<PathBuf>,
    /// Writes the section into docs/PERFORMANCE.md
    #[arg(long)]
    write: bool,
}

pub async fn run(options: Options) -> Result<(), Failed> {
    let effort = Effort { seconds: options.seconds, logins: options.logins };
    let (sink, sink_url) = Sink::start().await?;
    let users = CLIENTS.len() * options.logins + WARM_UP.logins;
    let _ = std::fs::remove_dir_all(&options.data);
    std::fs::create_dir_all(&options.data)?;
    // Some of the peers take no other.
    let options = Options { data: options.data.canonicalize()?, ..options };
    let mut rows = Vec::new();
    for subject in Subject::ALL.into_iter().filter(|subject| subject.name().contains(&options.only)) {
        report::say(&format!("preparing {}", subject.name()));
        let folder = options.data.join(format!("{subject:?}"));
        rows.push((subject, subject.prepare(&options.local, folder, users).await?, Row::default()));
    }
    for pass in 1..=options.passes {
        for (subject, prepared, row) in &mut rows {
            report::say(&format!("pass {pass}: {}", subject.name()));
            one_pass(*subject, prepared, row, &options, effort, (&sink, &sink_url)).await?;
        }
    }
    let rows: Vec<_> = rows.into_iter().map(|(subject, _, row)| (subject, row)).collect();
    let section = report::section(&rows);
    report::say(&section);
    if options.write {
        report::write("docs/PERFORMANCE.md", "peers", &section)?;
    }
    std::fs::remove_dir_all(&options.data)?;
    Ok(())
}

async fn one_pass(
    subject: Subject,
    prepared: &Prepared,
    row: &mut Row,
    options: &Options,
    effort: Effort,
    (sink, sink_url): (&Sink, &str),
) -> Result<(), Failed> {
    let folder = options.data.join("now");
    let (server, protocol) = subject.start(&options.local, prepared, &folder, sink_url).await?;
    row.ready.push(server.ready_after);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let target = Target {
        protocol,
        address: server.address.clone(),
        tree: server.tree()?,
        sink: sink.clone(),
        next: Arc::default(),
    };
    row.idle.push(target.tree.memory());
    target.load(1, WARM_UP).await?;
    let mut logins = WARM_UP.logins;
    for clients in CLIENTS {
        let perf = options.perf.as_ref().filter(|_| clients == CLIENTS[1]);
        let perf = perf.map(|file| server.watched_by_perf(file)).transpose()?;
        let level: Level = target.load(clients, effort).await?;
        if let Some(perf) = perf {
            end(perf).await?;
        }
        report::say(&report::progress(&level));
        logins += level.steps.len();
        row.levels.push(level);
    }
    row.peak.push(target.tree.peak_memory());
    server.stop().await?;
    let grown = crate::processes::size_of(&folder)?.saturating_sub(prepared.size()?);
    row.disk.push(grown / logins as u64);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
