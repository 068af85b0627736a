//! Cycles that ended with another's update: final once its block is, and taken up again where the chain drops it.

use rusqlite::{TransactionBehavior, params};

use super::{StateError, Store, attempts, rows, stage_times};
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

impl Store {
    /// Notes that another's update is in a final block.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn settle_others(&self, job: JobKey, period: PeriodId) -> Result<(), StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, job, period)?;
        connection.execute(
            "UPDATE cycles SET is_final = 1 WHERE job = ?1 AND period = ?2 AND stage = 'already_by_other'",
            params![key.job, key.period],
        )?;
        Ok(())
    }

    /// Takes up again a cycle that ended with another's update, at the stage for which everything is stored.
    ///
    /// # Errors
    /// [`StateError::Illegal`] for a cycle that ended otherwise or not at all, else [`StateError`].
    pub fn reopen(&self, job: JobKey, period: PeriodId, now_ms: i64) -> Result<CycleRecord, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let key = rows::key(&transaction, job, period)?;
        let record = rows::cycle(&transaction, key)?
            .ok_or_else(|| StateError::Corrupt(format!("period {period} was never begun")))?;
        let stage = if !attempts::of_cycle(&transaction, key)?.is_empty() {
            Stage::Submitting
        } else if record.proof.is_some() {
            Stage::Proved
        } else if record.forecast.is_some() {
            Stage::Forecast
        } else if !record.candles.is_empty() {
            Stage::Collected
        } else {
            Stage::Planned
        };
        if record.stage != Stage::AlreadyByOther {
            return Err(StateError::Illegal { period, from: record.stage, to: stage });
        }
        transaction.execute(
            "UPDATE cycles SET stage = ?3, updated_ms = ?4, untold = 0, has_parameters = 0 WHERE job = ?1 AND period = ?2",
            params![key.job, key.period, stage.name(), now_ms],
        )?;
        transaction.execute("DELETE FROM parameters WHERE job = ?1 AND period = ?2", params![key.job, key.period])?;
        stage_times::note(&transaction, key, stage, now_ms)?;
        transaction.commit()?;
        Ok(CycleRecord { stage, updated_ms: now_ms, ..record })
    }
}
