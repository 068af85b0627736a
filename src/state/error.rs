//! Why the memory fails.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ErrorCode;
use thiserror::Error;

use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

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
    /// Whoever else drives the cycle has signed a transaction for it meanwhile, or ended it.
    #[error("somebody else has just signed a transaction for period {0}, or ended it")]
    Conflict(PeriodId),
    /// A transaction of another cycle, which has not ended, has the nonce.
    #[error("nonce {nonce} is taken by a transaction for period {period} of {job}, which has not ended")]
    NonceTaken { nonce: u64, job: JobKey, period: PeriodId },
    /// A later version of this program made it.
    #[error("the database {} has schema {found}, this program knows none after {newest}", path.display())]
    Newer { path: PathBuf, found: usize, newest: usize },
    /// Cycles are open of a contract that is nobody's any more.
    #[error("{open} cycles of {contract} have not ended, and the settings do not name that contract")]
    Orphans { contract: Contract, open: u64 },
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
            Self::Orphans { .. } => "VR-STATE-009",
            Self::InUse { .. } => "VR-STATE-010",
            Self::NonceTaken { .. } => "VR-STATE-011",
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
            Self::NonceTaken { .. } => "nothing: another nonce is taken, or this one once that transaction is through",
            Self::Newer { .. } => {
                "run the newer program, or put back the copy of the database from before it; this one was not touched"
            }
            Self::Orphans { .. } => {
                "correct chain.chain_id and chain.oracle if that contract is still meant; else nothing: a daemon on its chain closes them"
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
            Self::NonceTaken { .. } => Retry::Later(Duration::from_secs(1)),
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

/// A process by its id, where that is known.
fn process(id: Option<u32>) -> String {
    id.map_or_else(|| "another process".into(), |id| format!("process {id}"))
}
