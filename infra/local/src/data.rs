//! The data folder: what outlives the process. One process at a time has it, and only its owner can read what is in it.

use crate::StartError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// An open data folder. While it lives, no other process can open the same.
#[derive(Debug)]
pub struct DataFolder {
    folder: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, or makes it.
    pub fn open(folder: &Path) -> Result<Self, StartError> {
        let failed = |error| StartError::Folder(folder.to_owned(), error);
        if !folder.is_dir() {
            make_private_folder(folder).map_err(failed)?;
        }
        let lock = private_file().open(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of a file that somebody else fills, after making sure that it is there and only its owner can read it.
    pub fn private_path(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.path(name);
        match private_file().open(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(StartError::Folder(path, error)),
        }
    }

    /// What [`DataFolder::save`] kept under this name; `None` if it never did.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StartError> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StartError::Folder(path, error)),
        };
        // serde's own message could quote a key.
        serde_json::from_slice(&bytes).map(Some).map_err(|_| StartError::Damaged(path))
    }

    /// Keeps a value as JSON, readable by the owner only. The file is the old or the new one at any time, never half of one.
    pub fn save<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let draft = self.path(&format!("{name}.new"));
        let mut file = private_file().open(&draft)?;
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(draft, self.path(name))
    }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::process;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A folder of its own for each test, gone with it.
    pub(crate) struct TestFolder(pub PathBuf);

    impl TestFolder {
        pub(crate) fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            Self(std::env::temp_dir().join(format!("local-test-{}-{number}", process::id())))
        }
    }

    impl Drop for TestFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn one_process_has_the_folder() {
        let folder = TestFolder::new();
        let first = DataFolder::open(&folder.0).unwrap();
        assert!(matches!(DataFolder::open(&folder.0), Err(StartError::InUse(_))));
        drop(first);
        DataFolder::open(&folder.0).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let folder = TestFolder::new();
        fs::write(&folder.0, "a file").unwrap();
        let error = DataFolder::open(&folder.0).unwrap_err();
        fs::remove_file(&folder.0).unwrap();
        assert!(error.to_string().contains(folder.0.to_str().unwrap()), "{error}");
    }

    #[test]
    fn what_was_saved_is_loaded_and_nobody_elses() {
        let folder = TestFolder::new();
        let data = DataFolder::open(&folder.0).unwrap();
        assert_eq!(data.load::<Vec<u8>>("numbers.json").unwrap(), None);
        data.save("numbers.json", &[1, 2, 3]).unwrap();
        data.save("numbers.json", &[4]).unwrap();
        assert_eq!(data.load::<Vec<u8>>("numbers.json").unwrap(), Some(vec![4]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(data.path("numbers.json")), mode(folder.0.clone())), (0o600, 0o700));
            assert_eq!(mode(data.private_path("engine").unwrap()), 0o600);
        }
        fs::write(data.path("numbers.json"), "[canary").unwrap();
        let error = data.load::<Vec<u8>>("numbers.json").unwrap_err();
        assert!(error.to_string().contains("is damaged") && !error.to_string().contains("canary"));
    }
}
