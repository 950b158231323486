//! What docs/ARCHITECTURE.md says of the code's shape and the compiler doesn't check: who may name whom, what is spelled in one place,
//! how long things get. Modules of tests may name anything.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::collections::BTreeSet;
use tests::repository;
use tests::source::Source;

/// Each part of `shared` and what it may name of the others: a part, or one module of it.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    // A credential's form is arithmetic on bytes; everything else of `auth` is reached through ports.
    ("usecase", &["ports", "domain", "auth::credential"]),
    ("dynamodb", &["ports", "domain"]),
    ("sms", &["ports", "domain"]),
    ("auth", &["ports", "domain"]),
    ("http", &["ports", "domain"]),
    ("stream", &["ports"]),
    ("pages", &["domain"]),
    ("api", &["http", "pages", "stream", "usecase", "ports", "domain", "auth::credential"]),
    // What puts the parts together.
    ("config", &["sms", "auth", "ports", "domain"]),
    ("telemetry", &[]),
    ("setup", &["config", "auth", "telemetry", "ports", "domain"]),
    ("compose", &["api", "usecase", "dynamodb", "ports", "domain"]),
    ("bootstrap", &["compose", "config", "telemetry", "http", "stream", "dynamodb", "sms", "auth", "ports"]),
];

/// What of other crates, and of the standard library, only some parts may name. `aws_*` stands for every crate of that name.
const FOREIGN: &[(&str, &[&str])] = &[
    ("aws_*", &["dynamodb", "sms", "config", "setup"]),
    ("serde_dynamo", &["dynamodb"]),
    ("lambda_*", &["http", "stream", "bootstrap", "setup"]),
    ("hyper*", &["sms", "auth"]),
    // `auth` fetches the public keys of identity providers.
    ("http", &["http", "api", "auth"]),
    ("tokio", &["dynamodb", "sms", "auth", "http", "bootstrap"]),
    ("async_trait", &["ports", "dynamodb", "sms", "auth", "stream", "api", "setup"]),
    ("minijinja", &["pages"]),
    ("futures", &["usecase", "dynamodb", "http", "auth", "bootstrap"]),
    ("tracing", &["usecase", "dynamodb", "sms", "http", "stream", "bootstrap", "telemetry", "setup"]),
    ("ring", &["auth"]),
    ("rand", &["config"]),
    ("std::env", &["config", "telemetry"]),
    ("std::time::SystemTime", &["config"]),
    ("std::time::Instant", &["config"]),
    ("std::fs", &[]),
];

/// How long a file may be, in lines.
const LONGEST_FILE: usize = 450;
/// How long a function's `main.rs` may be.
const LONGEST_MAIN: usize = 40;

/// Where the rules are: the part `domain`, in a crate of its own.
const DOMAIN: &str = "shared/domain/src";

/// Every file of `shared` and of the crate of its rules.
fn shared() -> Vec<Source> {
    let mut sources = Source::all("shared/src");
    sources.extend(Source::all(DOMAIN));
    sources
}

/// The part of `shared` that a file belongs to; `lib` is the list of them.
fn part(source: &Source) -> &str {
    if source.file.starts_with(DOMAIN) {
        return "domain";
    }
    let inside = source.file.strip_prefix("shared/src/").unwrap();
    inside.split(['/', '.']).next().unwrap()
}

/// Whether `path` (its names) is in what `allowed` names (`auth::credential`, `aws_*`).
fn is_within(path: &[String], allowed: &str) -> bool {
    let mut names = path.iter();
    allowed.split("::").all(|wanted| {
        names.next().is_some_and(|name| match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        })
    })
}

#[test]
fn no_part_names_another_but_along_the_arrows() {
    let mut seen = BTreeSet::new();
    for source in shared() {
        let part = part(&source);
        if part == "lib" {
            continue;
        }
        let arrows = ARROWS.iter().find(|(from, _)| *from == part);
        let (from, to) = arrows.unwrap_or_else(|| panic!("{}: which arrows has it?", source.file));
        seen.insert(*from);
        for path in &source.paths {
            let [root, rest @ ..] = &path[..] else { continue };
            assert!(part != "domain" || root != "shared", "{}: {}", source.file, path.join("::"));
            // The crate of the rules is one part, and can't name what depends on it.
            let own = part == "domain" || rest.first().is_some_and(|name| name == part);
            if root == "crate" && !own {
                let allowed = to.iter().any(|allowed| is_within(rest, allowed));
                assert!(allowed, "{}: {} may not name {}", source.file, part, path.join("::"));
            }
        }
    }
    assert_eq!(seen, ARROWS.iter().map(|(from, _)| *from).collect(), "a part that is gone");
}

#[test]
fn the_world_is_met_by_adapters_only() {
    for source in shared() {
        let part = part(&source);
        for path in &source.paths {
            let own = path[0] == "crate";
            let banned =
                FOREIGN.iter().find(|(what, by)| !own && is_within(path, what) && !by.contains(&part));
            assert!(banned.is_none(), "{}: {} may not name {}", source.file, part, path.join("::"));
        }
    }
}

#[test]
fn a_function_is_a_short_main_and_knows_no_storage() {
    for folder in std::fs::read_dir(repository::path("functions")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let root = format!("functions/{name}/src");
        let sources = Source::all(&root);
        let [main] = &sources[..] else { panic!("{name}: more than a main") };
        assert!(main.lines <= LONGEST_MAIN, "{}: {} lines", main.file, main.lines);
        for path in main.paths.iter().filter(|path| path[0] == "shared") {
            let allowed = ["api", "bootstrap", "compose", "setup"]
                .into_iter()
                .any(|allowed| is_within(&path[1..], allowed));
            assert!(allowed, "{}: {}", main.file, path.join("::"));
        }
        // The embedded engine, the outbox and the clock that can be moved are in `local`, and in no Lambda build.
        let manifest = repository::read(&format!("functions/{name}/Cargo.toml"));
        let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
        let (dependencies, _) = dependencies.split_once("\n\n").unwrap();
        let dependencies: BTreeSet<_> =
            dependencies.lines().map(|line| line.split('.').next().unwrap()).collect();
        assert_eq!(dependencies, BTreeSet::from(["lambda_http", "shared", "tokio"]), "{name}");
    }
}

#[test]
fn local_puts_together_and_decides_nothing() {
    for source in Source::all("infra/local/src") {
        for path in source.paths.iter().filter(|path| path[0] == "shared") {
            let decides = ["usecase", "sms"].into_iter().any(|part| is_within(&path[1..], part));
            assert!(!decides, "{}: {}", source.file, path.join("::"));
        }
    }
}

#[test]
fn only_keys_spells_a_key() {
    const KEYS: &str = "shared/src/dynamodb/keys.rs";
    let kinds: BTreeSet<String> = Source::read("shared/src", KEYS)
        .strings
        .iter()
        .filter_map(|text| Some(text.split_once('#')?.0.to_owned() + "#"))
        .filter(|kind| kind.len() > 1 && kind[..kind.len() - 1].bytes().all(|b| b.is_ascii_lowercase()))
        .collect();
    for kind in ["policy#", "user#", "owner#", "login#", "limit#", "challenge#", "application#"] {
        assert!(kinds.contains(kind), "{kind} is not in {KEYS}: {kinds:?}");
    }
    for root in ["shared/src", DOMAIN, "infra/local/src"] {
        for source in Source::all(root).into_iter().filter(|source| source.file != KEYS) {
            for text in &source.strings {
                let spelled = kinds.iter().find(|kind| spells(text, kind));
                assert!(spelled.is_none(), "{}: \"{text}\" belongs into {KEYS}", source.file);
            }
        }
    }
}

/// Whether a text has this start of a key as a word of its own.
fn spells(text: &str, kind: &str) -> bool {
    text.match_indices(kind).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '#')
    })
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for root in ["shared/src", DOMAIN, "functions", "infra"] {
        for extension in [".rs", ".html", ".css"] {
            for file in repository::files(root, extension) {
                let lines = repository::read(&file).lines().count();
                assert!(lines <= LONGEST_FILE, "{file}: {lines} lines");
            }
        }
    }
}
