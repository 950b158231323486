//! `cargo run -p local`: see the library.

use clap::Parser;
use local::{Local, Options};
use std::path::PathBuf;
use std::process::ExitCode;

/// A login is some thousands of short-lived pieces of memory, most of them the engine's and the SDK's: a tenth of its time with the C library's
/// allocator. The functions keep that one, which takes half the memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The whole service on this machine: no AWS account, no container.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Folder for keys and data
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data: PathBuf,
    /// Another DynamoDB engine than the embedded one
    #[arg(long, value_name = "URL")]
    dynamodb: Option<String>,
    /// Hand each message to this http address too: POST {"to": …, "body": …}
    #[arg(long, value_name = "URL")]
    messages_to: Option<String>,
    /// Print one line of JSON once ready, for programs
    #[arg(long)]
    json: bool,
}

#[tokio::main]
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people prints; logs go elsewhere"
)]
async fn main() -> ExitCode {
    let Arguments { port, data, dynamodb, messages_to, json } = Arguments::parse();
    shared::telemetry::init_quiet();
    // From here on a signal is remembered, so that one that comes early ends the program in good order too.
    let stopped = stop_signal();
    let local = match Local::start(Options { port, data, dynamodb, messages_to }).await {
        Ok(local) => local,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if json {
        println!("{}", local.announcement.json());
    } else {
        println!("{}", local.announcement);
    }
    stopped.await;
    local.stop().await;
    ExitCode::SUCCESS
}

/// Ends with the first Ctrl-C or SIGTERM after this call.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        match signals {
            (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            },
            // Without a handler the signals end the program by themselves.
            _ => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
