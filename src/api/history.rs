//! The cycles as the API gives them: the newest ones read at most once a second, however many ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore};

use super::fault::ApiFault;
use crate::state::StateFault;
use crate::state::reader::Reader;
use crate::types::cycle::CycleRecord;
use crate::types::digest::Digest;
use crate::types::period::PeriodId;

/// Cycles that one answer may hold, and that are kept in memory.
pub const MAX_CYCLES: u32 = 100;
/// What was read is good for this long.
const FRESH: Duration = Duration::from_secs(1);
/// Requests that may wait for the database at a time.
const WAITING: usize = 16;

/// A model's cycles.
#[derive(Debug)]
pub struct History {
    reader: Arc<Reader>,
    manifest: Digest,
    newest: Mutex<Option<Snapshot>>,
    waiting: Semaphore,
}

#[derive(Debug, Clone)]
struct Snapshot {
    read: Instant,
    /// Newest first.
    records: Arc<[CycleRecord]>,
}

impl History {
    /// The cycles of the model with that manifest.
    pub fn new(reader: Reader, manifest: Digest) -> Self {
        Self { reader: Arc::new(reader), manifest, newest: Mutex::default(), waiting: Semaphore::new(WAITING) }
    }

    /// The newest cycles, newest first, at most a second old.
    ///
    /// # Errors
    /// [`ApiFault::State`].
    pub async fn newest(&self) -> Result<Arc<[CycleRecord]>, ApiFault> {
        let mut newest = self.newest.lock().await;
        if let Some(snapshot) = newest.as_ref().filter(|snapshot| snapshot.read.elapsed() < FRESH) {
            return Ok(snapshot.records.clone());
        }
        let manifest = self.manifest;
        let records = self.read(move |reader| reader.page(manifest, None, MAX_CYCLES)).await?;
        let records: Arc<[CycleRecord]> = records.into();
        *newest = Some(Snapshot { read: Instant::now(), records: records.clone() });
        Ok(records)
    }

    /// The newest `limit` cycles, of periods before `before` where it is given.
    ///
    /// # Errors
    /// [`ApiFault::State`], [`ApiFault::Slow`] where too many wait already.
    pub async fn page(&self, before: Option<PeriodId>, limit: u32) -> Result<Vec<CycleRecord>, ApiFault> {
        let limit = limit.min(MAX_CYCLES);
        let newest = self.newest().await?;
        let is_in_memory = |record: &&CycleRecord| before.is_none_or(|before| record.period < before);
        let found: Vec<CycleRecord> = newest.iter().filter(is_in_memory).take(limit as usize).cloned().collect();
        if found.len() == limit as usize || newest.len() < MAX_CYCLES as usize {
            return Ok(found);
        }
        let manifest = self.manifest;
        self.read(move |reader| reader.page(manifest, before, limit)).await
    }

    /// The cycle of a period.
    ///
    /// # Errors
    /// As [`History::page`].
    pub async fn cycle(&self, period: PeriodId) -> Result<Option<CycleRecord>, ApiFault> {
        let newest = self.newest().await?;
        if let Some(found) = newest.iter().find(|record| record.period == period) {
            return Ok(Some(found.clone()));
        }
        if newest.len() < MAX_CYCLES as usize || newest.last().is_some_and(|oldest| period > oldest.period) {
            return Ok(None);
        }
        let manifest = self.manifest;
        self.read(move |reader| reader.cycle(manifest, period)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StateFault> + Send + 'static,
    ) -> Result<T, ApiFault> {
        let _place = self.waiting.try_acquire().map_err(|_| ApiFault::Slow)?;
        let reader = self.reader.clone();
        let outcome = tokio::task::spawn_blocking(move || read(&reader)).await;
        // A read that was broken off by the runtime's end has nobody to tell.
        Ok(outcome.map_err(|error| StateFault::Corrupt(error.to_string()))??)
    }
}
