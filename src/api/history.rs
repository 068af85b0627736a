//! The cycles as the API gives them: the newest ones read at most once a second, however many ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tokio::sync::Mutex;

use super::gate::Gate;
use super::view::{ModelView, PeriodView};
use crate::api::error::ApiError;
use crate::state::error::StateError;
use crate::state::reader::Reader;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Cycles that one answer may hold, and that are kept in memory.
pub const MAX_CYCLES: u32 = 100;
/// What was read is good for this long.
const FRESH: Duration = Duration::from_secs(1);

/// A job's cycles.
#[derive(Debug)]
pub struct History {
    reader: Arc<Reader>,
    job: JobKey,
    model: ModelView,
    newest: Mutex<Option<Snapshot>>,
    gate: Gate,
}

#[derive(Debug, Clone)]
struct Snapshot {
    read: Instant,
    /// Newest first.
    known: Arc<[Known]>,
}

/// A cycle, and what is told of it in a list, written out once for all who ask.
#[derive(Debug)]
pub struct Known {
    pub record: CycleRecord,
    pub view: Box<RawValue>,
}

impl Known {
    fn new(record: CycleRecord, model: &ModelView) -> Result<Self, StateError> {
        let view = serde_json::value::to_raw_value(&PeriodView::new(&record, model));
        Ok(Self { view: view.map_err(|error| StateError::Corrupt(error.to_string()))?, record })
    }
}

impl History {
    /// The cycles of a job.
    pub fn new(reader: Arc<Reader>, job: JobKey, model: ModelView) -> Self {
        Self { reader, job, model, newest: Mutex::default(), gate: Gate::new() }
    }

    /// Whose cycles these are.
    pub(super) fn job(&self) -> JobKey {
        self.job
    }

    /// The newest cycles, newest first, at most a second old.
    ///
    /// # Errors
    /// [`ApiError::State`].
    pub async fn newest(&self) -> Result<Arc<[Known]>, ApiError> {
        let mut newest = self.newest.lock().await;
        if let Some(snapshot) = newest.as_ref().filter(|snapshot| snapshot.read.elapsed() < FRESH) {
            return Ok(snapshot.known.clone());
        }
        let job = self.job;
        let records = self.read(move |reader| reader.page(job, None, MAX_CYCLES)).await?;
        let known = records.into_iter().map(|record| Known::new(record, &self.model));
        let known: Arc<[Known]> = known.collect::<Result<_, _>>()?;
        *newest = Some(Snapshot { read: Instant::now(), known: known.clone() });
        Ok(known)
    }

    /// What is told of the newest `limit` cycles, of periods before `before` where it is given, with their periods.
    ///
    /// # Errors
    /// [`ApiError::State`], [`ApiError::Slow`] where too many wait already.
    pub async fn page(&self, before: Option<PeriodId>, limit: u32) -> Result<Vec<(PeriodId, Box<RawValue>)>, ApiError> {
        let limit = limit.min(MAX_CYCLES);
        let newest = self.newest().await?;
        let is_before = |known: &&Known| before.is_none_or(|before| known.record.period < before);
        let told = |known: &Known| (known.record.period, known.view.clone());
        let found: Vec<_> = newest.iter().filter(is_before).take(limit as usize).map(told).collect();
        if found.len() == limit as usize || newest.len() < MAX_CYCLES as usize {
            return Ok(found);
        }
        let job = self.job;
        let records = self.read(move |reader| reader.page(job, before, limit)).await?;
        let known = records.into_iter().map(|record| Known::new(record, &self.model));
        Ok(known.map(|known| known.map(|known| (known.record.period, known.view))).collect::<Result<_, _>>()?)
    }

    /// The cycle of a period.
    ///
    /// # Errors
    /// As [`History::page`].
    pub async fn cycle(&self, period: PeriodId) -> Result<Option<CycleRecord>, ApiError> {
        let newest = self.newest().await?;
        if let Some(found) = newest.iter().find(|known| known.record.period == period) {
            return Ok(Some(found.record.clone()));
        }
        if newest.len() < MAX_CYCLES as usize || newest.last().is_some_and(|oldest| period > oldest.record.period) {
            return Ok(None);
        }
        let job = self.job;
        self.read(move |reader| reader.cycle(job, period)).await
    }

    /// Reads on a thread that may wait.
    ///
    /// # Errors
    /// As [`History::page`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.gate.read(&self.reader, read).await
    }
}
