//! A program under test as a child process: started, listened to, ended.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Everything that a process has written to its standard output and error so far, line by line as it came.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// What it has written once it says `this`: its lines pass through a pipe and a thread, so that they may come
    /// after the answer to the request that caused them. As it stands after five seconds if it never does.
    pub fn text_with(&self, this: &str) -> String {
        self.text_when(|text| text.contains(this))
    }

    /// What it has written once `complete` holds for it; as it stands after five seconds if it never does.
    pub fn text_when(&self, complete: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let text = self.text();
            if complete(&text) || started.elapsed() > Duration::from_secs(5) {
                return text;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn add(&self, line: &str) {
        let mut text = self.0.lock().unwrap();
        text.push_str(line);
        text.push('\n');
    }
}

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Log,
    stdout: mpsc::UnboundedReceiver<String>,
    listeners: [JoinHandle<()>; 2],
}

impl Process {
    /// Starts the command with no standard input, and listens to what it writes.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::null())
    }

    /// Starts the command with a standard input that closes when this process ends, however that happens.
    pub fn spawn_tied(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::piped())
    }

    fn spawn_with(command: &mut Command, stdin: Stdio) -> Self {
        let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        let log = Log::default();
        let (lines, stdout) = mpsc::unbounded_channel();
        let listeners = [
            listen(child.stdout.take().expect("piped"), log.clone(), Some(lines)),
            listen(child.stderr.take().expect("piped"), log.clone(), None),
        ];
        Self { child, log, stdout, listeners }
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Whether all that it has ever written is in its log: it and its own children have ended, or closed their outputs.
    pub fn is_silent(&self) -> bool {
        self.listeners.iter().all(JoinHandle::is_finished)
    }

    /// The next line of its standard output; `None` once it has closed it, or after `patience`.
    pub async fn line(&mut self, patience: Duration) -> Option<String> {
        tokio::time::timeout(patience, self.stdout.recv()).await.ok().flatten()
    }

    /// Asks it to end (SIGTERM) and waits until it has; kills it after ten seconds. `true` if it ended by itself.
    /// What it wrote is then in its log, unless a child of its own still holds its outputs after two seconds.
    pub async fn terminate(&mut self) -> bool {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..200 {
            if self.ended().is_some() {
                self.hear_out().await;
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.kill();
        false
    }

    /// The listeners are threads of their own: the last lines may come after the process has gone.
    async fn hear_out(&self) {
        for _ in 0..200 {
            if self.is_silent() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its id, for a signal.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a crash or a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen(
    stream: impl Read + Send + 'static,
    log: Log,
    lines: Option<mpsc::UnboundedSender<String>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut buffer = Vec::new();
        while reader.read_until(b'\n', &mut buffer).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&buffer).trim_end_matches(['\r', '\n']).to_owned();
            buffer.clear();
            log.add(&line);
            if let Some(lines) = &lines {
                let _ = lines.send(line);
            }
        }
    })
}
