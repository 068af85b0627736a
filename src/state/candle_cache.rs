//! The live window: closed candles as each source last told them, of each symbol once, whichever jobs need them.

use std::collections::BTreeMap;
use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{StateError, Store, blocks, columns};
use veriregime_core::types::candle::Candle;

impl Store {
    /// The candles that a source has told for the minutes of `range_ms`, in order.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for rows that this version did not write, else [`StateError`].
    pub fn live_candles(&self, source: &str, symbol: &str, range_ms: &Range<i64>) -> Result<Vec<Candle>, StateError> {
        live(&self.lock(), source, symbol, range_ms)
    }

    /// Keeps what a source told, in place of what it told before of the same minutes.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn keep_live_candles(&self, source: &str, symbol: &str, candles: &[Candle]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        keep(&transaction, source, symbol, candles)?;
        Ok(transaction.commit()?)
    }

    /// Drops what a source told of a symbol for the minutes of `range_ms`.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn forget_live_candles(&self, source: &str, symbol: &str, range_ms: &Range<i64>) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (start_ms, block) in overlapping(&transaction, source, symbol, range_ms)? {
            let mut rest = held(&transaction, start_ms, block)?;
            rest.retain(|candle| !range_ms.contains(&candle.open_time_ms));
            if rest.is_empty() {
                let sql = "DELETE FROM live_blocks WHERE source = ?1 AND symbol = ?2 AND start_ms = ?3";
                transaction.execute(sql, params![source, symbol, start_ms])?;
            } else {
                write(&transaction, source, symbol, start_ms, &rest)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Drops the live candles of the days that ended before `before_ms`, of every source.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn drop_live_candles(&self, before_ms: i64) -> Result<(), StateError> {
        let last_ms = before_ms.saturating_sub(blocks::BLOCK_MS);
        self.lock().execute("DELETE FROM live_blocks WHERE start_ms <= ?1", params![last_ms])?;
        Ok(())
    }
}

/// The candles that a source has told for the minutes of `range_ms`, in order.
pub(super) fn live(
    connection: &Connection,
    source: &str,
    symbol: &str,
    range_ms: &Range<i64>,
) -> Result<Vec<Candle>, StateError> {
    let mut candles = Vec::new();
    for (start_ms, block) in overlapping(connection, source, symbol, range_ms)? {
        let held = held(connection, start_ms, block)?;
        candles.extend(held.into_iter().filter(|candle| range_ms.contains(&candle.open_time_ms)));
    }
    Ok(candles)
}

/// Adds candles to the blocks of a source's symbol.
pub(super) fn keep(connection: &Connection, source: &str, symbol: &str, candles: &[Candle]) -> Result<(), StateError> {
    let mut fresh: BTreeMap<i64, BTreeMap<i64, Candle>> = BTreeMap::new();
    for candle in candles {
        let block = fresh.entry(blocks::start_ms(candle.open_time_ms)).or_default();
        block.insert(candle.open_time_ms, *candle);
    }
    for (start_ms, mut candles) in fresh {
        let sql = "SELECT block FROM live_blocks WHERE source = ?1 AND symbol = ?2 AND start_ms = ?3";
        let mut find = connection.prepare_cached(sql)?;
        let block: Option<i64> = find.query_row(params![source, symbol, start_ms], |row| row.get(0)).optional()?;
        if let Some(block) = block {
            for candle in held(connection, start_ms, block)? {
                candles.entry(candle.open_time_ms).or_insert(candle);
            }
        }
        write(connection, source, symbol, start_ms, &candles.into_values().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The blocks of a source's symbol in which minutes of `range_ms` lie, with their starts.
fn overlapping(
    connection: &Connection,
    source: &str,
    symbol: &str,
    range_ms: &Range<i64>,
) -> Result<Vec<(i64, i64)>, StateError> {
    let sql = "SELECT start_ms, block FROM live_blocks
               WHERE source = ?1 AND symbol = ?2 AND start_ms >= ?3 AND start_ms < ?4 ORDER BY start_ms";
    let first_ms = blocks::start_ms(range_ms.start);
    columns::all(connection, sql, params![source, symbol, first_ms, range_ms.end], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn held(connection: &Connection, start_ms: i64, block: i64) -> Result<Vec<Candle>, StateError> {
    let candles = blocks::get(connection, block)?;
    let is_right = |candle: &Candle| blocks::start_ms(candle.open_time_ms) == start_ms && candle.check().is_ok();
    if candles.iter().all(is_right) {
        Ok(candles)
    } else {
        Err(StateError::Corrupt(format!("the live candles from {start_ms} on are none")))
    }
}

fn write(
    connection: &Connection,
    source: &str,
    symbol: &str,
    start_ms: i64,
    candles: &[Candle],
) -> Result<(), StateError> {
    let block = blocks::put(connection, candles)?;
    let sql = "INSERT OR REPLACE INTO live_blocks (source, symbol, start_ms, block) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![source, symbol, start_ms, block])?;
    Ok(())
}
