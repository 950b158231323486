//! Who comes next. So many requests are worked on at once, half of them for one tenant at most, and so many may wait. Tenants take turns,
//! whatever each of them has waiting, and where too many wait, it is the longest row that is told to come again.

use shared::domain::ids::TenantId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How much there is of everything.
#[derive(Clone, Copy)]
struct Bounds {
    /// How many requests are worked on at once.
    worked_on: usize,
    /// How many of one tenant.
    of_one: usize,
    /// How many wait for that.
    waiting: usize,
    /// How long one waits.
    patience: Duration,
}

/// The engine does one thing after the other: more at once would only wait there, where nobody's turn counts.
const BOUNDS: Bounds = Bounds { worked_on: 8, of_one: 4, waiting: 256, patience: Duration::from_secs(10) };

pub struct Turns {
    rows: Mutex<Rows>,
    patience: Duration,
}

/// Whoever has it is worked on; dropped, it is the next one's.
pub struct Turn {
    turns: Arc<Turns>,
    tenant: Option<TenantId>,
}

struct Rows {
    bounds: Bounds,
    free: usize,
    /// How many are worked on, by their tenant. Whoever names no tenant is one with all such.
    at_work: HashMap<Option<TenantId>, usize>,
    /// Those who wait; the row that comes next is the first.
    waiting: VecDeque<Row>,
}

struct Row {
    tenant: Option<TenantId>,
    calls: VecDeque<oneshot::Sender<Turn>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self::new(BOUNDS)
    }
}

impl Turns {
    fn new(bounds: Bounds) -> Self {
        let rows = Rows { bounds, free: bounds.worked_on, at_work: HashMap::new(), waiting: VecDeque::new() };
        Self { rows: Mutex::new(rows), patience: bounds.patience }
    }

    /// Waits for a turn; `None` if there is none to be had in time.
    pub async fn take(self: &Arc<Self>, tenant: Option<TenantId>) -> Option<Turn> {
        let called = {
            let mut rows = self.rows();
            if rows.admit(&tenant) {
                return Some(Turn { turns: Arc::clone(self), tenant });
            }
            rows.line_up(tenant)?
        };
        tokio::time::timeout(self.patience, called).await.ok()?.ok()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut rows = self.turns.rows();
            rows.leave(&self.tenant);
            rows.next()
        };
        if let Some((tenant, call)) = next {
            // Who has gone meanwhile drops it, and so hands it on.
            drop(call.send(Self { turns: Arc::clone(&self.turns), tenant }));
        }
    }
}

impl Rows {
    /// Whether one more of a tenant's is worked on from now on.
    fn admit(&mut self, tenant: &Option<TenantId>) -> bool {
        let at_work = self.at_work.get(tenant).copied().unwrap_or(0);
        let admitted = self.free > 0 && at_work < self.bounds.of_one;
        if admitted {
            self.free -= 1;
            self.at_work.insert(tenant.clone(), at_work + 1);
        }
        admitted
    }

    fn leave(&mut self, tenant: &Option<TenantId>) {
        self.free += 1;
        match self.at_work.get_mut(tenant) {
            Some(at_work) if *at_work > 1 => *at_work -= 1,
            _ => drop(self.at_work.remove(tenant)),
        }
    }

    fn line_up(&mut self, tenant: Option<TenantId>) -> Option<oneshot::Receiver<Turn>> {
        let most = self.bounds.waiting;
        if self.length() >= most {
            self.forget_gone();
        }
        let own = self.waiting.iter().position(|row| row.tenant == tenant);
        if self.length() >= most {
            let own_length = own.map_or(0, |own| self.waiting[own].calls.len());
            let longest = self.waiting.iter_mut().max_by_key(|row| row.calls.len())?;
            if longest.calls.len() <= own_length + 1 {
                return None;
            }
            // Dropped, it is told.
            longest.calls.pop_back();
        }
        let (call, called) = oneshot::channel();
        match own {
            Some(own) => self.waiting[own].calls.push_back(call),
            None => self.waiting.push_back(Row { tenant, calls: VecDeque::from([call]) }),
        }
        Some(called)
    }

    fn length(&self) -> usize {
        self.waiting.iter().map(|row| row.calls.len()).sum()
    }

    /// Those whose client has gone wait no longer.
    fn forget_gone(&mut self) {
        for row in &mut self.waiting {
            row.calls.retain(|call| !call.is_closed());
        }
        self.waiting.retain(|row| !row.calls.is_empty());
    }

    /// The next one that may be worked on.
    fn next(&mut self) -> Option<(Option<TenantId>, oneshot::Sender<Turn>)> {
        self.forget_gone();
        let may = |row: &Row| self.at_work.get(&row.tenant).is_none_or(|count| *count < self.bounds.of_one);
        let next = self.waiting.iter().position(may)?;
        let mut row = self.waiting.remove(next)?;
        let call = row.calls.pop_front()?;
        self.admit(&row.tenant);
        let tenant = row.tenant.clone();
        if !row.calls.is_empty() {
            self.waiting.push_back(row);
        }
        Some((tenant, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{BoxFuture, ready};
    use futures::stream::FuturesUnordered;
    use futures::{FutureExt, StreamExt};

    fn bounds(worked_on: usize, waiting: usize) -> Bounds {
        Bounds { worked_on, of_one: worked_on, waiting, ..BOUNDS }
    }

    fn tenant(name: char) -> Option<TenantId> {
        TenantId::parse(&format!("ten_{}", name.to_string().repeat(12)))
    }

    /// Lines up as far as that goes without waiting.
    fn line_up(turns: &Arc<Turns>, name: char) -> BoxFuture<'static, Option<Turn>> {
        let turns = Arc::clone(turns);
        let mut waits = async move { turns.take(tenant(name)).await }.boxed();
        let now = (&mut waits).now_or_never();
        now.map_or(waits, |at_once| async { at_once }.boxed())
    }

    #[tokio::test]
    async fn t31_tenants_take_turns_however_many_wait_of_each() {
        let turns = Arc::new(Turns::new(bounds(1, 10)));
        let at_work = turns.take(tenant('a')).await.unwrap();
        let waiting = "aaabb".chars().map(|name| {
            let waits = line_up(&turns, name);
            // Each drops its turn where it notes that it had it.
            async move { waits.await.map(|_turn| name) }
        });
        let waiting = FuturesUnordered::from_iter(waiting);
        drop(at_work);
        let order: String = waiting.filter_map(ready).collect().await;
        assert_eq!(order, "ababa");
    }

    #[tokio::test]
    async fn t31_one_tenant_never_has_every_turn() {
        let turns = Arc::new(Turns::new(Bounds { of_one: 2, ..bounds(4, 10) }));
        let two = (turns.take(tenant('a')).await, turns.take(tenant('a')).await);
        let mut third = line_up(&turns, 'a');
        assert!((&mut third).now_or_never().is_none(), "two are free, for others");
        assert!(line_up(&turns, 'b').now_or_never().flatten().is_some());
        drop(two);
        assert!(third.await.is_some());
        assert_eq!(turns.rows().free, 4, "every turn has come back");
        assert!(turns.rows().at_work.is_empty());
    }

    #[tokio::test]
    async fn t31_where_too_many_wait_the_longest_row_is_turned_away() {
        let turns = Arc::new(Turns::new(bounds(1, 4)));
        let at_work = turns.take(tenant('a')).await.unwrap();
        let mut noisy: Vec<_> = (0..4).map(|_| line_up(&turns, 'a')).collect();
        assert!(line_up(&turns, 'a').await.is_none(), "its own row is the longest");
        let quiet = line_up(&turns, 'b');
        assert!(noisy.pop().unwrap().await.is_none(), "the last of the longest row went for it");
        drop(at_work);
        let served = noisy.into_iter().chain([quiet]).map(|waits| waits.map(|turn| turn.is_some()));
        assert_eq!(futures::future::join_all(served).await, [true; 4]);
        assert_eq!(turns.rows().free, 1, "every turn has come back");
    }

    #[tokio::test]
    async fn whoever_waits_too_long_or_goes_away_leaves_no_turn_behind() {
        let turns = Arc::new(Turns::new(Bounds { patience: Duration::from_millis(20), ..bounds(1, 2) }));
        let at_work = turns.take(None).await.unwrap();
        drop((line_up(&turns, 'a'), line_up(&turns, 'b')));
        assert!(turns.take(tenant('c')).await.is_none(), "too long");
        drop(at_work);
        assert_eq!(turns.rows().free, 1);
        assert!(turns.take(None).await.is_some());
    }
}
