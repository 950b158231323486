//! The keys of each source, kept for a while in this process.
//!
//! A token with a key that is not there makes a source's keys be fetched again, so that a rotation is noticed at once; but anybody can
//! send such tokens, so that happens once a minute at most.

use super::fetch::Fetcher;
use super::keys::{KeySet, Miss};
use super::provider;
use crate::domain::identity_source::IdentitySource;
use crate::domain::ids::SourceId;
use crate::domain::time::Timestamp;
use crate::ports::{Fault, IdTokenRefused};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long keys are good for, in seconds: so long a key that its provider has withdrawn may still pass.
const FRESH_SECONDS: u32 = 600;
/// How long it takes at least from one fetch to the next for a key that is not there, in seconds.
const REFETCH_SECONDS: u32 = 60;
/// How long a provider that did not answer is left alone, in seconds.
const FAILED_SECONDS: u32 = 10;
/// Sources that are kept. Beyond that the one that was asked for longest ago makes room.
const MAX_SOURCES: usize = 256;

pub(super) struct KeyCache {
    fetcher: Fetcher,
    sources: Mutex<HashMap<SourceId, Arc<Slot>>>,
}

/// One source. Its state is looked at for moments only; who wants to fetch waits for its turn.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    /// When they were last asked for, with whatever outcome.
    asked_at: Option<Timestamp>,
    /// When and why that did not work.
    failed: Option<(Timestamp, String)>,
}

type Outcome = Result<Result<(), IdTokenRefused>, Fault>;

impl KeyCache {
    pub fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, sources: Mutex::default() }
    }

    /// What `check` says with the source's keys, fetched where that is needed and allowed.
    ///
    /// A fault where the keys can't be had.
    pub async fn check(
        &self,
        source: &IdentitySource,
        now: Timestamp,
        check: impl Fn(&KeySet) -> Result<(), Miss>,
    ) -> Outcome {
        let slot = self.slot(&source.id);
        if let Some(outcome) = slot.outcome(now, &check) {
            return outcome;
        }
        let _turn = slot.turn.lock().await;
        // Whoever had the turn before may have brought what is wanted.
        if let Some(outcome) = slot.outcome(now, &check) {
            return outcome;
        }
        slot.change(|state| state.asked_at = Some(now));
        match provider::keys(&self.fetcher, source).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                slot.change(|state| (state.keys, state.failed) = (Some((Arc::clone(&keys), now)), None));
                Ok(check(&keys).map_err(|miss| miss.refused))
            }
            Err(fault) => {
                slot.change(|state| state.failed = Some((now, fault.to_string())));
                Err(fault)
            }
        }
    }

    fn slot(&self, id: &SourceId) -> Arc<Slot> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = sources.get(id) {
            return Arc::clone(slot);
        }
        if sources.len() >= MAX_SOURCES {
            let oldest =
                sources.iter().min_by_key(|(_, slot)| slot.state().asked_at).map(|(id, _)| id.clone());
            sources.retain(|id, _| Some(id) != oldest.as_ref());
        }
        Arc::clone(sources.entry(id.clone()).or_default())
    }
}

impl Slot {
    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What can be said without a fetch; `None` where one is due.
    fn outcome(&self, now: Timestamp, check: impl Fn(&KeySet) -> Result<(), Miss>) -> Option<Outcome> {
        let state = self.state();
        let within = |since: Timestamp, seconds| now < since.plus_secs(seconds);
        match state.keys {
            Some((keys, since)) if within(since, FRESH_SECONDS) => match check(&keys) {
                Ok(()) => Some(Ok(Ok(()))),
                Err(miss) if miss.newer_keys_may_help => {
                    let recent = state.asked_at.is_some_and(|at| within(at, REFETCH_SECONDS));
                    recent.then_some(Ok(Err(miss.refused)))
                }
                Err(miss) => Some(Ok(Err(miss.refused))),
            },
            _ => {
                let (at, why) = state.failed?;
                within(at, FAILED_SECONDS).then(|| Err(Fault::new(why)))
            }
        }
    }
}
