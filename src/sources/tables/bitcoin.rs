//! What a bitcoin cost at the end of each day: from a table, or from one-minute candles.

use std::collections::BTreeMap;
use std::path::Path;

use super::columns::{Content, content, parquet};
use super::error::TableError;
use super::series::{Bounds, DailySeries};
use crate::sources::candles::file;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::{DAY_MS, parse_day};

/// What such a table is called.
pub const WANTED: &str = "bitcoin prices";
const BOUNDS: Bounds = Bounds { column: "close_usd", lowest: 0.01, highest: 1e8 };
/// How long before midnight a day's last candle may open. Beyond, the day has no price.
const LATEST_MS: i64 = 3_600_000;

/// Reads a table of days, or candles in any form that is known here.
///
/// # Errors
/// [`TableError`].
pub fn read(path: &Path) -> Result<DailySeries, TableError> {
    let table = path.display().to_string();
    if let Content::Parquet = content(path)?
        && let Ok(columns) = parquet(path, WANTED, ["date"], ["close_usd"])
    {
        let rows = columns
            .texts
            .iter()
            .zip(columns.numbers)
            .map(|([date], [close])| parse_day(date).map(|day| (day, close)).map_err(|error| error.to_string()));
        let not_table = |detail: String| TableError::NotTable { table: table.clone(), wanted: WANTED, detail };
        return DailySeries::new(&table, &BOUNDS, rows.collect::<Result<Vec<_>, _>>().map_err(not_table)?);
    }
    let mut closes: BTreeMap<Day, (i64, f64)> = BTreeMap::new();
    for candle in file::read_any(path)? {
        let Ok(day) = Day::try_from(candle.open_time_ms.div_euclid(DAY_MS)) else { continue };
        let last = closes.entry(day).or_insert((candle.open_time_ms, candle.close));
        if candle.open_time_ms >= last.0 {
            *last = (candle.open_time_ms, candle.close);
        }
    }
    closes.retain(|_, (open_ms, _)| open_ms.rem_euclid(DAY_MS) >= DAY_MS - LATEST_MS);
    DailySeries::new(&table, &BOUNDS, closes.into_iter().map(|(day, (_, close))| (day, close)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_closes_with_its_last_candle_and_not_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candles.csv");
        let row = |day: i64, minute: i64, close: i64| format!("{},5,9,1,{close},1\n", day * DAY_MS + minute * 60_000);
        // The second day breaks off at noon.
        let rows: String = [(19_000, 1438, 2), (19_000, 1439, 3), (19_001, 0, 4), (19_001, 720, 5), (19_002, 1439, 6)]
            .map(|(day, minute, close)| row(day, minute, close))
            .concat();
        std::fs::write(&path, rows).unwrap();
        assert_eq!(read(&path).unwrap().iter().collect::<Vec<_>>(), [(19_000, 3.0), (19_002, 6.0)]);
    }
}
