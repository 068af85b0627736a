//! When the stages of cycles were reached.

use rusqlite::{Connection, params};

use super::StateError;
use super::columns::{all, unreadable};
use super::reader::Reader;
use super::rows::{self, Key};
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Notes that a cycle is at a stage from now on.
pub(super) fn note(connection: &Connection, key: Key, stage: Stage, now_ms: i64) -> Result<(), StateError> {
    let sql = "INSERT INTO stage_times (job, period, position, stage, at_ms)
               SELECT ?1, ?2, coalesce(max(position) + 1, 0), ?3, ?4 FROM stage_times WHERE job = ?1 AND period = ?2";
    connection.prepare_cached(sql)?.execute(params![key.job, key.period, stage.name(), now_ms])?;
    Ok(())
}

impl Reader {
    /// The newest `limit` stages that a cycle has reached, oldest first, with Unix milliseconds. A stage that was reached again, after the chain
    /// had dropped an update, is there again.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn stage_times(&self, job: JobKey, period: PeriodId, limit: u32) -> Result<Vec<(Stage, i64)>, StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, job, period)?;
        let sql = "SELECT stage, at_ms FROM stage_times WHERE job = ?1 AND period = ?2 ORDER BY position DESC LIMIT ?3";
        let mut times = all(&connection, sql, params![key.job, key.period, limit], |row| {
            let name: String = row.get(0)?;
            Ok((Stage::from_name(&name).ok_or_else(|| unreadable(0, "not a stage"))?, row.get(1)?))
        })?;
        times.reverse();
        Ok(times)
    }
}
