//! Rows of cycles: the only place that knows their columns.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{all, from_json, json, parsed, unreadable};
use super::jobs::Scope;
use super::{StateError, Step, jobs};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::{CycleRecord, Landed, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Cycles with their jobs, in the columns of [`read_cycle`].
pub(super) const CYCLES: &str = "SELECT jobs.chain_id, jobs.contract, jobs.manifest, period, stage, started_ms, updated_ms, candles, forecast, \
     proof, prove_ms, landed, miss, origin, witness_sha256, evidence, retrying, starts, ends, tables FROM cycles JOIN jobs ON jobs.id = cycles.job";

/// Whether a cycle is one of those whose jobs the first parameter lists: see [`super::jobs::Scope::rows`].
pub(super) const IN_SCOPE: &str = "(?1 IS NULL OR job IN (SELECT value FROM json_each(?1)))";

/// Notes where an update landed. Evidence that names another place is no longer its evidence, and what it did is to be read again.
const LANDED: &str = "landed = ?3, evidence = CASE WHEN landed = ?3 THEN evidence END, \
     has_parameters = CASE WHEN landed = ?3 THEN has_parameters ELSE 0 END";

/// Stands where the digest of a bundle stood that was deleted on purpose.
pub(super) const PRUNED: &str = "pruned";

/// What a cycle's rows have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub job: i64,
    pub period: i64,
}

/// The key of a cycle; one that no row has, for a job of which nothing is stored.
pub(super) fn key(connection: &Connection, job: JobKey, at: PeriodId) -> Result<Key, StateError> {
    // SQLite counts from one.
    Ok(Key { job: jobs::row(connection, job)?.unwrap_or(0), period: period(at)? })
}

/// A period as SQLite's signed integer.
pub(super) fn period(period: PeriodId) -> Result<i64, StateError> {
    i64::try_from(period.0).map_err(|_| StateError::Corrupt(format!("period {period} is out of range")))
}

pub(super) fn cycle(connection: &Connection, key: Key) -> Result<Option<CycleRecord>, StateError> {
    let sql = format!("{CYCLES} WHERE job = ?1 AND period = ?2");
    Ok(connection.prepare_cached(&sql)?.query_row(params![key.job, key.period], read_cycle).optional()?)
}

/// The newest cycles, of periods before `before` where it is given.
pub(super) fn newest(
    connection: &Connection,
    scope: Scope<'_>,
    before: Option<PeriodId>,
    limit: u32,
) -> Result<Vec<CycleRecord>, StateError> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
    // A job's own are in the order of their key.
    if let Scope::Job(job) = scope {
        let Some(job) = jobs::row(connection, job)? else { return Ok(Vec::new()) };
        let sql = format!("{CYCLES} WHERE job = ?1 AND period < ?2 ORDER BY period DESC LIMIT ?3");
        return all(connection, &sql, params![job, before, limit], read_cycle);
    }
    let sql = format!("{CYCLES} WHERE {IN_SCOPE} AND period < ?2 ORDER BY starts DESC, started_ms DESC LIMIT ?3");
    all(connection, &sql, params![scope.rows(connection)?, before, limit], read_cycle)
}

/// Notes where a confirmed update is.
pub(super) fn settle_at(connection: &Connection, key: Key, landed: Landed, is_final: bool) -> Result<(), StateError> {
    connection.execute(
        &format!("UPDATE cycles SET {LANDED}, is_final = ?4 WHERE job = ?1 AND period = ?2 AND stage = 'confirmed'"),
        params![key.job, key.period, json(&landed)?, is_final],
    )?;
    Ok(())
}

pub(super) fn write_step(connection: &Connection, key: Key, step: &Step<'_>) -> Result<(), StateError> {
    let set = |column: &str, value: String| {
        let sql = format!("UPDATE cycles SET {column} = ?3 WHERE job = ?1 AND period = ?2");
        connection.execute(&sql, params![key.job, key.period, value])
    };
    match step {
        // The candles themselves are written by the caller.
        Step::Collected(series, origin) | Step::Recollected(series, origin) => {
            set("origin", json(origin)?)?;
            set(
                "candles",
                json(
                    &series
                        .iter()
                        .map(|one| one.as_ref().map_or_else(nothing, CandleSeries::digest))
                        .collect::<Vec<_>>(),
                )?,
            )?;
            if matches!(step, Step::Recollected(..)) {
                let sql = "UPDATE cycles SET forecast = NULL, proof = NULL, prove_ms = NULL, witness_sha256 = NULL, is_final = 0
                           WHERE job = ?1 AND period = ?2";
                connection.execute(sql, params![key.job, key.period])?;
            }
        }
        Step::Tables(bytes, tables) => {
            set("tables", json(tables)?)?;
            set("candles", json(&[Digest::of(bytes)])?)?;
        }
        Step::Forecast(forecast) => {
            set("forecast", json(forecast)?)?;
        }
        Step::Proved(proof, prove_ms, witness_sha256) => {
            set("proof", json(proof)?)?;
            connection.execute(
                "UPDATE cycles SET prove_ms = ?3, witness_sha256 = ?4 WHERE job = ?1 AND period = ?2",
                params![key.job, key.period, *prove_ms as i64, witness_sha256.map(|digest| digest.to_string())],
            )?;
        }
        // Another table's, written by the caller; or as it was.
        Step::Submitting(_) | Step::Kept(_) => {}
        Step::SubmittingAgain(_) => {
            let sql = "UPDATE cycles SET is_final = 0 WHERE job = ?1 AND period = ?2";
            connection.execute(sql, params![key.job, key.period])?;
        }
        Step::Confirmed(landed) => {
            connection.execute(
                &format!("UPDATE cycles SET {LANDED} WHERE job = ?1 AND period = ?2"),
                params![key.job, key.period, json(landed)?],
            )?;
        }
        Step::AlreadyByOther => nowhere(connection, key)?,
        Step::Missed(miss) => {
            nowhere(connection, key)?;
            set("miss", json(miss)?)?;
        }
    }
    Ok(())
}

/// Digest of the candles of an omitted market: there are none.
fn nothing() -> Digest {
    Digest::of(&[])
}

/// Takes back that an update landed: the chain has dropped it for good.
fn nowhere(connection: &Connection, key: Key) -> Result<(), StateError> {
    let sql = "UPDATE cycles SET landed = NULL, has_parameters = 0 WHERE job = ?1 AND period = ?2";
    connection.execute(sql, params![key.job, key.period])?;
    connection.execute("DELETE FROM parameters WHERE job = ?1 AND period = ?2", params![key.job, key.period])?;
    Ok(())
}

pub(super) fn read_cycle(row: &Row<'_>) -> rusqlite::Result<CycleRecord> {
    Ok(CycleRecord {
        job: jobs::read(row, 0)?,
        period: PeriodId(row.get::<_, i64>(3)? as u64),
        stage: Stage::from_name(&row.get::<_, String>(4)?).ok_or_else(|| unreadable(4, "not a stage"))?,
        started_ms: row.get(5)?,
        updated_ms: row.get(6)?,
        candles: from_json(row, 7)?.unwrap_or_default(),
        forecast: from_json(row, 8)?,
        proof: from_json(row, 9)?,
        prove_ms: row.get::<_, Option<i64>>(10)?.map(|ms| ms as u64),
        landed: from_json(row, 11)?,
        miss: from_json(row, 12)?,
        origin: from_json(row, 13)?,
        witness_sha256: row.get::<_, Option<String>>(14)?.map(|_| parsed(row, 14)).transpose()?,
        evidence: evidence(row, 15)?,
        retrying: from_json(row, 16)?,
        start_ms: milliseconds(row.get(17)?),
        end_ms: milliseconds(row.get(18)?),
        tables: from_json(row, 19)?,
    })
}

fn milliseconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

/// A cycle's evidence; `None` where there is none, or none any more.
fn evidence(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Digest>> {
    match row.get::<_, Option<String>>(column)?.as_deref() {
        None | Some(PRUNED) => Ok(None),
        Some(_) => parsed(row, column).map(Some),
    }
}
