//! A server that is measured: a process on a core of its own.

use crate::Failed;
use crate::login::now;
use crate::processes::Tree;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The core of the server; whoever measures runs on another.
const CORE: &str = "0";

/// How long a server may take to start or end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropped, it is killed.
pub struct Server {
    child: Child,
    pub address: String,
    /// From its start until it took a connection.
    pub ready_after: Duration,
}

/// A program and its arguments, run on the server's core.
pub fn pinned(program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", CORE, program]).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A port that nobody has at the moment.
pub fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Server {
    /// Starts a command that serves on this port, and waits until it does.
    pub async fn start(mut command: Command, port: u16) -> Result<Self, Failed> {
        let started = now();
        let mut child = command.stdout(Stdio::null()).spawn()?;
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                return Err(format!("{command:?} ended: {status}").into());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{command:?} does not listen").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Self { child, address, ready_after: started.elapsed() })
    }

    /// Starts a command that serves once it has written a line, which is answered.
    pub async fn start_with_line(mut command: Command, port: u16) -> Result<(Self, String), Failed> {
        let started = now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        let line = line.ok_or_else(|| format!("{command:?} ended"))?;
        let address = format!("127.0.0.1:{port}");
        Ok((Self { child, address, ready_after: started.elapsed() }, line))
    }

    pub fn tree(&self) -> Result<Tree, Failed> {
        Ok(Tree::of(self.child.id().ok_or("the server has ended")?))
    }

    /// Lets perf look at its stack a thousand times a second of CPU.
    pub fn watched_by_perf(&self, file: &Path) -> Result<Child, Failed> {
        let id = self.child.id().ok_or("the server has ended")?.to_string();
        let mut command = Command::new("perf");
        command.args(["record", "--event", "cpu-clock", "--freq", "999", "--call-graph", "dwarf,8192"]);
        command.arg("--output").arg(file).args(["--pid", &id]).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(command.stdout(Stdio::null()).kill_on_drop(true).spawn()?)
    }

    /// Ends it in good order.
    pub async fn stop(self) -> Result<(), Failed> {
        end(self.child).await
    }
}

/// Tells a process to end, and waits until it has.
pub async fn end(mut process: Child) -> Result<(), Failed> {
    let id = process.id().ok_or("the process has ended")?;
    let told = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
    if !told.success() {
        return Err(format!("process {id} cannot be told to end").into());
    }
    tokio::time::timeout(PATIENCE, process.wait()).await.map_err(|_| "a process does not end")??;
    Ok(())
}

/// Runs a command to its end.
pub async fn run(mut command: Command) -> Result<(), Failed> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().await?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
