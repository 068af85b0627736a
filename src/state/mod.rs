//! The agent's memory in SQLite: every stage of every cycle, durable before its side effect.

pub mod attempts;
mod attestations;
mod evidence;
mod live;
mod others;
pub mod reader;
mod rows;
mod told;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use thiserror::Error;

use crate::fs;
use crate::types::candle::{Candle, CandleSeries};
use crate::types::cycle::{Attempt, CycleRecord, Forecast, Landed, Miss, Stage};
use crate::types::digest::Digest;
use crate::types::fault::Fault;
use crate::types::origin::Origin;
use crate::types::period::PeriodId;
use crate::types::proof::Proof;
use attempts::StoredAttempt;

/// Ordered schema changes; `user_version` counts those applied.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/001_init.sql"),
    include_str!("migrations/002_sources.sql"),
    include_str!("migrations/003_transactions.sql"),
    include_str!("migrations/004_evidence.sql"),
    include_str!("migrations/005_attestations.sql"),
    include_str!("migrations/006_alerts.sql"),
];
/// Candles of this many periods are kept (a week); older ones can be fetched again by anyone.
const CANDLE_PERIODS_KEPT: u64 = PeriodId::PER_WEEK;
/// Transactions of periods further back say nothing about a nonce any more.
const NONCE_PERIODS: u64 = PeriodId::PER_WEEK;
/// Longest wait for another process that holds the database.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// Why the memory fails.
#[derive(Debug, Error)]
pub enum StateFault {
    /// The file cannot be opened or is not ours.
    #[error("cannot open the database {}: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
    /// The disk has no room.
    #[error("no space left for the database")]
    Full,
    /// Another process writes to it.
    #[error("the database is in use by another process")]
    Busy,
    /// SQLite reports something else.
    #[error("the database failed: {0}")]
    Sqlite(rusqlite::Error),
    /// A row that this version did not write.
    #[error("the database holds a row that makes no sense: {0}")]
    Corrupt(String),
    /// Another process signed a transaction for the period meanwhile.
    #[error("another process has just signed a transaction for period {0}")]
    Overtaken(PeriodId),
    /// A step that the stages do not allow.
    #[error("period {period} cannot go from {from:?} to {to:?}")]
    Illegal { period: PeriodId, from: Stage, to: Stage },
}

impl Fault for StateFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "VR-STATE-001",
            Self::Full => "VR-STATE-002",
            Self::Busy => "VR-STATE-003",
            Self::Sqlite(_) => "VR-STATE-004",
            Self::Corrupt(_) => "VR-STATE-005",
            Self::Illegal { .. } => "VR-STATE-006",
            Self::Overtaken(_) => "VR-STATE-007",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Open { .. } => "check that state.path is writable for this user and was made by this program",
            Self::Full => "free some space; the cycle goes on from its last stored stage",
            Self::Busy => "stop the other agent that uses this database; each agent wants its own",
            Self::Sqlite(_) | Self::Corrupt(_) => {
                "move the database away and start again: the chain is the truth, no update can land twice"
            }
            Self::Overtaken(_) => "look at `tx list`, and repeat the command if it is still wanted",
            Self::Illegal { .. } => "report this with the log: a stage was skipped",
        }
    }

    fn retry(&self) -> crate::types::fault::Retry {
        match self {
            Self::Full | Self::Busy => crate::types::fault::Retry::Later(std::time::Duration::from_secs(10)),
            _ => crate::types::fault::Retry::Never,
        }
    }
}

impl From<rusqlite::Error> for StateFault {
    fn from(error: rusqlite::Error) -> Self {
        match (error.sqlite_error_code(), &error) {
            (Some(ErrorCode::DiskFull), _) => Self::Full,
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => Self::Busy,
            (
                _,
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..),
            ) => Self::Corrupt(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

/// The database. Calls block for the time of a disk flush; a cycle makes about six of them.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
}

/// What one step adds to a cycle.
#[derive(Debug)]
pub enum Step<'a> {
    /// The candles of each market and where they came from.
    Collected(&'a [CandleSeries], &'a Origin),
    /// Features and outputs.
    Forecast(&'a Forecast),
    /// A verified proof, the milliseconds it took and the digest of its witness.
    Proved(&'a Proof, u64, Option<Digest>),
    /// A signed transaction that is about to be sent.
    Submitting(&'a Attempt),
    /// Our transaction is on chain.
    Confirmed(Landed),
    /// Another's update is on chain.
    AlreadyByOther,
    /// It will not happen.
    Missed(&'a Miss),
}

impl Step<'_> {
    /// The stage that the step leads to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Collected(..) => Stage::Collected,
            Self::Forecast(_) => Stage::Forecast,
            Self::Proved(..) => Stage::Proved,
            Self::Submitting(_) => Stage::Submitting,
            Self::Confirmed(_) => Stage::Confirmed,
            Self::AlreadyByOther => Stage::AlreadyByOther,
            Self::Missed(_) => Stage::Missed,
        }
    }
}

impl Store {
    /// Opens or makes the database.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn open(path: &Path) -> Result<Self, StateFault> {
        let open_fault = |reason: String| StateFault::Open { path: path.to_owned(), reason };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_folder(folder).map_err(|fault| open_fault(fault.to_string()))?;
        }
        let mut connection = Connection::open(path).map_err(|error| open_fault(error.to_string()))?;
        migrate(&mut connection).map_err(|error| match StateFault::from(error) {
            StateFault::Sqlite(error) => open_fault(error.to_string()),
            fault => fault,
        })?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// The cycle of `period`, begun now if there is none yet.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn begin(&self, manifest: Digest, period: PeriodId, now_ms: i64) -> Result<CycleRecord, StateFault> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT OR IGNORE INTO cycles (manifest, period, stage, started_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![manifest.to_string(), rows::period(period)?, Stage::Planned.name(), now_ms],
        )?;
        let record = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateFault::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        Ok(record)
    }

    /// Takes one step and gives back the cycle as it is then stored.
    ///
    /// # Errors
    /// [`StateFault::Illegal`] for a step that the stage does not allow, [`StateFault::Overtaken`] for a transaction that
    /// another process has left behind, else [`StateFault`].
    pub fn advance(
        &self,
        manifest: Digest,
        period: PeriodId,
        step: &Step<'_>,
        now_ms: i64,
    ) -> Result<CycleRecord, StateFault> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateFault::Corrupt(format!("period {period} was never begun")))?
            .stage;
        let to = step.stage();
        if !from.may_become(to) {
            return Err(StateFault::Illegal { period, from, to });
        }
        transaction.execute(
            "UPDATE cycles SET stage = ?3, updated_ms = ?4 WHERE manifest = ?1 AND period = ?2",
            params![manifest.to_string(), rows::period(period)?, to.name(), now_ms],
        )?;
        if let Step::Submitting(attempt) = step {
            attempts::add(&transaction, manifest, period, attempt, now_ms)?;
        }
        rows::write_step(&transaction, manifest, period, step)?;
        if let Step::Collected(..) = step {
            drop_old_candles(&transaction, manifest, period)?;
        }
        let record = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateFault::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        Ok(record)
    }

    /// The cycle of `period`, if it was begun.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn cycle(&self, manifest: Digest, period: PeriodId) -> Result<Option<CycleRecord>, StateFault> {
        rows::cycle(&self.lock(), manifest, period)
    }

    /// The newest `limit` cycles, newest first.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn recent(&self, manifest: Digest, limit: u32) -> Result<Vec<CycleRecord>, StateFault> {
        rows::newest(&self.lock(), manifest, None, limit)
    }

    /// Cycles of periods before `period` that have not come to an end.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn unfinished_before(&self, manifest: Digest, period: PeriodId) -> Result<Vec<CycleRecord>, StateFault> {
        rows::unfinished_before(&self.lock(), manifest, period)
    }

    /// The stored candles of each market; those that were carried forward are not among them, but for the first minute.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn candles(&self, manifest: Digest, period: PeriodId) -> Result<Vec<Vec<Candle>>, StateFault> {
        rows::candles(&self.lock(), manifest, period)
    }

    /// Every transaction that was signed for the period, oldest first.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn attempts(&self, manifest: Digest, period: PeriodId) -> Result<Vec<Attempt>, StateFault> {
        attempts::of_period(&self.lock(), manifest, period)
    }

    /// The last transaction that was signed with `nonce` for a period up to a week before `period`.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn attempt_with_nonce(&self, nonce: u64, period: PeriodId) -> Result<Option<Attempt>, StateFault> {
        attempts::with_nonce(&self.lock(), nonce, PeriodId(period.0.saturating_sub(NONCE_PERIODS)))
    }

    /// The nonce after the highest one that was ever signed with: how many transactions of its wallet this database knows of.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn next_nonce(&self) -> Result<u64, StateFault> {
        attempts::next_nonce(&self.lock())
    }

    /// The newest `limit` transactions of all models' cycles, newest first.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn recent_attempts(&self, limit: u32) -> Result<Vec<StoredAttempt>, StateFault> {
        attempts::recent(&self.lock(), limit)
    }

    /// The newest `limit` cycles whose update landed, ours or another's, in a block that was not final when it was last
    /// looked at, newest first.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn not_final(&self, manifest: Digest, limit: u32) -> Result<Vec<CycleRecord>, StateFault> {
        rows::not_final(&self.lock(), manifest, limit)
    }

    /// Notes where a confirmed update is now, and whether its block is final.
    ///
    /// # Errors
    /// [`StateFault`].
    pub fn settle_at(
        &self,
        manifest: Digest,
        period: PeriodId,
        landed: Landed,
        is_final: bool,
    ) -> Result<(), StateFault> {
        rows::settle_at(&self.lock(), manifest, period, landed, is_final)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements leaves an open transaction at most, which SQLite rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(applied as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", applied.max(MIGRATIONS.len() as u32))?;
    transaction.commit()
}

fn drop_old_candles(transaction: &Transaction<'_>, manifest: Digest, period: PeriodId) -> Result<(), StateFault> {
    let oldest_kept = PeriodId(period.0.saturating_sub(CANDLE_PERIODS_KEPT));
    transaction.execute(
        "DELETE FROM candles WHERE manifest = ?1 AND period < ?2",
        params![manifest.to_string(), rows::period(oldest_kept)?],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
