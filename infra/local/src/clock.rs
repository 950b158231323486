//! The real time, moved forward as far as somebody asked for.

use crate::StartError;
use crate::data::DataFolder;
use serde::{Deserialize, Serialize};
use shared::config::SystemClock;
use shared::domain::time::Timestamp;
use shared::ports::{Clock, Fault};
use std::sync::{Arc, Mutex, PoisonError};

const FILE: &str = "clock.json";

/// How far the clock can be moved in all, in seconds: a century.
pub const MAX_OFFSET: u64 = 100 * 366 * 24 * 60 * 60;

/// The clock of the process. What it was moved by is kept: at a restart time must not go back, or what has expired would live again.
#[derive(Debug)]
pub struct LocalClock {
    data: Arc<DataFolder>,
    offset_seconds: Mutex<u64>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    offset_seconds: u64,
}

/// The clock can't be moved any further.
#[derive(Debug, PartialEq, Eq)]
pub struct TooFar;

impl LocalClock {
    pub fn load(data: Arc<DataFolder>) -> Result<Self, StartError> {
        let kept: Option<Kept> = data.load(FILE)?;
        let offset = kept.map_or(0, |kept| kept.offset_seconds.min(MAX_OFFSET));
        Ok(Self { data, offset_seconds: Mutex::new(offset) })
    }

    /// Moves time forward for everything.
    pub fn advance(&self, seconds: u64) -> Result<Result<(), TooFar>, Fault> {
        let mut offset = self.offset_seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = offset.saturating_add(seconds);
        if moved > MAX_OFFSET {
            return Ok(Err(TooFar));
        }
        self.data.save(FILE, &Kept { offset_seconds: moved }).map_err(Fault::new)?;
        *offset = moved;
        Ok(Ok(()))
    }

    /// How far ahead of the real time it is.
    pub fn offset_seconds(&self) -> u64 {
        *self.offset_seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for LocalClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(std::time::Duration::from_secs(self.offset_seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::TestFolder;

    #[test]
    fn h13_time_moves_and_does_not_go_back_at_a_restart() {
        let folder = TestFolder::new();
        let data = Arc::new(DataFolder::open(&folder.0).unwrap());
        let clock = LocalClock::load(Arc::clone(&data)).unwrap();
        let before = clock.now();
        clock.advance(3600).unwrap().unwrap();
        clock.advance(1).unwrap().unwrap();
        assert!(clock.now() >= before.plus_secs(3601));
        assert_eq!(clock.advance(u64::MAX).unwrap(), Err(TooFar));
        assert_eq!(LocalClock::load(data).unwrap().offset_seconds(), 3601);
    }
}
