//! Makes logins over HTTP, as fast as a number of clients can, and says what they cost: `local` beside the peers, and `local` while it grows.
//! docs/PERFORMANCE.md has what came out.

mod connection;
mod filler;
mod growth;
mod local;
mod login;
mod measure;
mod peers;
mod processes;
mod report;
mod server;
mod sink;
mod subjects;

use clap::Parser;
use std::process::ExitCode;

/// Anything that goes wrong ends the run.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Completed logins a second, and what one costs the server.
#[derive(Parser)]
enum Command {
    /// `local` and the peers, side by side
    Peers(peers::Options),
    /// `local` while its tables grow a thousand times
    Growth(growth::Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Peers(options) => peers::run(options).await,
        Command::Growth(options) => growth::run(options).await,
    };
    done.map_or_else(
        |error| {
            report::say(&format!("error: {error}"));
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
