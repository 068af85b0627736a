//! The agent's memory in SQLite: every stage of every cycle, durable before its side effect.

pub mod alerts;
pub mod attempts;
mod attestations;
pub mod beside;
mod blocks;
pub mod candle_cache;
pub mod changes;
mod columns;
mod cycles;
pub mod error;
mod evidence;
pub mod finality;
pub mod jobs;
mod legacy;
pub mod lock;
mod manifests;
pub mod operations;
pub mod outcomes;
mod parameters;
pub mod reader;
mod retention;
mod rows;
mod schema;
pub mod series;
mod snapshots;
mod stage_times;
mod windows;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::broadcast;

use changes::{Change, Changes};
use error::StateError;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::cycle::{Attempt, CycleRecord, Forecast, Landed, Miss, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::proof::Proof;
use veriregime_core::types::vintage::TablesOrigin;

/// Longest wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements that stay prepared: more than there are.
const PREPARED_STATEMENTS: usize = 64;

/// The database. Calls block for the time of a disk flush; a cycle makes about six of them.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    changes: Changes,
}

/// What one step adds to a cycle.
#[derive(Debug)]
pub enum Step<'a> {
    /// The candles of each market that is not omitted, and where they came from.
    Collected(&'a [Option<CandleSeries>], &'a Origin),
    /// The same once more, with markets that the update which has landed omits: all that follows is to be done again.
    Recollected(&'a [Option<CandleSeries>], &'a Origin),
    /// The bytes of the tables' snapshot, and where it came from.
    Tables(&'a [u8], &'a TablesOrigin),
    /// Features and outputs.
    Forecast(&'a Forecast),
    /// A verified proof, the milliseconds it took and the digest of its witness.
    Proved(&'a Proof, u64, Option<Digest>),
    /// A signed transaction that is about to be sent.
    Submitting(&'a Attempt),
    /// The same as what has landed, signed once more, for what that has passed by.
    SubmittingAgain(&'a Attempt),
    /// Our transaction is on chain.
    Confirmed(Landed),
    /// It stays on chain, and what it has left out stays as it is.
    Kept(Landed),
    /// Another's update is on chain.
    AlreadyByOther,
    /// It will not happen.
    Missed(&'a Miss),
}

impl Step<'_> {
    /// The stage that the step leads to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Collected(..) | Self::Recollected(..) | Self::Tables(..) => Stage::Collected,
            Self::Forecast(_) => Stage::Forecast,
            Self::Proved(..) => Stage::Proved,
            Self::Submitting(_) | Self::SubmittingAgain(_) => Stage::Submitting,
            Self::Confirmed(_) | Self::Kept(_) => Stage::Confirmed,
            Self::AlreadyByOther => Stage::AlreadyByOther,
            Self::Missed(_) => Stage::Missed,
        }
    }
}

impl Store {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let open_fault = |reason: String| StateError::Open { path: path.to_owned(), reason };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            veriregime_files::create_folder(folder).map_err(|fault| open_fault(fault.to_string()))?;
        }
        let as_open_fault = |fault: StateError| match fault {
            StateError::Sqlite(error) => open_fault(error.to_string()),
            fault => fault,
        };
        let mut connection = Connection::open(path).map_err(|error| open_fault(error.to_string()))?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| as_open_fault(error.into()))?;
        connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        // A migration's and a sweep's scratch tables need no folder of their own.
        connection.pragma_update(None, "temp_store", "MEMORY").map_err(|error| as_open_fault(error.into()))?;
        schema::check(&connection, path).map_err(as_open_fault)?;
        schema::migrate(&mut connection).map_err(as_open_fault)?;
        Ok(Self { connection: Mutex::new(connection), changes: Changes::default() })
    }

    /// The stages that are stored by this connection from now on.
    pub fn follow(&self) -> broadcast::Receiver<Change> {
        self.changes.follow()
    }

    /// The job's cycle of `period` on its grid, begun now if there is none yet.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn begin(&self, job: JobKey, grid: Grid, period: PeriodId, now_ms: i64) -> Result<CycleRecord, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        jobs::ensure_row(&transaction, job, grid)?;
        let key = rows::key(&transaction, job, period)?;
        let begun = transaction.execute(
            "INSERT OR IGNORE INTO cycles (job, period, stage, started_ms, updated_ms, starts, ends)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
            params![
                key.job,
                key.period,
                Stage::Planned.name(),
                now_ms,
                grid.start_ms(period) / 1000,
                grid.end_ms(period) / 1000
            ],
        )?;
        if begun > 0 {
            stage_times::note(&transaction, key, Stage::Planned, now_ms)?;
        }
        let record =
            rows::cycle(&transaction, key)?.ok_or_else(|| StateError::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        self.changes.tell(job, period, record.stage);
        Ok(record)
    }

    /// Takes one step and gives back the cycle as it is then stored.
    ///
    /// # Errors
    /// [`StateError::Illegal`] for a step that the stage does not allow, [`StateError::Conflict`] for a transaction that
    /// another process has left behind, [`StateError::NonceTaken`] for one whose nonce an open cycle has, else [`StateError`].
    pub fn advance(
        &self,
        job: JobKey,
        period: PeriodId,
        step: &Step<'_>,
        now_ms: i64,
    ) -> Result<CycleRecord, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let key = rows::key(&transaction, job, period)?;
        let from = rows::cycle(&transaction, key)?
            .ok_or_else(|| StateError::Corrupt(format!("period {period} was never begun")))?
            .stage;
        let to = step.stage();
        let is_legal = match step {
            // Somebody else may have begun again already.
            Step::Recollected(..) | Step::SubmittingAgain(_) => from == Stage::Confirmed,
            Step::Kept(_) => matches!(from, Stage::Collected | Stage::Forecast | Stage::Proved),
            _ => from.may_become(to),
        };
        if !is_legal {
            return Err(StateError::Illegal { period, from, to });
        }
        transaction.execute(
            "UPDATE cycles SET stage = ?3, updated_ms = ?4, retrying = NULL, untold = ?5 WHERE job = ?1 AND period = ?2",
            params![key.job, key.period, to.name(), now_ms, to.is_final()],
        )?;
        if to != from {
            stage_times::note(&transaction, key, to, now_ms)?;
        }
        match step {
            Step::Submitting(attempt) => attempts::add(&transaction, (job, period), from, attempt, now_ms)?,
            Step::SubmittingAgain(attempt) => attempts::add(&transaction, (job, period), to, attempt, now_ms)?,
            _ => {}
        }
        if let Step::Collected(series, _) | Step::Recollected(series, _) = step {
            retention::sweep(&transaction, key)?;
            windows::write(&transaction, key, series)?;
        }
        if let Step::Tables(bytes, _) = step {
            retention::sweep(&transaction, key)?;
            snapshots::write(&transaction, key, bytes)?;
        }
        rows::write_step(&transaction, key, step)?;
        let record =
            rows::cycle(&transaction, key)?.ok_or_else(|| StateError::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        self.changes.tell(job, period, record.stage);
        Ok(record)
    }

    /// The job's cycle of `period`, if it was begun.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn cycle(&self, job: JobKey, period: PeriodId) -> Result<Option<CycleRecord>, StateError> {
        let connection = self.lock();
        rows::cycle(&connection, rows::key(&connection, job, period)?)
    }

    /// The stored candles of each market; those that were carried forward are not among them, but for the first minute.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn candles(&self, job: JobKey, period: PeriodId) -> Result<Vec<Vec<Candle>>, StateError> {
        let connection = self.lock();
        windows::read(&connection, rows::key(&connection, job, period)?)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements leaves an open transaction at most, which SQLite rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
