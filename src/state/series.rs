//! Cycles of a market in columns: what charts are drawn from, without what only the proof needs.

use std::ops::Range;

use rusqlite::{OptionalExtension, params};

use super::columns::{all, unreadable};
use super::outcomes::Outcome;
use super::parameters::{MOVE, read_move};
use super::reader::Reader;
use super::rows::PRUNED;
use super::{StateError, attempts, candle_cache, jobs, rows};
use veriregime_core::risk::Move;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::cycle::{Attempt, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Outputs;

/// One market in one period.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRow {
    /// Number of the period.
    pub period: PeriodId,
    /// When it begins, Unix milliseconds.
    pub start_ms: i64,
    /// How far its cycle got.
    pub stage: Stage,
    /// What the model said; `None` of a market that was omitted.
    pub outputs: Option<Outputs>,
    /// What its update did, where it is known.
    pub moved: Option<Move>,
    /// From when looser values held, Unix seconds.
    pub effective_at_seconds: Option<u64>,
    /// What followed.
    pub outcome: Outcome,
}

impl Reader {
    /// The newest `limit` cycles of a job from period `periods.start` on and before `periods.end`, oldest first, for the market
    /// of this index.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn series(
        &self,
        job: JobKey,
        market: usize,
        periods: &Range<PeriodId>,
        limit: u32,
    ) -> Result<Vec<SeriesRow>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT cycles.period, starts, stage, forecast -> ?5, coalesce(forecast ->> '$.omitted', 0) >> ?2 & 1,
             {MOVE}, effective_at, persistence, har, realised FROM cycles
             LEFT JOIN parameters ON parameters.job = cycles.job AND parameters.period = cycles.period AND parameters.market = ?2
             LEFT JOIN outcomes ON outcomes.job = cycles.job AND outcomes.period = cycles.period AND outcomes.market = ?2
             WHERE cycles.job = ?1 AND cycles.period >= ?3 AND cycles.period < ?4 ORDER BY cycles.period DESC LIMIT ?6"
        );
        let signed = |period: PeriodId| i64::try_from(period.0).unwrap_or(i64::MAX);
        let outputs = format!("$.outputs[{market}]");
        let wanted = params![job, market as i64, signed(periods.start), signed(periods.end), outputs, limit];
        let mut found = all(&connection, &sql, wanted, |row| {
            let stage = Stage::from_name(row.get_ref(2)?.as_str()?).ok_or_else(|| unreadable(2, "not a stage"))?;
            let is_omitted: bool = row.get(4)?;
            let said = row.get_ref(3)?.as_str_or_null()?.filter(|_| !is_omitted);
            let said = said.map(serde_json::from_str).transpose().map_err(|error| unreadable(3, &error.to_string()))?;
            Ok(SeriesRow {
                period: PeriodId(row.get::<_, i64>(0)? as u64),
                start_ms: row.get::<_, i64>(1)?.saturating_mul(1000),
                stage,
                outputs: said,
                moved: read_move(row, 5)?,
                effective_at_seconds: row.get::<_, Option<i64>>(12)?.map(i64::unsigned_abs),
                outcome: Outcome { persistence: row.get(13)?, har: row.get(14)?, realised: row.get(15)? },
            })
        })?;
        found.reverse();
        Ok(found)
    }

    /// The candles that a source has told for the minutes of `range_ms`, in order, as far as they are still kept.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for rows that this version did not write, else [`StateError`].
    pub fn live_candles(&self, source: &str, symbol: &str, range_ms: &Range<i64>) -> Result<Vec<Candle>, StateError> {
        candle_cache::live(&self.lock(), source, symbol, range_ms)
    }

    /// Every transaction that was signed for the job's cycle of the period, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attempts(&self, job: JobKey, period: PeriodId) -> Result<Vec<Attempt>, StateError> {
        let connection = self.lock();
        attempts::of_cycle(&connection, rows::key(&connection, job, period)?)
    }

    /// Whether the evidence of a cycle was deleted on purpose.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn is_pruned(&self, job: JobKey, period: PeriodId) -> Result<bool, StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, job, period)?;
        let mut statement =
            connection.prepare_cached("SELECT evidence = ?3 FROM cycles WHERE job = ?1 AND period = ?2")?;
        let pruned = statement.query_row(params![key.job, key.period, PRUNED], |row| row.get::<_, Option<bool>>(0));
        Ok(pruned.optional()?.flatten().unwrap_or(false))
    }
}
