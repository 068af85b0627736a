//! Which updates have left an evidence bundle behind.

use rusqlite::params;

use super::columns::{all, json, parsed};
use super::jobs::Scope;
use super::rows::{CYCLES, IN_SCOPE, PRUNED, key, read_cycle};
use super::{StateError, Store, jobs};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// A bundle that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The job that the update is of.
    pub job: JobKey,
    /// The update's period.
    pub period: PeriodId,
    /// When that begins, Unix milliseconds.
    pub start_ms: i64,
    /// Digest of the evidence bundle.
    pub evidence: Digest,
}

impl Store {
    /// The newest `limit` confirmed cycles that have no evidence yet and whose candles or tables are still stored, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn without_evidence<'a>(
        &self,
        scope: impl Into<Scope<'a>>,
        limit: u32,
    ) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "{CYCLES} WHERE {IN_SCOPE} AND stage = 'confirmed' AND evidence IS NULL
             AND (EXISTS (SELECT 1 FROM windows WHERE windows.job = cycles.job AND windows.period = cycles.period)
                  OR EXISTS (SELECT 1 FROM snapshots WHERE snapshots.job = cycles.job AND snapshots.period = cycles.period))
             ORDER BY starts DESC LIMIT ?2"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, limit], read_cycle)
    }

    /// Notes the evidence of a cycle, unless its update has moved since `record` was read.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_evidence(&self, record: &CycleRecord, evidence: Digest) -> Result<(), StateError> {
        let connection = self.lock();
        let key = key(&connection, record.job, record.period)?;
        connection.execute(
            "UPDATE cycles SET evidence = ?4 WHERE job = ?1 AND period = ?2 AND stage = 'confirmed' AND landed = ?3",
            params![key.job, key.period, json(&record.landed)?, evidence.to_string()],
        )?;
        Ok(())
    }

    /// All kept bundles of periods that start before `before_ms`, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn evidence_before<'a>(&self, scope: impl Into<Scope<'a>>, before_ms: i64) -> Result<Vec<Kept>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "SELECT chain_id, contract, manifest, period, evidence, starts FROM cycles JOIN jobs ON jobs.id = cycles.job
             WHERE {IN_SCOPE} AND evidence IS NOT NULL AND evidence != '{PRUNED}' AND starts * 1000 < ?2 ORDER BY starts DESC"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, before_ms], |row| {
            Ok(Kept {
                job: jobs::read(row, 0)?,
                period: PeriodId(row.get::<_, i64>(3)? as u64),
                evidence: parsed(row, 4)?,
                start_ms: row.get::<_, i64>(5)?.saturating_mul(1000),
            })
        })
    }

    /// Notes that a bundle is deleted. It is not made again.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn prune_evidence(&self, kept: &Kept) -> Result<(), StateError> {
        let connection = self.lock();
        let key = key(&connection, kept.job, kept.period)?;
        connection.execute(
            "UPDATE cycles SET evidence = ?3 WHERE job = ?1 AND period = ?2",
            params![key.job, key.period, PRUNED],
        )?;
        Ok(())
    }
}
