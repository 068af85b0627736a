//! Rows and their types: the only place that knows the columns.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::jobs::Scope;
use super::{StateError, Step, evidence, jobs};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::{CycleRecord, Landed, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Cycles with their jobs, in the columns of [`read_cycle`].
pub(super) const CYCLES: &str = "SELECT jobs.chain_id, jobs.contract, jobs.manifest, period, stage, started_ms, updated_ms, candles, forecast, \
     proof, prove_ms, landed, miss, origin, witness_sha256, evidence, retrying FROM cycles JOIN jobs ON jobs.id = cycles.job";

/// Whether a cycle is one of those whose jobs the first parameter lists: see [`super::jobs::Scope::rows`].
pub(super) const IN_SCOPE: &str = "(?1 IS NULL OR job IN (SELECT value FROM json_each(?1)))";

/// Notes where an update landed. Evidence that names another place is no longer its evidence.
const LANDED: &str = "landed = ?3, evidence = CASE WHEN landed = ?3 THEN evidence END";

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
    let sql = format!("{CYCLES} WHERE {IN_SCOPE} AND period < ?2 ORDER BY period DESC, started_ms DESC LIMIT ?3");
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
        Step::Collected(series, origin) => {
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
        // Another table's: written by the caller.
        Step::Submitting(_) => {}
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
    connection
        .execute("UPDATE cycles SET landed = NULL WHERE job = ?1 AND period = ?2", params![key.job, key.period])?;
    Ok(())
}

pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StateError> {
    Ok(connection.prepare_cached(sql)?.query_map(params, read)?.collect::<rusqlite::Result<_>>()?)
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
        evidence: evidence::read(row, 15)?,
        retrying: from_json(row, 16)?,
    })
}

pub(super) fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    row.get::<_, String>(column)?.parse().map_err(|_| unreadable(column, "cannot be parsed"))
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(column)?
        .map(|text| serde_json::from_str(&text).map_err(|error| unreadable(column, &error.to_string())))
        .transpose()
}

pub(super) fn unreadable(column: usize, reason: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason.into())
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|error| StateError::Corrupt(error.to_string()))
}
