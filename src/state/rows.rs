//! Rows and their types: the only place that knows the columns.

use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{OptionalExtension, StateError, Step, evidence};
use veriregime_core::types::candle::{CANDLE_BYTES, Candle, CandleSeries};
use veriregime_core::types::cycle::{CycleRecord, Landed, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;

pub(super) const CYCLE_COLUMNS: &str = "manifest, period, stage, started_ms, updated_ms, candles, forecast, proof, prove_ms, landed, miss, origin, \
     witness_sha256, evidence, retrying";

/// Notes where an update landed. Evidence that names another place is no longer its evidence.
const LANDED: &str = "landed = ?3, evidence = CASE WHEN landed = ?3 THEN evidence END";

/// A period as SQLite's signed integer.
pub(super) fn period(period: PeriodId) -> Result<i64, StateError> {
    i64::try_from(period.0).map_err(|_| StateError::Corrupt(format!("period {period} is out of range")))
}

pub(super) fn cycle(
    connection: &Connection,
    manifest: Digest,
    at: PeriodId,
) -> Result<Option<CycleRecord>, StateError> {
    let sql = format!("SELECT {CYCLE_COLUMNS} FROM cycles WHERE manifest = ?1 AND period = ?2");
    Ok(connection.query_row(&sql, params![manifest.to_string(), period(at)?], read_cycle).optional()?)
}

/// The newest cycles, of one model or of all, of periods before `before` where it is given.
pub(super) fn newest(
    connection: &Connection,
    manifest: Option<Digest>,
    before: Option<PeriodId>,
    limit: u32,
) -> Result<Vec<CycleRecord>, StateError> {
    let sql = format!(
        "SELECT {CYCLE_COLUMNS} FROM cycles WHERE coalesce(manifest = ?1, true) AND period < ?2
         ORDER BY period DESC, started_ms DESC LIMIT ?3"
    );
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
    let manifest = manifest.map(|manifest| manifest.to_string());
    all(connection, &sql, params![manifest, before, limit], read_cycle)
}

pub(super) fn candles(connection: &Connection, manifest: Digest, at: PeriodId) -> Result<Vec<Vec<Candle>>, StateError> {
    let sql = "SELECT rows FROM candles WHERE manifest = ?1 AND period = ?2 ORDER BY market";
    let blobs: Vec<Vec<u8>> = all(connection, sql, params![manifest.to_string(), period(at)?], |row| row.get(0))?;
    blobs.iter().map(|blob| decode_candles(blob)).collect()
}

/// Notes where a confirmed update is.
pub(super) fn settle_at(
    connection: &Connection,
    manifest: Digest,
    at: PeriodId,
    landed: Landed,
    is_final: bool,
) -> Result<(), StateError> {
    connection.execute(
        &format!(
            "UPDATE cycles SET {LANDED}, is_final = ?4 WHERE manifest = ?1 AND period = ?2 AND stage = 'confirmed'"
        ),
        params![manifest.to_string(), period(at)?, json(&landed)?, is_final],
    )?;
    Ok(())
}

pub(super) fn write_step(
    connection: &Connection,
    manifest: Digest,
    at: PeriodId,
    step: &Step<'_>,
) -> Result<(), StateError> {
    let key = manifest.to_string();
    let at = period(at)?;
    let set = |column: &str, value: String| {
        let sql = format!("UPDATE cycles SET {column} = ?3 WHERE manifest = ?1 AND period = ?2");
        connection.execute(&sql, params![key, at, value])
    };
    match step {
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
            for (market, series) in series.iter().enumerate() {
                connection.execute(
                    "INSERT OR REPLACE INTO candles (manifest, period, market, rows) VALUES (?1, ?2, ?3, ?4)",
                    params![key, at, market as i64, series.as_ref().map(encode_candles).unwrap_or_default()],
                )?;
            }
        }
        Step::Forecast(forecast) => {
            set("forecast", json(forecast)?)?;
        }
        Step::Proved(proof, prove_ms, witness_sha256) => {
            set("proof", json(proof)?)?;
            connection.execute(
                "UPDATE cycles SET prove_ms = ?3, witness_sha256 = ?4 WHERE manifest = ?1 AND period = ?2",
                params![key, at, *prove_ms as i64, witness_sha256.map(|digest| digest.to_string())],
            )?;
        }
        // Another table's: written by the caller.
        Step::Submitting(_) => {}
        Step::Confirmed(landed) => {
            connection.execute(
                &format!("UPDATE cycles SET {LANDED} WHERE manifest = ?1 AND period = ?2"),
                params![key, at, json(landed)?],
            )?;
        }
        Step::AlreadyByOther => nowhere(connection, &key, at)?,
        Step::Missed(miss) => {
            nowhere(connection, &key, at)?;
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
fn nowhere(connection: &Connection, key: &str, at: i64) -> Result<(), StateError> {
    connection.execute("UPDATE cycles SET landed = NULL WHERE manifest = ?1 AND period = ?2", params![key, at])?;
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
        manifest: parsed(row, 0)?,
        period: PeriodId(row.get::<_, i64>(1)? as u64),
        stage: Stage::from_name(&row.get::<_, String>(2)?).ok_or_else(|| unreadable(2, "not a stage"))?,
        started_ms: row.get(3)?,
        updated_ms: row.get(4)?,
        candles: from_json(row, 5)?.unwrap_or_default(),
        forecast: from_json(row, 6)?,
        proof: from_json(row, 7)?,
        prove_ms: row.get::<_, Option<i64>>(8)?.map(|ms| ms as u64),
        landed: from_json(row, 9)?,
        miss: from_json(row, 10)?,
        origin: from_json(row, 11)?,
        witness_sha256: row.get::<_, Option<String>>(12)?.map(|_| parsed(row, 12)).transpose()?,
        evidence: evidence::read(row, 13)?,
        retrying: from_json(row, 14)?,
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

/// The candles that were really there, in canonical bytes. The first one is
/// written even if it was carried: there is nothing before it to carry it from again.
fn encode_candles(series: &CandleSeries) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(series.candles().len() * CANDLE_BYTES);
    let mut carried = series.carried().iter().peekable();
    for candle in series.candles() {
        if carried.next_if_eq(&&candle.open_time_ms).is_some() && candle.open_time_ms != series.start_ms() {
            continue;
        }
        bytes.extend(candle.to_le_bytes());
    }
    bytes
}

fn decode_candles(bytes: &[u8]) -> Result<Vec<Candle>, StateError> {
    let (rows, rest) = bytes.as_chunks::<CANDLE_BYTES>();
    if !rest.is_empty() {
        return Err(StateError::Corrupt("candles are cut off".into()));
    }
    Ok(rows.iter().map(Candle::from_le_bytes).collect())
}
