//! The measured part of docs/PERFORMANCE.md.

use crate::bench::{EMPTY, LOGIN, MINIMAL, NODE, Options, Results};
use crate::measure::Figures;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

const START: &str = "<!-- functions: written by tests/bench/functions/run -->";
const END: &str = "<!-- /functions -->";
const MB: f64 = 1_000_000.0;

type All = BTreeMap<String, Figures>;

/// Shows what was measured, and writes it into the document where one is named.
///
/// # Panics
/// If the document has no place for it.
pub fn write(options: &Options, results: &Results) {
    let text = text(options, results);
    let Some(document) = &options.write else {
        eprintln!("{text}");
        return;
    };
    let before = fs::read_to_string(document).unwrap();
    let (head, rest) = before.split_once(START).unwrap_or_else(|| panic!("{START} is missing"));
    let (_, tail) = rest.split_once(END).unwrap_or_else(|| panic!("{END} is missing"));
    fs::write(document, format!("{head}{START}\n{text}{END}{tail}")).unwrap();
    eprintln!("{text}\nwritten into {}", document.display());
}

fn text(options: &Options, results: &Results) -> String {
    let (starts, warm) = (options.rounds.starts, options.rounds.warm);
    let machine = said("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1");
    let machine = if machine.is_empty() { said("uname -m") } else { machine };
    let mut text = format!(
        "`tests/bench/functions/run` on {}: {machine}, {} cores, load {} at its end; {}, Node.js {}. Medians of {starts} starts; \
         {warm} warm requests of a login's functions, {} of others. Milliseconds where nothing else is said.\n\n",
        said("date -u +%F"),
        said("nproc"),
        said("cut -d ' ' -f 1 /proc/loadavg"),
        said("rustc --version | cut -d ' ' -f 1,2"),
        said("node --version"),
        warm.min(100),
    );
    text += &goals(results);
    text += "\nEvery function, on the stub. *Alone*: nobody at the endpoints, the secrets in variables.\n\n";
    text += &every_function(results);
    text += "\nOver TLS, with a root of the run's own:\n\n";
    text += &requests(&results.tls, |_| true);
    for (name, figures) in [("dynoxide", &results.dynoxide), ("DynamoDB Local", &results.dynamodb_local)] {
        writeln!(text, "\nOn {name}, each request on the items as they were:\n").unwrap();
        text += &requests(figures, |_| true);
    }
    text
}

fn every_function(results: &Results) -> String {
    let mut text = String::from(
        "| function | zip, MB | alone | init | first | warm p50 | p99 | CPU of one | peak, MiB | connections |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, figures) in &results.plain {
        let (zip, _) = results.sizes[name];
        let alone = results.alone.get(name).map_or_else(|| "–".to_owned(), |alone| number(alone.init()));
        let requests = match figures.has_requests() {
            true => [figures.first(), figures.warm(), figures.warm_p99(), figures.cpu.as_secs_f64() * 1e3]
                .map(number)
                .join(" | "),
            false => "– | – | – | –".to_owned(),
        };
        writeln!(
            text,
            "| {}{} | {:.2} | {alone} | {} | {requests} | {:.1} | {} |",
            label(name),
            results.events.get(name).map_or_else(String::new, |what| format!(": {what}")),
            bytes(zip) / MB,
            number(figures.init()),
            figures.memory,
            figures.connections
        )
        .unwrap();
    }
    text
}

fn requests(all: &All, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = String::from(
        "| function | init | first | warm p50 | p99 | CPU of one |\n|---|---|---|---|---|---|\n",
    );
    for (name, figures) in all.iter().filter(|(name, figures)| wanted(name) && figures.has_requests()) {
        let cells = [
            figures.init(),
            figures.first(),
            figures.warm(),
            figures.warm_p99(),
            figures.cpu.as_secs_f64() * 1e3,
        ];
        writeln!(text, "| {} | {} |", label(name), cells.map(number).join(" | ")).unwrap();
    }
    text
}

/// A goal, what it was measured as, and whether that reaches it.
struct Goal {
    what: String,
    wanted: String,
    measured: String,
    reached: bool,
}

fn goals(results: &Results) -> String {
    let mut goals = Vec::new();
    let (empty, minimal, node) = (&results.plain[EMPTY], &results.plain[MINIMAL], &results.plain[NODE]);
    let verification = &results.plain[LOGIN[2]];
    let of_ours = |all: &All| -> Vec<(String, Figures)> {
        let ours = all.iter().filter(|(name, _)| ![EMPTY, MINIMAL, NODE].contains(&name.as_str()));
        ours.map(|(name, figures)| (name.clone(), figures.clone())).collect()
    };
    let ours = of_ours(&results.plain);

    let alone = of_ours(&results.alone);
    goals.push(most("init alone, times the empty function's", 2.0, &alone, |it| it.init() / empty.init()));
    goals.push(most("init with its connections, times the minimal function's", 1.3, &ours, |it| {
        it.init() / minimal.init()
    }));
    let tls = of_ours(&results.tls);
    let over_tls: Vec<_> = tls.iter().filter(|(_, figures)| figures.has_requests()).cloned().collect();
    goals.push(most("first request over TLS, times a warm one", 2.0, &over_tls, |it| it.first() / it.warm()));
    let only = [(LOGIN[2].to_owned(), verification.clone())];
    goals.push(most("warm `code-verification`, times the minimal function", 1.3, &only, |it| {
        it.warm() / minimal.warm()
    }));
    goals.push(least("init, times faster than Node's", 10.0, node.init() / verification.init()));
    goals.push(least(
        "warm `code-verification`, times faster than Node's",
        4.0,
        node.warm() / verification.warm(),
    ));
    let zip = |name: &str| bytes(results.sizes[name].0) / MB;
    let largest = ours.iter().filter(|(name, _)| name != LOGIN[2]);
    let largest = largest.map(|(name, _)| name.as_str()).max_by(|a, b| zip(a).total_cmp(&zip(b)));
    goals.push(at_most("zip of `code-verification`, MB", 3.0, LOGIN[2], zip(LOGIN[2])));
    let largest = largest.expect("there are others");
    goals.push(at_most("zip of any other, MB", 5.0, largest, zip(largest)));
    let frugal: Vec<_> = ours.iter().filter(|(name, _)| name != LOGIN[0]).cloned().collect();
    goals.push(most("peak memory but sign-in's, MiB", 14.0, &frugal, |it| it.memory));

    let mut text = String::from("| goal | wanted | measured | |\n|---|---|---|---|\n");
    for Goal { what, wanted, measured, reached } in goals {
        let reached = if reached { "reached" } else { "**not reached**" };
        writeln!(text, "| {what} | {wanted} | {measured} | {reached} |").unwrap();
    }
    text
}

/// A goal that every one of some has to keep: the worst is named, and whoever misses it.
fn most(what: &str, limit: f64, of: &[(String, Figures)], ratio: impl Fn(&Figures) -> f64) -> Goal {
    let measured: Vec<_> = of.iter().map(|(name, figures)| (name, ratio(figures))).collect();
    let (worst, highest) = measured.iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("there are some");
    let misses = measured.iter().filter(|(_, value)| *value > limit).count();
    let mut goal = at_most(what, limit, worst, *highest);
    if measured.len() > 1 {
        let kept = measured.len() - misses;
        goal.measured =
            format!("{} at most ({worst}); {kept} of {} keep it", number(*highest), measured.len());
    }
    goal
}

fn at_most(what: &str, limit: f64, name: &str, value: f64) -> Goal {
    let measured = format!("{} ({name})", number(value));
    Goal { what: what.to_owned(), wanted: format!("≤ {limit}"), measured, reached: value <= limit }
}

fn least(what: &str, limit: f64, value: f64) -> Goal {
    Goal {
        what: what.to_owned(),
        wanted: format!("≥ {limit}"),
        measured: number(value),
        reached: value >= limit,
    }
}

fn label(name: &str) -> String {
    match name {
        EMPTY => "*empty*".to_owned(),
        MINIMAL => "*minimal*".to_owned(),
        NODE => "*Node.js*".to_owned(),
        other => format!("`{other}`"),
    }
}

/// Three figures say all that repeats.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a package has fewer than 2^52 bytes")]
fn bytes(count: u64) -> f64 {
    count as f64
}

/// What a command of the shell says.
fn said(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
