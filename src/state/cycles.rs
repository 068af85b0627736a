//! Cycles of whatever model: those that are open, those that may still be dropped, those that nobody was told of.

use rusqlite::{TransactionBehavior, params};

use super::rows::{self, CYCLE_COLUMNS, all, json, read_cycle};
use super::{StateError, Store};
use veriregime_core::types::cycle::{CycleRecord, Landed};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;

impl Store {
    /// The newest `limit` cycles, of one model or of all, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recent(&self, manifest: impl Into<Option<Digest>>, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        rows::newest(&self.lock(), manifest.into(), None, limit)
    }

    /// Cycles of periods before `period` that have not come to an end, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn unfinished_before(&self, period: PeriodId) -> Result<Vec<CycleRecord>, StateError> {
        let sql = format!(
            "SELECT {CYCLE_COLUMNS} FROM cycles WHERE period < ?1
             AND stage NOT IN ('confirmed', 'already_by_other', 'missed') ORDER BY period, started_ms"
        );
        all(&self.lock(), &sql, params![rows::period(period)?], read_cycle)
    }

    /// The newest `limit` cycles whose update landed, ours or another's, in a block that was not final when it was last
    /// looked at, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn not_final(&self, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        let sql = format!(
            "SELECT {CYCLE_COLUMNS} FROM cycles WHERE stage IN ('confirmed', 'already_by_other') AND NOT is_final
             ORDER BY period DESC LIMIT ?1"
        );
        all(&self.lock(), &sql, params![limit], read_cycle)
    }

    /// Notes where a confirmed update is now, and whether its block is final.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn settle_at(
        &self,
        manifest: Digest,
        period: PeriodId,
        landed: Landed,
        is_final: bool,
    ) -> Result<(), StateError> {
        rows::settle_at(&self.lock(), manifest, period, landed, is_final)
    }

    /// Notes what the record says of why its stage is tried again.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn note_retrying(&self, record: &CycleRecord) -> Result<(), StateError> {
        let (manifest, at) = (record.manifest.to_string(), rows::period(record.period)?);
        let retrying = record.retrying.as_ref().map(json).transpose()?;
        self.lock().execute(
            "UPDATE cycles SET retrying = ?4 WHERE manifest = ?1 AND period = ?2 AND stage = ?3",
            params![manifest, at, record.stage.name(), retrying],
        )?;
        Ok(())
    }

    /// The newest `limit` cycles of whose end nobody was told yet, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn untold(&self, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        let sql =
            format!("SELECT {CYCLE_COLUMNS} FROM cycles WHERE untold ORDER BY period DESC, started_ms DESC LIMIT ?1");
        all(&self.lock(), &sql, params![limit], read_cycle)
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
            let sql = "UPDATE cycles SET untold = 0 WHERE manifest = ?1 AND period = ?2 AND updated_ms = ?3";
            let (manifest, at) = (record.manifest.to_string(), rows::period(record.period)?);
            transaction.execute(sql, params![manifest, at, record.updated_ms])?;
        }
        Ok(transaction.commit()?)
    }
}
