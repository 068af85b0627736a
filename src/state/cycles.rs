//! Cycles of whatever job: those that are open, those that may still be dropped, those that nobody was told of.

use rusqlite::{TransactionBehavior, params};

use super::columns::{all, json};
use super::jobs::Scope;
use super::rows::{self, CYCLES, IN_SCOPE, read_cycle};
use super::{StateError, Store};
use veriregime_core::types::cycle::{CycleRecord, Landed};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

impl Store {
    /// The newest `limit` cycles, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recent<'a>(&self, scope: impl Into<Scope<'a>>, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        rows::newest(&self.lock(), scope.into(), None, limit)
    }

    /// Cycles of periods that are over at `now_ms` and that have not come to an end, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn unfinished_by<'a>(&self, scope: impl Into<Scope<'a>>, now_ms: i64) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "{CYCLES} WHERE {IN_SCOPE} AND ends <= ?2
             AND stage NOT IN ('confirmed', 'already_by_other', 'missed') ORDER BY starts, started_ms"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, now_ms.div_euclid(1000)], read_cycle)
    }

    /// The newest `limit` cycles whose update landed, ours or another's, in a block that was not final when it was last
    /// looked at, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn not_final<'a>(&self, scope: impl Into<Scope<'a>>, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "{CYCLES} WHERE {IN_SCOPE} AND stage IN ('confirmed', 'already_by_other') AND NOT is_final
             ORDER BY starts DESC LIMIT ?2"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, limit], read_cycle)
    }

    /// Notes where a confirmed update is now, and whether its block is final.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn settle_at(&self, job: JobKey, period: PeriodId, landed: Landed, is_final: bool) -> Result<(), StateError> {
        let connection = self.lock();
        rows::settle_at(&connection, rows::key(&connection, job, period)?, landed, is_final)
    }

    /// Notes what the record says of why its stage is tried again.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn note_retrying(&self, record: &CycleRecord) -> Result<(), StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, record.job, record.period)?;
        let retrying = record.retrying.as_ref().map(json).transpose()?;
        connection.execute(
            "UPDATE cycles SET retrying = ?4 WHERE job = ?1 AND period = ?2 AND stage = ?3",
            params![key.job, key.period, record.stage.name(), retrying],
        )?;
        Ok(())
    }

    /// The newest `limit` cycles of whose end nobody was told yet, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn untold<'a>(&self, scope: impl Into<Scope<'a>>, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!("{CYCLES} WHERE {IN_SCOPE} AND untold ORDER BY starts DESC, started_ms DESC LIMIT ?2");
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, limit], read_cycle)
    }

    /// Notes that whoever is to be told knows how these cycles ended.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn have_told(&self, records: &[CycleRecord]) -> Result<(), StateError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for record in records {
            // One that has ended again since is news.
            let sql = "UPDATE cycles SET untold = 0 WHERE job = ?1 AND period = ?2 AND updated_ms = ?3";
            let key = rows::key(&transaction, record.job, record.period)?;
            transaction.execute(sql, params![key.job, key.period, record.updated_ms])?;
        }
        Ok(transaction.commit()?)
    }
}
