//! The agent's memory in SQLite: every stage of every cycle, durable before its side effect.

pub mod alerts;
pub mod attempts;
mod attestations;
pub mod candle_cache;
mod contract;
mod cycles;
mod evidence;
pub mod finality;
pub mod lock;
mod manifests;
pub mod reader;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use thiserror::Error;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::{Attempt, CycleRecord, Forecast, Landed, Miss, Stage};
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;

/// Ordered schema changes; `user_version` counts those applied.
const MIGRATIONS: [&str; 8] = [
    include_str!("migrations/001_init.sql"),
    include_str!("migrations/002_sources.sql"),
    include_str!("migrations/003_transactions.sql"),
    include_str!("migrations/004_evidence.sql"),
    include_str!("migrations/005_attestations.sql"),
    include_str!("migrations/006_alerts.sql"),
    include_str!("migrations/007_contract.sql"),
    include_str!("migrations/008_omissions.sql"),
];
/// The first schema that notes the contract of the cycles and the wallets of transactions.
const NOTES_CONTRACT: usize = 7;
/// Candles of this many periods are kept (a week); older ones can be fetched again by anyone.
const CANDLE_PERIODS_KEPT: u64 = PeriodId::PER_WEEK;
/// Longest wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the memory fails.
#[derive(Debug, Error)]
pub enum StateError {
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
    Conflict(PeriodId),
    /// A later version of this program made it.
    #[error("the database {} has schema {found}, this program knows none after {}", path.display(), MIGRATIONS.len())]
    Newer { path: PathBuf, found: usize },
    /// Its cycles are another contract's.
    #[error("the database holds cycles of contract {held}, the settings name {wanted}")]
    Mismatch { held: Contract, wanted: Contract },
    /// Another process runs its cycles.
    #[error("{} runs the cycles of this database", process(*by))]
    InUse { by: Option<u32> },
    /// A step that the stages do not allow.
    #[error("period {period} cannot go from {from:?} to {to:?}")]
    Illegal { period: PeriodId, from: Stage, to: Stage },
}

impl Diagnostic for StateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "VR-STATE-001",
            Self::Full => "VR-STATE-002",
            Self::Busy => "VR-STATE-003",
            Self::Sqlite(_) => "VR-STATE-004",
            Self::Corrupt(_) => "VR-STATE-005",
            Self::Illegal { .. } => "VR-STATE-006",
            Self::Conflict(_) => "VR-STATE-007",
            Self::Newer { .. } => "VR-STATE-008",
            Self::Mismatch { .. } => "VR-STATE-009",
            Self::InUse { .. } => "VR-STATE-010",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => "check that state.path is writable for this user and was made by this program",
            Self::Full => "free some space; the cycle goes on from its last stored stage",
            Self::Busy => "stop the other agent that uses this database; each agent wants its own",
            Self::Sqlite(_) | Self::Corrupt(_) => {
                "move the database away and start again: the chain is the truth, no update can land twice"
            }
            Self::Conflict(_) => "look at `tx list`, and repeat the command if it is still wanted",
            Self::Newer { .. } => {
                "run the newer program, or put back the copy of the database from before it; this one was not touched"
            }
            Self::Mismatch { .. } => {
                "correct chain.chain_id and chain.oracle, or name a new file in state.path: each contract has its own"
            }
            Self::InUse { .. } => {
                "leave the work to it (`status`, `tx` and `once --dry-run` run beside it), or stop it first"
            }
            Self::Illegal { .. } => "report this with the log: a stage was skipped",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Full | Self::Busy => Retry::Later(Duration::from_secs(10)),
            _ => Retry::Never,
        }
    }
}

impl From<rusqlite::Error> for StateError {
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
    /// The candles of each market that is not omitted, and where they came from.
    Collected(&'a [Option<CandleSeries>], &'a Origin),
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
    /// [`StateError`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let open_fault = |reason: String| StateError::Open { path: path.to_owned(), reason };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            veriregime_files::create_folder(folder).map_err(|fault| open_fault(fault.to_string()))?;
        }
        let as_open_fault = |error: rusqlite::Error| match StateError::from(error) {
            StateError::Sqlite(error) => open_fault(error.to_string()),
            fault => fault,
        };
        let mut connection = Connection::open(path).map_err(|error| open_fault(error.to_string()))?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(as_open_fault)?;
        check_schema(&connection, path).map_err(|fault| match fault {
            StateError::Sqlite(error) => open_fault(error.to_string()),
            fault => fault,
        })?;
        migrate(&mut connection).map_err(as_open_fault)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// The cycle of `period`, begun now if there is none yet.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn begin(&self, manifest: Digest, period: PeriodId, now_ms: i64) -> Result<CycleRecord, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT OR IGNORE INTO cycles (manifest, period, stage, started_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
            params![manifest.to_string(), rows::period(period)?, Stage::Planned.name(), now_ms],
        )?;
        let record = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateError::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        Ok(record)
    }

    /// Takes one step and gives back the cycle as it is then stored.
    ///
    /// # Errors
    /// [`StateError::Illegal`] for a step that the stage does not allow, [`StateError::Conflict`] for a transaction that
    /// another process has left behind, else [`StateError`].
    pub fn advance(
        &self,
        manifest: Digest,
        period: PeriodId,
        step: &Step<'_>,
        now_ms: i64,
    ) -> Result<CycleRecord, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateError::Corrupt(format!("period {period} was never begun")))?
            .stage;
        let to = step.stage();
        if !from.may_become(to) {
            return Err(StateError::Illegal { period, from, to });
        }
        transaction.execute(
            "UPDATE cycles SET stage = ?3, updated_ms = ?4, retrying = NULL, untold = ?5 WHERE manifest = ?1 AND period = ?2",
            params![manifest.to_string(), rows::period(period)?, to.name(), now_ms, to.is_final()],
        )?;
        if let Step::Submitting(attempt) = step {
            attempts::add(&transaction, manifest, period, attempt, now_ms)?;
        }
        rows::write_step(&transaction, manifest, period, step)?;
        if let Step::Collected(..) = step {
            drop_old_candles(&transaction, period)?;
        }
        let record = rows::cycle(&transaction, manifest, period)?
            .ok_or_else(|| StateError::Corrupt(format!("period {period} vanished")))?;
        transaction.commit()?;
        Ok(record)
    }

    /// The cycle of `period`, if it was begun.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn cycle(&self, manifest: Digest, period: PeriodId) -> Result<Option<CycleRecord>, StateError> {
        rows::cycle(&self.lock(), manifest, period)
    }

    /// The stored candles of each market; those that were carried forward are not among them, but for the first minute.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn candles(&self, manifest: Digest, period: PeriodId) -> Result<Vec<Vec<Candle>>, StateError> {
        rows::candles(&self.lock(), manifest, period)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements leaves an open transaction at most, which SQLite rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a database that a later version has changed, before anything in it is.
fn check_schema(connection: &Connection, path: &Path) -> Result<(), StateError> {
    match schema(connection)? {
        found if found > MIGRATIONS.len() => Err(StateError::Newer { path: path.to_owned(), found }),
        _ => Ok(()),
    }
}

/// How many of the migrations a database has seen.
fn schema(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0).map(|version| version as usize))
}

fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let applied = schema(&transaction)?;
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(migration)?;
    }
    if applied < NOTES_CONTRACT {
        attempts::recover_wallets(&transaction)?;
        contract::recover(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()
}

/// A process by its id, where that is known.
fn process(id: Option<u32>) -> String {
    id.map_or_else(|| "another process".into(), |id| format!("process {id}"))
}

fn drop_old_candles(transaction: &Transaction<'_>, period: PeriodId) -> Result<(), StateError> {
    let oldest_kept = PeriodId(period.0.saturating_sub(CANDLE_PERIODS_KEPT));
    transaction.execute("DELETE FROM candles WHERE period < ?1", params![rows::period(oldest_kept)?])?;
    Ok(())
}

#[cfg(test)]
mod tests;
