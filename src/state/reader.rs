//! A connection that only reads, for those who must not hold up the one that writes.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY_TIMEOUT, StateError, columns, jobs, rows, schema};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// A second connection to a database that a [`super::Store`] has opened. In SQLite's write-ahead log, neither waits for the
/// other.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
}

impl Reader {
    /// Opens a database that is there.
    ///
    /// # Errors
    /// [`StateError::Open`], [`StateError::Newer`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let open = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        };
        let fault = |error: rusqlite::Error| StateError::Open { path: path.to_owned(), reason: error.to_string() };
        let connection = open().map_err(fault)?;
        match schema::check(&connection, path) {
            Err(StateError::Sqlite(error)) => Err(fault(error)),
            checked => checked.map(|()| Self { connection: Mutex::new(connection) }),
        }
    }

    /// The newest `limit` cycles of a job, of periods before `before` where it is given, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn page(&self, job: JobKey, before: Option<PeriodId>, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        rows::newest(&self.lock(), job.into(), before, limit)
    }

    /// The job's cycle of `period`, if it was begun.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn cycle(&self, job: JobKey, period: PeriodId) -> Result<Option<CycleRecord>, StateError> {
        let connection = self.lock();
        rows::cycle(&connection, rows::key(&connection, job, period)?)
    }

    /// How many cycles there are, of all jobs; reads every page of the database.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for a database that is damaged, else [`StateError`].
    pub fn check(&self) -> Result<u64, StateError> {
        let connection = self.lock();
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StateError::Corrupt(verdict));
        }
        Ok(connection.query_row("SELECT count(*) FROM cycles", [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Bytes of what cycles leave behind for a year: no candles, and no proofs and transactions, which are kept for a week.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn lasting_bytes(&self) -> Result<u64, StateError> {
        let sql = "SELECT CAST((SELECT total(payload) FROM dbstat WHERE name IN (
                       SELECT name FROM sqlite_schema WHERE tbl_name NOT IN ('candle_blocks', 'live_blocks', 'windows', 'snapshots')))
                   - (SELECT total(length(proof)) FROM cycles) - (SELECT total(length(raw)) FROM attempts) AS INTEGER)";
        Ok(self.lock().query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Looks for open cycles of contracts that are not `named`. A database of a version that had one contract passes.
    ///
    /// # Errors
    /// [`StateError::Orphans`], else [`StateError`].
    pub fn expect(&self, named: &[Contract]) -> Result<(), StateError> {
        let connection = self.lock();
        if schema::applied(&connection)? < schema::BY_JOB {
            return Ok(());
        }
        let sql =
            "SELECT jobs.chain_id, jobs.contract, jobs.manifest, count(*) FROM cycles JOIN jobs ON jobs.id = cycles.job
                   WHERE stage NOT IN ('confirmed', 'already_by_other', 'missed')
                   GROUP BY jobs.chain_id, jobs.contract ORDER BY max(starts) DESC";
        let open: Vec<(Contract, i64)> =
            columns::all(&connection, sql, [], |row| Ok((jobs::read(row, 0)?.contract, row.get(3)?)))?;
        match open.into_iter().find(|(contract, _)| !named.contains(contract)) {
            Some((contract, open)) => Err(StateError::Orphans { contract, open: open.unsigned_abs() }),
            None => Ok(()),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
