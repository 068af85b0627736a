//! The candles that a cycle was computed from, so that a later correction by the exchange cannot change a proven input.

use rusqlite::{Connection, params};

use super::columns::{all, json};
use super::rows::Key;
use super::{StateError, blocks};
use veriregime_core::types::candle::{Candle, CandleSeries};

/// Keeps the candles of each market of a cycle; of an omitted market, that there are none.
pub(super) fn write(connection: &Connection, key: Key, series: &[Option<CandleSeries>]) -> Result<(), StateError> {
    for (market, series) in series.iter().enumerate() {
        let candles = series.as_ref().map(there).unwrap_or_default();
        write_market(connection, key, market as i64, &candles)?;
    }
    Ok(())
}

pub(super) fn write_market(
    connection: &Connection,
    key: Key,
    market: i64,
    candles: &[Candle],
) -> Result<(), StateError> {
    let blocks = blocks::split(candles).map(|block| blocks::put(connection, block));
    let blocks: Vec<i64> = blocks.collect::<Result<_, _>>()?;
    let sql = "INSERT OR REPLACE INTO windows (job, period, market, blocks) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![key.job, key.period, market, json(&blocks)?])?;
    Ok(())
}

/// The candles of each market of a cycle.
pub(super) fn read(connection: &Connection, key: Key) -> Result<Vec<Vec<Candle>>, StateError> {
    let sql = "SELECT blocks FROM windows WHERE job = ?1 AND period = ?2 ORDER BY market";
    let markets: Vec<String> = all(connection, sql, params![key.job, key.period], |row| row.get(0))?;
    let candles = |blocks: &String| {
        let blocks: Vec<i64> = serde_json::from_str(blocks).map_err(|error| StateError::Corrupt(error.to_string()))?;
        let blocks = blocks.into_iter().map(|block| blocks::get(connection, block));
        Ok(blocks.collect::<Result<Vec<_>, StateError>>()?.concat())
    };
    markets.iter().map(candles).collect()
}

/// The candles that were really there. The first one is among them even if it was carried: there is nothing before it to carry it
/// from again.
fn there(series: &CandleSeries) -> Vec<Candle> {
    let mut carried = series.carried().iter().peekable();
    let is_there = |candle: &&Candle| {
        carried.next_if_eq(&&candle.open_time_ms).is_none() || candle.open_time_ms == series.start_ms()
    };
    series.candles().iter().filter(is_there).copied().collect()
}
