//! The numbers as people read them.

use crate::Failed;
use crate::measure::{Level, percentile};
use crate::subjects::Subject;
use std::fs;
use std::time::Duration;

/// What all passes of one server showed.
#[derive(Default)]
pub struct Row {
    pub ready: Vec<Duration>,
    /// Bytes.
    pub idle: Vec<u64>,
    pub peak: Vec<u64>,
    /// Bytes a login.
    pub disk: Vec<u64>,
    pub levels: Vec<Level>,
}

impl Row {
    fn at(&self, clients: usize) -> impl Iterator<Item = &Level> {
        self.levels.iter().filter(move |level| level.clients == clients)
    }

    /// CPU of a login over all levels and passes, in milliseconds: the least and the most.
    fn cpu(&self) -> (f64, f64) {
        spread(self.levels.iter().map(Level::cpu_ms))
    }
}

#[allow(clippy::print_stderr, reason = "a program for people says how far it is")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

pub fn progress(level: &Level) -> String {
    let failed = if level.failed == 0 { String::new() } else { format!(", {} FAILED", level.failed) };
    format!(
        "  {:>2} clients: {} logins, {:.0} a second, {:.3} ms of CPU each ({:.3} the engine's){failed}",
        level.clients,
        level.steps.len(),
        level.per_second(),
        level.cpu_ms(),
        level.engine_cpu_ms(),
    )
}

fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(value), high.max(value)))
}

/// `low–high`, or one number where they read the same.
fn range((low, high): (f64, f64), decimals: usize) -> String {
    let (low, high) = (format!("{low:.decimals$}"), format!("{high:.decimals$}"));
    if low == high { low } else { format!("{low}–{high}") }
}

fn megabytes(values: &[u64]) -> String {
    range(spread(values.iter().map(|bytes| *bytes as f64 / 1e6)), 0)
}

fn both(steps: &[Duration]) -> String {
    format!("{:.1} / {:.1}", percentile(steps.to_vec(), 0.5), percentile(steps.to_vec(), 0.99))
}

/// The section of docs/PERFORMANCE.md.
pub fn section(rows: &[(Subject, Row)]) -> String {
    let mut text = format!("{}\n\n", machine());
    text += "| server | clients | logins a second | assertion | code asked | code given | CPU ms a login |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for (subject, row) in rows {
        let mut name = subject.name();
        for clients in super::peers::CLIENTS {
            let steps: Vec<_> = row.at(clients).flat_map(|level| &level.steps).collect();
            let start: Vec<_> = steps.iter().filter_map(|steps| steps.start).collect();
            let issue: Vec<_> = steps.iter().map(|steps| steps.issue).collect();
            let verify: Vec<_> = steps.iter().map(|steps| steps.verify).collect();
            text += &format!(
                "| {name} | {clients} | {} | {} | {} | {} | {} |\n",
                range(spread(row.at(clients).map(Level::per_second)), 0),
                if start.is_empty() { "–".to_owned() } else { both(&start) },
                both(&issue),
                both(&verify),
                range(spread(row.at(clients).map(Level::cpu_ms)), 2),
            );
            name = "";
        }
    }
    text += "\nSteps are p50 / p99 in milliseconds.\n\n";
    text += "| server | ready after ms | memory idle MB | at its peak | bytes on disk a login | failed logins |\n";
    text += "|---|---|---|---|---|---|\n";
    for (subject, row) in rows {
        text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            subject.name(),
            range(spread(row.ready.iter().map(|ready| ready.as_secs_f64() * 1000.0)), 0),
            megabytes(&row.idle),
            megabytes(&row.peak),
            range(spread(row.disk.iter().map(|bytes| *bytes as f64)), 0),
            row.levels.iter().map(|level| level.failed).sum::<usize>(),
        );
    }
    text + &goals(rows)
}

fn goals(rows: &[(Subject, Row)]) -> String {
    let row = |wanted: Subject| rows.iter().find(|(subject, _)| *subject == wanted).map(|(_, row)| row);
    let Some(ours) = row(Subject::Local) else { return String::new() };
    let (_, most) = ours.cpu();
    let engine = spread(ours.levels.iter().map(Level::engine_cpu_ms));
    let mut text = format!(
        "\nOf a login's CPU, the embedded engine's thread takes {} ms of {}.\n\n",
        range(engine, 2),
        range(ours.cpu(), 2)
    );
    text += "| goal | measured, our most by their least | |\n|---|---|---|\n";
    let mut goal = |what: &str, measured: String, reached: bool| {
        text += &format!("| {what} | {measured} | {} |\n", if reached { "reached" } else { "**missed**" });
    };
    for (peer, name, share) in [
        (Subject::BetterAuthWal, "half of better-auth's best durable CPU a login", 0.5),
        (Subject::PrivacyIdea, "a twentieth of privacyIDEA's", 0.05),
    ] {
        if let Some(peer) = row(peer) {
            let ratio = most / peer.cpu().0;
            goal(
                &format!("at most {name}"),
                format!("{most:.2} / {:.2} = {ratio:.3}", peer.cpu().0),
                ratio <= share,
            );
        }
    }
    let peak = spread(ours.peak.iter().map(|bytes| *bytes as f64 / 1e6)).1;
    goal("at most 60 MB of memory", format!("{peak:.0} MB"), peak <= 60.0);
    text
}

/// The machine, the day and the command.
pub fn machine() -> String {
    let first = |file: &str, field: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
        line.split_once([':', '='])
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, |_| {
        fs::read_to_string("/proc/cpuinfo").map_or(0, |text| text.matches("processor\t").count())
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} cores of {}, {}, Linux {}, {}; load at the end {}.",
        cores,
        first("/proc/cpuinfo", "model name"),
        first("/etc/os-release", "PRETTY_NAME"),
        kernel.trim(),
        today(),
        load.split_whitespace().next().unwrap_or_default()
    )
}

#[allow(clippy::disallowed_methods, reason = "a report has a date")]
fn today() -> String {
    let seconds =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let date = time::OffsetDateTime::from_unix_timestamp(seconds as i64).map(|at| at.date().to_string());
    date.unwrap_or_default()
}

/// Puts a section between its markers.
pub fn write(file: &str, name: &str, section: &str) -> Result<(), Failed> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let text = fs::read_to_string(file)?;
    let (before, rest) = text.split_once(&begin).ok_or("where the section begins")?;
    let (_, after) = rest.split_once(&end).ok_or("where the section ends")?;
    fs::write(file, format!("{before}{begin}{section}{end}{after}"))?;
    Ok(())
}
