//! What a job has done, in rows that say no more than a glance wants: transactions, ends of cycles, forecasts, models.

use rusqlite::params;

use super::columns::{all, from_json, parsed, unreadable};
use super::reader::Reader;
use super::{StateError, jobs};
use veriregime_core::types::cycle::{Attempt, Forecast, Landed, Miss, Purpose, Retrying, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// A transaction that was signed for a cycle.
#[derive(Debug, Clone)]
pub struct SignedRow {
    pub period: PeriodId,
    /// When the period begins, Unix milliseconds.
    pub start_ms: i64,
    /// When it was signed, Unix milliseconds; 0 where that was not noted.
    pub signed_ms: i64,
    /// Without its bytes.
    pub attempt: Attempt,
    /// Where the cycle's update landed, if it did.
    pub landed: Option<Landed>,
    /// Whether one was signed later with the same nonce.
    pub is_replaced: bool,
}

/// How a cycle went.
#[derive(Debug, Clone)]
pub struct CycleRow {
    pub period: PeriodId,
    pub start_ms: i64,
    pub stage: Stage,
    /// When it last changed, Unix milliseconds.
    pub updated_ms: i64,
    /// Why it was missed, or is tried again.
    pub code: Option<String>,
}

/// What a cycle forecast.
#[derive(Debug, Clone)]
pub struct ForecastRow {
    pub start_ms: i64,
    pub forecast: Forecast,
    /// Unix time of the block that has its update, where the cycle knows it.
    pub landed_seconds: Option<u64>,
    /// What the contract made of it for the market that is asked about, where the cycle knows it.
    pub volatility_e9: Option<u32>,
}

/// A model that a contract was served with.
#[derive(Debug, Clone)]
pub struct ModelRow {
    pub manifest: Digest,
    /// Its name, where its manifest is kept.
    pub model_id: Option<String>,
    /// What was measured of it when it was made, as its manifest has it: JSON.
    pub figures: Option<String>,
    /// First and last period, and when they begin, Unix milliseconds.
    pub first: (PeriodId, i64),
    pub last: (PeriodId, i64),
}

impl Reader {
    /// The newest `limit` transactions of a job, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn signed(&self, job: JobKey, limit: u32) -> Result<Vec<SignedRow>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = "SELECT attempts.period, starts, signed_ms, nonce, hash, max_fee_per_gas_wei, priority_fee_wei, purpose, wallet, landed,
             EXISTS (SELECT 1 FROM attempts AS later WHERE later.job = attempts.job AND later.period = attempts.period
                     AND later.wallet = attempts.wallet AND later.nonce = attempts.nonce AND later.id > attempts.id)
             FROM attempts JOIN cycles ON cycles.job = attempts.job AND cycles.period = attempts.period
             WHERE attempts.job = ?1 ORDER BY attempts.period DESC, attempts.id DESC LIMIT ?2";
        all(&connection, sql, params![job, limit], |row| {
            let hash = parsed(row, 4)?;
            let landed: Option<Landed> = from_json(row, 9)?;
            Ok(SignedRow {
                period: PeriodId(row.get::<_, i64>(0)? as u64),
                start_ms: row.get::<_, i64>(1)?.saturating_mul(1000),
                signed_ms: row.get(2)?,
                attempt: Attempt {
                    nonce: row.get::<_, i64>(3)? as u64,
                    hash,
                    raw: Vec::new().into(),
                    max_fee_per_gas_wei: parsed(row, 5)?,
                    priority_fee_wei: parsed(row, 6)?,
                    purpose: Purpose::from_name(&row.get::<_, String>(7)?)
                        .ok_or_else(|| unreadable(7, "not a purpose"))?,
                    wallet: parsed(row, 8)?,
                },
                landed: landed.filter(|landed| landed.hash == hash),
                is_replaced: row.get(10)?,
            })
        })
    }

    /// The newest `limit` cycles of a job, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn outcomes_of_cycles(&self, job: JobKey, limit: u32) -> Result<Vec<CycleRow>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = "SELECT period, starts, stage, updated_ms, miss, retrying FROM cycles WHERE job = ?1 ORDER BY period DESC LIMIT ?2";
        let mut found = all(&connection, sql, params![job, limit], |row| {
            let (miss, retrying): (Option<Miss>, Option<Retrying>) = (from_json(row, 4)?, from_json(row, 5)?);
            Ok(CycleRow {
                period: PeriodId(row.get::<_, i64>(0)? as u64),
                start_ms: row.get::<_, i64>(1)?.saturating_mul(1000),
                stage: Stage::from_name(row.get_ref(2)?.as_str()?).ok_or_else(|| unreadable(2, "not a stage"))?,
                updated_ms: row.get(3)?,
                code: miss.map(|miss| miss.code).or_else(|| retrying.map(|retrying| retrying.code)),
            })
        })?;
        found.reverse();
        Ok(found)
    }

    /// The newest `limit` forecasts of a job, of periods that begin within `from_ms..to_ms`, oldest first, with what the contract
    /// made of them for the market of this index.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn forecasts(
        &self,
        job: JobKey,
        market: usize,
        (from_ms, to_ms): (i64, i64),
        limit: u32,
    ) -> Result<Vec<ForecastRow>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = "SELECT starts, forecast, forecast_e9, effective_at - (rules ->> '$.loosen_delay_seconds') FROM cycles
             LEFT JOIN parameters ON parameters.job = cycles.job AND parameters.period = cycles.period AND parameters.market = ?5
             LEFT JOIN policies ON policies.id = parameters.policy
             WHERE cycles.job = ?1 AND forecast IS NOT NULL AND starts >= ?2 AND starts < ?3 ORDER BY cycles.period DESC LIMIT ?4";
        let seconds = |ms: i64| ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0);
        let mut found =
            all(&connection, sql, params![job, seconds(from_ms), seconds(to_ms), limit, market as i64], |row| {
                let forecast = from_json(row, 1)?.ok_or_else(|| unreadable(1, "no forecast"))?;
                let start_ms = row.get::<_, i64>(0)?.saturating_mul(1000);
                let landed_seconds = row.get::<_, Option<i64>>(3)?.and_then(|seconds| u64::try_from(seconds).ok());
                Ok(ForecastRow { start_ms, forecast, landed_seconds, volatility_e9: row.get(2)? })
            })?;
        found.reverse();
        Ok(found)
    }

    /// The models that the contract of `job` had cycles with, in the order in which they came.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn models_of(&self, job: JobKey) -> Result<Vec<ModelRow>, StateError> {
        let connection = self.lock();
        let sql = "SELECT jobs.manifest, CAST(manifests.json AS TEXT) ->> '$.model_id', min(period), min(starts), max(period), max(starts),
             CAST(manifests.json AS TEXT) -> '$.training.metrics.forecasters.student_circuit.every_minute.figures'
             FROM jobs JOIN cycles ON cycles.job = jobs.id LEFT JOIN manifests ON manifests.sha256 = jobs.manifest
             WHERE chain_id = ?1 AND contract = ?2 GROUP BY jobs.id ORDER BY min(starts)";
        let contract = job.contract.address.to_string();
        all(&connection, sql, params![job.contract.chain_id as i64, contract], |row| {
            let end = |column: usize| {
                let start_ms = row.get::<_, i64>(column + 1)?.saturating_mul(1000);
                Ok::<_, rusqlite::Error>((PeriodId(row.get::<_, i64>(column)? as u64), start_ms))
            };
            Ok(ModelRow {
                manifest: parsed(row, 0)?,
                model_id: row.get(1)?,
                figures: row.get(6)?,
                first: end(2)?,
                last: end(4)?,
            })
        })
    }
}
