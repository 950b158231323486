//! A server's processes, in the kernel's own accounts (/proc): CPU, memory, threads.

use crate::Failed;
use std::fs;
use std::time::Duration;

/// What a tick of the accounts is. `getconf CLK_TCK` is 100 on every Linux that counts.
const TICK: Duration = Duration::from_millis(10);

/// A process and all that it has started.
pub struct Tree {
    root: u32,
}

impl Tree {
    pub fn of(root: u32) -> Self {
        Self { root }
    }

    fn members(&self) -> Vec<u32> {
        let parents: Vec<(u32, u32)> = processes().filter_map(|pid| Some((pid, parent(pid)?))).collect();
        let mut members = vec![self.root];
        let mut at = 0;
        while let Some(&process) = members.get(at) {
            members.extend(parents.iter().filter(|(_, parent)| *parent == process).map(|(pid, _)| *pid));
            at += 1;
        }
        members
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Duration {
        self.members().iter().filter_map(|pid| cpu_in(&format!("/proc/{pid}/stat"))).sum()
    }

    /// The same, of the threads of this name only.
    pub fn cpu_of_threads(&self, name: &str) -> Duration {
        let folders =
            self.members().into_iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok());
        let threads = folders.flatten().flatten().map(|thread| thread.path());
        let named = threads
            .filter(|path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name));
        named.filter_map(|path| cpu_in(&path.join("stat").to_string_lossy())).sum()
    }

    /// Resident memory now, in bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that each process ever had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let of_one = |pid: &u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix(field))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        self.members().iter().filter_map(of_one).sum::<u64>() * 1024
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields of a `stat` from the third one on: a name may hold spaces and parentheses.
fn stat(path: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(path).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(&format!("/proc/{pid}/stat"))?.get(1)?.parse().ok()
}

fn cpu_in(path: &str) -> Option<Duration> {
    let fields = stat(path)?;
    let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)? + ticks(12)?))
}

/// What files under a folder take, in bytes.
pub fn size_of(folder: &std::path::Path) -> Result<u64, Failed> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
