//! The jobs whose cycles a database holds, and which of them a question is about.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StateError, Store, columns};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::Grid;

/// Whose cycles are meant.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Those of all jobs.
    All,
    /// Those of all models that a contract has had.
    Contract(Contract),
    /// One job's.
    Job(JobKey),
    /// Several jobs'.
    Jobs(&'a [JobKey]),
}

impl From<JobKey> for Scope<'_> {
    fn from(job: JobKey) -> Self {
        Self::Job(job)
    }
}

impl From<Contract> for Scope<'_> {
    fn from(contract: Contract) -> Self {
        Self::Contract(contract)
    }
}

impl Scope<'_> {
    fn includes(&self, job: JobKey) -> bool {
        match *self {
            Self::All => true,
            Self::Contract(contract) => job.contract == contract,
            Self::Job(one) => job == one,
            Self::Jobs(several) => several.contains(&job),
        }
    }

    /// The rows of its jobs as a JSON list, for `json_each`; `None` where it means all.
    pub(super) fn rows(&self, connection: &Connection) -> Result<Option<String>, StateError> {
        if matches!(self, Self::All) {
            return Ok(None);
        }
        let included = all(connection)?.into_iter().filter(|(_, job)| self.includes(*job)).map(|(row, _)| row);
        columns::json(&included.collect::<Vec<i64>>()).map(Some)
    }
}

impl Store {
    /// Every job that has, or had, a cycle here.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn jobs(&self) -> Result<Vec<JobKey>, StateError> {
        Ok(all(&self.lock())?.into_iter().map(|(_, job)| job).collect())
    }

    /// The jobs whose cycles `job` closes while those `running` run: itself, and what is left of others. See
    /// [`JobKey::caretaker`].
    ///
    /// # Errors
    /// [`StateError`].
    pub fn cared_for(&self, job: JobKey, running: &[JobKey]) -> Result<Vec<JobKey>, StateError> {
        let mut jobs = self.jobs()?;
        jobs.retain(|one| one.caretaker(running) == Some(job));
        Ok(jobs)
    }
}

/// Every job with its row, in the order in which they came.
pub(super) fn all(connection: &Connection) -> Result<Vec<(i64, JobKey)>, StateError> {
    let sql = "SELECT chain_id, contract, manifest, id FROM jobs ORDER BY id";
    columns::all(connection, sql, [], |row| Ok((row.get(3)?, read(row, 0)?)))
}

/// The row of a job, if it has one yet.
pub(super) fn row(connection: &Connection, job: JobKey) -> Result<Option<i64>, StateError> {
    let sql = "SELECT id FROM jobs WHERE chain_id = ?1 AND contract = ?2 AND manifest = ?3";
    let (contract, manifest) = (job.contract.address.to_string(), job.manifest.to_string());
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![job.contract.chain_id as i64, contract, manifest], |row| row.get(0));
    Ok(found.optional()?)
}

/// The row of a job, made now if there is none yet. Its grid is its manifest's, and never changes.
pub(super) fn ensure_row(connection: &Connection, job: JobKey, grid: Grid) -> Result<i64, StateError> {
    if let Some(row) = row(connection, job)? {
        return Ok(row);
    }
    let (chain_id, contract) = (job.contract.chain_id as i64, job.contract.address.to_string());
    let (length, offset) = (grid.period_seconds as i64, grid.offset_seconds as i64);
    connection.execute(
        "INSERT INTO jobs (chain_id, contract, manifest, period_seconds, offset_seconds) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![chain_id, contract, job.manifest.to_string(), length, offset],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Reads a job from three columns, the first of which is `column`.
pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<JobKey> {
    let contract = Contract { chain_id: row.get::<_, i64>(column)? as u64, address: columns::parsed(row, column + 1)? };
    Ok(JobKey { contract, manifest: columns::parsed::<Digest>(row, column + 2)? })
}
