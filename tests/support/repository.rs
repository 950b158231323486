//! Where things are: the repository's own files and what cargo has built.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file or folder of the repository.
pub fn path(relative: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository");
    root.join(relative)
}

/// The text of a file of the repository.
pub fn read(relative: &str) -> String {
    let path = path(relative);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder of the repository whose name ends in `extension`, sorted, relative to the repository.
pub fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(path(&folder)).unwrap_or_else(|error| panic!("{folder}: {error}")) {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                folders.push(name);
            } else if name.ends_with(extension) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// A program that cargo has built, in the target folder that this test itself was built into. `profile` is one of
/// cargo's: `debug` for its `dev`.
///
/// # Panics
/// If it isn't there or is older than a source it was built from: cargo does not build another package's programs for a test.
pub fn program(profile: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/TEST
    let target = test.ancestors().nth(3).expect("a test is in target/PROFILE/deps");
    let program = target.join(profile).join(name);
    let how = match profile {
        "debug" => "cargo build --workspace --bins".to_owned(),
        profile => format!("cargo build --profile {profile} --package {name}"),
    };
    let built = modified(&program).unwrap_or_else(|| panic!("{} is not there: {how}", program.display()));
    if let Some(source) = sources(&program).into_iter().find(|source| modified(source) > Some(built)) {
        panic!("{} is older than {}: {how}", program.display(), source.display());
    }
    program
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The sources that cargo says the program was built from, in a make rule beside it.
fn sources(program: &Path) -> Vec<PathBuf> {
    let rule = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = rule.split_once(": ").map_or("", |(_, sources)| sources.trim());
    // A space within a path is escaped.
    sources.replace("\\ ", "\0").split(' ').map(|path| PathBuf::from(path.replace('\0', " "))).collect()
}

/// A new empty folder, removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mfa-{}", unique()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for TemporaryFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A name that no other test uses, in this process, in one beside it or in an earlier one.
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    format!("{}-{millis}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}
