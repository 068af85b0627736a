//! The live window: closed candles as each source last told them.

use std::ops::Range;

use rusqlite::{TransactionBehavior, params};

use super::{StateError, Store, rows};
use veriregime_core::types::candle::{CANDLE_BYTES, Candle};

impl Store {
    /// The candles that a source has told for the minutes of `range_ms`, in order.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for rows that this version did not write, else [`StateError`].
    pub fn live_candles(&self, source: &str, symbol: &str, range_ms: &Range<i64>) -> Result<Vec<Candle>, StateError> {
        let sql = "SELECT open_time_ms, candle FROM live_candles
                   WHERE source = ?1 AND symbol = ?2 AND open_time_ms >= ?3 AND open_time_ms < ?4 ORDER BY open_time_ms";
        let stored: Vec<(i64, Vec<u8>)> =
            rows::all(&self.lock(), sql, params![source, symbol, range_ms.start, range_ms.end], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        stored
            .into_iter()
            .map(|(open_time_ms, bytes)| {
                let bytes: [u8; CANDLE_BYTES] =
                    bytes.try_into().map_err(|_| StateError::Corrupt("a live candle is cut off".into()))?;
                let candle = Candle::from_le_bytes(&bytes);
                if candle.open_time_ms != open_time_ms || candle.check().is_err() {
                    return Err(StateError::Corrupt(format!("the live candle of {open_time_ms} is none")));
                }
                Ok(candle)
            })
            .collect()
    }

    /// Keeps what a source told, in place of what it told before of the same minutes.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn keep_live_candles(&self, source: &str, symbol: &str, candles: &[Candle]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let sql =
                "INSERT OR REPLACE INTO live_candles (source, symbol, open_time_ms, candle) VALUES (?1, ?2, ?3, ?4)";
            let mut insert = transaction.prepare_cached(sql)?;
            for candle in candles {
                insert.execute(params![source, symbol, candle.open_time_ms, candle.to_le_bytes()])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Drops what a source told of a symbol for the minutes of `range_ms`.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn forget_live_candles(&self, source: &str, symbol: &str, range_ms: &Range<i64>) -> Result<(), StateError> {
        let sql =
            "DELETE FROM live_candles WHERE source = ?1 AND symbol = ?2 AND open_time_ms >= ?3 AND open_time_ms < ?4";
        self.lock().execute(sql, params![source, symbol, range_ms.start, range_ms.end])?;
        Ok(())
    }

    /// Drops the live candles of minutes before `before_ms`, of every source.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn drop_live_candles(&self, before_ms: i64) -> Result<(), StateError> {
        self.lock().execute("DELETE FROM live_candles WHERE open_time_ms < ?1", params![before_ms])?;
        Ok(())
    }
}
