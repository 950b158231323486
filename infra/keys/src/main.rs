//! `cargo run -p keys`: see the library. Reads a secret's value from standard input and writes the next one to standard output; what a person has
//! to know goes to standard error. No key is ever printed but in the value itself, and an operator's key goes to a file.

use clap::{Parser, Subcommand};
use keys::{Error, Made};
use serde_json::Value;
use shared::config::{OsEntropy, SecretName};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes and rotates the service's keys. A value goes in by standard input and the next one comes out by standard output.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// A first value of a secret
    New {
        name: String,
        /// New file for the operator's key, which is nowhere else
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// The value with one more key, which is not used yet
    Add {
        name: String,
        /// New file for the operator's key, which is nowhere else
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// The value with another key as its current one
    Use {
        name: String,
        /// A thumbprint may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// The value without one of its keys
    Remove {
        name: String,
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// The ids of the keys, the current one first
    List { name: String },
    /// The value of public-keys that belongs to one of signing
    Public,
}

fn main() -> ExitCode {
    match run(Arguments::parse().step) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why);
            ExitCode::FAILURE
        }
    }
}

fn run(step: Step) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    match step {
        Step::New { name, key_file } => {
            let name = secret(&name)?;
            made(keys::new(name, &OsEntropy).map_err(text)?, key_file)
        }
        Step::Add { name, key_file } => {
            let name = secret(&name)?;
            made(keys::add(name, &value()?, &OsEntropy).map_err(text)?, key_file)
        }
        Step::Use { name, id } => {
            let name = secret(&name)?;
            answer(&keys::make_current(name, &value()?, &id).map_err(text)?.to_string())
        }
        Step::Remove { name, id } => {
            let name = secret(&name)?;
            answer(&keys::remove(name, &value()?, &id).map_err(text)?.to_string())
        }
        Step::List { name } => {
            let name = secret(&name)?;
            answer(&keys::ids(name, &value()?).map_err(text)?.join("\n"))
        }
        Step::Public => answer(&keys::public_keys(&value()?).map_err(text)?.to_string()),
    }
}

/// Writes what was made. An operator's key goes to its file first: without it the value is worth nothing.
fn made(made: Made, key_file: Option<PathBuf>) -> Result<(), String> {
    match (made.operator_key, key_file) {
        (Some(key), Some(path)) => {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let written = options.open(&path).and_then(|mut file| writeln!(file, "{key}"));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        (Some(_), None) => return Err("an operator's key needs a --key-file to go to".into()),
        (None, Some(_)) => return Err("only an operator's key goes to a --key-file".into()),
        (None, None) => {}
    }
    complain(&made.id);
    answer(&made.value.to_string())
}

fn secret(name: &str) -> Result<SecretName, String> {
    SecretName::ALL.into_iter().find(|known| known.as_str() == name).ok_or_else(|| {
        let known: Vec<_> = SecretName::ALL.iter().map(|known| known.as_str()).collect();
        format!("no secret {name}: there are {}", known.join(", "))
    })
}

fn value() -> Result<Value, String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| error.to_string())?;
    // The parser's own words would repeat some of a value that is broken.
    serde_json::from_str(&text).map_err(|_| "standard input holds no JSON".into())
}

fn answer(text: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{text}").map_err(|error| error.to_string())
}

fn complain(text: &str) {
    // There is nobody left to tell where standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}
