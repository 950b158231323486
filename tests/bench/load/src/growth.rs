//! `bench-load growth`: what a login costs `local` as its tables grow, a thousand times from the first row to the last.

use crate::Failed;
use crate::filler::{Model, fill};
use crate::local::{self, Operator};
use crate::login::{Protocol, User};
use crate::measure::{Effort, Level, Target, percentile};
use crate::report;
use crate::sink::Sink;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tenants and users in the tables.
const SIZES: [(usize, usize); 4] = [(1, 1_000), (100, 10_000), (1_000, 100_000), (10_000, 1_000_000)];

/// Tenants that are signed in to, and logins in each of the two loads of a size.
const HOT_TENANTS: usize = 20;
const LOGINS: usize = 800;
const WARM_UP: usize = 100;

#[derive(Args)]
pub struct Options {
    /// The release build of `local`
    #[arg(long, value_name = "FILE", default_value = "target/release/local")]
    local: PathBuf,
    /// Where data is kept meanwhile
    #[arg(long, value_name = "DIR", default_value = ".cache/peers/growth")]
    data: PathBuf,
    /// How many of the sizes, from the smallest
    #[arg(long, default_value_t = SIZES.len())]
    sizes: usize,
    /// Writes the section into docs/PERFORMANCE.md
    #[arg(long)]
    write: bool,
}

/// One size, and what it showed: logins spread over tenants, and all in one.
pub struct Grown {
    pub tenants: usize,
    pub users: usize,
    pub file: u64,
    pub spread: Level,
    pub hot: Level,
    pub peak: u64,
}

pub async fn run(options: Options) -> Result<(), Failed> {
    let _ = std::fs::remove_dir_all(&options.data);
    std::fs::create_dir_all(&options.data)?;
    let (sink, sink_url) = Sink::start().await?;
    let file = options.data.join("dynamodb.sqlite");
    let model = model(&options, &file).await?;
    let (of_tenant, of_user) = model.sizes();
    report::say(&format!("a copy of a tenant is {of_tenant} items, one of a user {of_user}"));
    let protocol = Arc::new(users(&options, &sink_url).await?);
    let next = Arc::new(AtomicUsize::new(0));
    let (mut rows, mut before) = (Vec::new(), (1, 0));
    for &(tenants, users) in SIZES.iter().take(options.sizes) {
        report::say(&format!("filling up to {tenants} tenants and {users} users"));
        fill(&file, &model, before.0..tenants, before.1..users)?;
        before = (tenants, users);
        rows.push(measure(&options, &protocol, &next, (&sink, &sink_url), (tenants, users)).await?);
    }
    let section = section(&rows);
    report::say(&section);
    if options.write {
        report::write("docs/PERFORMANCE.md", "growth", &section)?;
    }
    std::fs::remove_dir_all(&options.data)?;
    Ok(())
}

/// A tenant with a user, to be copied.
async fn model(options: &Options, file: &Path) -> Result<Model, Failed> {
    let (server, line) = local::start(&options.local, &options.data, "http://127.0.0.1:1/").await?;
    let mut operator = Operator::of(&server, &line)?;
    let tenant = operator.tenant().await?;
    let user = operator.user(7_000_000, 0, &tenant).await?;
    server.stop().await?;
    Model::of(file, tenant.id(), &user.id)
}

/// Those who sign in: first all that spread over tenants, then those of the hot one, for each size.
async fn users(options: &Options, sink: &str) -> Result<Protocol, Failed> {
    let (server, line) = local::start(&options.local, &options.data, sink).await?;
    let mut operator = Operator::of(&server, &line)?;
    let mut administered = Vec::new();
    for _ in 0..HOT_TENANTS {
        administered.push(operator.tenant().await?);
    }
    let mut users: Vec<User> = Vec::new();
    for _ in 0..options.sizes {
        for at in 0..WARM_UP + 2 * LOGINS {
            let tenant = if at < WARM_UP + LOGINS { at % HOT_TENANTS } else { 0 };
            users.push(operator.user(users.len(), tenant, &administered[tenant]).await?);
        }
    }
    server.stop().await?;
    let tenants = administered.into_iter().map(|administered| administered.tenant).collect();
    Ok(Protocol::Local { tenants, users })
}

async fn measure(
    options: &Options,
    protocol: &Arc<Protocol>,
    next: &Arc<AtomicUsize>,
    (sink, sink_url): (&Sink, &str),
    (tenants, users): (usize, usize),
) -> Result<Grown, Failed> {
    let file = std::fs::metadata(options.data.join("dynamodb.sqlite"))?.len();
    let (server, _) = local::start(&options.local, &options.data, sink_url).await?;
    let target = Target {
        protocol: Arc::clone(protocol),
        address: server.address.clone(),
        tree: server.tree()?,
        sink: sink.clone(),
        next: Arc::clone(next),
    };
    let first = next.load(Ordering::Relaxed);
    let effort = |logins| Effort { seconds: 60, logins };
    target.load(1, effort(WARM_UP)).await?;
    let spread = target.load(1, effort(LOGINS)).await?;
    report::say(&report::progress(&spread));
    let hot = target.load(1, effort(LOGINS)).await?;
    report::say(&report::progress(&hot));
    next.store(first + WARM_UP + 2 * LOGINS, Ordering::Relaxed);
    let peak = target.tree.peak_memory();
    server.stop().await?;
    Ok(Grown { tenants, users, file, spread, hot, peak })
}

fn section(rows: &[Grown]) -> String {
    let mut text = format!("{}\n\n", report::machine());
    text += "| tenants | users | file MB | login p50 / p99 ms, over 20 tenants | in one | CPU ms a login, over 20 | in one | memory MB |\n";
    text += "|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let login = |level: &Level| {
            let whole =
                |steps: &crate::login::Steps| steps.start.unwrap_or_default() + steps.issue + steps.verify;
            let took: Vec<_> = level.steps.iter().map(whole).collect();
            format!("{:.2} / {:.1}", percentile(took.clone(), 0.5), percentile(took, 0.99))
        };
        text += &format!(
            "| {} | {} | {:.0} | {} | {} | {:.2} | {:.2} | {:.0} |\n",
            row.tenants,
            row.users,
            row.file as f64 / 1e6,
            login(&row.spread),
            login(&row.hot),
            row.spread.cpu_ms(),
            row.hot.cpu_ms(),
            row.peak as f64 / 1e6,
        );
    }
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return text };
    text + &format!(
        "\nFrom the first row to the last, CPU a login grows to {:.2} times, {:.2} in one tenant.\n",
        last.spread.cpu_ms() / first.spread.cpu_ms(),
        last.hot.cpu_ms() / first.hot.cpu_ms()
    )
}
