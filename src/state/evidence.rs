//! Which updates have left an evidence bundle behind.

use rusqlite::{Row, params};

use super::rows::{CYCLE_COLUMNS, all, json, parsed, period, read_cycle};
use super::{StateError, Store};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;

/// Stands where the digest of a bundle stood that was deleted on purpose.
const PRUNED: &str = "pruned";

/// A bundle that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The model, by its bundle's manifest.
    pub manifest: Digest,
    /// The update's period.
    pub period: PeriodId,
    /// Digest of the evidence bundle.
    pub evidence: Digest,
}

impl Store {
    /// The newest `limit` confirmed cycles that have no evidence yet and whose candles are still stored, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn without_evidence(&self, limit: u32) -> Result<Vec<CycleRecord>, StateError> {
        let sql = format!(
            "SELECT {CYCLE_COLUMNS} FROM cycles WHERE stage = 'confirmed' AND evidence IS NULL
             AND EXISTS (SELECT 1 FROM candles WHERE candles.manifest = cycles.manifest AND candles.period = cycles.period)
             ORDER BY period DESC LIMIT ?1"
        );
        all(&self.lock(), &sql, params![limit], read_cycle)
    }

    /// Notes the evidence of a cycle, unless its update has moved since `record` was read.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_evidence(&self, record: &CycleRecord, evidence: Digest) -> Result<(), StateError> {
        self.lock().execute(
            "UPDATE cycles SET evidence = ?4 WHERE manifest = ?1 AND period = ?2 AND stage = 'confirmed' AND landed = ?3",
            params![record.manifest.to_string(), period(record.period)?, json(&record.landed)?, evidence.to_string()],
        )?;
        Ok(())
    }

    /// All kept bundles of periods before `before`, of all models, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn evidence_before(&self, before: PeriodId) -> Result<Vec<Kept>, StateError> {
        let sql = "SELECT manifest, period, evidence FROM cycles
                   WHERE evidence IS NOT NULL AND evidence != ?1 AND period < ?2 ORDER BY period DESC";
        all(&self.lock(), sql, params![PRUNED, period(before)?], |row| {
            Ok(Kept {
                manifest: parsed(row, 0)?,
                period: PeriodId(row.get::<_, i64>(1)? as u64),
                evidence: parsed(row, 2)?,
            })
        })
    }

    /// Notes that a bundle is deleted. It is not made again.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn prune_evidence(&self, kept: &Kept) -> Result<(), StateError> {
        self.lock().execute(
            "UPDATE cycles SET evidence = ?3 WHERE manifest = ?1 AND period = ?2",
            params![kept.manifest.to_string(), period(kept.period)?, PRUNED],
        )?;
        Ok(())
    }
}

/// A cycle's evidence; `None` where there is none, or none any more.
pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Digest>> {
    match row.get::<_, Option<String>>(column)?.as_deref() {
        None | Some(PRUNED) => Ok(None),
        Some(_) => parsed(row, column).map(Some),
    }
}
