//! Candles of a market, fetched once for all jobs of a process that need them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use super::error::StageError;
use super::feeds::Feed;
use crate::sources::candles::error::CandleError;
use crate::sources::candles::window;
use crate::state::Store;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};

/// From so long after the period's start on, an absent last candle is taken for a gap of the exchange.
pub(super) const SETTLE_MS: i64 = 2 * MINUTE_MS;
/// So many of the newest known minutes are asked for again. With a period's new ones that is one page of every exchange but
/// one.
const OVERLAP_MINUTES: i64 = 60;
/// And so many of the others, another part in each cycle: in a week every minute has been looked at again.
const ROLLING_REFRESH_MINUTES: i64 = 1000;
/// What was fetched is stored after so many minutes, so that a broken connection costs no more.
const PIECE_MINUTES: i64 = 3000;

/// Windows of candles that jobs may have in memory at a time: 32 MB of four weeks each. There are two threads to work on
/// them; the others are of jobs that wait for another exchange's word, which takes longer than the work.
const WINDOWS_AT_ONCE: u32 = 16;

/// A source's name, and what it calls the market.
type Key = (String, String);

/// The windows of all markets, each refreshed by one job at a time.
#[derive(Debug)]
pub struct CandleService {
    store: Arc<Store>,
    /// The longest window that any job is fed with, in milliseconds.
    windows_ms: Mutex<BTreeMap<Key, i64>>,
    refreshed: Mutex<BTreeMap<Key, Arc<tokio::sync::Mutex<Option<Refreshed>>>>>,
    /// One permit for each window. Who refreshes a market waits for none, so that who has some may wait for a market.
    room: Semaphore,
}

/// A window that was brought up to date.
#[derive(Debug)]
struct Refreshed {
    range_ms: Range<i64>,
    revised_minutes: usize,
    /// The jobs that have it. Whoever comes for the second time was not content with it.
    served: BTreeSet<String>,
}

impl CandleService {
    /// Over a database whose live candles nobody else changes.
    pub fn new(store: Arc<Store>) -> Self {
        let room = Semaphore::new(WINDOWS_AT_ONCE as usize);
        Self { store, windows_ms: Mutex::default(), refreshed: Mutex::default(), room }
    }

    /// Room in memory for the windows of so many markets, for as long as it is held. A job asks once in a try: two that held
    /// some and wanted more would wait for each other.
    pub(super) async fn room(&self, markets: usize) -> SemaphorePermit<'_> {
        let windows = u32::try_from(markets).unwrap_or(WINDOWS_AT_ONCE).min(WINDOWS_AT_ONCE);
        self.room.acquire_many(windows).await.expect("it is never closed")
    }

    /// Notes that a job is fed with windows of this length of a source's market.
    pub fn expect(&self, source: &str, symbol: &str, window_ms: i64) {
        let mut windows = self.windows_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = windows.entry((source.to_owned(), symbol.to_owned())).or_default();
        *longest = window_ms.max(*longest);
    }

    /// The oldest minute that any job needs for a period that starts at `to_ms`; at most `from_ms`.
    pub(super) fn oldest_needed_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        let windows = self.windows_ms.lock().unwrap_or_else(PoisonError::into_inner);
        windows.values().map(|window_ms| to_ms - window_ms).fold(from_ms, i64::min)
    }

    /// Brings a window up to date, once for all jobs but for those that ask again. `closed_by_ms` says up to when candles are
    /// closed; it is asked only where the exchange is. Gives back the number of minutes that the exchange has changed.
    ///
    /// # Errors
    /// What the exchange does, or a database that fails.
    pub(super) async fn refresh(
        &self,
        job: &str,
        feed: &Feed,
        symbol: &str,
        range_ms: &Range<i64>,
        closed_by_ms: impl Future<Output = Result<i64, StageError>>,
    ) -> Result<usize, StageError> {
        let key = (feed.name.clone(), symbol.to_owned());
        let entry =
            self.refreshed.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default().clone();
        let mut known = entry.lock().await;
        let covers =
            |known: &&mut Refreshed| known.range_ms.end == range_ms.end && known.range_ms.start <= range_ms.start;
        if let Some(known) = known.as_mut().filter(covers)
            && known.served.insert(job.to_owned())
        {
            return Ok(known.revised_minutes);
        }
        *known = None;
        let longest_ms = self.windows_ms.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied().unwrap_or(0);
        let range_ms = range_ms.start.min(range_ms.end - longest_ms)..range_ms.end;
        let revised_minutes = self.update(feed, symbol, &range_ms, closed_by_ms.await?).await?;
        // A last minute that is not there yet may be there for the next who asks.
        if !self.store.live_candles(&feed.name, symbol, &(range_ms.end - MINUTE_MS..range_ms.end))?.is_empty() {
            *known = Some(Refreshed { range_ms, revised_minutes, served: BTreeSet::from([job.to_owned()]) });
        }
        Ok(revised_minutes)
    }

    /// Fetches what is missing of a window and a little of what is there, and all of it anew where that little has
    /// changed: corrections seldom come alone. But the newest minutes may have been read before the exchange was done with
    /// them. Gives back the number of changed minutes.
    async fn update(
        &self,
        feed: &Feed,
        symbol: &str,
        range_ms: &Range<i64>,
        closed_by_ms: i64,
    ) -> Result<usize, StageError> {
        let closed_end_ms = closed_by_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let range_ms = range_ms.start..range_ms.end.min(closed_end_ms).max(range_ms.start);
        let again_ms = window::rolling_refresh(&range_ms, PeriodId::at_ms(closed_by_ms).0, ROLLING_REFRESH_MINUTES);
        // No window is in memory while an exchange is waited for.
        let (missing, settled_ms) = {
            let held = self.store.live_candles(&feed.name, symbol, &range_ms)?;
            let settled_ms = held.last().map_or(0, |newest| newest.close_time_ms() - SETTLE_MS);
            (window::to_fetch(&held, &range_ms, again_ms, OVERLAP_MINUTES, feed.source.page_minutes()), settled_ms)
        };
        let mut revised = self.fetch(feed, symbol, missing, closed_by_ms, &[]).await?;
        if let Some(&first_ms) = revised.first() {
            let (source_name, symbol) = (feed.name.clone(), symbol.to_owned());
            let fault = CandleError::Revised { source_name, symbol, minutes: revised.len(), first_ms };
            warn!(code = fault.code(), minutes = revised.len(), error = %fault, hint = fault.hint(), "candles revised");
        }
        if revised.iter().any(|open_time_ms| *open_time_ms < settled_ms) {
            let held = self.store.live_candles(&feed.name, symbol, &range_ms)?;
            // Forgotten first, so that a fetch that breaks off is taken up again by the next.
            self.store.forget_live_candles(&feed.name, symbol, &range_ms)?;
            revised.extend(self.fetch(feed, symbol, vec![range_ms], closed_by_ms, &held).await?);
            revised.sort_unstable();
            revised.dedup();
        }
        Ok(revised.len())
    }

    /// Fetches and keeps ranges, piece by piece. Gives back the minutes that were kept, or are `known`, otherwise.
    async fn fetch(
        &self,
        feed: &Feed,
        symbol: &str,
        ranges_ms: Vec<Range<i64>>,
        closed_by_ms: i64,
        known: &[Candle],
    ) -> Result<Vec<i64>, StageError> {
        let mut revised = Vec::new();
        for piece in window::pieces(ranges_ms, PIECE_MINUTES) {
            let fresh = feed.source.closed_candles(symbol, piece.start, piece.end, closed_by_ms).await?;
            let held = self.store.live_candles(&feed.name, symbol, &piece)?;
            let changed = window::revised(&held, &fresh).chain(window::revised(known, &fresh));
            revised.extend(changed.map(|candle| candle.open_time_ms));
            self.store.keep_live_candles(&feed.name, symbol, &fresh)?;
        }
        Ok(revised)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn windows_beyond_the_room_wait_and_a_model_of_many_markets_takes_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let candles = CandleService::new(Arc::new(Store::open(&folder.path().join("agent.sqlite")).unwrap()));
        let mut held = Vec::new();
        for _ in 0..WINDOWS_AT_ONCE / 2 {
            held.push(candles.room(2).await);
        }
        assert!(tokio::time::timeout(Duration::ZERO, candles.room(1)).await.is_err());
        held.pop();
        assert_eq!(candles.room(1).await.num_permits(), 1);
        drop(held);
        assert_eq!(candles.room(1000).await.num_permits(), WINDOWS_AT_ONCE as usize);
    }
}
